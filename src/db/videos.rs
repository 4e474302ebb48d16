//! What videos have beyond other songs: sound in several languages, captions.

use std::path::PathBuf;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row};
use serde::{Deserialize, Serialize};

use super::songs::{self, Song};
use super::{Viewer, collect, id_list, join_path, optional};

/// One of the sounds of a video.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// The track's number in the file.
    pub id: u32,
    /// What the file calls it, or empty.
    pub name: String,
    /// Language as in BCP 47 (`en`), empty where unknown.
    pub language: String,
}

/// Captions of a video as they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// The place among those of the video, 0 for the best.
    pub position: i64,
    /// Language as in BCP 47 (`en`), empty where unknown.
    pub language: String,
    /// What they are called besides their language (`forced`), or empty.
    pub name: String,
}

/// Where captions are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file of their own.
    File(PathBuf),
    /// In the track of this number of a video's file.
    Inside(PathBuf, u32),
}

/// The videos the viewer sees, by title, at most so many.
pub fn all(db: &Connection, viewer: Viewer, most: i64) -> Result<Vec<Song>> {
    let pick = "SELECT id FROM song INDEXED BY song_video
        WHERE video = 1 AND missing IS NULL AND (?2 >> music_folder_id) & 1
        ORDER BY title_key, id LIMIT ?3";
    songs::picked(db, pick, (viewer.user, viewer.scope, most))
}

/// Whether there is such a video, and the viewer sees it.
pub fn is_there(db: &Connection, viewer: Viewer, id: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM song
        WHERE id = ?1 AND video = 1 AND missing IS NULL AND (?2 >> music_folder_id) & 1)";
    db.prepare_cached(sql)?.query_row([id, viewer.scope], |row| row.get(0))
}

/// The sounds of a video in the order of the file.
pub fn audio_tracks(db: &Connection, id: i64) -> Result<Vec<AudioTrack>> {
    let mut statement = db.prepare_cached("SELECT audio_tracks FROM video WHERE song_id = ?1")?;
    Ok(optional(statement.query_row([id], |row| super::extra(row, 0)))?.unwrap_or_default())
}

/// The captions of several videos with the video's id, those of each the best first.
pub fn captions(db: &Connection, ids: &[i64]) -> Result<Vec<(i64, Caption)>> {
    let sql = "SELECT song_id, position, language, name FROM json_each(?1)
        CROSS JOIN caption ON song_id = value ORDER BY key, position";
    collect(db, sql, [id_list(ids)], |row| {
        let caption = Caption { position: row.get(1)?, language: row.get(2)?, name: row.get(3)? };
        Ok((row.get(0)?, caption))
    })
}

/// Where the captions at a place of a video are.
pub fn caption(db: &Connection, viewer: Viewer, id: i64, position: i64) -> Result<Option<Source>> {
    let sql = "SELECT m.path, f.path, s.file_name, c.file_name, c.track FROM caption c
        JOIN song s ON s.id = c.song_id JOIN folder f ON f.id = s.folder_id
        JOIN music_folder m ON m.id = s.music_folder_id
        WHERE c.song_id = ?1 AND c.position = ?2 AND s.missing IS NULL AND (?3 >> s.music_folder_id) & 1";
    optional(db.prepare_cached(sql)?.query_row((id, position, viewer.scope), source))
}

fn source(row: &Row) -> Result<Source> {
    let place = |name| join_path([row.get_ref(0)?, row.get_ref(1)?, name]);
    Ok(match row.get_ref(3)? {
        ValueRef::Null => Source::Inside(place(row.get_ref(2)?)?, row.get(4)?),
        name => Source::File(place(name)?),
    })
}
