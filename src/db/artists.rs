//! Artists as the API shows them.

use rusqlite::{Connection, Params, Result, Row};

use super::{Cover, LISTED, Note, Viewer, collect, id_list, optional};
use crate::id::Id;

/// The role of the artists of a song, the first of `ROLES`.
pub const ARTIST: i64 = 1;
/// The role of the artists of an album.
pub const ALBUM_ARTIST: i64 = 2;
/// The role of those who took part.
pub const PERFORMER: i64 = 64;

/// The roles an artist can have, as bits of `artist.roles` and values of `song_artist.role`.
pub const ROLES: [(i64, &str); 13] = [
    (ARTIST, "artist"),
    (ALBUM_ARTIST, "albumartist"),
    (4, "composer"),
    (8, "conductor"),
    (16, "lyricist"),
    (32, "remixer"),
    (PERFORMER, "performer"),
    (128, "arranger"),
    (256, "producer"),
    (512, "engineer"),
    (1024, "mixer"),
    (2048, "djmixer"),
    (4096, "director"),
];

/// One artist with all that is shown of them to one user.
#[derive(Clone, Debug)]
pub struct Artist {
    /// The row's id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Sort name, empty where there is none.
    pub sort_name: String,
    /// What the artist is sorted by, articles left out.
    pub sort_key: String,
    /// MusicBrainz id, empty where unknown.
    pub mbid: String,
    /// Albums the artist is credited on, among those the user sees.
    pub album_count: i64,
    /// Bits of `ROLES`.
    pub roles: i64,
    /// The picture: that of one of the albums.
    pub cover: Option<Cover>,
    /// Mean of all users' ratings.
    pub average_rating: Option<f64>,
    /// What the user made of the artist.
    pub note: Note,
}

/// The columns of `Artist`; ?1 is the user, ?2 the visible music folders, `pick` gives ids in order.
///
/// Albums are counted anew only where the user sees some of the artist's music folders, not all.
fn select(pick: &str) -> String {
    format!(
        "SELECT r.id, r.name, r.sort_name, r.sort_key, r.mbid,
            CASE WHEN r.music_folders & ~?2 = 0 THEN r.album_count ELSE (
                SELECT count(*) FROM album_artist JOIN album ON album.id = album_artist.album_id
                WHERE album_artist.artist_id = r.id AND album.song_count > 0 AND (?2 >> album.music_folder_id) & 1) END,
            r.roles, a.cover_stamp, r.average_rating, n.starred, n.rating, n.play_count, n.played
         FROM ({pick}) pick
         CROSS JOIN artist r ON r.id = pick.id
         LEFT JOIN album a ON a.id = r.cover_album_id AND (?2 >> a.music_folder_id) & 1
         LEFT JOIN annotation n ON n.user_id = ?1 AND n.kind = 3 AND n.item_id = r.id
         WHERE r.music_folders & ?2 != 0"
    )
}

fn read(row: &Row) -> Result<Artist> {
    let id = row.get(0)?;
    Ok(Artist {
        id,
        name: row.get(1)?,
        sort_name: row.get(2)?,
        sort_key: row.get(3)?,
        mbid: row.get(4)?,
        album_count: row.get(5)?,
        roles: row.get(6)?,
        cover: row.get::<_, Option<i64>>(7)?.map(|stamp| Cover { of: Id::Artist(id), stamp }),
        average_rating: row.get(8)?,
        note: super::note(row, 9)?,
    })
}

/// The artists whose ids `pick` selects, in its order; the rules of `songs::picked`.
pub(super) fn picked(db: &Connection, pick: &str, params: impl Params) -> Result<Vec<Artist>> {
    collect(db, &select(pick), params, read)
}

/// Several artists in the order of the ids; the rules of `songs::by_ids`.
pub(super) fn by_ids(db: &Connection, viewer: Viewer, ids: &[i64]) -> Result<Vec<Artist>> {
    picked(db, LISTED, (viewer.user, viewer.scope, id_list(ids)))
}

/// One artist.
pub fn by_id(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Artist>> {
    let mut statement = db.prepare_cached(&select("SELECT ?3 AS id"))?;
    optional(statement.query_row((viewer.user, viewer.scope, id), read))
}

/// Every artist who is credited on an album, sorted; composers and others alone are left out.
pub fn all(db: &Connection, viewer: Viewer) -> Result<Vec<Artist>> {
    let pick = "SELECT id FROM artist WHERE album_count > 0 ORDER BY sort_key, id LIMIT -1";
    picked(db, pick, (viewer.user, viewer.scope))
}

/// The id of an artist by a spelling of the name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<i64>> {
    let key = super::fold::name_key(name);
    by_key(db, &format!("name:{key}"))
}

/// The id of an artist by a key: `name:` and a folded name, or `mbid:` and a MusicBrainz id.
pub(super) fn by_key(db: &Connection, key: &str) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT artist_id FROM artist_key WHERE key = ?1")?;
    optional(statement.query_row([key], |row| row.get(0)))
}

/// The artist of a folder: of the albums whose songs lie in it and below it, most songs first.
pub fn of_folder(db: &Connection, viewer: Viewer, folder: i64) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached(
        "WITH RECURSIVE below (id) AS (
            SELECT ?1 UNION
            SELECT folder.id FROM below JOIN folder ON folder.parent_id = below.id AND folder.missing IS NULL)
         SELECT album.artist_id FROM below
         JOIN song ON song.folder_id = below.id AND song.missing IS NULL AND (?2 >> song.music_folder_id) & 1
         JOIN album ON album.id = song.album_id AND album.artist_id IS NOT NULL
         GROUP BY album.artist_id ORDER BY count(*) DESC, album.artist_id LIMIT 1",
    )?;
    optional(statement.query_row([folder, viewer.scope], |row| row.get(0)))
}

/// Artists who share genres with this one, those who share most first.
pub fn similar(db: &Connection, viewer: Viewer, artist: i64, count: i64) -> Result<Vec<Artist>> {
    let pick = "SELECT other.artist_id AS id FROM album_artist own
        JOIN album_genre ON album_genre.album_id = own.album_id
        JOIN album_genre near ON near.genre_id = album_genre.genre_id
        JOIN album_artist other ON other.album_id = near.album_id AND other.main
        JOIN artist ON artist.id = other.artist_id AND artist.music_folders & ?2 != 0
        WHERE own.artist_id = ?3 AND own.main AND other.artist_id != ?3
        GROUP BY other.artist_id ORDER BY count(*) DESC, other.artist_id LIMIT ?4";
    picked(db, pick, (viewer.user, viewer.scope, artist, count))
}
