//! Looks whether the key opens the passwords, and mends it from a backup where it does not.

use std::path::Path;

use super::{backup, beside, database, key_file, rename, report, restore};
use crate::clock::{now, stamp};
use crate::config::Config;
use crate::db::{copy, users};
use crate::error::Result;
use crate::secret::Vault;

/// What can be done where no key opens the passwords.
const REMEDY: &str = "no backup has one that does: give each user a new password by `kinglet user \
    passwd NAME`; API keys and share links go on working";

/// Looks at the key; where it is lost or damaged, takes that of a backup which opens the passwords.
/// Where there is none, a damaged key is moved aside, and the passwords have to be set anew. A
/// credential of the service is left to whoever gives it.
pub fn look(config: &Config) -> Result<()> {
    if config.key.is_some() {
        return Ok(());
    }
    let path = key_file(config);
    let sealed = users::sealed(&database(&config.data))?;
    let opens = |key: &Path| {
        let vault = Vault::open(key, false);
        vault.is_ok_and(|vault| {
            sealed.iter().any(|(user, password)| vault.open_sealed(user, password).is_some())
        })
    };
    if sealed.is_empty() && (!path.exists() || Vault::open(&path, false).is_ok()) {
        return Ok(());
    }
    if path.exists() && opens(&path) {
        return Ok(());
    }
    let state = if path.exists() { "does not open any password" } else { "is gone" };
    let mut lines = vec![format!("the key {} {state}", path.display())];
    let trial = beside(&path, ".trial");
    for made in backup::all(&config.backup_folder) {
        let Some(key) = copy::examine(&made).ok().and_then(|contents| contents.key) else {
            continue;
        };
        restore::place_key(&trial, &key)?;
        if opens(&trial) {
            move_aside(&path)?;
            rename(&trial, &path)?;
            lines.push(format!("the key of the backup {} is in its place", made.display()));
            report::tell(config, &lines)?;
            return Ok(());
        }
    }
    super::remove(&trial)?;
    // One of the right length is as good as a new one.
    if path.exists() && Vault::open(&path, false).is_err() {
        move_aside(&path)?;
        lines.push(format!("it is kept as {}.damaged-*", path.display()));
    }
    // Without any, nobody could be given a new password either.
    Vault::open(&path, true)?;
    lines.push(REMEDY.to_owned());
    // It stays so until somebody does something about it.
    if report::all(&config.data).iter().any(|(_, text)| text.contains(REMEDY)) {
        tracing::warn!("{}", lines.join("; "));
    } else {
        report::tell(config, &lines)?;
    }
    Ok(())
}

fn move_aside(path: &Path) -> Result<()> {
    match path.exists() {
        true => rename(path, &beside(path, &format!(".damaged-{}", stamp(now())))),
        false => Ok(()),
    }
}
