//! Finding artists, albums and songs by words, and listing all of them page by page.
//!
//! Found first is what begins with the text asked for, by name; then what holds all the words
//! anywhere, in the order of ids. Both orders are stable, so pages fit together, and neither
//! looks at more rows than the page needs: relevance would have to rate every hit.

use rusqlite::{Connection, Result};

use super::albums::{self, Album};
use super::artists::{self, Artist};
use super::songs::{self, Song};
use super::{Viewer, collect, fold};

/// Which part of the hits is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// At most so many.
    pub count: i64,
    /// After so many.
    pub offset: i64,
}

/// How one kind of thing is searched: `all` lists ids, `begins` those whose key lies in a range,
/// `holds` those that match words but lie outside that range, `how_many` counts the range.
struct Kind {
    all: &'static str,
    begins: &'static str,
    how_many: &'static str,
    holds: &'static str,
}

const SONGS: Kind = Kind {
    all: "SELECT id FROM song INDEXED BY song_present WHERE missing IS NULL AND video = 0
        AND (?1 >> music_folder_id) & 1 ORDER BY id LIMIT ?2 OFFSET ?3",
    begins: "SELECT id FROM song INDEXED BY song_title
        WHERE missing IS NULL AND title_key >= ?4 AND title_key < ?5 AND (?1 >> music_folder_id) & 1
        ORDER BY title_key, id LIMIT ?2 OFFSET ?3",
    how_many:
        "SELECT count(*) FROM song WHERE missing IS NULL AND title_key >= ?2 AND title_key < ?3
        AND (?1 >> music_folder_id) & 1",
    holds: "SELECT song.id FROM song_search CROSS JOIN song ON song.id = song_search.rowid
        WHERE song_search MATCH ?6 AND missing IS NULL AND NOT (title_key >= ?4 AND title_key < ?5)
            AND (?1 >> music_folder_id) & 1
        ORDER BY song_search.rowid LIMIT ?2 OFFSET ?3",
};

const ALBUMS: Kind = Kind {
    all: "SELECT id FROM album WHERE song_count > 0 AND (?1 >> music_folder_id) & 1 ORDER BY id LIMIT ?2 OFFSET ?3",
    begins: "SELECT id FROM album INDEXED BY album_by_name
        WHERE song_count > 0 AND sort_key >= ?4 AND sort_key < ?5 AND (?1 >> music_folder_id) & 1
        ORDER BY sort_key, id LIMIT ?2 OFFSET ?3",
    how_many: "SELECT count(*) FROM album WHERE song_count > 0 AND sort_key >= ?2 AND sort_key < ?3
        AND (?1 >> music_folder_id) & 1",
    holds: "SELECT album.id FROM album_search CROSS JOIN album ON album.id = album_search.rowid
        WHERE album_search MATCH ?6 AND song_count > 0 AND NOT (sort_key >= ?4 AND sort_key < ?5)
            AND (?1 >> music_folder_id) & 1
        ORDER BY album_search.rowid LIMIT ?2 OFFSET ?3",
};

const ARTISTS: Kind = Kind {
    all: "SELECT id FROM artist WHERE album_count > 0 AND music_folders & ?1 != 0 ORDER BY id LIMIT ?2 OFFSET ?3",
    begins: "SELECT id FROM artist INDEXED BY artist_sorted
        WHERE album_count > 0 AND sort_key >= ?4 AND sort_key < ?5 AND music_folders & ?1 != 0
        ORDER BY sort_key, id LIMIT ?2 OFFSET ?3",
    how_many:
        "SELECT count(*) FROM artist WHERE album_count > 0 AND sort_key >= ?2 AND sort_key < ?3
        AND music_folders & ?1 != 0",
    holds:
        "SELECT artist.id FROM artist_search CROSS JOIN artist ON artist.id = artist_search.rowid
        WHERE artist_search MATCH ?6 AND album_count > 0 AND NOT (sort_key >= ?4 AND sort_key < ?5)
            AND music_folders & ?1 != 0
        ORDER BY artist_search.rowid LIMIT ?2 OFFSET ?3",
};

/// Songs and videos whose title, artist or album fits the text; all songs, without the videos, where
/// the text is empty: so clients ask for the whole of the music.
pub fn songs(db: &Connection, viewer: Viewer, text: &str, page: Page) -> Result<Vec<Song>> {
    songs::by_ids(db, viewer, &ids(db, viewer, text, page, &SONGS)?)
}

/// Albums whose name or artist fits the text; all albums where the text is empty.
pub fn albums(db: &Connection, viewer: Viewer, text: &str, page: Page) -> Result<Vec<Album>> {
    albums::by_ids(db, viewer, &ids(db, viewer, text, page, &ALBUMS)?)
}

/// Artists whose name fits the text; all artists where the text is empty.
pub fn artists(db: &Connection, viewer: Viewer, text: &str, page: Page) -> Result<Vec<Artist>> {
    artists::by_ids(db, viewer, &ids(db, viewer, text, page, &ARTISTS)?)
}

/// What the songs of `songs_by_fields` hold; an empty text may be anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// Words of the artist.
    pub artist: &'a str,
    /// Words of the album.
    pub album: &'a str,
    /// Words of the title.
    pub title: &'a str,
    /// Words of any of them.
    pub any: &'a str,
    /// Came into the library after this time, ms since 1970.
    pub newer_than: Option<i64>,
}

/// Songs and videos that fit every field given (songs alone where none is), in the order of ids, and how many there are in all.
pub fn songs_by_fields(
    db: &Connection,
    viewer: Viewer,
    fields: &Fields,
    page: Page,
) -> Result<(i64, Vec<Song>)> {
    let given = [
        ("title", fields.title),
        ("artist", fields.artist),
        ("album", fields.album),
        ("{title artist album}", fields.any),
    ];
    let mut query = String::new();
    for (columns, text) in given.into_iter().filter(|(_, text)| !text.trim().is_empty()) {
        let Some(words) = fold::query(text) else { return Ok((0, Vec::new())) };
        if !query.is_empty() {
            query.push_str(" AND ");
        }
        query.push_str(&format!("{columns} : ({words})"));
    }
    let matching = if query.is_empty() {
        "FROM song INDEXED BY song_present WHERE ?3 = ?3 AND song.video = 0"
    } else {
        "FROM song_search CROSS JOIN song ON song.id = song_search.rowid WHERE song_search MATCH ?3"
    };
    let matching = format!(
        "{matching} AND song.missing IS NULL AND (?1 >> song.music_folder_id) & 1
            AND song.created > ?2"
    );
    let newer_than = fields.newer_than.unwrap_or(i64::MIN);
    let total = db
        .prepare_cached(&format!("SELECT count(*) {matching}"))?
        .query_row((viewer.scope, newer_than, &query), |row| row.get(0))?;
    let ids: Vec<i64> = collect(
        db,
        &format!("SELECT song.id {matching} ORDER BY song.id LIMIT ?4 OFFSET ?5"),
        (viewer.scope, newer_than, &query, page.count, page.offset),
        |row| row.get(0),
    )?;
    Ok((total, songs::by_ids(db, viewer, &ids)?))
}

fn ids(db: &Connection, viewer: Viewer, text: &str, page: Page, kind: &Kind) -> Result<Vec<i64>> {
    let (scope, id) = (viewer.scope, |row: &rusqlite::Row| row.get(0));
    if page.count == 0 {
        return Ok(Vec::new());
    }
    // Some clients send a pair of quotes for the empty query; signs alone find nothing.
    if text.trim_matches(['"', ' ']).is_empty() {
        return collect(db, kind.all, (scope, page.count, page.offset), id);
    }
    let Some(query) = fold::query(text) else { return Ok(Vec::new()) };
    let from = fold::words(text);
    // The range of all keys that begin with the text: up to the text with the highest letter behind.
    let to = format!("{from}{}", char::MAX);
    let mut found: Vec<i64> =
        collect(db, kind.begins, (scope, page.count, page.offset, &from, &to), id)?;
    let rest = page.count - i64::try_from(found.len()).unwrap_or(page.count);
    if rest > 0 {
        let before: i64 = if found.is_empty() && page.offset > 0 {
            db.prepare_cached(kind.how_many)?.query_row((scope, &from, &to), id)?
        } else {
            page.offset + page.count - rest
        };
        let offset = (page.offset - before).max(0);
        found.extend(collect::<i64>(db, kind.holds, (scope, rest, offset, &from, &to, query), id)?);
    }
    Ok(found)
}
