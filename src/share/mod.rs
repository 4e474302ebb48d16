//! The `/share` door: what a friend with a link sees, without a login.
//!
//! The word in the link is the whole capability. It is looked up anew with every request, for the
//! page and for everything behind it, so that ending a share ends all of it at once. What a share
//! does not hold is not found (404), never forbidden: a stranger is not told what there is.

mod archive;
pub mod assets;
pub mod content;
mod document;
mod feed;
mod files;
mod gate;
mod json;
mod jspf;
mod listing;
mod lyrics;
mod markup;
mod notice;
mod oembed;
mod page;
mod palette;
mod pass;
mod player;
mod playlist;
mod preview;
mod qr;
mod refusal;
mod show;
mod tracks;
mod visit;
mod watch;
mod ways;
pub mod words;

use std::sync::Arc;

use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_LENGTH, HeaderValue,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, StatusCode};

use self::gate::Guest;
use self::refusal::{Refusal, changing, text};
use self::ways::Way;
use crate::app::App;
use crate::db::shares::Share;
use crate::http::body::{self, Body, Response};
use crate::http::client::Origin;
use crate::http::request::Request;
use crate::http::work::Work;
use crate::id::Id;

/// A stranger: nobody's stars are shown.
const STRANGER: i64 = 0;

/// What of a share can be asked for.
pub const KINDS: [&str; 14] = [
    "page", "song", "cover", "playlist", "asset", "captions", "feed", "card", "archive",
    "download", "oembed", "embed", "lyrics", "unknown",
];

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'a> {
    /// The page, by the word of the link.
    Page(&'a str),
    /// The page, by an address that ends with a slash.
    PageWithSlash(&'a str),
    /// The player for frames of other sites.
    Embed(&'a str),
    /// The words of this song, in this shape.
    Lyrics(&'a str, i64, lyrics::Shape),
    /// A file, by the word of the link and its name.
    Song(&'a str, &'a str),
    /// A picture of this, with sides of so many pixels.
    Cover(&'a str, Id, u32),
    /// The captions of this video at this place, as WebVTT.
    Captions(&'a str, i64, i64),
    /// A list, a feed or another document.
    Document(&'a str, Way),
    /// The picture that link previews show.
    Card(&'a str),
    /// All files in one.
    Archive(&'a str),
    /// A file that is to be kept, by the word of the link and its name.
    Download(&'a str, &'a str),
    /// What a site is told that wants to show a link as a player.
    Oembed,
    /// A part of all pages, by its name.
    Asset(&'a str),
    /// What no share has.
    Nothing,
}

fn asked(path: &str) -> Asked<'_> {
    let mut segments = path.strip_prefix("/share/").unwrap_or_default().splitn(3, '/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("assets"), Some(name), None) => Asked::Asset(name),
        (Some("oembed"), None, None) => Asked::Oembed,
        (Some(name), None, None) => match name.strip_suffix(".m3u8") {
            Some(token) => Asked::Document(token, Way::M3u8),
            None => Asked::Page(name),
        },
        (Some(token), Some(""), None) => Asked::PageWithSlash(token),
        (Some(token), Some("card.jpg"), None) => Asked::Card(token),
        (Some(token), Some("tracks.zip"), None) => Asked::Archive(token),
        (Some(token), Some("embed"), None) => Asked::Embed(token),
        (Some(token), Some(name), None) => {
            if let Some(way) = Way::of_name(name) {
                Asked::Document(token, way)
            } else if let Some((id, size)) = content::read_cover_name(name) {
                Asked::Cover(token, id, size)
            } else if let Some((video, place)) = content::read_captions_name(name) {
                Asked::Captions(token, video, place)
            } else if let Some((song, shape)) = lyrics::read_name(name) {
                Asked::Lyrics(token, song, shape)
            } else {
                Asked::Song(token, name)
            }
        }
        (Some(token), Some("get"), Some(name)) if !name.contains('/') => {
            Asked::Download(token, name)
        }
        _ => Asked::Nothing,
    }
}

/// The place in [`KINDS`] of what a path asks for, by its form: whether it is there is not looked
/// up.
pub fn kind_of(path: &str) -> usize {
    match asked(path) {
        Asked::Page(_) | Asked::PageWithSlash(_) => 0,
        Asked::Song(..) => 1,
        Asked::Cover(..) => 2,
        Asked::Document(_, Way::M3u8 | Way::Jspf) => 3,
        Asked::Asset(_) => 4,
        Asked::Captions(..) => 5,
        Asked::Document(_, Way::Rss | Way::Json | Way::Qr) => 6,
        Asked::Card(_) => 7,
        Asked::Archive(_) => 8,
        Asked::Download(..) => 9,
        Asked::Oembed => 10,
        Asked::Embed(_) => 11,
        Asked::Lyrics(..) => 12,
        Asked::Nothing => 13,
    }
}

/// Whether a path below /share asks for a song, by its form.
pub fn sends_song(path: &str) -> bool {
    matches!(asked(path), Asked::Song(..) | Asked::Download(..))
}

/// Answers a request below /share; blocks on the database.
pub fn handle(app: &App, request: &Arc<Request>, origin: &Origin) -> Work {
    let work = match request.method {
        Method::GET | Method::HEAD => answer(Guest { app, request, origin }),
        Method::POST if is_page(request.uri.path()) => enter(Guest { app, request, origin }),
        _ => {
            let refusal = body::method_not_allowed("Use GET or HEAD.\n", "GET, HEAD");
            Work::Done(changing(refusal))
        }
    };
    let head = request.method == Method::HEAD;
    work.map(move |response| dressed(response, head))
}

/// Whether a path is that of a page, which may have a form.
fn is_page(path: &str) -> bool {
    matches!(asked(path), Asked::Page(_) | Asked::Embed(_))
}

/// Takes the passphrase of a form.
fn enter(guest: Guest) -> Work {
    let entered = match asked(guest.request.uri.path()) {
        Asked::Page(token) => guest
            .at_the_door_of(token)
            .and_then(|share| pass::enter(&guest, &share, false))
            .map_err(Refusal::as_page),
        Asked::Embed(token) => guest
            .at_the_door_of(token)
            .and_then(|share| match share.may_embed() {
                true => pass::enter(&guest, &share, true),
                false => Err(Refusal::NoFile),
            })
            .map_err(Refusal::as_embed),
        _ => Err(Refusal::NoPage),
    };
    Work::Done(entered.unwrap_or_else(|refusal| refusal.response_to(&guest.request.headers)))
}

/// What every response has; one to HEAD without its body.
fn dressed(mut response: Response, head: bool) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if head
        && let Body::Full(bytes) = response.body_mut()
        && let Some(bytes) = bytes.take()
    {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    response
}

/// Lets pages of other sites read the response, whoever asks: a player on the web opens links as
/// one on a phone does. No cookie comes along, since the browser sends none for it.
fn for_other_sites(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = "accept-ranges, content-disposition, content-length, content-range, etag";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    response
}

fn answer(guest: Guest) -> Work {
    let asked = asked(guest.request.uri.path());
    let answered = match asked {
        Asked::Asset(name) => {
            assets::serve(name, &guest.request.headers).map(Work::Done).ok_or(Refusal::NoFile)
        }
        Asked::Page(token) => show::page(guest, token),
        Asked::Embed(token) => show::embed(guest, token),
        Asked::Lyrics(token, song, shape) => show::lyrics(guest, token, song, shape),
        Asked::PageWithSlash(token) => match guest.admit(token) {
            Ok(share) => Ok(Work::Done(without_slash(&share))),
            Err(refusal) => Err(refusal.as_page()),
        },
        Asked::Document(token, way) => ways::document(guest, token, way).map(Work::Done),
        Asked::Card(token) => ways::card(guest, token),
        Asked::Archive(token) => archive::archive(guest, token),
        Asked::Cover(token, id, size) => files::cover(guest, token, id, size),
        Asked::Captions(token, video, place) => files::captions(guest, token, video, place),
        Asked::Song(token, name) => files::song(guest, token, name, false),
        Asked::Download(token, name) => files::song(guest, token, name, true),
        Asked::Oembed => ways::oembed(guest).map(Work::Done),
        Asked::Nothing => Err(Refusal::NoFile),
    };
    let headers = &guest.request.headers;
    let work = answered.unwrap_or_else(|refusal| Work::Done(refusal.response_to(headers)));
    match asked {
        Asked::Page(_)
        | Asked::PageWithSlash(_)
        | Asked::Embed(_)
        | Asked::Lyrics(..)
        | Asked::Asset(_)
        | Asked::Nothing => work,
        _ => work.map(for_other_sites),
    }
}

/// The page's addresses are relative to an address without a slash at the end.
fn without_slash(share: &Share) -> Response {
    let mut response = text(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(location) = HeaderValue::from_str(&format!("../{}", share.token)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_asks_for_one_kind() {
        for (path, kind) in [
            ("/share/abc", "page"),
            ("/share/abc/", "page"),
            ("/share/", "page"),
            ("/share/abc/so1.flac", "song"),
            ("/share/abc/al3-600.jpg", "cover"),
            ("/share/abc/al3-601.jpg", "song"),
            ("/share/abc.m3u8", "playlist"),
            ("/share/abc/embed", "embed"),
            ("/share/abc/so7.lyrics", "lyrics"),
            ("/share/abc/so7.lyrics.json", "lyrics"),
            ("/share/abc/so7-0.vtt", "captions"),
            ("/share/abc/so7-00.vtt", "song"),
            ("/share/abc/al7-0.vtt", "song"),
            ("/share/abc/playlist.m3u8", "playlist"),
            ("/share/abc/playlist.jspf", "playlist"),
            ("/share/abc/feed.rss", "feed"),
            ("/share/abc/share.json", "feed"),
            ("/share/abc/qr.svg", "feed"),
            ("/share/abc/card.jpg", "card"),
            ("/share/abc/tracks.zip", "archive"),
            ("/share/abc/get/so1.flac", "download"),
            ("/share/abc/get/so1.flac/", "unknown"),
            ("/share/oembed", "oembed"),
            ("/share/assets/share.js", "asset"),
            ("/share/abc/so1.flac/", "unknown"),
            ("/share/a/b/c/d", "unknown"),
        ] {
            assert_eq!(KINDS.get(kind_of(path)), Some(&kind), "{path}");
        }
    }
}
