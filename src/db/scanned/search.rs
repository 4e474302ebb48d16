//! The search tables: what is there can be found, what is gone cannot.

use rusqlite::{Result, Transaction};

use super::execute;
use crate::db::{collect, fold, pack};

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

/// Makes everything found that is there: for tables that are empty.
pub fn fill(db: &Transaction) -> Result<()> {
    let songs = "SELECT song.id, title, song.artist, song.artists, album.name FROM song
        JOIN album ON album.id = album_id WHERE missing IS NULL";
    for (id, title, artist, artists, album) in collect(db, songs, [], |row| {
        let artists = pack::read_named(row.get_ref(3)?.as_str()?);
        let texts: [String; 2] = [row.get(1)?, row.get(2)?];
        let [title, artist] = texts;
        Ok((row.get::<_, i64>(0)?, title, artist, artists, row.get::<_, String>(4)?))
    })? {
        let names = artists.iter().map(|artist| artist.name.as_str());
        set_song(db, id, false, [&title, &song_artists(&artist, names), &album])?;
    }
    let albums = "SELECT id, name, artist FROM album WHERE song_count > 0";
    for (id, name, artist) in collect(db, albums, [], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })? {
        set_album(db, id, &name, &artist)?;
    }
    let artists = "SELECT id, name FROM artist WHERE album_count > 0";
    for (id, name) in collect(db, artists, [], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))? {
        set_artist(db, id, &name)?;
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
