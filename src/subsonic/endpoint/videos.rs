//! Videos: all of them, what each has, and captions in the form a player wants.

use std::sync::Arc;

use serde::Serialize;

use crate::captions;
use crate::db::videos::{self, AudioTrack as AudioTrackRow};
use crate::http::work::Queue;
use crate::id::Id;
use crate::media::captions::Format;
use crate::media::language;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::params::MOST_ITEMS;
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::{Call, Reply};

/// Captions change with their file, and their id does not.
const CACHE: &str = "private, no-cache";

#[derive(Serialize)]
struct Videos {
    video: Vec<Child>,
}

/// `getVideos`: all videos by title.
pub fn get_videos(call: &Call) -> Result<Reply> {
    let rows = call.app.db.read(|db| videos::all(db, call.viewer(), MOST_ITEMS))?;
    call.answer("videos", &Videos { video: children(rows) })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VideoInfo {
    id: Id,
    captions: Vec<Captions>,
    audio_track: Vec<AudioTrack>,
    /// None: there is no transcoding of videos.
    conversion: [(); 0],
}

#[derive(Serialize)]
struct Captions {
    id: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AudioTrack {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    language_code: String,
}

/// `getVideoInfo`: the captions and the sounds of a video.
pub fn get_video_info(call: &Call) -> Result<Reply> {
    let id = call.params.need_song("id")?;
    let (captions, tracks) = call.app.db.read(|db| {
        if !videos::is_there(db, call.viewer(), id)? {
            return Err(Fail::not_found("Video"));
        }
        Ok((videos::captions(db, &[id])?, videos::audio_tracks(db, id)?))
    })?;
    let captions = captions.into_iter().map(|(_, caption)| Captions {
        id: format!("{}-{}", Id::Song(id), caption.position),
        name: named(language::label(&caption.language, &caption.name), "Captions"),
    });
    let info = VideoInfo {
        id: Id::Song(id),
        captions: captions.collect(),
        audio_track: tracks.into_iter().map(AudioTrack::from).collect(),
        conversion: [],
    };
    call.answer("videoInfo", &info)
}

impl From<AudioTrackRow> for AudioTrack {
    fn from(row: AudioTrackRow) -> Self {
        AudioTrack {
            id: row.id.to_string(),
            name: named(language::label(&row.language, &row.name), "Audio"),
            language_code: row.language,
        }
    }
}

fn named(label: String, otherwise: &str) -> String {
    if label.is_empty() { otherwise.to_owned() } else { label }
}

/// `getCaptions`: the captions of a video, the best of them by its id, others by the ids that
/// `getVideoInfo` gives; as they are, or as `srt` or `vtt`.
pub fn get_captions(call: &Call) -> Result<Reply> {
    let text = call.params.need_text("id")?;
    let absent = || Fail::not_found("Captions");
    let (video, place) = text.split_once('-').unwrap_or((text, "0"));
    let Some(Id::Song(video)) = Id::parse(video) else { return Err(absent()) };
    let place = place.parse().map_err(|_| absent())?;
    let format = match call.params.text("format") {
        None | Some("") => None,
        Some("srt") => Some(Format::Srt),
        Some("vtt") => Some(Format::Vtt),
        Some(_) => return Err(Fail::parameter("Parameter 'format' must be srt or vtt")),
    };
    let source = call.app.db.read(|db| videos::caption(db, call.viewer(), video, place))?;
    let source = source.ok_or_else(absent)?;
    let (kept, request) = (Arc::clone(&call.app.captions), Arc::clone(call.request));
    let read = move || match captions::text(&kept, &source, format) {
        Ok(text) => Ok(captions::respond(text, &request, CACHE)),
        Err(error) => {
            tracing::warn!(video, %error, "captions cannot be shown");
            Err(Fail::generic("The captions cannot be read now; the log of the server tells why"))
        }
    };
    Ok(Reply::OnDisk(Queue::Captions, Box::new(read)))
}
