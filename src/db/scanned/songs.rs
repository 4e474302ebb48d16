//! Songs as the scanner writes them, and what it must know of those already there.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result, Transaction, params};

use super::videos::{self, Video};
use super::{Touched, execute, search};
use crate::db::pack::{self, Named};
use crate::db::songs::Extra;
use crate::db::{collect, fold, optional};

/// What tells whether the file of a song has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The row's id.
    pub id: i64,
    /// Name of the file.
    pub file_name: Vec<u8>,
    /// Bytes of the file.
    pub size: i64,
    /// When it was changed, ns since 1970.
    pub modified: i64,
    /// Stamp of the file with words beside it, 0 where there is none.
    pub sidecar: i64,
    /// Whether it was gone at the last scan.
    pub missing: bool,
}

/// The songs of a folder, those that are gone too.
pub fn in_folder(db: &Connection, folder: i64) -> Result<Vec<Known>> {
    let sql = "SELECT id, file_name, size, modified, sidecar, missing IS NOT NULL FROM song WHERE folder_id = ?1";
    collect(db, sql, [folder], |row| {
        Ok(Known {
            id: row.get(0)?,
            file_name: row.get(1)?,
            size: row.get(2)?,
            modified: row.get(3)?,
            sidecar: row.get(4)?,
            missing: row.get(5)?,
        })
    })
}

/// The songs of a music folder that are there.
pub fn in_root(db: &Connection, root: i64) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM song WHERE music_folder_id = ?1 AND missing IS NULL ORDER BY id";
    collect(db, sql, [root], |row| row.get(0))
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Name of the file.
    pub file_name: Vec<u8>,
    /// Its bytes then.
    pub size: i64,
    /// When it was changed, ns since 1970.
    pub modified: i64,
}

/// The files of a folder that could not be read.
pub fn unreadable_in(db: &Connection, folder: i64) -> Result<Vec<Unreadable>> {
    let sql = "SELECT file_name, size, modified FROM unreadable WHERE folder_id = ?1";
    collect(db, sql, [folder], |row| {
        Ok(Unreadable { file_name: row.get(0)?, size: row.get(1)?, modified: row.get(2)? })
    })
}

/// Keeps that a file could not be read, and why.
pub fn set_unreadable(
    db: &Transaction,
    folder: i64,
    file: &Unreadable,
    reason: &str,
) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO unreadable (folder_id, file_name, size, modified, reason)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    execute(db, sql, (folder, &file.file_name, file.size, file.modified, reason))?;
    Ok(())
}

/// Forgets that a file could not be read.
pub fn forget_unreadable(db: &Transaction, folder: i64, file_name: &[u8]) -> Result<()> {
    let sql = "DELETE FROM unreadable WHERE folder_id = ?1 AND file_name = ?2";
    execute(db, sql, (folder, file_name))?;
    Ok(())
}

/// Marks a song as gone; it is not found, counted or shown any more, but all that users made of
/// it stays.
pub fn set_missing(db: &Transaction, id: i64, since: i64, touched: &mut Touched) -> Result<()> {
    touched.song(db, id)?;
    execute(db, "UPDATE song SET missing = ?2 WHERE id = ?1", (id, since))?;
    search::remove_song(db, id)
}

/// A song whose file is gone, as a moved file may be it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The row's id.
    pub id: i64,
    /// Bytes of the file.
    pub size: i64,
    /// Name of the file.
    pub file_name: Vec<u8>,
    /// Title.
    pub title: String,
    /// What the file said its album was.
    pub album: String,
    /// Track number.
    pub track: Option<i64>,
    /// Disc number.
    pub disc: Option<i64>,
}

/// The songs that are gone and sounded like this, by the hash of their sound.
pub fn lost(db: &Connection, hash: i64) -> Result<Vec<Lost>> {
    let sql = "SELECT id, size, file_name, title, album_tags.tags ->> 'album', track, disc
        FROM song LEFT JOIN album_tags ON album_tags.song_id = song.id
        WHERE hash = ?1 AND missing IS NOT NULL ORDER BY id";
    collect(db, sql, [hash], |row| {
        Ok(Lost {
            id: row.get(0)?,
            size: row.get(1)?,
            file_name: row.get(2)?,
            title: row.get(3)?,
            album: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
            track: row.get(5)?,
            disc: row.get(6)?,
        })
    })
}

/// How many songs are gone since exactly this time.
pub fn gone_since(db: &Connection, time: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM song WHERE missing IS NOT NULL AND missing = ?1";
    db.prepare_cached(sql)?.query_row([time], |row| row.get(0))
}

/// Whether any song is gone: only then files can have moved.
pub fn any_lost(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM song WHERE missing IS NOT NULL)";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// A song to be written: the columns of `db::songs::Song` that come from its file.
#[derive(Clone, Debug, Default)]
pub struct Song {
    /// Its music folder.
    pub music_folder_id: i64,
    /// Its folder.
    pub folder_id: i64,
    /// Name of the file.
    pub file_name: Vec<u8>,
    /// Bytes of the file.
    pub size: i64,
    /// When it was changed, ns since 1970.
    pub modified: i64,
    /// Stamp of the file with words beside it.
    pub sidecar: i64,
    /// Hash of the sound.
    pub hash: i64,
    /// When it came into the library, ms since 1970; a song that is known keeps its time.
    pub created: i64,
    /// Its album.
    pub album_id: i64,
    /// Title.
    pub title: String,
    /// Sort title.
    pub sort_title: String,
    /// The artists in one line.
    pub artist: String,
    /// The artists one by one.
    pub artists: Vec<Named>,
    /// Track number.
    pub track: Option<u32>,
    /// Disc number.
    pub disc: Option<u32>,
    /// Year.
    pub year: Option<u16>,
    /// Genres.
    pub genres: Vec<String>,
    /// Suffix in the spelling of `media::kind`.
    pub suffix: &'static str,
    /// Milliseconds.
    pub duration: i64,
    /// kbit/s.
    pub bit_rate: u32,
    /// Bits a sample.
    pub bit_depth: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Beats a minute.
    pub bpm: u32,
    /// Comment.
    pub comment: String,
    /// MusicBrainz recording id.
    pub mbid: String,
    /// What the file says of explicit words.
    pub explicit: Option<bool>,
    /// Gain of song and album in dB, peak of song and album.
    pub gains: [Option<f64>; 4],
    /// Stamp of the picture in the file.
    pub picture: Option<i64>,
    /// What few songs have.
    pub extra: Extra,
    /// What it says of its album, as JSON with at least a text `album`.
    pub album_tags: String,
    /// Every artist in any role, by the bits of `artists::ROLES`.
    pub people: Vec<(i64, i64)>,
    /// Words: language and text, in the order in which they are preferred.
    pub lyrics: Vec<(String, String)>,
    /// The album's name, to find the song by.
    pub album: String,
    /// What it has where it is a video.
    pub video: Option<Video>,
}

/// Writes a song: a new one, or over the one with an id. Gives its id; what it belonged to before
/// and belongs to now is touched.
pub fn write(db: &Transaction, id: Option<i64>, song: &Song, touched: &mut Touched) -> Result<i64> {
    if let Some(id) = id {
        touched.song(db, id)?;
    }
    let known = id.is_some();
    let id = write_row(db, id, song)?;
    match &song.video {
        None => {
            let sql = "INSERT OR REPLACE INTO album_tags (song_id, tags) VALUES (?1, ?2)";
            execute(db, sql, (id, &song.album_tags))?;
        }
        Some(video) => {
            execute(db, "DELETE FROM album_tags WHERE song_id = ?1", [id])?;
            videos::write(db, id, video)?;
        }
    }
    if known {
        if song.video.is_none() {
            videos::clear(db, id)?;
        }
        execute(db, "DELETE FROM lyrics WHERE song_id = ?1", [id])?;
        execute(db, "DELETE FROM song_artist WHERE song_id = ?1", [id])?;
        execute(db, "DELETE FROM song_genre WHERE song_id = ?1", [id])?;
    }
    for (position, (language, text)) in song.lyrics.iter().enumerate() {
        let sql = "INSERT INTO lyrics (song_id, position, language, text) VALUES (?1, ?2, ?3, ?4)";
        execute(db, sql, (id, i64::try_from(position).unwrap_or(i64::MAX), language, text))?;
    }
    for (artist, role) in &song.people {
        let sql =
            "INSERT OR IGNORE INTO song_artist (artist_id, song_id, role) VALUES (?1, ?2, ?3)";
        execute(db, sql, (artist, id, role))?;
        touched.artists.insert(*artist);
    }
    for name in &song.genres {
        let genre = super::genres::resolve(db, name)?;
        let sql = "INSERT OR IGNORE INTO song_genre (genre_id, song_id) VALUES (?1, ?2)";
        execute(db, sql, (genre, id))?;
        touched.genres.insert(genre);
    }
    touched.albums.insert(song.album_id);
    let names = song.artists.iter().map(|artist| artist.name.as_str());
    let artists = search::song_artists(&song.artist, names);
    search::set_song(db, id, known, [&song.title, &artists, &song.album])?;
    Ok(id)
}

fn write_row(db: &Transaction, id: Option<i64>, song: &Song) -> Result<i64> {
    const INSERT: &str = "INSERT INTO song (music_folder_id, folder_id, file_name, size, modified,
            sidecar, hash, album_id, artist_id, title, sort_title, title_key, artist, artists,
            track, disc, year, genre, genres, suffix, duration, bit_rate, bit_depth, sample_rate,
            channels, bpm, comment, mbid, explicit, track_gain, album_gain, track_peak, album_peak,
            picture, extra, created, video, width, height, own_cover)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39,
            ?37 AND ?34 IS NOT NULL)";
    const UPDATE: &str = "UPDATE song SET music_folder_id = ?1, folder_id = ?2, file_name = ?3,
            size = ?4, modified = ?5, sidecar = ?6, hash = ?7, album_id = ?8, artist_id = ?9,
            title = ?10, sort_title = ?11, title_key = ?12, artist = ?13, artists = ?14, track = ?15,
            disc = ?16, year = ?17, genre = ?18, genres = ?19, suffix = ?20, duration = ?21,
            bit_rate = ?22, bit_depth = ?23, sample_rate = ?24, channels = ?25, bpm = ?26,
            comment = ?27, mbid = ?28, explicit = ?29, track_gain = ?30, album_gain = ?31,
            track_peak = ?32, album_peak = ?33, picture = ?34, extra = ?35, video = ?37, width = ?38, height = ?39,
            own_cover = iif(?37, ?34 IS NOT NULL, own_cover), missing = NULL
        WHERE id = ?36";
    let extra = packed_extra(&song.extra);
    let frame = song.video.as_ref().map(|video| video.frame).unwrap_or_default();
    let [track_gain, album_gain, track_peak, album_peak] = song.gains;
    let mut statement = db.prepare_cached(if id.is_some() { UPDATE } else { INSERT })?;
    statement.execute(params![
        song.music_folder_id,
        song.folder_id,
        song.file_name,
        song.size,
        song.modified,
        song.sidecar,
        song.hash,
        song.album_id,
        song.artists.first().map(|artist| artist.id),
        song.title,
        song.sort_title,
        fold::sort_key(&song.title),
        song.artist,
        pack::named(&song.artists),
        song.track,
        song.disc,
        song.year,
        song.genres.first(),
        pack::texts(&song.genres),
        song.suffix,
        song.duration,
        song.bit_rate,
        song.bit_depth,
        song.sample_rate,
        song.channels,
        song.bpm,
        song.comment,
        song.mbid,
        song.explicit,
        track_gain,
        album_gain,
        track_peak,
        album_peak,
        song.picture,
        extra,
        id.unwrap_or(song.created),
        song.video.is_some(),
        frame.width,
        frame.height,
    ])?;
    Ok(id.unwrap_or_else(|| db.last_insert_rowid()))
}

/// The album a song is on.
pub fn album(db: &Connection, id: i64) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT album_id FROM song WHERE id = ?1")?;
    optional(statement.query_row([id], |row| row.get(0)))
}

/// The artists of a song.
pub fn artists(db: &Connection, id: i64) -> Result<BTreeSet<i64>> {
    let sql = "SELECT artist_id FROM song_artist WHERE song_id = ?1 AND role = 1";
    db.prepare_cached(sql)?.query_map([id], |row| row.get(0))?.collect()
}

/// Puts one artist in the place of another in what a song's row says of its people.
pub(super) fn rename_artist(
    db: &Transaction,
    id: i64,
    mut artists: Vec<Named>,
    mut extra: Extra,
    (from, to): (i64, i64),
) -> Result<()> {
    let of_extra = extra.contributors.iter_mut().map(|contributor| &mut contributor.artist);
    for artist in artists.iter_mut().chain(of_extra).filter(|artist| artist.id == from) {
        artist.id = to;
    }
    let sql = "UPDATE song SET artists = ?2, extra = ?3 WHERE id = ?1";
    execute(db, sql, (id, pack::named(&artists), packed_extra(&extra)))?;
    Ok(())
}

fn packed_extra(extra: &Extra) -> Option<String> {
    match *extra == Extra::default() {
        true => None,
        false => serde_json::to_string(extra).ok(),
    }
}
