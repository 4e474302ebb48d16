//! Genres, and how much there is of each.

use rusqlite::{Result, Transaction};

use super::execute;
use crate::db::{fold, optional};

/// The genre of a name, made where there is none yet; the first spelling found is its name.
pub fn resolve(db: &Transaction, name: &str) -> Result<i64> {
    let key = fold::name_key(name);
    let mut find = db.prepare_cached("SELECT id FROM genre WHERE key = ?1")?;
    if let Some(id) = optional(find.query_row([&key], |row| row.get(0)))? {
        return Ok(id);
    }
    execute(db, "INSERT INTO genre (key, name) VALUES (?1, ?2)", (key, name))?;
    Ok(db.last_insert_rowid())
}

/// Counts what there is of a genre.
pub fn refresh(db: &Transaction, id: i64) -> Result<()> {
    let sql = "UPDATE genre SET
            song_count = (SELECT count(*) FROM song_genre CROSS JOIN song INDEXED BY song_present
                ON song.id = song_genre.song_id WHERE genre_id = ?1 AND missing IS NULL),
            album_count = (SELECT count(*) FROM album_genre CROSS JOIN album
                ON album.id = album_genre.album_id WHERE genre_id = ?1 AND album.song_count > 0)
        WHERE id = ?1";
    execute(db, sql, [id])?;
    Ok(())
}
