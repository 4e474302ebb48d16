//! Albums: how they are known again, what their songs say of them, and the facts made of that.

use rusqlite::{Connection, Result, Transaction, params};

use super::{Touched, execute, search};
use crate::db::albums::Extra;
use crate::db::pack::{self, Named};
use crate::db::{collect, fold, optional};

/// The album that one of these keys belongs to; the first key that is known decides.
pub fn known_by(db: &Connection, keys: &[String]) -> Result<Option<i64>> {
    let mut find = db.prepare_cached("SELECT album_id FROM album_key WHERE key = ?1")?;
    for key in keys {
        if let Some(id) = optional(find.query_row([key], |row| row.get(0)))? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Adds an album of which nothing is known but its place.
pub fn add(db: &Transaction, root: i64, folder: i64, name: &str) -> Result<i64> {
    let sql = "INSERT INTO album (music_folder_id, folder_id, name) VALUES (?1, ?2, ?3)";
    execute(db, sql, (root, folder, name))?;
    Ok(db.last_insert_rowid())
}

/// Makes keys those of an album; keys of other albums stay theirs.
pub fn add_keys(db: &Transaction, id: i64, keys: &[String]) -> Result<()> {
    for key in keys {
        execute(db, "INSERT OR IGNORE INTO album_key (key, album_id) VALUES (?1, ?2)", (key, id))?;
    }
    Ok(())
}

/// Lets an album that has lost its songs to a new one take them back, with the new one's keys: its
/// id, which users have starred and shared, survives. The new album's row is gone then.
pub fn take_over(db: &Transaction, old: i64, new: i64, touched: &mut Touched) -> Result<()> {
    touched.of_album(db, new)?;
    execute(db, "UPDATE song SET album_id = ?1 WHERE album_id = ?2", (old, new))?;
    execute(db, "DELETE FROM album_key WHERE album_id = ?1", [old])?;
    execute(db, "UPDATE album_key SET album_id = ?1 WHERE album_id = ?2", (old, new))?;
    clear_links(db, new)?;
    search::remove_album(db, new)?;
    execute(db, "UPDATE artist SET cover_album_id = ?1 WHERE cover_album_id = ?2", (old, new))?;
    execute(db, "DELETE FROM album WHERE id = ?1", [new])?;
    touched.albums.remove(&new);
    touched.albums.insert(old);
    Ok(())
}

/// How many of an album's songs are there.
pub fn song_count(db: &Connection, id: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM song WHERE album_id = ?1 AND missing IS NULL";
    db.prepare_cached(sql)?.query_row([id], |row| row.get(0))
}

/// What a song adds to its album.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The song's id.
    pub song: i64,
    /// Its folder.
    pub folder_id: i64,
    /// Disc number.
    pub disc: Option<u32>,
    /// The artists in one line.
    pub artist: String,
    /// The artists one by one.
    pub artists: Vec<Named>,
    /// Genres.
    pub genres: Vec<String>,
    /// Milliseconds.
    pub duration: i64,
    /// When it came into the library.
    pub created: i64,
    /// What it says of explicit words.
    pub explicit: Option<bool>,
    /// Stamp of the picture in it.
    pub picture: Option<i64>,
    /// What it says of its album, as JSON.
    pub tags: String,
}

/// The songs of an album that are there, in the order of discs and tracks.
pub fn parts(db: &Connection, id: i64) -> Result<Vec<Part>> {
    let sql = "SELECT song.id, folder_id, disc, artist, artists, genres, duration, created, explicit, picture, tags
        FROM song JOIN album_tags ON album_tags.song_id = song.id
        WHERE album_id = ?1 AND missing IS NULL ORDER BY disc, track, title_key, song.id";
    collect(db, sql, [id], |row| {
        Ok(Part {
            song: row.get(0)?,
            folder_id: row.get(1)?,
            disc: row.get(2)?,
            artist: row.get(3)?,
            artists: pack::read_named(row.get_ref(4)?.as_str()?),
            genres: pack::read_texts(row.get_ref(5)?.as_str()?),
            duration: row.get(6)?,
            created: row.get(7)?,
            explicit: row.get(8)?,
            picture: row.get(9)?,
            tags: row.get(10)?,
        })
    })
}

/// The first of these folders that has a picture, and the picture's stamp.
pub fn pictured(db: &Connection, folders: &[i64]) -> Result<Option<(i64, i64)>> {
    let mut find = db.prepare_cached(
        "SELECT cover_stamp FROM folder WHERE id = ?1 AND cover_stamp IS NOT NULL",
    )?;
    for folder in folders {
        if let Some(stamp) = optional(find.query_row([folder], |row| row.get(0)))? {
            return Ok(Some((*folder, stamp)));
        }
    }
    Ok(None)
}

/// Where the picture of an album is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// In this folder.
    Folder(i64),
    /// In the file of this song.
    Song(i64),
}

/// What is known of an album, made of what its songs say.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Its music folder.
    pub music_folder_id: i64,
    /// Its folder.
    pub folder_id: i64,
    /// Name.
    pub name: String,
    /// Sort name.
    pub sort_name: String,
    /// The artists in one line.
    pub artist: String,
    /// The artists one by one.
    pub artists: Vec<Named>,
    /// What the first artist is sorted by.
    pub artist_key: String,
    /// Artists of its songs who are not its own.
    pub guests: Vec<i64>,
    /// Year.
    pub year: Option<u16>,
    /// Genres, the most frequent first.
    pub genres: Vec<String>,
    /// Songs that are there.
    pub song_count: usize,
    /// Milliseconds of them all.
    pub duration: i64,
    /// When the first of them came into the library.
    pub created: i64,
    /// MusicBrainz release id.
    pub mbid: String,
    /// Version.
    pub version: String,
    /// Whether it is a compilation.
    pub compilation: bool,
    /// What its songs say of explicit words.
    pub explicit: Option<bool>,
    /// Its picture and the picture's stamp.
    pub picture: Option<(Picture, i64)>,
    /// What few albums have.
    pub extra: Extra,
}

/// Writes the facts of an album that has songs, and links it with artists and genres.
pub fn set_facts(db: &Transaction, id: i64, facts: &Facts, touched: &mut Touched) -> Result<()> {
    touched.of_album(db, id)?;
    let mut was =
        db.prepare_cached("SELECT song_count > 0, name, artist FROM album WHERE id = ?1")?;
    let was: (bool, String, String) =
        was.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    write_row(db, id, facts)?;
    clear_links(db, id)?;
    let link = "INSERT OR IGNORE INTO album_artist (artist_id, album_id, main) VALUES (?1, ?2, ?3)";
    for artist in &facts.artists {
        execute(db, link, (artist.id, id, true))?;
        touched.artists.insert(artist.id);
    }
    for artist in &facts.guests {
        execute(db, link, (artist, id, false))?;
        touched.artists.insert(*artist);
    }
    for name in &facts.genres {
        let genre = super::genres::resolve(db, name)?;
        let link = "INSERT OR IGNORE INTO album_genre (genre_id, album_id) VALUES (?1, ?2)";
        execute(db, link, (genre, id))?;
        touched.genres.insert(genre);
    }
    if was != (true, facts.name.clone(), facts.artist.clone()) {
        search::set_album(db, id, &facts.name, &facts.artist)?;
    }
    Ok(())
}

fn write_row(db: &Transaction, id: i64, facts: &Facts) -> Result<()> {
    let (cover_folder, cover_song) = match facts.picture {
        Some((Picture::Folder(folder), _)) => (Some(folder), None),
        Some((Picture::Song(song), _)) => (None, Some(song)),
        None => (None, None),
    };
    let extra = match facts.extra == Extra::default() {
        true => None,
        false => serde_json::to_string(&facts.extra).ok(),
    };
    let sort_by = if facts.sort_name.is_empty() { &facts.name } else { &facts.sort_name };
    let mut statement = db.prepare_cached(
        "UPDATE album SET name = ?2, sort_name = ?3, sort_key = ?4, artist = ?5, artist_id = ?6, artists = ?7,
            artist_key = ?8, year = ?9, genre = ?10, genres = ?11, song_count = ?12, duration = ?13, created = ?14,
            mbid = ?15, version = ?16, compilation = ?17, explicit = ?18, cover_folder_id = ?19, cover_song_id = ?20,
            cover_stamp = ?21, extra = ?22, music_folder_id = ?23, folder_id = ?24
         WHERE id = ?1",
    )?;
    statement.execute(params![
        id,
        facts.name,
        facts.sort_name,
        fold::sort_key(sort_by),
        facts.artist,
        facts.artists.first().map(|artist| artist.id),
        pack::named(&facts.artists),
        facts.artist_key,
        facts.year,
        facts.genres.first(),
        pack::texts(&facts.genres),
        i64::try_from(facts.song_count).unwrap_or(i64::MAX),
        facts.duration,
        facts.created,
        facts.mbid,
        facts.version,
        facts.compilation,
        facts.explicit,
        cover_folder,
        cover_song,
        facts.picture.map(|(_, stamp)| stamp),
        extra,
        facts.music_folder_id,
        facts.folder_id,
    ])?;
    Ok(())
}

/// Takes an album without songs out of lists, counts and search; it may come back.
pub fn set_empty(db: &Transaction, id: i64, touched: &mut Touched) -> Result<()> {
    touched.of_album(db, id)?;
    let sql = "UPDATE album SET song_count = 0, duration = 0, cover_song_id = NULL,
        cover_folder_id = NULL, cover_stamp = NULL WHERE id = ?1";
    execute(db, sql, [id])?;
    clear_links(db, id)?;
    search::remove_album(db, id)
}

fn clear_links(db: &Transaction, id: i64) -> Result<()> {
    execute(db, "DELETE FROM album_artist WHERE album_id = ?1", [id])?;
    execute(db, "DELETE FROM album_genre WHERE album_id = ?1", [id])?;
    Ok(())
}

/// Says whether a song is shown by the picture in its own file.
pub fn set_own_cover(db: &Transaction, song: i64, own: bool) -> Result<()> {
    let sql = "UPDATE song SET own_cover = ?2 WHERE id = ?1 AND own_cover != ?2";
    execute(db, sql, (song, own))?;
    Ok(())
}
