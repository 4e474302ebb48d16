//! The picture of a thing, from where the database says it is: scaled, kept, ready to be sent.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::db::Viewer;
use crate::db::covers::{self, Found};
use crate::error::Result;
use crate::http::body::{self, Response};
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

/// The colours of a picture, if they are known or are to be had within `wait`. What takes longer,
/// since a disk sleeps, is for the next who asks: a thread of its own goes on with it. There are few
/// of them, and none who asks while one is at a picture waits for it: see `Covers::begin_colours`.
pub fn colours_soon(
    covers: &Arc<Covers>,
    source: covers::Source,
    stamp: i64,
    wait: Duration,
) -> Option<Colours> {
    if let Some(known) = covers.known_colours(stamp) {
        return Some(known);
    }
    let place = Covers::begin_colours(covers, stamp)?;
    let (tell, told) = mpsc::sync_channel(1);
    let looks = move || {
        let found = place.colours(|| {
            cover::load(&source, |path| Ok(tags::read(path)?.picture.map(|picture| picture.bytes)))
        });
        match found {
            // Whoever asked may have gone on without it.
            Ok(colours) => drop(tell.try_send(colours)),
            Err(error) => tracing::warn!(%error, "the colours of a cover are not known"),
        }
    };
    if let Err(error) = thread::Builder::new().name("colours".into()).spawn(looks) {
        tracing::warn!(%error, "the colours of a cover are not looked for");
    }
    told.recv_timeout(wait).ok()
}

/// The response with a picture; 304 where the client has it already.
pub fn respond(picture: Picture, request: &Request, cache: &'static str) -> Response {
    body::tagged(request, &picture.etag, cache, picture.content_type, picture.bytes)
}
