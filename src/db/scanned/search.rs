//! The search tables: what is there can be found, what is gone cannot.

use rusqlite::{Result, Row, Transaction};

use super::execute;
use crate::db::{fold, pack};

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

/// Makes everything found that is there, and nothing else.
pub fn fill(db: &Transaction) -> Result<()> {
    // What stands there may be damaged: it is not read.
    db.execute_batch(
        "INSERT INTO song_search (song_search) VALUES ('delete-all');
         INSERT INTO album_search (album_search) VALUES ('delete-all');
         INSERT INTO artist_search (artist_search) VALUES ('delete-all');",
    )?;
    let songs = "SELECT song.id, title, song.artist, album.name, song.artists FROM song
        JOIN album ON album.id = album_id WHERE missing IS NULL";
    each(db, songs, |id, row| {
        let [title, artist, album]: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        let artists = pack::read_named(row.get_ref(4)?.as_str()?);
        let names = artists.iter().map(|artist| artist.name.as_str());
        set_song(db, id, false, [&title, &song_artists(&artist, names), &album])
    })?;
    let albums = "SELECT id, name, artist FROM album WHERE song_count > 0";
    each(db, albums, |id, row| {
        let [name, artist]: [String; 2] = [row.get(1)?, row.get(2)?];
        set_album(db, id, &name, &artist)
    })?;
    let artists = "SELECT id, name FROM artist WHERE album_count > 0";
    each(db, artists, |id, row| set_artist(db, id, &row.get::<_, String>(1)?))
}

/// Does something with each row of a query, and the number in its first column.
fn each(db: &Transaction, sql: &str, mut then: impl FnMut(i64, &Row) -> Result<()>) -> Result<()> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        then(row.get(0)?, row)?;
    }
    Ok(())
}

/// By which names of artists a song is found: the line that is shown, and who is not in it.
pub fn song_artists<'a>(line: &str, artists: impl Iterator<Item = &'a str>) -> String {
    let mut names = line.to_owned();
    for artist in artists {
        if !line.contains(artist) {
            names.push(' ');
            names.push_str(artist);
        }
    }
    names
}
