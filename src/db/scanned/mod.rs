//! What a scan writes: folders, songs, albums, artists and genres, and what it must know before.

pub mod albums;
pub mod artists;
pub mod folders;
pub mod genres;
pub mod search;
pub mod songs;
pub mod videos;

use std::collections::BTreeSet;

use rusqlite::{Connection, Result, Transaction};

use super::collect;

/// The rows whose counts and facts are to be made anew, because one of their songs changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Albums.
    pub albums: BTreeSet<i64>,
    /// Artists.
    pub artists: BTreeSet<i64>,
    /// Genres.
    pub genres: BTreeSet<i64>,
}

impl Touched {
    /// Adds what a song belongs to now.
    pub fn song(&mut self, db: &Connection, song: i64) -> Result<()> {
        let id = |row: &rusqlite::Row| row.get(0);
        let artists = "SELECT DISTINCT artist_id FROM song_artist WHERE song_id = ?1";
        let genres = "SELECT genre_id FROM song_genre WHERE song_id = ?1";
        self.albums.extend(collect::<i64>(
            db,
            "SELECT album_id FROM song WHERE id = ?1",
            [song],
            id,
        )?);
        self.artists.extend(collect::<i64>(db, artists, [song], id)?);
        self.genres.extend(collect::<i64>(db, genres, [song], id)?);
        Ok(())
    }

    /// Adds the artists and genres an album shows now.
    pub fn of_album(&mut self, db: &Connection, album: i64) -> Result<()> {
        let id = |row: &rusqlite::Row| row.get(0);
        let artists = "SELECT artist_id FROM album_artist WHERE album_id = ?1";
        let genres = "SELECT genre_id FROM album_genre WHERE album_id = ?1";
        self.artists.extend(collect::<i64>(db, artists, [album], id)?);
        self.genres.extend(collect::<i64>(db, genres, [album], id)?);
        Ok(())
    }
}

/// Songs that are there, in all music folders; videos do not count.
pub fn song_count(db: &Connection) -> Result<i64> {
    let sql =
        "SELECT count(*) FROM song INDEXED BY song_present WHERE missing IS NULL AND video = 0";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Videos that are there, in all music folders.
pub fn video_count(db: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM song INDEXED BY song_video WHERE video = 1 AND missing IS NULL";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Runs a statement that is used again and again.
fn execute(db: &Transaction, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
    db.prepare_cached(sql)?.execute(params)
}
