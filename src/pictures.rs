//! The picture of a thing, from where the database says it is: scaled, kept, ready to be sent.

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use hyper::{Method, StatusCode};

use crate::app::App;
use crate::db::Viewer;
use crate::db::covers::{self, Found};
use crate::error::Result;
use crate::http::body::{Body, Response};
use crate::http::range::has_copy;
use crate::http::request::Request;
use crate::id::Id;
use crate::media::cover::colours::Colours;
use crate::media::cover::{self, Covers, Picture};
use crate::scan::tags;

/// Where the picture of a thing is, if it has one that the viewer may see.
pub fn find(app: &App, viewer: Viewer, of: Id) -> rusqlite::Result<Found> {
    app.db.read(|db| match of {
        Id::Song(song) => covers::of_song(db, viewer, song),
        Id::Album(album) => covers::of_album(db, viewer, album),
        Id::Artist(artist) => covers::of_artist(db, viewer, artist),
        Id::Folder(folder) => covers::of_folder(db, viewer, folder),
        Id::Playlist(_) | Id::Share(_) | Id::Radio(_) => Ok(None),
    })
}

/// The picture itself; blocks. See `Covers::scaled` for the size and the errors.
pub fn scaled(
    covers: &Covers,
    source: &covers::Source,
    stamp: i64,
    size: Option<u32>,
) -> Result<Picture> {
    covers.scaled(stamp, size, || {
        cover::load(source, |path| Ok(tags::read(path)?.picture.map(|picture| picture.bytes)))
    })
}

/// The colours of a picture; blocks. See `Covers::colours` for the errors.
pub fn colours(covers: &Covers, source: &covers::Source, stamp: i64) -> Result<Colours> {
    covers.colours(stamp, || {
        cover::load(source, |path| Ok(tags::read(path)?.picture.map(|picture| picture.bytes)))
    })
}

/// The response with a picture; 304 where the client has it already.
pub fn respond(picture: Picture, request: &Request, cache: &str) -> Response {
    let mut response = Response::new(Body::empty());
    if has_copy(&request.headers, &picture.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let length = HeaderValue::from(picture.bytes.len());
        response.headers_mut().insert(hyper::header::CONTENT_LENGTH, length);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(picture.content_type));
        if request.method != Method::HEAD {
            *response.body_mut() = Body::full(picture.bytes);
        }
    }
    for (name, value) in [(ETAG, picture.etag.as_str()), (CACHE_CONTROL, cache)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
