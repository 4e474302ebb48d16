//! Bytes of songs and pictures: streams, downloads, covers, avatars.

use std::io::ErrorKind;
use std::sync::Arc;

use hyper::StatusCode;

use crate::db::{songs, users};
use crate::http::body::{self, Response};
use crate::http::work::Queue;
use crate::media::cover::{self, Picture};
use crate::media::plan::{Plan, attachment};
use crate::media::{avatar, kind, send};
use crate::pictures;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::CoverId;
use crate::subsonic::{Call, Reply};

/// Songs may change under their id; a client asks anew and is told 304 most times.
const CACHE_SONG: &str = "private, no-cache";
/// A picture's id changes with the picture: clients need not ask again.
const CACHE_PICTURE: &str = "private, max-age=2592000";
/// Side of an avatar for which no size is asked, in pixels.
const AVATAR_SIZE: u32 = 256;

/// `stream`: a song as its file is, in ranges too. There is no other format or bit rate to have:
/// the spec leaves both to the server.
pub fn stream(call: &Call) -> Result<Reply> {
    for number in ["maxBitRate", "timeOffset"] {
        call.params.int(number)?;
    }
    send_song(call, |_| None)
}

/// `download`: a song's file under its own name.
pub fn download(call: &Call) -> Result<Reply> {
    send_song(call, |file| {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        Some(attachment(&name))
    })
}

fn send_song(call: &Call, disposition: fn(&songs::File) -> Option<String>) -> Result<Reply> {
    let id = call.params.need_song("id")?;
    let (app, viewer) = (call.app, call.viewer());
    let read = || app.db.read(|db| songs::file(db, viewer, id));
    let file = app.known_songs.find(&app.db, &(id, viewer.scope), read)?;
    let file = file.ok_or_else(|| Fail::not_found("Song"))?;
    let plan = Plan {
        content_type: kind::content_type(&file.suffix, file.video).into(),
        disposition: disposition(&file),
        cache: CACHE_SONG,
        path: file.path,
    };
    let Some(place) = call.app.user_streams.take(call.user.id) else {
        return Ok(Reply::Response(too_many()));
    };
    let pace = call.app.rates.of_user();
    let (sender, request) = (call.app.sender.clone(), Arc::clone(call.request));
    let open = move || {
        send::open(plan)
            .and_then(|file| {
                sender.begin(file.holding(place).at_pace(pace), &request.method, &request.headers)
            })
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => Fail::not_found("The file of the song"),
                _ => Fail::generic("The file of the song cannot be read now"),
            })
    };
    Ok(Reply::OnDisk(Queue::Songs, Box::new(open)))
}

/// The spec has no code for this; players know the status of HTTP.
fn too_many() -> Response {
    let words = "Too many streams of this user at a time. Try again in a while.\n";
    body::come_back(StatusCode::TOO_MANY_REQUESTS, words, "30")
}

/// `getCoverArt`: the picture of a song, an album, an artist or a folder.
pub fn get_cover_art(call: &Call) -> Result<Reply> {
    let id = call.params.need_text("id")?;
    let size = size(call)?;
    let absent = || Fail::not_found("Cover art");
    let id = CoverId::parse(id).ok_or_else(absent)?;
    let found = pictures::find(call.app, call.viewer(), id)?;
    let (source, stamp) = found.ok_or_else(absent)?;
    let (covers, request) = (Arc::clone(&call.app.covers), Arc::clone(call.request));
    let scale = move || {
        let picture = pictures::scaled(&covers, &source, stamp, size).map_err(|error| {
            tracing::warn!(%id, %error, "a cover cannot be shown");
            absent()
        })?;
        Ok(pictures::respond(picture, &request, CACHE_PICTURE))
    };
    Ok(Reply::OnDisk(Queue::Pictures, Box::new(scale)))
}

/// `getAvatar`: a pattern drawn from the user's name.
pub fn get_avatar(call: &Call) -> Result<Reply> {
    let name = call.params.need_text("username")?;
    let user = call.app.db.read(|db| users::by_name(db, name))?;
    let user = user.ok_or_else(|| Fail::not_found("User"))?;
    let size = size(call)?.unwrap_or(AVATAR_SIZE);
    let bytes = avatar::draw(&user.name, size);
    let etag = cover::etag(0, Some(size));
    let picture = Picture { bytes: bytes.into(), content_type: "image/png", etag };
    Ok(Reply::Response(pictures::respond(picture, call.request, CACHE_PICTURE)))
}

/// The side asked for in pixels; a wish that is not positive is none.
fn size(call: &Call) -> Result<Option<u32>> {
    Ok(call
        .params
        .int("size")?
        .filter(|size| *size > 0)
        .map(|size| u32::try_from(size).unwrap_or(u32::MAX)))
}
