//! Looks through the whole database while the server answers already; changes wait until that is done.

use rusqlite::Connection;

use super::lock::{self, State};
use super::{database, rescue};
use crate::config::Config;
use crate::db::check;
use crate::db::scanned::search;
use crate::error::{Error, Result};

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// It is sound, or was made so.
    Sound,
    /// It is damaged. Nothing must be written to it; the next start makes it anew.
    Damaged(Error),
}

/// Looks through the database, which was left in this way, on the connection that writes to it: who
/// has that to itself keeps others from writing to what may be damaged.
///
/// # Errors
/// It cannot be looked through, so that nothing is known of it.
pub fn through(config: &Config, writer: &mut Connection, left: &State) -> Result<Found> {
    let closed = matches!(left, State::Closed(_));
    if let State::Closed(seal) = left
        && lock::seal(&database(&config.data)).as_ref() == Some(seal)
    {
        return Ok(Found::Sound);
    }
    tracing::info!("the database was not closed as it is now: looking through it");
    let damage = check::examine_all(writer)?;
    if damage.is_none() && closed {
        // Another program wrote to it, or bytes changed that no checksum is of.
        let transaction = writer.transaction()?;
        search::fill(&transaction)?;
        transaction.commit()?;
        tracing::warn!("the database changed since Kinglet closed it; every row is as it was");
    } else if damage.is_none() {
        tracing::info!("the database is sound");
    } else if damage.is_of_rows_alone() {
        rescue::accept(config, writer, &damage)?;
    } else {
        if let Err(error) = lock::write_state(&config.data, State::Damaged) {
            tracing::warn!("the next start finds it damaged while it answers again: {error}");
        }
        return Ok(Found::Damaged(Error::new(format!(
            "the database is damaged ({}): the next start makes it anew of what can be read and the \
             newest backup",
            damage.in_words()
        ))));
    }
    Ok(Found::Sound)
}
