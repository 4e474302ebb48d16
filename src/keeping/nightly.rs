//! Looks once an hour whether a backup is due, and notes the time where the end of a share depends on it.

use std::time::Duration;

use super::backup;
use crate::clock;
use crate::config::Config;
use crate::db::{Db, checksums, copy, settings, shares};
use crate::error::Result;

/// How often to look.
pub const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long after the start it is looked first: not while clients come and a scan runs.
pub const FIRST_LOOK: Duration = Duration::from_secs(5 * 60);

/// What was seen at the last look, so that the next one need not wake the disk of the backups.
#[derive(Debug, Default)]
pub struct Seen {
    /// When the newest backup was made, ms since 1970, and how often the database had been written
    /// to when nothing was found in it that this backup lacks.
    newest: Option<(i64, Option<u64>)>,
}

impl Seen {
    /// What is there when the server starts, whose disks turn then; the first look is not to wake
    /// them again.
    pub fn at_start(config: &Config) -> Seen {
        Seen { newest: last(config).map(|created| (created, None)) }
    }
}

/// Does what is due. It reads only what memory holds, and writes nothing, unless something is.
///
/// # Errors
/// The database fails, or the backup could not be made; it is tried again at the next look.
pub fn look(config: &Config, db: &Db, seen: &mut Seen) -> Result<()> {
    let now = clock::now();
    note_ended_shares(db, now)?;
    let Some(every) = config.backup_every else { return Ok(()) };
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    // One from the future was made while the clock was wrong.
    let is_young = |created: i64| (0..every).contains(&now.saturating_sub(created));
    let writes = db.writes();
    if let Some((created, unchanged)) = seen.newest
        && (is_young(created) || unchanged == Some(writes))
    {
        return Ok(());
    }
    // Somebody else may have made one, like a timer.
    let newest = backup::all(&config.backup_folder).into_iter().next();
    if let Some((created, kept)) = newest.and_then(|newest| copy::glance(&newest)) {
        let unchanged = db.read(checksums::written_of_users)? == kept;
        seen.newest = Some((created, unchanged.then_some(writes)));
        if is_young(created) || unchanged {
            return Ok(());
        }
    }
    let made = backup::make(config, None)?;
    tracing::info!("made the backup {} with {}", made.path.display(), made.contents.in_words());
    seen.newest = Some((made.contents.created, None));
    Ok(())
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
