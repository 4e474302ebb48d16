//! What only videos have, as the scanner writes it.

use rusqlite::{Result, Transaction};

use super::execute;
use crate::db::songs::Frame;
use crate::db::videos::AudioTrack;

/// A video to be written, besides what it has as a song.
#[derive(Clone, Debug, Default)]
pub struct Video {
    /// Its sides.
    pub frame: Frame,
    /// The name of the picture file beside it.
    pub poster: Option<Vec<u8>>,
    /// Its sounds.
    pub audio_tracks: Vec<AudioTrack>,
    /// Its captions, the best first.
    pub captions: Vec<Caption>,
}

/// Captions to be written.
#[derive(Clone, Debug)]
pub struct Caption {
    /// Language as in BCP 47, or empty.
    pub language: String,
    /// What they are called besides, or empty.
    pub name: String,
    /// Where they are.
    pub place: Place,
}

/// Where captions are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the file of this name beside the video.
    File(Vec<u8>),
    /// In the track of this number.
    Track(u32),
}

/// Writes what a video has in place of what it had.
pub(super) fn write(db: &Transaction, song: i64, video: &Video) -> Result<()> {
    clear(db, song)?;
    let audio_tracks = serde_json::to_string(&video.audio_tracks).unwrap_or_default();
    let sql = "INSERT INTO video (song_id, poster, audio_tracks) VALUES (?1, ?2, ?3)";
    execute(db, sql, (song, &video.poster, audio_tracks))?;
    for (position, caption) in (0_i64..).zip(&video.captions) {
        let (file, track) = match &caption.place {
            Place::File(name) => (Some(name), None),
            Place::Track(track) => (None, Some(track)),
        };
        let sql = "INSERT INTO caption (song_id, position, language, name, file_name, track)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        execute(db, sql, (song, position, &caption.language, &caption.name, file, track))?;
    }
    Ok(())
}

/// Takes away what a song had as a video.
pub(super) fn clear(db: &Transaction, song: i64) -> Result<()> {
    execute(db, "DELETE FROM caption WHERE song_id = ?1", [song])?;
    execute(db, "DELETE FROM video WHERE song_id = ?1", [song])?;
    Ok(())
}
