//! How often shares were opened and what they hold was played.

use rusqlite::{Connection, Result, Transaction};

use crate::db::{collect, items};
use crate::id::Id;

/// What is to be added to a share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visits of its page.
    pub visits: i64,
    /// When the last one was, ms since 1970.
    pub last_visited: Option<i64>,
    /// Who listened.
    pub listeners: i64,
    /// What was played how often.
    pub plays: Vec<(Id, i64)>,
}

/// Adds to a share; one that was removed meanwhile is left out.
pub fn add_counts(db: &Transaction, share: i64, counts: &Counts) -> Result<()> {
    let plays = counts.plays.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count));
    let known = db
        .prepare_cached(
            "UPDATE share SET visit_count = visit_count + ?2,
                last_visited = CASE WHEN ?3 > ifnull(last_visited, 0) THEN ?3 ELSE last_visited END,
                listener_count = listener_count + ?4, play_count = play_count + ?5 WHERE id = ?1",
        )?
        .execute((share, counts.visits, counts.last_visited, counts.listeners, plays))?;
    if known == 0 {
        return Ok(());
    }
    let mut add = db.prepare_cached(
        "INSERT INTO share_play (share_id, kind, item_id, play_count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET play_count = play_count + excluded.play_count",
    )?;
    for (of, count) in &counts.plays {
        if let Some((kind, item)) = items::numbers(*of) {
            add.execute((share, kind, item, count))?;
        }
    }
    Ok(())
}

/// What of a share was played, and how often.
pub fn plays(db: &Connection, share: i64) -> Result<Vec<(Id, i64)>> {
    let sql = "SELECT kind, item_id, play_count FROM share_play WHERE share_id = ?1 ORDER BY kind, item_id";
    let plays =
        collect(db, sql, [share], |row| Ok(items::id(row.get(0)?, row.get(1)?).zip(row.get(2)?)))?;
    Ok(plays.into_iter().flatten().collect())
}
