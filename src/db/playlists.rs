//! Playlists: ordered songs of one user, the same song more than once too.
//!
//! Entries whose song is missing, or which the viewer may not see, are hidden and not counted, but
//! stay where they are: they show again when the song comes back.

use rusqlite::{Connection, Params, Result, Row, Transaction};

use super::songs::{self, Song};
use super::{Cover, Viewer, collect, optional};

/// Playlists a list of them holds at most, so that its size is bounded.
const MOST_LISTED: i64 = 10_000;
/// So many entries from the first are looked at for a picture.
const LOOKED_AT_FOR_COVER: i64 = 50;

/// A playlist with what one user sees of it.
#[derive(Clone, Debug)]
pub struct Playlist {
    /// The row's id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The name of that user.
    pub owner: String,
    /// Name.
    pub name: String,
    /// Comment, empty where there is none.
    pub comment: String,
    /// Whether all users may play it.
    pub public: bool,
    /// When it was made, ms since 1970.
    pub created: i64,
    /// When it was last changed, ms since 1970.
    pub changed: i64,
    /// Songs that are there and visible.
    pub song_count: i64,
    /// Their milliseconds.
    pub duration: i64,
    /// The picture of the first song that has one.
    pub cover: Option<Cover>,
}

/// What is to change; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes<'a> {
    /// The new name.
    pub name: Option<&'a str>,
    /// The new comment.
    pub comment: Option<&'a str>,
    /// Whether all users may play it.
    pub public: Option<bool>,
}

/// ?1 is the user, ?2 the visible music folders.
///
/// Songs are counted in an index that holds all that is needed of them: reading the songs
/// themselves would take many times as long where playlists are long.
fn select(condition: &str) -> String {
    format!(
        "SELECT p.*, s.id, s.album_id, s.own_cover, s.picture, a.cover_stamp FROM (
            SELECT p.id, p.user_id, u.name AS owner, p.name, p.comment, p.public, p.created, p.changed,
                count(s.id), coalesce(sum(s.duration), 0),
                (SELECT s.id FROM playlist_entry e
                    JOIN song s ON s.id = e.song_id AND s.missing IS NULL AND (?2 >> s.music_folder_id) & 1
                    JOIN album a ON a.id = s.album_id
                    WHERE e.playlist_id = p.id AND e.position < {LOOKED_AT_FOR_COVER}
                        AND (a.cover_stamp IS NOT NULL OR s.own_cover AND s.picture IS NOT NULL)
                    ORDER BY e.position LIMIT 1) AS shown
            FROM playlist p JOIN user u ON u.id = p.user_id
            LEFT JOIN playlist_entry e ON e.playlist_id = p.id
            LEFT JOIN song s INDEXED BY song_present
                ON s.id = e.song_id AND s.missing IS NULL AND (?2 >> s.music_folder_id) & 1
            WHERE {condition} GROUP BY p.id) p
         LEFT JOIN song s ON s.id = p.shown LEFT JOIN album a ON a.id = s.album_id
         ORDER BY p.name COLLATE NOCASE, p.id LIMIT {MOST_LISTED}"
    )
}

fn read(row: &Row) -> Result<Playlist> {
    let cover = match row.get(11)? {
        Some(song) => songs::cover(song, row.get(12)?, row.get(13)?, row.get(14)?, row.get(15)?),
        None => None,
    };
    Ok(Playlist {
        id: row.get(0)?,
        user_id: row.get(1)?,
        owner: row.get(2)?,
        name: row.get(3)?,
        comment: row.get(4)?,
        public: row.get(5)?,
        created: row.get(6)?,
        changed: row.get(7)?,
        song_count: row.get(8)?,
        duration: row.get(9)?,
        cover,
    })
}

/// The user's own playlists and the public ones, by name.
pub fn open_to(db: &Connection, viewer: Viewer) -> Result<Vec<Playlist>> {
    let sql = select("p.user_id = ?1 OR p.public");
    collect(db, &sql, (viewer.user, viewer.scope), read)
}

/// One of the user's own playlists or of the public ones.
pub fn by_id(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Playlist>> {
    one(db, "p.id = ?3 AND (p.user_id = ?1 OR p.public)", (viewer.user, viewer.scope, id))
}

/// A playlist of anybody, for administrators.
pub fn of_anybody(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Playlist>> {
    one(db, "p.id = ?3 AND ?1 = ?1", (viewer.user, viewer.scope, id))
}

fn one(db: &Connection, condition: &str, params: impl Params) -> Result<Option<Playlist>> {
    optional(db.prepare_cached(&select(condition))?.query_row(params, read))
}

/// The visible songs of a playlist, in its order.
pub fn songs(db: &Connection, viewer: Viewer, playlist: i64) -> Result<Vec<Song>> {
    let pick = "SELECT song_id AS id FROM playlist_entry WHERE playlist_id = ?3
        ORDER BY position LIMIT -1";
    songs::picked(db, pick, (viewer.user, viewer.scope, playlist))
}

/// How many entries a playlist has, the hidden ones too.
pub fn length(db: &Connection, playlist: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM playlist_entry WHERE playlist_id = ?1";
    db.prepare_cached(sql)?.query_row([playlist], |row| row.get(0))
}

/// Makes a playlist without songs.
pub fn create(db: &Transaction, user: i64, name: &str, now: i64) -> Result<i64> {
    let sql = "INSERT INTO playlist (user_id, name, created, changed) VALUES (?1, ?2, ?3, ?3)";
    db.prepare_cached(sql)?.insert((user, name, now))
}

/// Changes what is said of a playlist, and notes that it was changed.
pub fn update(db: &Transaction, playlist: i64, changes: &Changes, now: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE playlist SET name = coalesce(?2, name), comment = coalesce(?3, comment),
            public = coalesce(?4, public), changed = ?5 WHERE id = ?1",
    )?
    .execute((playlist, changes.name, changes.comment, changes.public, now))?;
    Ok(())
}

/// Gives a playlist these songs in place of those it has.
pub fn replace(db: &Transaction, playlist: i64, songs: &[i64]) -> Result<()> {
    db.prepare_cached("DELETE FROM playlist_entry WHERE playlist_id = ?1")?.execute([playlist])?;
    append(db, playlist, songs)
}

/// Puts songs at the end.
pub fn append(db: &Transaction, playlist: i64, songs: &[i64]) -> Result<()> {
    let list = serde_json::to_string(songs).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO playlist_entry (playlist_id, position, song_id)
         SELECT ?1, key + (SELECT coalesce(max(position) + 1, 0) FROM playlist_entry WHERE playlist_id = ?1), value
         FROM json_each(?2)",
    )?
    .execute((playlist, list))?;
    Ok(())
}

/// Takes out entries by their places among the visible ones, 0 for the first; the positions of
/// the others close up. `false`, and nothing done, where there is no such place.
pub fn remove(db: &Transaction, viewer: Viewer, playlist: i64, places: &[i64]) -> Result<bool> {
    let sql = "SELECT e.song_id, s.missing IS NULL AND (?2 >> s.music_folder_id) & 1 FROM playlist_entry e
        JOIN song s ON s.id = e.song_id WHERE e.playlist_id = ?1 ORDER BY e.position";
    let entries: Vec<(i64, bool)> =
        collect(db, sql, (playlist, viewer.scope), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let visible = entries.iter().filter(|(_, visible)| *visible).count();
    let places: Option<Vec<usize>> = places
        .iter()
        .map(|place| usize::try_from(*place).ok().filter(|place| *place < visible))
        .collect();
    let Some(mut places) = places else { return Ok(false) };
    places.sort_unstable();
    let mut place = 0..;
    let kept: Vec<i64> = entries
        .into_iter()
        .filter(|(_, visible)| {
            !visible || place.next().is_some_and(|place| places.binary_search(&place).is_err())
        })
        .map(|(song, _)| song)
        .collect();
    replace(db, playlist, &kept)?;
    Ok(true)
}

/// Removes a playlist.
pub fn delete(db: &Transaction, playlist: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM playlist WHERE id = ?1")?.execute([playlist])?;
    Ok(())
}
