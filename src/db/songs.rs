//! Songs as the API shows them.

use rusqlite::{Connection, Params, Result, Row};
use serde::{Deserialize, Serialize};

use super::pack::{Named, NamedList, TextList};
use super::{Cover, LISTED, Note, Viewer, collect, id_list, optional};
use crate::id::Id;

/// One song with all that is shown of it to one user.
#[derive(Clone, Debug)]
pub struct Song {
    /// The row's id.
    pub id: i64,
    /// The folder it lies in.
    pub folder_id: i64,
    /// Its album.
    pub album_id: i64,
    /// Its first artist.
    pub artist_id: Option<i64>,
    /// Title as tagged, else from the file's name.
    pub title: String,
    /// Sort title, empty where there is none.
    pub sort_title: String,
    /// The album's name.
    pub album: String,
    /// The artists in one line.
    pub artist: String,
    /// The artists one by one.
    pub artists: NamedList,
    /// The album's artists in one line.
    pub album_artist: String,
    /// The album's artists one by one.
    pub album_artists: NamedList,
    /// Track number.
    pub track: Option<i64>,
    /// Disc number.
    pub disc: Option<i64>,
    /// Year of release.
    pub year: Option<i64>,
    /// The first genre.
    pub genre: Option<String>,
    /// All genres.
    pub genres: TextList,
    /// Bytes of the file.
    pub size: i64,
    /// Suffix in the spelling of `media::kind`.
    pub suffix: String,
    /// Milliseconds.
    pub duration: i64,
    /// kbit/s.
    pub bit_rate: i64,
    /// Bits a sample, 0 where unknown.
    pub bit_depth: i64,
    /// Hz, 0 where unknown.
    pub sample_rate: i64,
    /// Channels, 0 where unknown.
    pub channels: i64,
    /// Path below its music folder, for display.
    pub path: String,
    /// When it came into the library, ms since 1970.
    pub created: i64,
    /// Beats a minute, 0 where unknown.
    pub bpm: i64,
    /// Comment, empty where there is none.
    pub comment: String,
    /// MusicBrainz recording id, empty where unknown.
    pub mbid: String,
    /// What the file says of explicit words.
    pub explicit: Option<bool>,
    /// Gain of the song in dB.
    pub track_gain: Option<f64>,
    /// Gain of the album in dB.
    pub album_gain: Option<f64>,
    /// Peak of the song.
    pub track_peak: Option<f64>,
    /// Peak of the album.
    pub album_peak: Option<f64>,
    /// Which picture shows it.
    pub cover: Option<Cover>,
    /// What few songs have.
    pub extra: Extra,
    /// Mean of all users' ratings.
    pub average_rating: Option<f64>,
    /// What the user made of it.
    pub note: Note,
    /// Where the user's bookmark stands, in ms.
    pub bookmark: Option<i64>,
    /// What it has where it is a video.
    pub video: Option<Frame>,
}

/// The picture of a video, as it is shown; 0 where unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// What few songs have, kept as JSON in one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// People in roles of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    /// Recording codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isrc: Vec<String>,
    /// Moods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moods: Vec<String>,
    /// Groupings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groupings: Vec<String>,
    /// Works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub works: Vec<String>,
    /// Movement name, number and count; 0 where unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movement: Option<(String, u32, u32)>,
}

/// Somebody in a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contributor {
    /// The role in the words of OpenSubsonic.
    pub role: String,
    /// More about it, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_role: String,
    /// Who.
    pub artist: Named,
}

/// What the file on the disk is, for sending it.
#[derive(Clone, Debug)]
pub struct File {
    /// Absolute path.
    pub path: std::path::PathBuf,
    /// Suffix in the spelling of `media::kind`.
    pub suffix: String,
    /// Whether it is a video.
    pub video: bool,
    /// Milliseconds.
    pub duration: i64,
}

/// The columns of `Song` and their joins; ?1 is the user, ?2 the visible music folders, and `pick`
/// gives ids in order: a cross join keeps that order.
fn select(pick: &str) -> String {
    format!("{} AND s.missing IS NULL", select_with_gone(pick))
}

/// The same with songs whose files are gone; the last column tells which those are.
fn select_with_gone(pick: &str) -> String {
    format!(
        "SELECT s.id, s.folder_id, s.album_id, s.artist_id, s.title, s.sort_title, a.name, s.artist, s.artists,
            a.artist, a.artists, s.track, s.disc, s.year, s.genre, s.genres, s.size, s.suffix, s.duration, s.bit_rate,
            s.bit_depth, s.sample_rate, s.channels, f.path, s.file_name, s.created, s.bpm, s.comment, s.mbid, s.explicit,
            s.track_gain, s.album_gain, s.track_peak, s.album_peak, s.own_cover, s.picture, a.cover_stamp, s.extra,
            s.average_rating, n.starred, n.rating, n.play_count, n.played, b.position,
            s.video, s.width, s.height, f.cover_stamp, s.missing IS NOT NULL
         FROM ({pick}) pick
         CROSS JOIN song s ON s.id = pick.id
         JOIN album a ON a.id = s.album_id
         JOIN folder f ON f.id = s.folder_id
         LEFT JOIN annotation n ON n.user_id = ?1 AND n.kind = 1 AND n.item_id = s.id
         LEFT JOIN bookmark b ON b.user_id = ?1 AND b.song_id = s.id
         WHERE (?2 >> s.music_folder_id) & 1"
    )
}

fn read(row: &Row) -> Result<Song> {
    let id = row.get(0)?;
    let album_id = row.get(2)?;
    let mut cover = cover(id, album_id, row.get(34)?, row.get(35)?, row.get(36)?);
    let video = match row.get(44)? {
        false => None,
        true => Some(Frame { width: row.get(45)?, height: row.get(46)? }),
    };
    if let (None, Some(_), Some(stamp)) = (cover, video, row.get(47)?) {
        // The picture of the folder, under the id of what is shown by it.
        cover = Some(Cover { of: Id::Song(id), stamp });
    }
    Ok(Song {
        id,
        folder_id: row.get(1)?,
        album_id,
        artist_id: row.get(3)?,
        title: row.get(4)?,
        sort_title: row.get(5)?,
        album: row.get(6)?,
        artist: row.get(7)?,
        artists: NamedList(row.get(8)?),
        album_artist: row.get(9)?,
        album_artists: NamedList(row.get(10)?),
        track: row.get(11)?,
        disc: row.get(12)?,
        year: row.get(13)?,
        genre: row.get(14)?,
        genres: TextList(row.get(15)?),
        size: row.get(16)?,
        suffix: row.get(17)?,
        duration: row.get(18)?,
        bit_rate: row.get(19)?,
        bit_depth: row.get(20)?,
        sample_rate: row.get(21)?,
        channels: row.get(22)?,
        path: super::display_path(row.get_ref(23)?.as_blob()?, row.get_ref(24)?.as_blob()?),
        created: row.get(25)?,
        bpm: row.get(26)?,
        comment: row.get(27)?,
        mbid: row.get(28)?,
        explicit: row.get(29)?,
        track_gain: row.get(30)?,
        album_gain: row.get(31)?,
        track_peak: row.get(32)?,
        album_peak: row.get(33)?,
        cover,
        extra: super::extra(row, 37)?,
        average_rating: row.get(38)?,
        note: super::note(row, 39)?,
        bookmark: row.get(43)?,
        video,
    })
}

/// The picture of a song: its own where it is to be shown, else that of the album.
pub(super) fn cover(
    song: i64,
    album: i64,
    own: bool,
    picture: Option<i64>,
    album_stamp: Option<i64>,
) -> Option<Cover> {
    match (own, picture, album_stamp) {
        (true, Some(stamp), _) => Some(Cover { of: Id::Song(song), stamp }),
        (_, _, Some(stamp)) => Some(Cover { of: Id::Album(album), stamp }),
        _ => None,
    }
}

/// The songs whose ids `pick` selects, in its order. `pick` is SQL of ours with a column `id`; it
/// may use ?1 (user), ?2 (visible music folders) and ?3 on; `params` holds them all.
///
/// What is missing or not visible to the user is left out.
pub(super) fn picked(db: &Connection, pick: &str, params: impl Params) -> Result<Vec<Song>> {
    collect(db, &select(pick), params, read)
}

/// The same with songs whose files are gone, and whether each is.
pub(super) fn picked_with_gone(
    db: &Connection,
    pick: &str,
    params: impl Params,
) -> Result<Vec<(Song, bool)>> {
    collect(db, &select_with_gone(pick), params, |row| Ok((read(row)?, row.get(48)?)))
}

/// One song.
pub fn by_id(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Song>> {
    let mut statement = db.prepare_cached(&select("SELECT ?3 AS id"))?;
    optional(statement.query_row((viewer.user, viewer.scope, id), read))
}

/// Several songs in the order of the ids, the same id more than once too; what is missing or not
/// visible is left out.
pub fn by_ids(db: &Connection, viewer: Viewer, ids: &[i64]) -> Result<Vec<Song>> {
    picked(db, LISTED, (viewer.user, viewer.scope, id_list(ids)))
}

/// The first id that is no song, or one that is missing or not visible.
pub fn first_unknown(db: &Connection, viewer: Viewer, ids: &[i64]) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached(
        "SELECT value FROM json_each(?1) WHERE NOT EXISTS (
            SELECT 1 FROM song INDEXED BY song_present
            WHERE id = value AND missing IS NULL AND (?2 >> music_folder_id) & 1)
         ORDER BY key LIMIT 1",
    )?;
    optional(statement.query_row((id_list(ids), viewer.scope), |row| row.get(0)))
}

/// The songs of an album in the order of discs and tracks.
pub fn of_album(db: &Connection, viewer: Viewer, album: i64) -> Result<Vec<Song>> {
    let pick = "SELECT id FROM song WHERE album_id = ?3 AND missing IS NULL
        ORDER BY disc, track, title_key, id LIMIT -1";
    picked(db, pick, (viewer.user, viewer.scope, album))
}

/// The songs lying in a folder itself, by file name.
pub fn of_folder(db: &Connection, viewer: Viewer, folder: i64) -> Result<Vec<Song>> {
    let pick = "SELECT id FROM song WHERE folder_id = ?3 AND missing IS NULL
        ORDER BY disc, track, file_name LIMIT -1";
    picked(db, pick, (viewer.user, viewer.scope, folder))
}

/// The file of a song.
pub fn file(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<File>> {
    let mut statement = db.prepare_cached(
        "SELECT m.path, f.path, s.file_name, s.suffix, s.video, s.duration FROM song s
         JOIN folder f ON f.id = s.folder_id JOIN music_folder m ON m.id = s.music_folder_id
         WHERE s.id = ?1 AND s.missing IS NULL AND (?2 >> s.music_folder_id) & 1",
    )?;
    optional(statement.query_row((id, viewer.scope), |row| {
        let parts = [row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?];
        Ok(File {
            path: super::join_path(parts)?,
            suffix: row.get(3)?,
            video: row.get(4)?,
            duration: row.get(5)?,
        })
    }))
}
