//! The captions of a video, from where the database says they are: read, converted, ready to be sent.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::db::videos::Source;
use crate::error::{Error, Result};
use crate::http::body::{Body, Response};
use crate::http::range::has_copy;
use crate::http::request::Request;
use crate::media::captions::{self, Captions, Format, Kept, Key, MOST_BYTES};
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
    let mut bytes = Vec::new();
    // Looked at before it is opened: opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::new(format!("{} is not a regular file", path.display())));
    }
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() > MOST_BYTES {
        true => Err(Error::new(format!("{} is too long for captions", path.display()))),
        false => Ok(bytes),
    }
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
    let digest = Sha256::digest(text.text.as_bytes());
    let etag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let mut response = Response::new(Body::empty());
    if has_copy(&request.headers, &etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let headers = response.headers_mut();
        headers.insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(text.text.len()));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(text.format.content_type()));
        if request.method != Method::HEAD {
            *response.body_mut() = Body::full(text.text);
        }
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
