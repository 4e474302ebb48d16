//! The songs, covers and captions of a share, as files of their own.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::{HeaderValue, USER_AGENT, VARY};

use super::gate::Guest;
use super::refusal::{CACHE_PAGE, FOR_ONE, Refusal};
use super::watch::{Over, Watcher};
use super::{STRANGER, archive, visit};
use crate::captions;
use crate::clock::now;
use crate::db::shares::{self, Share};
use crate::db::{songs, videos};
use crate::http::body::Response;
use crate::http::work::{Queue, Work};
use crate::id::Id;
use crate::media::captions::Format;
use crate::media::plan::{Plan, attachment};
use crate::media::{kind, send};
use crate::pictures;
use crate::plays::{Play, Refused, Track};

/// Caches in front of the server may carry the load of a link that many open; an end reaches them
/// within this minute.
const CACHE_SONG: &str = "public, max-age=60";
/// The minute of `CACHE_SONG`, in ms.
const CACHED_FOR: i64 = 60_000;

/// The picture of a song or an album of the share, `al3-600.jpg`.
pub fn cover(guest: Guest, token: &str, id: Id, size: u32) -> Result<Work, Refusal> {
    let (share, holds) = guest.admit_to(token, |db, token| shares::with_cover(db, token, id))?;
    let found = if holds { pictures::find(guest.app, share.seen_by(STRANGER), id)? } else { None };
    let (source, stamp) = found.ok_or(Refusal::NoFile)?;
    let (covers, request) = (Arc::clone(&guest.app.covers), Arc::clone(guest.request));
    Ok(Work::on_disk(Queue::Pictures, move || {
        match pictures::scaled(&covers, &source, stamp, Some(size)) {
            Ok(picture) => for_guests(&share, pictures::respond(picture, &request, cache(&share))),
            Err(error) => {
                tracing::warn!(%id, %error, "a cover cannot be shown");
                Refusal::NoFile.response()
            }
        }
    }))
}

/// How long what belongs to a share may be kept: not longer than the share lives, and not by caches
/// for all where each answer is for one listener.
pub fn cache(share: &Share) -> &'static str {
    let ends_soon = share.expires.is_some_and(|end| end.saturating_sub(now()) < CACHED_FOR);
    if ends_soon || share.is_for_one_listener() { CACHE_PAGE } else { CACHE_SONG }
}

/// A song under its id and suffix, `so12.flac`; nothing of the name reaches the disk. One that is to
/// be kept is there only where the share lets it be.
pub fn song(guest: Guest, token: &str, name: &str, keep: bool) -> Result<Work, Refusal> {
    let (id, suffix) = name.split_once('.').unwrap_or_default();
    let Some(Id::Song(id)) = Id::parse(id) else {
        // The link is looked up all the same, so that an answer tells nothing of it.
        return guest.admit(token).and(Err(Refusal::NoFile));
    };
    let writes = guest.app.db.writes();
    let (share, file) =
        guest.admit_listener(token, |db, token| shares::with_file(db, token, id))?;
    let there = file.filter(|file| file.suffix == suffix && (!keep || share.may_download()));
    let Some(file) = there else {
        let is_over = guest.app.plays.is_used_up(&share);
        return Err(if is_over { Refusal::UsedUp } else { Refusal::NoFile });
    };
    let disposition = if keep {
        let song = guest.app.db.read(|db| songs::by_id(db, share.seen_by(STRANGER), id))?;
        Some(attachment(&archive::file_name(&song.ok_or(Refusal::NoFile)?)))
    } else {
        None
    };
    let play = begin(&guest, &share, id, file.duration)?;
    let place = guest.app.share_streams.take(share.id).ok_or(Refusal::Full)?;
    let plan = Plan {
        path: file.path,
        content_type: kind::content_type(&file.suffix, file.video).into(),
        disposition,
        cache: cache(&share),
    };
    let pace = guest.app.rates.of_share(guest.origin.address);
    let (sender, request) = (guest.app.sender.clone(), Arc::clone(guest.request));
    let watcher = Watcher::new(&guest.app.db, &share, Over::Song(id), play, writes);
    Ok(Work::on_disk(Queue::Songs, move || {
        let begun = send::open(plan).and_then(|file| {
            let file = file.holding(place).at_pace(pace).watched_by(watcher);
            sender.begin(file, &request.method, &request.headers)
        });
        let response = begun.unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => Refusal::NoFile.response(),
            _ => Refusal::Unreadable.response(),
        });
        for_guests(&share, response)
    }))
}

/// Captions of a video of the share, `so12-0.vtt`: also for who is in the middle of it when the plays
/// are used up.
pub fn captions(guest: Guest, token: &str, video: i64, place: i64) -> Result<Work, Refusal> {
    let (share, found) = guest.admit_listener(token, |db, token| {
        let Some((share, file)) = shares::with_file(db, token, video)? else { return Ok(None) };
        let found = match file.filter(|file| file.video) {
            Some(file) => {
                let source = videos::caption(db, share.seen_by(STRANGER), video, place)?;
                source.map(|source| (source, file.duration))
            }
            None => None,
        };
        Ok(Some((share, found)))
    })?;
    let Some((source, duration)) = found else {
        let is_over = guest.app.plays.is_used_up(&share);
        return Err(if is_over { Refusal::UsedUp } else { Refusal::NoFile });
    };
    go_on(&guest, track(&share, video, duration))?;
    let (kept, request) = (Arc::clone(&guest.app.captions), Arc::clone(guest.request));
    Ok(Work::on_disk(Queue::Captions, move || {
        match captions::text(&kept, &source, Some(Format::Vtt)) {
            Ok(text) => for_guests(&share, captions::respond(text, &request, cache(&share))),
            Err(error) => {
                tracing::warn!(video, %error, "captions cannot be shown");
                Refusal::Unreadable.response()
            }
        }
    }))
}

/// Begins a play of a song of so many milliseconds, where there is one to be counted.
fn begin(guest: &Guest, share: &Share, song: i64, duration: i64) -> Result<Option<Play>, Refusal> {
    let track = track(share, song, duration);
    if guest.request.method == Method::HEAD {
        return go_on(guest, track).map(|()| None);
    }
    if !visit::is_visit(guest.request) {
        // What is not counted would have no limit.
        return if share.max_plays.is_some() { Err(Refusal::Robot) } else { Ok(None) };
    }
    guest.app.plays.begin(track, listener(guest), Instant::now()).map_err(|refused| match refused {
        Refused::UsedUp => Refusal::UsedUp,
        Refused::Reserved => Refusal::Reserved,
    })
}

/// Refuses what plays nothing to all but who is in the middle of the song, once the plays are used
/// up.
fn go_on(guest: &Guest, track: Track) -> Result<(), Refusal> {
    let plays = &guest.app.plays;
    let is_over =
        plays.is_used_up(track.share) && !plays.is_heard(track, listener(guest), Instant::now());
    if is_over { Err(Refusal::UsedUp) } else { Ok(()) }
}

/// A song of so many milliseconds.
fn track(share: &Share, song: i64, duration: i64) -> Track<'_> {
    let duration = Duration::from_millis(u64::try_from(duration).unwrap_or(0));
    Track { share, of: Id::Song(song), duration }
}

/// By what one listener is told from others.
fn listener<'a>(guest: &Guest<'a>) -> (IpAddr, &'a str) {
    (guest.origin.address, guest.request.header(USER_AGENT).unwrap_or_default())
}

/// Tells caches by what guests of a locked share are told apart.
pub fn for_guests(share: &Share, mut response: Response) -> Response {
    if share.has_passphrase() {
        response.headers_mut().append(VARY, HeaderValue::from_static(FOR_ONE));
    }
    response
}
