//! Keeps what users made: one server at a time, a look at the database after an unclean stop, backups.

pub mod backup;
mod key;
pub mod lock;
pub mod look;
pub mod nightly;
pub mod report;
mod rescue;
mod reserve;
pub mod restore;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::config::{self, Config};
use crate::db::check::{self, Depth};
use crate::db::{self, copy, wal};
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
    config::make_private(data).map_err(|cause| {
        Error::caused(format!("cannot make the data folder {}", data.display()), cause)
    })
}

/// The data folder is ready to be served.
#[derive(Debug)]
pub struct Prepared {
    /// Held for as long as the server runs.
    pub server: Server,
    /// How the database was left, where it is yet to be looked through: see [`look`].
    pub left: Option<State>,
}

/// Makes everything ready for a server: no other one works on the data folder, and what users made
/// is in the database as it was written. One that is damaged is moved aside and made anew of what
/// can be read of it and the newest backup; what became of it is told in the log and in a report
/// for `kinglet check`.
///
/// # Errors
/// Another server runs, a newer Kinglet wrote the database, or the disk cannot be written to.
pub fn prepare(config: &Config) -> Result<Prepared> {
    let prepared = prepare_database(config)?;
    if !is_missing(&database(&config.data)) {
        key::look(config)?;
    }
    Ok(prepared)
}

fn prepare_database(config: &Config) -> Result<Prepared> {
    make_folder(&config.data)?;
    let server = Server::take(&config.data)?;
    reserve::look(&config.data);
    let file = database(&config.data);
    restore::complete(&file)?;
    let left = if is_missing(&file) {
        rescue::from_backup(config)?;
        None
    } else {
        look_first(config, &file)?
    };
    if !is_missing(&file) {
        restore::finish(config)?;
        know_the_time(&file)?;
    }
    Ok(Prepared { server, left })
}

/// The same for a command that may run beside a server: where none does, the command is the first
/// to see how the database was left. The key is left alone, since a service may have another.
///
/// # Errors
/// See [`prepare`].
pub fn prepare_command(config: &Config) -> Result<()> {
    if !lock::is_served(&config.data) {
        prepare_database(config)?;
    }
    Ok(())
}

/// Looks at a database before anybody has it open, at what is looked at as fast in a large one.
/// Tells how it was left where the rest is yet to be looked through.
fn look_first(config: &Config, file: &Path) -> Result<Option<State>> {
    let [log, index] = copy::beside(file);
    if wal::lost_transactions(&log, &index).unwrap_or(0) > 0 {
        rescue::mend_log(config, &log)?;
    }
    let left = lock::state(&config.data);
    if left != State::Damaged && check::examine(file, Depth::Users)?.is_none() {
        return Ok(Some(left));
    }
    let damage = check::examine(file, Depth::All)?;
    if !damage.is_none() {
        rescue::from_damaged(config, &damage)?;
    }
    lock::write_state(&config.data, State::Open)?;
    Ok(None)
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
    fs::rename(from, to).map_err(|cause| {
        let (from, to) = (from.display(), to.display());
        Error::caused(format!("cannot rename {from} to {to}"), cause)
    })?;
    sync_folder(to)
}

/// Brings to the disk which files there are beside this one.
fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems of networks know no such thing.
        Err(cause)
            if !matches!(
                cause.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(Error::caused(format!("cannot write {}", folder.display()), cause))
        }
        _ => Ok(()),
    }
}

/// Gives a file a second name; where the file system has no such thing, copies it.
fn link(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(|cause| {
        Error::caused(format!("cannot keep {} as {}", from.display(), to.display()), cause)
    })
}
