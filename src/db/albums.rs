//! Albums as the API shows them.

use rusqlite::{Connection, Params, Result, Row};
use serde::{Deserialize, Serialize};

use super::pack::{NamedList, TextList};
use super::{Cover, LISTED, Note, Viewer, collect, id_list, optional};
use crate::id::Id;

/// One album with all that is shown of it to one user.
#[derive(Clone, Debug)]
pub struct Album {
    /// The row's id.
    pub id: i64,
    /// The folder it lies in.
    pub folder_id: i64,
    /// Name.
    pub name: String,
    /// Sort name, empty where there is none.
    pub sort_name: String,
    /// The artists in one line.
    pub artist: String,
    /// The first artist.
    pub artist_id: Option<i64>,
    /// The artists one by one.
    pub artists: NamedList,
    /// Year of release.
    pub year: Option<i64>,
    /// The first genre.
    pub genre: Option<String>,
    /// All genres.
    pub genres: TextList,
    /// Songs that are there.
    pub song_count: i64,
    /// Milliseconds of all songs.
    pub duration: i64,
    /// When its first song came into the library, ms since 1970.
    pub created: i64,
    /// MusicBrainz release id, empty where unknown.
    pub mbid: String,
    /// Version ("Deluxe Edition"), empty where there is none.
    pub version: String,
    /// Whether it is a compilation.
    pub compilation: bool,
    /// What the songs say of explicit words.
    pub explicit: Option<bool>,
    /// Its picture.
    pub cover: Option<Cover>,
    /// What few albums have.
    pub extra: Extra,
    /// Mean of all users' ratings.
    pub average_rating: Option<f64>,
    /// What the user made of it.
    pub note: Note,
}

/// What few albums have, kept as JSON in one column. Dates are year, month, day; 0 where unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// Date of this release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<(u16, u8, u8)>,
    /// Date of the first release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<(u16, u8, u8)>,
    /// Record labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Release types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub release_types: Vec<String>,
    /// Moods of its songs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moods: Vec<String>,
    /// Discs that have a title.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disc_titles: Vec<(u32, String)>,
}

/// The columns of `Album`; ?1 is the user, ?2 the visible music folders, `pick` gives ids in order.
fn select(pick: &str) -> String {
    format!(
        "SELECT a.id, a.folder_id, a.name, a.sort_name, a.artist, a.artist_id, a.artists, a.year, a.genre, a.genres,
            a.song_count, a.duration, a.created, a.mbid, a.version, a.compilation, a.explicit, a.cover_stamp, a.extra,
            a.average_rating, n.starred, n.rating, n.play_count, n.played
         FROM ({pick}) pick
         CROSS JOIN album a ON a.id = pick.id
         LEFT JOIN annotation n ON n.user_id = ?1 AND n.kind = 2 AND n.item_id = a.id
         WHERE a.song_count > 0 AND (?2 >> a.music_folder_id) & 1"
    )
}

fn read(row: &Row) -> Result<Album> {
    let id = row.get(0)?;
    Ok(Album {
        id,
        folder_id: row.get(1)?,
        name: row.get(2)?,
        sort_name: row.get(3)?,
        artist: row.get(4)?,
        artist_id: row.get(5)?,
        artists: NamedList(row.get(6)?),
        year: row.get(7)?,
        genre: row.get(8)?,
        genres: TextList(row.get(9)?),
        song_count: row.get(10)?,
        duration: row.get(11)?,
        created: row.get(12)?,
        mbid: row.get(13)?,
        version: row.get(14)?,
        compilation: row.get(15)?,
        explicit: row.get(16)?,
        cover: row.get::<_, Option<i64>>(17)?.map(|stamp| Cover { of: Id::Album(id), stamp }),
        extra: super::extra(row, 18)?,
        average_rating: row.get(19)?,
        note: super::note(row, 20)?,
    })
}

/// The albums whose ids `pick` selects, in its order; the rules of `songs::picked`.
pub(super) fn picked(db: &Connection, pick: &str, params: impl Params) -> Result<Vec<Album>> {
    collect(db, &select(pick), params, read)
}

/// Several albums in the order of the ids; the rules of `songs::by_ids`.
pub(super) fn by_ids(db: &Connection, viewer: Viewer, ids: &[i64]) -> Result<Vec<Album>> {
    picked(db, LISTED, (viewer.user, viewer.scope, id_list(ids)))
}

/// One album.
pub fn by_id(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Album>> {
    let mut statement = db.prepare_cached(&select("SELECT ?3 AS id"))?;
    optional(statement.query_row((viewer.user, viewer.scope, id), read))
}

/// The album of a folder: that of most of the songs lying in it.
pub fn of_folder(db: &Connection, viewer: Viewer, folder: i64) -> Result<Option<Album>> {
    let pick =
        "SELECT album_id AS id FROM song WHERE folder_id = ?3 AND missing IS NULL AND video = 0
        GROUP BY album_id ORDER BY count(*) DESC, album_id LIMIT 1";
    let mut statement = db.prepare_cached(&select(pick))?;
    optional(statement.query_row((viewer.user, viewer.scope, folder), read))
}

/// The albums an artist is credited on: the artist's own first, then those of others, each by year.
pub fn of_artist(db: &Connection, viewer: Viewer, artist: i64) -> Result<Vec<Album>> {
    let pick = "SELECT album.id FROM album_artist JOIN album ON album.id = album_artist.album_id
        WHERE album_artist.artist_id = ?3
        ORDER BY album_artist.main DESC, album.year, album.sort_key, album.id LIMIT -1";
    picked(db, pick, (viewer.user, viewer.scope, artist))
}
