//! The pages of a share, answered.

use std::time::Duration;

use hyper::StatusCode;

use super::content::{self, Content};
use super::document::Document;
use super::files::for_guests;
use super::gate::Guest;
use super::lyrics::{self, Shape};
use super::page::{self, Page};
use super::refusal::{Refusal, changing, document};
use super::words::Words;
use super::{STRANGER, visit};
use crate::clock::now;
use crate::db::shares::{self, Share};
use crate::http::accepted::compressed;
use crate::http::body;
use crate::http::work::Work;
use crate::id::Id;
use crate::pictures;

/// How long a page waits for the colours of its cover, once for each: as long as nobody minds. A disk
/// that sleeps or hangs does not keep a page, which has our own colours then.
const PATIENCE: Duration = Duration::from_millis(300);

/// The page of a share.
pub fn page(guest: Guest, token: &str) -> Result<Work, Refusal> {
    let share = guest.admit(token).map_err(Refusal::as_page)?;
    drawn(guest, &share, page::page)
}

/// The player for frames of other sites, where the share may be shown there.
pub fn embed(guest: Guest, token: &str) -> Result<Work, Refusal> {
    let share = guest.admit(token).map_err(Refusal::as_embed)?;
    if !share.may_embed() {
        return Err(Refusal::NoPage);
    }
    drawn(guest, &share, page::embed)
}

/// Draws a page and counts the visit.
fn drawn(guest: Guest, share: &Share, draw: fn(&Page) -> Document) -> Result<Work, Refusal> {
    let app = guest.app;
    let content = app.db.read(|db| content::read(db, share))?;
    if visit::is_visit(guest.request) {
        app.visits.count(share.id, now());
    }
    let cover = match cover_of(&content) {
        Some(of) => pictures::find(app, share.seen_by(STRANGER), of)?,
        None => None,
    };
    let headers = &guest.request.headers;
    let mut page = content::page(share, content, Words::wanted(headers), &guest.origin.base);
    page.colours = cover
        .and_then(|(source, stamp)| pictures::colours_soon(&app.covers, source, stamp, PATIENCE));
    let response = document(StatusCode::OK, draw(&page), headers);
    Ok(Work::Done(for_guests(share, response)))
}

/// What the picture of a share is that of.
fn cover_of(content: &Content) -> Option<Id> {
    content.songs.iter().find_map(|song| song.cover).map(|cover| cover.of)
}

/// The words of a song of a share.
pub fn lyrics(guest: Guest, token: &str, song: i64, shape: Shape) -> Result<Work, Refusal> {
    let (share, found) = guest.admit_listener(token, |db, token| {
        let Some((share, file)) = shares::with_file(db, token, song)? else { return Ok(None) };
        let found = match file {
            Some(_) => lyrics::find(db, &share, song)?,
            None => None,
        };
        Ok(Some((share, found)))
    })?;
    let (song, lyrics) = found.ok_or(Refusal::NoFile)?;
    let headers = &guest.request.headers;
    let response = match shape {
        Shape::Json => changing(compressed(
            body::respond(StatusCode::OK, "application/json", lyrics::json(&lyrics)),
            headers,
        )),
        Shape::Page => {
            let page = lyrics::page(Words::wanted(headers), &share.token, &song, &lyrics);
            document(StatusCode::OK, page, headers)
        }
    };
    Ok(Work::Done(for_guests(&share, response)))
}
