//! What users make of songs, albums, artists and folders: stars, ratings, plays.

use rusqlite::{Connection, Result, Transaction};

use super::{Viewer, collect, items};
use crate::id::Id;

/// Table, `annotation.kind` and row of what can be annotated; `None` for other things.
fn annotated(of: Id) -> Option<(&'static str, i64, i64)> {
    let table = match of {
        Id::Song(_) => "song",
        Id::Album(_) => "album",
        Id::Artist(_) => "artist",
        Id::Folder(_) => "folder",
        Id::Playlist(_) | Id::Share(_) | Id::Radio(_) => return None,
    };
    items::numbers(of).map(|(kind, item)| (table, kind, item))
}

/// Whether there is such a thing that the user sees and that can be annotated.
pub fn exists(db: &Connection, viewer: Viewer, of: Id) -> Result<bool> {
    Ok(annotated(of).is_some() && items::is_there(db, viewer, of)?)
}

/// Stars a thing; one that is starred keeps its time.
pub fn star(db: &Transaction, user: i64, of: Id, now: i64) -> Result<()> {
    let Some((_, kind, id)) = annotated(of) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO annotation (user_id, kind, item_id, starred) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET starred = coalesce(starred, excluded.starred)",
    )?
    .execute((user, kind, id, now))?;
    Ok(())
}

/// Takes the star from a thing.
pub fn unstar(db: &Transaction, user: i64, of: Id) -> Result<()> {
    let Some((_, kind, id)) = annotated(of) else { return Ok(()) };
    db.prepare_cached(
        "UPDATE annotation SET starred = NULL WHERE user_id = ?1 AND kind = ?2 AND item_id = ?3",
    )?
    .execute((user, kind, id))?;
    Ok(())
}

/// Rates a thing from 1 to 5, or takes the rating back, and counts the mean of all users anew.
pub fn rate(db: &Transaction, user: i64, of: Id, rating: Option<i64>) -> Result<()> {
    let Some((table, kind, id)) = annotated(of) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO annotation (user_id, kind, item_id, rating) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET rating = excluded.rating",
    )?
    .execute((user, kind, id, rating))?;
    db.prepare_cached(&format!(
        "UPDATE {table} SET average_rating = (SELECT round(avg(rating), 2) FROM annotation
            WHERE kind = ?1 AND item_id = ?2 AND rating IS NOT NULL) WHERE id = ?2"
    ))?
    .execute((kind, id))?;
    Ok(())
}

/// Takes all ratings of a user back, so that they leave no trace in the means.
pub fn take_back_ratings(db: &Transaction, user: i64) -> Result<()> {
    let sql = "SELECT kind, item_id FROM annotation WHERE user_id = ?1 AND rating IS NOT NULL";
    let rated = collect(db, sql, [user], |row| Ok(items::id(row.get(0)?, row.get(1)?)))?;
    for of in rated.into_iter().flatten() {
        rate(db, user, of, None)?;
    }
    Ok(())
}

/// Counts one play of a song, and with it of its album and its artists.
pub fn play(db: &Transaction, user: i64, song: i64, time: i64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO annotation (user_id, kind, item_id, play_count, played)
         SELECT ?1, 1, id, 1, ?3 FROM song WHERE id = ?2
         UNION ALL SELECT ?1, 2, album_id, 1, ?3 FROM song WHERE id = ?2 AND video = 0
         UNION ALL SELECT DISTINCT ?1, 3, artist_id, 1, ?3 FROM song_artist WHERE song_id = ?2 AND role = 1
         ON CONFLICT DO UPDATE SET play_count = play_count + 1, played = max(coalesce(played, 0), excluded.played)",
    )?
    .execute((user, song, time))?;
    Ok(())
}
