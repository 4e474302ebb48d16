//! Where users stopped: bookmarks within songs, and the queue each carries from player to player.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result, Transaction};

use super::songs::{self, Song};
use super::{Viewer, collect, optional};

/// A place within a song.
pub struct Bookmark {
    /// The song.
    pub song: Song,
    /// Milliseconds from its start.
    pub position: i64,
    /// What the user noted, or empty.
    pub comment: String,
    /// When it was first set, ms since 1970.
    pub created: i64,
    /// When it was last set, ms since 1970.
    pub changed: i64,
}

/// A user's queue.
pub struct Queue {
    /// The songs, as far as the user sees them now.
    pub songs: Vec<Song>,
    /// Which of them is played, 0 for the first.
    pub current: usize,
    /// Milliseconds from its start.
    pub position: i64,
    /// When it was saved, ms since 1970.
    pub changed: i64,
    /// The client that saved it.
    pub changed_by: String,
}

/// The user's bookmarks, last set first; those of songs that are gone are kept and not shown.
pub fn all(db: &Connection, viewer: Viewer) -> Result<Vec<Bookmark>> {
    type Place = (i64, i64, String, i64, i64);
    let sql = "SELECT song_id, position, comment, created, changed FROM bookmark
        WHERE user_id = ?1 ORDER BY changed DESC, song_id";
    let places: Vec<Place> = collect(db, sql, [viewer.user], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })?;
    let ids: Vec<i64> = places.iter().map(|place| place.0).collect();
    let songs = songs::by_ids(db, viewer, &ids)?;
    let mut songs: HashMap<i64, Song> = songs.into_iter().map(|song| (song.id, song)).collect();
    Ok(places
        .into_iter()
        .filter_map(|(id, position, comment, created, changed)| {
            Some(Bookmark { song: songs.remove(&id)?, position, comment, created, changed })
        })
        .collect())
}

/// Sets the bookmark of a song, instead of the one that was there.
pub fn set(
    db: &Transaction,
    user: i64,
    song: i64,
    position: i64,
    comment: &str,
    now: i64,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO bookmark (user_id, song_id, position, comment, created, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT DO UPDATE SET position = excluded.position, comment = excluded.comment, changed = excluded.changed",
    )?
    .execute((user, song, position, comment, now))?;
    Ok(())
}

/// Removes the bookmark of a song, if there is one.
pub fn remove(db: &Transaction, user: i64, song: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM bookmark WHERE user_id = ?1 AND song_id = ?2")?
        .execute((user, song))?;
    Ok(())
}

/// The user's queue; `None` where none was saved, or it was cleared.
pub fn queue(db: &Connection, viewer: Viewer) -> Result<Option<Queue>> {
    let sql = "SELECT current, position, changed, changed_by FROM play_queue WHERE user_id = ?1";
    let saved: Option<(i64, i64, i64, String)> =
        optional(db.prepare_cached(sql)?.query_row([viewer.user], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        }))?;
    let Some((current, position, changed, changed_by)) = saved else { return Ok(None) };
    let current = usize::try_from(current).unwrap_or(0);
    let sql = "SELECT song_id FROM play_queue_entry WHERE user_id = ?1 ORDER BY position";
    let ids: Vec<i64> = collect(db, sql, [viewer.user], |row| row.get(0))?;
    let songs = songs::by_ids(db, viewer, &ids)?;
    let shown: HashSet<i64> = songs.iter().map(|song| song.id).collect();
    let before = ids.iter().take(current).filter(|id| shown.contains(id)).count();
    // Where the song itself is gone, the one behind it is next, from its start.
    let is_shown = ids.get(current).is_some_and(|id| shown.contains(id));
    let position = if is_shown { position } else { 0 };
    let current = before.min(songs.len().saturating_sub(1));
    Ok(Some(Queue { songs, current, position, changed, changed_by }))
}

/// Saves a queue instead of the one that was there.
pub fn save_queue(
    db: &Transaction,
    user: i64,
    songs: &[i64],
    (current, position): (usize, i64),
    (client, now): (&str, i64),
) -> Result<()> {
    clear_queue(db, user)?;
    let current = i64::try_from(current).unwrap_or(0);
    db.prepare_cached("INSERT INTO play_queue (user_id, current, position, changed, changed_by) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((user, current, position, now, client))?;
    let list = serde_json::to_string(songs).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO play_queue_entry (user_id, position, song_id) SELECT ?1, key, value FROM json_each(?2)",
    )?
    .execute((user, list))?;
    Ok(())
}

/// Forgets a user's queue.
pub fn clear_queue(db: &Transaction, user: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM play_queue WHERE user_id = ?1")?.execute([user])?;
    Ok(())
}
