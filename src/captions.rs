//! The captions of a video, from where the database says they are: read, converted, ready to be sent.

use std::path::Path;
use std::sync::Arc;

use crate::db::videos::Source;
use crate::error::{Error, Result};
use crate::http::body::{self, Response};
use crate::http::request::Request;
use crate::media::captions::{self, Captions, Format, Kept, Key, MOST_BYTES};
use crate::media::source::read_regular;
use crate::scan::tags;

/// A file of captions as it is sent.
pub struct Text {
    format: Format,
    text: String,
}

/// The captions in this form, or as they are but for their encoding; may wait long for a disk.
///
/// # Errors
/// The file cannot be read, is too long to be captions, or has none where they were.
pub fn text(kept: &Kept, source: &Source, wanted: Option<Format>) -> Result<Text> {
    match (source, wanted) {
        (Source::File(path), None) => {
            let text = crate::media::text::decode(&bytes(path)?);
            let format = if text.starts_with("WEBVTT") { Format::Vtt } else { Format::Srt };
            Ok(Text { format, text })
        }
        (Source::File(path), Some(format)) => {
            Ok(Text { format, text: captions::read(&bytes(path)?).to_text(format) })
        }
        (Source::Inside(path, track), wanted) => {
            let captions = inside(kept, path, *track)?;
            let format = wanted.unwrap_or(captions.format);
            Ok(Text { format, text: captions.to_text(format) })
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    let failed = |cause| Error::caused(format!("cannot read {}", path.display()), cause);
    let too_long = || Error::new(format!("{} is too long for captions", path.display()));
    read_regular(path, MOST_BYTES).map_err(failed)?.ok_or_else(too_long)
}

fn inside(kept: &Kept, path: &Path, track: u32) -> Result<Arc<Captions>> {
    let failed = |cause| Error::caused(format!("cannot read {}", path.display()), cause);
    let found = std::fs::metadata(path).map_err(failed)?;
    let modified = found.modified().map_err(failed)?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let key = Key { path: path.to_owned(), size: found.len(), modified: since.as_nanos(), track };
    if let Some(captions) = kept.get(&key) {
        return Ok(captions);
    }
    let captions = Arc::new(tags::captions(path, track)?);
    kept.put(key, &captions);
    Ok(captions)
}

/// The response with captions; 304 where the client has them already.
pub fn respond(text: Text, request: &Request, cache: &'static str) -> Response {
    let etag = body::tag_of(text.text.as_bytes());
    body::tagged(request, &etag, cache, text.format.content_type(), text.text)
}
