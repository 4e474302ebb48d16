//! Looks once an hour whether a backup is due, and notes the time where the end of a share depends on it.

use std::time::Duration;

use super::backup;
use crate::clock;
use crate::config::Config;
use crate::db::{Db, checksums, copy, settings, shares};
use crate::error::Result;

/// How often to look. Nothing is read from the disk for it but what the memory holds, and nothing
/// written unless something is due.
pub const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long after the start it is looked first: not while clients come and a scan runs.
pub const FIRST_LOOK: Duration = Duration::from_secs(5 * 60);

/// Does what is due.
///
/// # Errors
/// The database fails, or the backup could not be made; it is tried again at the next look.
pub fn look(config: &Config, db: &Db) -> Result<()> {
    let now = clock::now();
    note_ended_shares(db, now)?;
    if !is_due(config, db, now)? {
        return Ok(());
    }
    let made = backup::make(config, None)?;
    tracing::info!("made the backup {} with {}", made.path.display(), made.contents.in_words());
    Ok(())
}

/// Whether the newest backup is old enough, and users changed something since.
fn is_due(config: &Config, db: &Db, now: i64) -> Result<bool> {
    let Some(every) = config.backup_every else { return Ok(false) };
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let Some(newest) = backup::all(&config.backup_folder).into_iter().next() else {
        return Ok(true);
    };
    let Some((created, kept)) = copy::glance(&newest) else { return Ok(true) };
    // One from the future was made while the clock was wrong.
    if (0..every).contains(&now.saturating_sub(created)) {
        return Ok(false);
    }
    let of_users = |sums: Vec<(String, checksums::Sum)>| -> Vec<(String, checksums::Sum)> {
        sums.into_iter().filter(|(table, _)| !checksums::is_of_library(table)).collect()
    };
    Ok(of_users(db.read(checksums::written)?) != of_users(kept))
}

/// Does what is due when the server stops.
///
/// # Errors
/// The database fails.
pub fn close(db: &Db) -> Result<()> {
    note_ended_shares(db, clock::now())
}

/// Notes the time once after the end of each share, so that a clock which stands in the past at the
/// next start does not bring the share back.
fn note_ended_shares(db: &Db, now: i64) -> Result<()> {
    let ended = db.read(|db| shares::last_end(db, now))?;
    let noted = db.read(settings::noted_time)?;
    if ended.is_some_and(|ended| ended >= noted) {
        db.write(|db| settings::note_time(db, now))?;
    }
    Ok(())
}

/// When the newest backup was made, for people; `None` where there is none.
pub fn last(config: &Config) -> Option<i64> {
    let newest = backup::all(&config.backup_folder).into_iter().next()?;
    copy::glance(&newest).map(|(created, _)| created)
}
