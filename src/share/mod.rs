//! The `/share` door: what a friend with a link sees, without a login.
//!
//! The word in the link is the whole capability. It is looked up anew with every request, for the
//! page and for everything behind it, so that ending a share ends all of it at once. What a share
//! does not hold is not found (404), never forbidden: a stranger is not told what there is.

pub mod assets;
mod content;
pub mod page;
mod playlist;
mod visit;

use std::io::ErrorKind;
use std::sync::Arc;

use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderValue,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, StatusCode};

use crate::app::App;
use crate::clock::now;
use crate::db::shares::{self, Share};
use crate::http::body::{self, Body, Response};
use crate::http::client::Origin;
use crate::http::request::Request;
use crate::http::work::{Queue, Work};
use crate::id::Id;
use crate::media::plan::{Plan, attachment};
use crate::media::{kind, send};
use crate::pictures;

/// A page changes with what it shows and must end with its share.
const CACHE_PAGE: &str = "private, no-cache";
/// Caches in front of the server may carry the load of a link that many open; an end reaches them
/// within this minute.
const CACHE_SONG: &str = "public, max-age=60";
/// The minute of `CACHE_SONG`, in ms.
const CACHED_FOR: i64 = 60_000;
/// A stranger: nobody's stars are shown.
const STRANGER: i64 = 0;
/// Longest word of a link that is looked up.
const MOST_TOKEN_BYTES: usize = 64;

/// What of a share can be asked for.
pub const KINDS: [&str; 6] = ["page", "song", "cover", "playlist", "asset", "unknown"];

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked<'a> {
    /// The page, by the word of the link.
    Page(&'a str),
    /// The page, by an address that ends with a slash.
    PageWithSlash(&'a str),
    /// A file, by the word of the link and its name.
    Song(&'a str, &'a str),
    /// A picture of this, with sides of so many pixels.
    Cover(&'a str, Id, u32),
    /// The list of the songs.
    Playlist(&'a str),
    /// A part of all pages, by its name.
    Asset(&'a str),
    /// What no share has.
    Nothing,
}

fn asked(path: &str) -> Asked<'_> {
    let mut segments = path.strip_prefix("/share/").unwrap_or_default().splitn(3, '/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("assets"), Some(name), None) => Asked::Asset(name),
        (Some(name), None, None) => match name.strip_suffix(".m3u8") {
            Some(token) => Asked::Playlist(token),
            None => Asked::Page(name),
        },
        (Some(token), Some(""), None) => Asked::PageWithSlash(token),
        (Some(token), Some("playlist.m3u8"), None) => Asked::Playlist(token),
        (Some(token), Some(name), None) => match content::read_cover_name(name) {
            Some((id, size)) => Asked::Cover(token, id, size),
            None => Asked::Song(token, name),
        },
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
        Asked::Playlist(_) => 3,
        Asked::Asset(_) => 4,
        Asked::Nothing => 5,
    }
}

/// Whether a path below /share asks for a song, by its form.
pub fn sends_song(path: &str) -> bool {
    matches!(asked(path), Asked::Song(..))
}

/// Answers a request below /share; blocks on the database.
pub fn handle(app: &App, request: &Request, origin: &Origin) -> Work {
    let work = match request.method {
        Method::GET | Method::HEAD => answer(app, request, origin),
        _ => {
            let refusal = body::method_not_allowed("Use GET or HEAD.\n", "GET, HEAD");
            Work::Done(changing(refusal))
        }
    };
    let head = request.method == Method::HEAD;
    work.map(move |response| dressed(response, head))
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

fn answer(app: &App, request: &Request, origin: &Origin) -> Work {
    let answered = match asked(request.uri.path()) {
        Asked::Asset(name) => {
            assets::serve(name, &request.headers).map(Work::Done).ok_or(Refusal::NoFile)
        }
        Asked::Page(token) => show(app, token, request, origin).map(Work::Done),
        Asked::PageWithSlash(token) => match live(app, token) {
            Ok(share) => Ok(Work::Done(without_slash(&share))),
            Err(refusal) => Err(refusal.as_page()),
        },
        Asked::Playlist(token) => m3u8(app, token, origin).map(Work::Done),
        Asked::Cover(token, id, size) => cover(app, token, id, size, request),
        Asked::Song(token, name) => song(app, token, name, request, origin),
        Asked::Nothing => Err(Refusal::NoFile),
    };
    answered.unwrap_or_else(|refusal| Work::Done(refusal.response()))
}

/// Why a request gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// There is no such share; answered with a page.
    NoPage,
    /// The share has ended; answered with a page.
    EndedPage,
    /// There is no such thing in the share, or no such share.
    NoFile,
    /// The share has ended.
    EndedFile,
    /// As many listen as may at a time.
    Full,
    /// The file is there and cannot be read.
    Unreadable,
    /// Ours is the fault.
    Broken,
}

impl Refusal {
    /// The same, for a person who opened the link itself.
    fn as_page(self) -> Refusal {
        match self {
            Refusal::NoFile => Refusal::NoPage,
            Refusal::EndedFile => Refusal::EndedPage,
            other => other,
        }
    }

    fn response(self) -> Response {
        match self {
            Refusal::NoPage => html(StatusCode::NOT_FOUND, page::not_found()),
            Refusal::EndedPage => html(StatusCode::GONE, page::gone()),
            Refusal::NoFile => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
            Refusal::EndedFile => text(StatusCode::GONE, "This share has ended.\n"),
            Refusal::Full => {
                let words = "As many are listening as may at a time. Try again in a while.\n";
                changing(body::come_back(StatusCode::SERVICE_UNAVAILABLE, words, "30"))
            }
            Refusal::Unreadable => {
                text(StatusCode::SERVICE_UNAVAILABLE, "The file cannot be read now.\n")
            }
            Refusal::Broken => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server failed to answer; its log tells why.\n",
            ),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Refusal::Broken
    }
}

/// The share of a link, if it is open.
fn live(app: &App, token: &str) -> Result<Share, Refusal> {
    if !is_token(token) {
        return Err(Refusal::NoFile);
    }
    open_now(app.db.read(|db| shares::by_token(db, token))?)
}

fn open_now(share: Option<Share>) -> Result<Share, Refusal> {
    let share = share.ok_or(Refusal::NoFile)?;
    if share.is_open(now()) { Ok(share) } else { Err(Refusal::EndedFile) }
}

fn is_token(text: &str) -> bool {
    (1..=MOST_TOKEN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn show(app: &App, token: &str, request: &Request, origin: &Origin) -> Result<Response, Refusal> {
    let share = live(app, token).map_err(Refusal::as_page)?;
    let content = app.db.read(|db| content::read(db, &share))?;
    if visit::is_visit(request) {
        app.visits.count(share.id, now());
    }
    Ok(html(StatusCode::OK, page::html(&content::page(&share, content, &origin.base))))
}

/// The page's addresses are relative to an address without a slash at the end.
fn without_slash(share: &Share) -> Response {
    let mut response = text(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(location) = HeaderValue::from_str(&format!("../{}", share.token)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn m3u8(app: &App, token: &str, origin: &Origin) -> Result<Response, Refusal> {
    let share = live(app, token)?;
    let content = app.db.read(|db| content::read(db, &share))?;
    let address = format!("{}/share/{}", origin.base, share.token);
    let list = playlist::m3u8(&content.title, &content.songs, &address);
    let list = body::respond(StatusCode::OK, playlist::CONTENT_TYPE, list);
    let mut response = changing(list);
    if let Ok(name) = HeaderValue::from_str(&attachment(&format!("{}.m3u8", content.title))) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The picture of a song or an album of the share, `al3-600.jpg`.
fn cover(app: &App, token: &str, id: Id, size: u32, request: &Request) -> Result<Work, Refusal> {
    if !is_token(token) {
        return Err(Refusal::NoFile);
    }
    let (share, holds) =
        app.db.read(|db| shares::with_cover(db, token, id))?.ok_or(Refusal::NoFile)?;
    let share = open_now(Some(share))?;
    let found = if holds { pictures::find(app, share.seen_by(STRANGER), id)? } else { None };
    let (source, stamp) = found.ok_or(Refusal::NoFile)?;
    let (covers, request) = (Arc::clone(&app.covers), request.clone());
    Ok(Work::on_disk(Queue::Pictures, move || {
        match pictures::scaled(&covers, &source, stamp, Some(size)) {
            Ok(picture) => pictures::respond(picture, &request, cache(&share)),
            Err(error) => {
                tracing::warn!(%id, %error, "a cover cannot be shown");
                Refusal::NoFile.response()
            }
        }
    }))
}

/// How long what belongs to a share may be kept: not longer than the share lives.
fn cache(share: &Share) -> &'static str {
    let ends_soon = share.expires.is_some_and(|end| end.saturating_sub(now()) < CACHED_FOR);
    if ends_soon { CACHE_PAGE } else { CACHE_SONG }
}

/// A song under its id and suffix, `so12.flac`; nothing of the name reaches the disk.
fn song(
    app: &App,
    token: &str,
    name: &str,
    request: &Request,
    origin: &Origin,
) -> Result<Work, Refusal> {
    let (id, suffix) = name.split_once('.').ok_or(Refusal::NoFile)?;
    let Some(Id::Song(id)) = Id::parse(id).filter(|_| is_token(token)) else {
        return Err(Refusal::NoFile);
    };
    let (share, file) = match app.db.read(|db| shares::with_file(db, token, id))? {
        Some((share, file)) => (open_now(Some(share))?, file),
        None => return Err(Refusal::NoFile),
    };
    let file = file.filter(|file| file.suffix == suffix).ok_or(Refusal::NoFile)?;
    let place = app.share_streams.take(share.id).ok_or(Refusal::Full)?;
    let plan = Plan {
        path: file.path,
        content_type: kind::content_type(&file.suffix).into(),
        disposition: None,
        cache: cache(&share),
    };
    let pace = app.rates.of_share(origin.address);
    let (sender, request) = (app.sender.clone(), request.clone());
    Ok(Work::on_disk(Queue::Songs, move || {
        let begun = send::open(plan).and_then(|file| {
            sender.begin(file.holding(place).at_pace(pace), &request.method, &request.headers)
        });
        begun.unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => Refusal::NoFile.response(),
            _ => Refusal::Unreadable.response(),
        })
    }))
}

fn html(status: StatusCode, body: String) -> Response {
    let mut response = changing(body::respond(status, "text/html; charset=utf-8", body));
    let policy = HeaderValue::from_static(page::CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn text(status: StatusCode, words: &'static str) -> Response {
    changing(body::text(status, words))
}

/// What changes with its share, so that a copy is good only while the server says so.
fn changing(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(CACHE_PAGE));
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
            ("/share/abc/playlist.m3u8", "playlist"),
            ("/share/assets/share.css", "asset"),
            ("/share/abc/so1.flac/", "unknown"),
            ("/share/a/b/c/d", "unknown"),
        ] {
            assert_eq!(KINDS.get(kind_of(path)), Some(&kind), "{path}");
        }
    }
}
