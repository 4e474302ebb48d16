//! Other ways into a share than its page: lists, feeds, its link as a code, its card, oEmbed.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, HeaderValue};

use super::content;
use super::files::{cache, for_guests};
use super::gate::Guest;
use super::listing::{Listing, listing};
use super::oembed::{self, Format, Unanswered};
use super::refusal::{CACHE_PAGE, Refusal, text};
use super::{STRANGER, feed, json, jspf, playlist, qr};
use crate::db::shares::Share;
use crate::http::body::{self, Response};
use crate::http::work::{Queue, Work};
use crate::media::card::{self, Card};
use crate::media::plan::attachment;
use crate::media::zip::names::clean;
use crate::pictures;

/// A document of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The playlist for players, `playlist.m3u8`.
    M3u8,
    /// The playlist in JSON, `playlist.jspf`.
    Jspf,
    /// The feed for podcast apps, `feed.rss`.
    Rss,
    /// All of it for programs, `share.json`.
    Json,
    /// The link as a QR code, `qr.svg`.
    Qr,
}

impl Way {
    /// The document of a name in a link.
    pub fn of_name(name: &str) -> Option<Way> {
        Some(match name {
            "playlist.m3u8" => Way::M3u8,
            "playlist.jspf" => Way::Jspf,
            "feed.rss" => Way::Rss,
            "share.json" => Way::Json,
            "qr.svg" => Way::Qr,
            _ => return None,
        })
    }
}

/// A document.
pub fn document(guest: Guest, token: &str, way: Way) -> Result<Response, Refusal> {
    let share = guest.admit(token)?;
    let listing = read(guest, &share)?;
    let (kind, document) = match way {
        Way::M3u8 => (playlist::CONTENT_TYPE, playlist::m3u8(&listing)),
        Way::Jspf => (jspf::CONTENT_TYPE, jspf::jspf(&listing).map_err(unwritten)?),
        Way::Rss => (feed::CONTENT_TYPE, feed::rss(&listing)),
        Way::Json => (json::CONTENT_TYPE, json::json(&listing).map_err(unwritten)?),
        Way::Qr => (qr::CONTENT_TYPE, qr::svg(&listing.url).map_err(unwritten)?),
    };
    let mut response = for_guests(&share, tagged(guest, kind, document));
    let suffix = match way {
        Way::M3u8 => "m3u8",
        Way::Jspf => "jspf",
        Way::Rss | Way::Json | Way::Qr => return Ok(response),
    };
    let name = attachment(&format!("{}.{suffix}", clean(&listing.title)));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// What a share is to programs.
fn read(guest: Guest, share: &Share) -> Result<Listing, Refusal> {
    let content = guest.app.db.read(|db| content::read(db, share))?;
    Ok(listing(share, &content, &guest.origin.base))
}

/// A document that was not written: ours is the fault.
fn unwritten(error: impl std::fmt::Display) -> Refusal {
    tracing::error!(%error, "a document of a share cannot be written");
    Refusal::Broken
}

/// The response with a document, or 304 where the client has it already.
fn tagged(guest: Guest, kind: &'static str, document: String) -> Response {
    let etag = body::tag_of(document.as_bytes());
    body::tagged(guest.request, &etag, CACHE_PAGE, kind, document)
}

/// What a site is told that wants to show a link as a player.
pub fn oembed(guest: Guest) -> Result<Response, Refusal> {
    let question = match oembed::question(&guest.request.uri, &guest.origin.base) {
        Ok(question) => question,
        Err(Unanswered::Unknown) => return Err(Refusal::NoFile),
        Err(Unanswered::Format) => {
            return Ok(text(StatusCode::NOT_IMPLEMENTED, "The formats are json and xml.\n"));
        }
    };
    let share = guest.admit(&question.token)?;
    if !share.may_embed() {
        return Err(Refusal::NoFile);
    }
    let listing = read(guest, &share)?;
    let kind = match question.format {
        Format::Json => oembed::JSON,
        Format::Xml => oembed::XML,
    };
    let answer = oembed::answer(&listing, &question).map_err(unwritten)?;
    Ok(for_guests(&share, tagged(guest, kind, answer)))
}

/// The picture that link previews show.
pub fn card(guest: Guest, token: &str) -> Result<Work, Refusal> {
    let share = guest.admit(token)?;
    let content = guest.app.db.read(|db| content::read(db, &share))?;
    let pictured = content.songs.iter().find_map(|song| song.cover);
    let cover = match pictured {
        Some(cover) => pictures::find(guest.app, share.seen_by(STRANGER), cover.of)?,
        None => None,
    };
    let listing = listing(&share, &content, &guest.origin.base);
    let (title, facts) = (listing.title.clone(), listing.facts());
    let artist = listing.artist.unwrap_or_default();
    let (covers, request) = (Arc::clone(&guest.app.covers), Arc::clone(guest.request));
    Ok(Work::on_disk(Queue::Pictures, move || {
        let card = Card { title: &title, artist: &artist, facts: &facts };
        let with_cover = cover.and_then(|(source, stamp)| {
            let gather = || pictures::scaled(&covers, &source, stamp, Some(card::COVER));
            let draw = |cover: crate::media::cover::Picture| card.draw(Some(&cover.bytes));
            let drawn = covers.drawn(card.stamp(Some(stamp)), gather, draw);
            drawn.inspect_err(|error| tracing::warn!(%error, "a card goes without its cover")).ok()
        });
        let drawn = match with_cover {
            Some(picture) => Ok(picture),
            None => covers.drawn(card.stamp(None), || Ok(()), |()| card.draw(None)),
        };
        match drawn {
            Ok(picture) => for_guests(&share, pictures::respond(picture, &request, cache(&share))),
            Err(error) => unwritten(error).response(),
        }
    }))
}
