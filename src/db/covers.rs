//! Where the bytes of a picture are: a file in a folder, or a song that holds it.

use std::path::PathBuf;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::{Viewer, join_path, optional};

/// Where to read a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A picture file.
    File(PathBuf),
    /// A song's file, in whose tags the picture is.
    Song(PathBuf),
}

/// A picture's source and the stamp it has now.
pub type Found = Option<(Source, i64)>;

const SONG_PATH: &str = "FROM song s JOIN folder f ON f.id = s.folder_id JOIN music_folder m ON m.id = s.music_folder_id";

/// The picture of a song: its own where it has one, else that of its album; of a video, else that of
/// its folder.
pub fn of_song(db: &Connection, viewer: Viewer, song: i64) -> Result<Found> {
    let around = "SELECT album_id, folder_id, video FROM song
        WHERE id = ?1 AND missing IS NULL AND (?2 >> music_folder_id) & 1";
    if let Some(found) = own(db, viewer, song)? {
        return Ok(Some(found));
    }
    let around = db
        .prepare_cached(around)?
        .query_row([song, viewer.scope], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    match optional(around)? {
        Some((_, folder, true)) => of_folder(db, viewer, folder),
        Some((album, _, false)) => of_album(db, viewer, album),
        None => Ok(None),
    }
}

fn own(db: &Connection, viewer: Viewer, song: i64) -> Result<Found> {
    let sql = format!(
        "SELECT m.path, f.path, s.file_name, s.picture, v.poster {SONG_PATH}
         LEFT JOIN video v ON v.song_id = s.id
         WHERE s.id = ?1 AND s.missing IS NULL AND s.picture IS NOT NULL AND s.own_cover AND (?2 >> s.music_folder_id) & 1"
    );
    optional(db.prepare_cached(&sql)?.query_row([song, viewer.scope], |row| {
        let (poster, path) = match row.get_ref(4)? {
            ValueRef::Null => (false, row.get_ref(2)?),
            poster => (true, poster),
        };
        let path = join_path([row.get_ref(0)?, row.get_ref(1)?, path])?;
        Ok((if poster { Source::File(path) } else { Source::Song(path) }, row.get(3)?))
    }))
}

/// The picture of an album.
pub fn of_album(db: &Connection, viewer: Viewer, album: i64) -> Result<Found> {
    let folder = "SELECT m.path, f.path, f.cover, a.cover_stamp FROM album a
        JOIN folder f ON f.id = a.cover_folder_id JOIN music_folder m ON m.id = f.music_folder_id
        WHERE a.id = ?1 AND f.cover IS NOT NULL AND (?2 >> a.music_folder_id) & 1";
    let song = format!(
        "SELECT m.path, f.path, s.file_name, a.cover_stamp {SONG_PATH} JOIN album a ON a.cover_song_id = s.id
         WHERE a.id = ?1 AND s.missing IS NULL AND (?2 >> a.music_folder_id) & 1"
    );
    let in_folder = optional(db.prepare_cached(folder)?.query_row([album, viewer.scope], |row| {
        let path = join_path([row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?])?;
        Ok((Source::File(path), row.get(3)?))
    }))?;
    if in_folder.is_some() {
        return Ok(in_folder);
    }
    optional(db.prepare_cached(&song)?.query_row([album, viewer.scope], |row| {
        let path = join_path([row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?])?;
        Ok((Source::Song(path), row.get(3)?))
    }))
}

/// The picture of an artist: that of one of the albums.
pub fn of_artist(db: &Connection, viewer: Viewer, artist: i64) -> Result<Found> {
    let sql = "SELECT cover_album_id FROM artist WHERE id = ?1 AND cover_album_id IS NOT NULL";
    match optional(db.prepare_cached(sql)?.query_row([artist], |row| row.get(0)))? {
        Some(album) => of_album(db, viewer, album),
        None => Ok(None),
    }
}

/// The picture in a folder.
pub fn of_folder(db: &Connection, viewer: Viewer, folder: i64) -> Result<Found> {
    let sql = "SELECT m.path, f.path, f.cover, f.cover_stamp FROM folder f
        JOIN music_folder m ON m.id = f.music_folder_id
        WHERE f.id = ?1 AND f.cover IS NOT NULL AND f.missing IS NULL AND (?2 >> f.music_folder_id) & 1";
    optional(db.prepare_cached(sql)?.query_row([folder, viewer.scope], |row| {
        let path = join_path([row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?])?;
        Ok((Source::File(path), row.get(3)?))
    }))
}
