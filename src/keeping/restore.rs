//! Puts a backup in the place of the database.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::lock::{self, Alone, Server, State};
use super::{
    beside, database, is_missing, key_file, link, make_folder, remove, rename, sync_folder,
};
use crate::clock::{now, stamp};
use crate::config::Config;
use crate::db::check::{self, Depth};
use crate::db::copy::{self, Contents};
use crate::error::{Error, Result};

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What is in the database now.
    pub contents: Contents,
    /// Where the database lies that was there before, if there was one.
    pub replaced: Option<PathBuf>,
    /// Whether the key of the passwords was put in place too.
    pub key: bool,
}

/// Replaces the database by a backup. The old one is kept beside it. Whenever the power goes, the
/// one or the other is in place.
///
/// # Errors
/// A server or a command works on the data folder, the backup is damaged or of a newer Kinglet, or
/// there is no room.
pub fn run(config: &Config, backup: &Path) -> Result<Restored> {
    make_folder(&config.data)?;
    let _server = Server::take(&config.data).map_err(|_| {
        Error::new(format!(
            "a server works on {}: stop it before its database is replaced, like by \
             `systemctl stop kinglet`",
            config.data.display()
        ))
    })?;
    let _alone = Alone::take(&config.data)?;
    let file = database(&config.data);
    complete(&file)?;
    let contents = copy::examine(backup)?;
    let new = take_in(backup, &file)?;
    let replaced = match file.exists() {
        false => None,
        true => {
            let kept = beside(&file, &format!(".replaced-{}", stamp(now())));
            // One whose log cannot be brought into it is kept with its log.
            if copy::join_log(&file).is_err() {
                let [log, _] = copy::beside(&file);
                if log.exists() {
                    link(&log, &copy::beside(&kept)[0])?;
                }
            }
            link(&file, &kept)?;
            Some(kept)
        }
    };
    put_in_place(&new, &file)?;
    let key = finish(config)?;
    lock::write_state(&config.data, State::Open)?;
    Ok(Restored { contents, replaced, key })
}

/// Copies a backup beside the database and makes it ready; it is examined once more.
pub(super) fn take_in(backup: &Path, file: &Path) -> Result<PathBuf> {
    let new = beside(file, ".new");
    remove(&new)?;
    fs::copy(backup, &new)
        .and_then(|_| fs::set_permissions(&new, fs::Permissions::from_mode(0o600)))
        .map_err(|cause| Error::caused(format!("cannot write {}", new.display()), cause))?;
    copy::make_ready(&new)?;
    let damage = check::examine(&new, Depth::All)?;
    if !damage.is_none() {
        return Err(Error::new(format!("{}: {}", new.display(), damage.in_words())));
    }
    Ok(new)
}

/// Lets a complete new file be the database. Once it is renamed it will be, whenever the power goes.
pub(super) fn put_in_place(new: &Path, file: &Path) -> Result<()> {
    copy::sync(new)?;
    rename(new, &beside(file, READY))?;
    complete(file)
}

/// What the name of a new database ends with that is about to take the place of the old one.
const READY: &str = ".ready";

/// Goes on where a power cut broke that off.
pub(super) fn complete(file: &Path) -> Result<()> {
    let ready = beside(file, READY);
    if is_missing(&ready) {
        return Ok(());
    }
    // The log of the old one goes first: it would be taken for that of the new one.
    for beside in copy::beside(file) {
        remove(&beside)?;
    }
    sync_folder(file)?;
    rename(&ready, file)
}

/// Puts the key in place that came with a backup, and takes it out of the database; says whether
/// there was one to be put in place. It goes on where a power cut broke it off.
pub(super) fn finish(config: &Config) -> Result<bool> {
    let file = database(&config.data);
    let Some(brought) = copy::brought_key(&file)? else { return Ok(false) };
    // A credential of the service is not ours to replace.
    let brought = brought.filter(|_| config.key.is_none());
    let path = key_file(config);
    let is_other = |key: &Vec<u8>| fs::read(&path).map_or(true, |own| own != *key);
    let mut placed = false;
    if let Some(key) = brought.filter(is_other) {
        if path.exists() {
            rename(&path, &beside(&path, &format!(".replaced-{}", stamp(now()))))?;
        }
        place_key(&path, &key)?;
        placed = true;
    }
    copy::settle(&file)?;
    Ok(placed)
}

/// Writes the key of the passwords.
pub(super) fn place_key(path: &Path, key: &[u8]) -> Result<()> {
    let new = beside(path, ".new");
    remove(&new)?;
    let mut options = fs::File::options();
    options.create_new(true).write(true).mode(0o600);
    options
        .open(&new)
        .and_then(|mut file| {
            file.write_all(key)?;
            file.sync_all()
        })
        .map_err(|cause| Error::caused(format!("cannot write {}", new.display()), cause))?;
    rename(&new, path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_power_cut_broke_off_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kinglet.db");
        let [log, index] = copy::beside(&file);
        for (path, text) in [(&file, "old"), (&log, "its log"), (&index, "its index")] {
            fs::write(path, text).unwrap();
        }
        complete(&file).unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"its log", "nothing was begun");
        fs::write(beside(&file, READY), "new").unwrap();
        complete(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
