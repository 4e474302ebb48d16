//! Backups: the whole database and the key in one file, made beside a running server.
//!
//! A backup is a database file of its own: compact, complete as of one moment, with its ids, so that
//! share links go on working. It is looked through before it gets its name, and was then read back
//! row by row. Of each day the newest is kept, of days as many as the settings say.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::lock::{self, State};
use super::{beside, database, key_file, remove, rename, rescue};
use crate::clock::{now, stamp};
use crate::config::Config;
use crate::db::Db;
use crate::db::check::Damage;
use crate::db::copy::{self, Contents};
use crate::error::{Error, Result};

/// What the names of backups begin and end with; between stands when they were made.
const NAME: [&str; 2] = ["kinglet-", ".db"];
/// What the name of one that is not complete ends with.
const PART: &str = ".part";
/// Letters of a moment in a name, and of its day.
const MOMENT: usize = "20261124-033000".len();
const DAY: usize = "20261124".len();

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub contents: Contents,
}

/// Makes a backup in a file, or in the folder of the settings.
///
/// # Errors
/// The file is there already, there is no room, or what was written is not what was read.
pub fn make(config: &Config, to: Option<&Path>) -> Result<Made> {
    // One at a time: a server and a timer may both think of it.
    let _turn = lock::Turn::take(&config.data)?;
    accept_changes(config)?;
    let own = to.is_none();
    let path = match to {
        Some(path) if path.symlink_metadata().is_ok() => {
            let name = path.display();
            return Err(Error::new(format!("{name} is there already; name another file")));
        }
        Some(path) => path.to_owned(),
        None => {
            let folder = &config.backup_folder;
            super::make_folder(folder)?;
            remove_parts(folder)?;
            free_name(folder)
        }
    };
    let part = beside(&path, PART);
    let made = write(config, &part).and_then(|contents| {
        rename(&part, &path)?;
        Ok(contents)
    });
    match made {
        Ok(contents) => {
            if own {
                thin(&config.backup_folder, config.backup_keep)?;
            }
            Ok(Made { path, contents })
        }
        Err(error) => {
            // What it lacks is told; that it cannot be removed either is of no more help.
            let _ = remove(&part);
            Err(error)
        }
    }
}

/// The name of a backup that is made now; of a later second where there is one of this already.
fn free_name(folder: &Path) -> PathBuf {
    let mut time = now();
    loop {
        let path = folder.join(format!("{}{}{}", NAME[0], stamp(time), NAME[1]));
        if path.symlink_metadata().is_err() {
            return path;
        }
        time = time.saturating_add(1000);
    }
}

/// Looks whether every row is as it was written. Where another program has changed some, that is told
/// and taken for right, so that backups go on; what was made before is in the older ones.
fn accept_changes(config: &Config) -> Result<()> {
    let file = database(&config.data);
    let altered = copy::altered(&file)?;
    if altered.is_empty() {
        return Ok(());
    }
    let damage = Damage { structure: Vec::new(), altered };
    if damage.is_of_rows_alone() {
        return Db::open(&file)?.alone(|writer| rescue::accept(config, writer, &damage));
    }
    lock::write_state(&config.data, State::Damaged)?;
    Err(Error::new(format!(
        "{} is damaged: {}; `kinglet serve` mends it when it starts again",
        file.display(),
        damage.in_words()
    )))
}

fn write(config: &Config, part: &Path) -> Result<Contents> {
    // Made before, so that nobody else may read it for a moment.
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(part)
        .map_err(|cause| Error::caused(format!("cannot make {}", part.display()), cause))?;
    let key = match fs::read(key_file(config)) {
        // What the service is given is kept by whoever gives it.
        Ok(_) if config.key.is_some() => None,
        Ok(key) => Some(key),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(cause) => {
            let path = key_file(config);
            return Err(Error::caused(format!("cannot read {}", path.display()), cause));
        }
    };
    copy::make(&database(&config.data), part, now(), crate::VERSION, key.as_deref())?;
    copy::sync(part)?;
    copy::examine(part)
}

/// The backups in a folder by when they were made, the newest first; those of other names are
/// somebody else's.
pub fn all(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| moment(path).is_some()).collect();
    found.sort_unstable();
    found.reverse();
    found
}

/// The newest backup that can be used, and what is in it; those that cannot are told in the log.
pub fn newest_good(folder: &Path) -> Option<Made> {
    all(folder).into_iter().find_map(|path| match copy::examine(&path) {
        Ok(contents) => Some(Made { path, contents }),
        Err(error) => {
            tracing::warn!("the backup is left out: {error}");
            None
        }
    })
}

/// When a backup was made, as it stands in its name.
fn moment(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let moment = name.strip_prefix(NAME[0])?.strip_suffix(NAME[1])?;
    let fits = |(at, byte): (usize, u8)| match at {
        DAY => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    (moment.len() == MOMENT && moment.bytes().enumerate().all(fits)).then_some(moment)
}

/// Removes all but the newest backup of each day and of more than these days. It goes by days on
/// which there are backups, so that neither a wrong clock nor a long rest empties the folder.
fn thin(folder: &Path, days: usize) -> Result<()> {
    let (mut kept, mut last) = (0, String::new());
    for path in all(folder) {
        let Some(day) = moment(&path).and_then(|moment| moment.get(..DAY)) else { continue };
        if day == last || kept >= days {
            remove(&path)?;
        } else {
            last = day.to_owned();
            kept += 1;
        }
    }
    Ok(())
}

/// Removes what a power cut left of backups that were being made.
fn remove_parts(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let whole = name.find(PART).and_then(|end| name.get(..end)).unwrap_or_default();
        if moment(Path::new(whole)).is_some() {
            remove(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_day_is_kept_for_as_many_days_as_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let names = |folder: &Path| -> Vec<String> {
            all(folder).iter().map(|path| moment(path).unwrap().to_owned()).collect()
        };
        for name in [
            "kinglet-20261101-033000.db",
            "kinglet-20261103-033000.db",
            "kinglet-20261103-213000.db",
            "kinglet-20261122-033000.db",
            "kinglet-20261124-033000.db",
            "kinglet-20261124-033000.db.part",
            "kinglet-20261124-03300x.db",
            "my own.db",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        thin(folder.path(), 3).unwrap();
        assert_eq!(names(folder.path()), ["20261124-033000", "20261122-033000", "20261103-213000"]);
        remove_parts(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
        thin(folder.path(), 1).unwrap();
        assert_eq!(names(folder.path()), ["20261124-033000"]);
    }
}
