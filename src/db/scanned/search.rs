//! The search tables: what is there can be found, what is gone cannot.

use rusqlite::{Result, Transaction};

use super::execute;
use crate::db::fold;

/// Makes a song found by these texts; `known` where it may have been found by others before.
pub fn set_song(db: &Transaction, id: i64, known: bool, texts: [&str; 3]) -> Result<()> {
    if known {
        remove_song(db, id)?;
    }
    let [title, artist, album] = texts.map(fold::words);
    let sql = "INSERT INTO song_search (rowid, title, artist, album) VALUES (?1, ?2, ?3, ?4)";
    execute(db, sql, (id, title, artist, album))?;
    Ok(())
}

/// Makes a song not found any more.
pub fn remove_song(db: &Transaction, id: i64) -> Result<()> {
    execute(db, "DELETE FROM song_search WHERE rowid = ?1", [id])?;
    Ok(())
}

/// Makes an album found by its name and artist.
pub fn set_album(db: &Transaction, id: i64, name: &str, artist: &str) -> Result<()> {
    remove_album(db, id)?;
    let sql = "INSERT INTO album_search (rowid, name, artist) VALUES (?1, ?2, ?3)";
    execute(db, sql, (id, fold::words(name), fold::words(artist)))?;
    Ok(())
}

/// Makes an album not found any more.
pub fn remove_album(db: &Transaction, id: i64) -> Result<()> {
    execute(db, "DELETE FROM album_search WHERE rowid = ?1", [id])?;
    Ok(())
}

/// Makes an artist found by the name.
pub fn set_artist(db: &Transaction, id: i64, name: &str) -> Result<()> {
    remove_artist(db, id)?;
    let sql = "INSERT INTO artist_search (rowid, name) VALUES (?1, ?2)";
    execute(db, sql, (id, fold::words(name)))?;
    Ok(())
}

/// Makes an artist not found any more.
pub fn remove_artist(db: &Transaction, id: i64) -> Result<()> {
    execute(db, "DELETE FROM artist_search WHERE rowid = ?1", [id])?;
    Ok(())
}
