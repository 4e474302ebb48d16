//! Searching: by words in the folder view and the tag view, and the old way by fields.

use serde::Serialize;

use crate::db::albums::Album;
use crate::db::artists::Artist as ArtistRow;
use crate::db::search::{self, Fields, Page};
use crate::db::songs::Song;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::album::AlbumId3;
use crate::subsonic::types::artist::{Artist, ArtistId3};
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::{Call, Reply};

/// Things of each kind where the client names no number, as the spec has it.
const USUALLY_FOUND: i64 = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchResult {
    offset: i64,
    total_hits: i64,
    #[serde(rename = "match")]
    matching: Vec<Child>,
}

/// `search`: songs by their artist, album, title or any of them, all that are given.
pub fn search(call: &Call) -> Result<Reply> {
    let text = |name| call.params.text(name).unwrap_or_default();
    let fields = Fields {
        artist: text("artist"),
        album: text("album"),
        title: text("title"),
        any: text("any"),
        newer_than: call.params.int("newerThan")?,
    };
    let page = page(call, "count", "offset")?;
    let viewer = call.viewer();
    let (total_hits, songs) =
        call.app.db.read(|db| search::songs_by_fields(db, viewer, &fields, page))?;
    let result = SearchResult { offset: page.offset, total_hits, matching: children(songs) };
    call.answer("searchResult", &result)
}

#[derive(Serialize)]
struct Found<A, B> {
    artist: Vec<A>,
    album: Vec<B>,
    song: Vec<Child>,
}

/// `search2`: artists, albums and songs by words, as the folder view shows them.
pub fn search2(call: &Call) -> Result<Reply> {
    let (artists, albums, songs) = found(call)?;
    let artist: Vec<Artist> = artists.into_iter().map(Artist::from).collect();
    call.answer("searchResult2", &Found { artist, album: children(albums), song: children(songs) })
}

/// `search3`: artists, albums and songs by words; without any words all of them, page by page.
pub fn search3(call: &Call) -> Result<Reply> {
    let (artists, albums, songs) = found(call)?;
    let artist: Vec<ArtistId3> = artists.into_iter().map(ArtistId3::from).collect();
    let album: Vec<AlbumId3> = albums.into_iter().map(AlbumId3::from).collect();
    call.answer("searchResult3", &Found { artist, album, song: children(songs) })
}

fn found(call: &Call) -> Result<(Vec<ArtistRow>, Vec<Album>, Vec<Song>)> {
    let text = call.params.need_text("query")?;
    let artists = page(call, "artistCount", "artistOffset")?;
    let albums = page(call, "albumCount", "albumOffset")?;
    let songs = page(call, "songCount", "songOffset")?;
    let viewer = call.viewer_of_folder()?;
    call.app.db.read(|db| {
        Ok::<_, Fail>((
            search::artists(db, viewer, text, artists)?,
            search::albums(db, viewer, text, albums)?,
            search::songs(db, viewer, text, songs)?,
        ))
    })
}

fn page(call: &Call, count: &str, offset: &str) -> Result<Page> {
    Ok(Page {
        count: call.params.count_or(count, USUALLY_FOUND)?,
        offset: call.params.offset(offset)?,
    })
}
