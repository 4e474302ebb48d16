//! Words of songs as the scanner found them.

use rusqlite::{Connection, Result};

use super::{Viewer, collect, id_list};

/// The words of a song from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lyrics {
    /// ISO 639, empty where unknown.
    pub language: String,
    /// Plain text or LRC.
    pub text: String,
}

/// Everything a song has: from the file beside it first, then from its tags.
pub fn of_song(db: &Connection, song: i64) -> Result<Vec<Lyrics>> {
    let sql = "SELECT language, text FROM lyrics WHERE song_id = ?1 ORDER BY position";
    collect(db, sql, [song], |row| Ok(Lyrics { language: row.get(0)?, text: row.get(1)? }))
}

/// Those of some songs that have words, ascending.
pub fn of_these(db: &Connection, songs: &[i64]) -> Result<Vec<i64>> {
    let sql = "SELECT DISTINCT value FROM json_each(?1)
        WHERE EXISTS (SELECT 1 FROM lyrics WHERE song_id = value) ORDER BY value";
    collect(db, sql, [id_list(songs)], |row| row.get(0))
}

/// Songs that have words and this title, whatever its accents and case: id and artist.
pub fn titled(db: &Connection, viewer: Viewer, title: &str) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT id, artist FROM song INDEXED BY song_title
        WHERE missing IS NULL AND title_key = ?1 AND (?2 >> music_folder_id) & 1
            AND EXISTS (SELECT 1 FROM lyrics WHERE song_id = song.id)
        ORDER BY id LIMIT 100";
    let key = super::fold::sort_key(title);
    collect(db, sql, (key, viewer.scope), |row| Ok((row.get(0)?, row.get(1)?)))
}
