//! Keeps what users made: one server at a time, a look at the database after an unclean stop, backups.

pub mod backup;
mod key;
pub mod lock;
pub mod nightly;
pub mod report;
mod rescue;
mod reserve;
pub mod restore;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::config::Config;
use crate::db::{self, check, copy, salvage, wal};
use crate::error::{Error, Result};
use lock::{Server, State};

/// The database in a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join("kinglet.db")
}

/// The key of the passwords: in the data folder, unless the service was given it as a credential.
pub fn key_file(config: &Config) -> PathBuf {
    config.key.clone().unwrap_or_else(|| config.data.join("kinglet.key"))
}

/// Makes the data folder where it is not there, for its owner alone.
pub fn make_folder(data: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|cause| {
        Error::caused(format!("cannot make the data folder {}", data.display()), cause)
    })
}

/// Makes everything ready for a server: no other one works on the data folder, and the database
/// is sound. One that is damaged is moved aside and made anew of what can be read of it and the
/// newest backup; what became of it is told in the log and in a report for `kinglet check`.
///
/// # Errors
/// Another server runs, a newer Kinglet wrote the database, or the disk cannot be written to.
pub fn prepare(config: &Config) -> Result<Server> {
    make_folder(&config.data)?;
    let server = Server::take(&config.data)?;
    reserve::look(&config.data);
    let file = database(&config.data);
    if is_missing(&file) {
        rescue::from_backup(config)?;
    } else {
        look(config, &file)?;
    }
    if !is_missing(&file) {
        restore::finish(config)?;
        key::look(config)?;
        know_the_time(&file)?;
    }
    if let Err(error) = lock::write_state(&config.data, State::Checked) {
        tracing::warn!("the next start looks through the database again: {error}");
    }
    Ok(server)
}

/// Looks at a database that was not closed by Kinglet as it is now.
fn look(config: &Config, file: &Path) -> Result<()> {
    let state = lock::state(&config.data);
    if let State::Closed(seal) = &state
        && lock::seal(file).is_some_and(|now| now == *seal)
    {
        return Ok(());
    }
    tracing::info!("the database was not closed as it is now: looking through it");
    let [log, _] = copy::beside(file);
    let lost = wal::lost_transactions(&log).unwrap_or(0);
    if lost > 0 {
        return rescue::from_log(config, &log, lost);
    }
    let damage = check::examine(file)?;
    if !damage.is_none() {
        return rescue::from_damaged(config, &damage);
    }
    if matches!(state, State::Closed(_)) {
        // Somebody else wrote to it, or bytes changed where no checksum is: in what a scan finds.
        tracing::warn!(
            "the database changed since Kinglet closed it; what users made is right, all music \
             files are read again to be sure of the rest"
        );
        salvage::distrust(file)?;
    } else {
        tracing::info!("the database is sound");
    }
    Ok(())
}

/// Takes the newest time that the database knows for the floor of the clock.
fn know_the_time(file: &Path) -> Result<()> {
    let newest = db::settings::newest_time(file)?;
    if clock::not_before(newest) {
        tracing::warn!(
            "the clock of this machine stands at {}, before times the database knows: until it is \
             set, time is counted from {}",
            clock::day(clock::system()),
            clock::day(clock::now()),
        );
    }
    Ok(())
}

fn is_missing(file: &Path) -> bool {
    matches!(fs::symlink_metadata(file), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// A name beside a file: its name with this behind it.
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Removes a file that may not be there.
fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::caused(format!("cannot remove {}", file.display()), cause))
        }
        _ => Ok(()),
    }
}

/// Renames a file, and brings the new name to the disk.
fn rename(from: &Path, to: &Path) -> Result<()> {
    let failed = |cause| {
        let (from, to) = (from.display(), to.display());
        Error::caused(format!("cannot rename {from} to {to}"), cause)
    };
    fs::rename(from, to).map_err(failed)?;
    let folder = to.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Gives a file a second name; where the file system has no such thing, copies it.
fn link(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(|cause| {
        Error::caused(format!("cannot keep {} as {}", from.display(), to.display()), cause)
    })
}
