//! Who works on a data folder: one server at a time, and how the database was left.
//!
//! Three files are locked. `server.lock` is held by the server alone, `backup.lock` by whoever makes
//! a backup. `database.lock` is held by everything that has the database open, together, and by what
//! replaces the database, alone. It also says how the database was left: a server that has looked
//! through it, and closes it last, writes down what the file is like, so that the next one sees at
//! once whether it still is.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::database;
use crate::db::{copy, trouble};
use crate::error::{Error, Result};
use crate::hash::Hash;

/// How long commands beside the server may take to end before the database is replaced.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a command may take to look at how the database was left, before a server starts.
const COURTESY: Duration = Duration::from_secs(1);
/// How often it is tried meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// Most bytes of a file of state.
const MOST_STATE: u64 = 256;

/// How a database was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has said anything yet.
    Unknown,
    /// It is open, or whoever had it open ended without closing it.
    Open,
    /// It is damaged.
    Damaged,
    /// It was sound when it was closed, and its file was like this.
    Closed(Seal),
}

/// What a file is like: its length and a hash of all its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    length: u64,
    hash: u64,
}

/// What a database file is like, without its log; `None` where it cannot be read.
pub fn seal(file: &Path) -> Option<Seal> {
    let open = File::open(file).ok()?;
    let length = open.metadata().ok()?.len();
    let mut hash = Hash::default();
    hash.all(open).ok()?;
    Some(Seal { length, hash: hash.value() })
}

/// Held by the server of a data folder for as long as it runs.
#[derive(Debug)]
pub struct Server {
    _lock: File,
}

impl Server {
    /// Takes the place of the one server.
    ///
    /// # Errors
    /// Another server works on this data folder.
    pub fn take(data: &Path) -> Result<Server> {
        let lock = open(&data.join("server.lock"))?;
        // A command holds it while it looks at how the database was left.
        match try_for(&lock, COURTESY) {
            true => Ok(Server { _lock: lock }),
            false => Err(Error::new(format!(
                "another Kinglet serves the data folder {}: stop that one, or name another folder \
                 by --data",
                data.display()
            ))),
        }
    }
}

/// Whether a server works on this data folder.
pub fn is_served(data: &Path) -> bool {
    let lock = File::open(data.join("server.lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Held while the database is open. Dropped after it was closed, it says how the file was left.
#[derive(Debug)]
pub struct InUse {
    lock: File,
    file: PathBuf,
    /// Whether the database was looked through: only then can it be said at the end that it is sound.
    sound: AtomicBool,
}

impl InUse {
    /// Announces that the database of a data folder will be opened. Waits while it is replaced.
    pub fn begin(data: &Path) -> Result<InUse> {
        let file = database(data);
        let lock = open(&data.join("database.lock"))?;
        // Where the file system knows no locks, it is left to good sense.
        let _ = lock.lock_shared();
        // Where that fails, the seal tells by itself that the file has changed since.
        if matches!(read(&lock), State::Closed(_) | State::Unknown)
            && let Err(error) = write(&lock, &State::Open, &data.join("database.lock"))
        {
            tracing::warn!("{error}");
        }
        // One that is yet to be made is sound.
        let sound = AtomicBool::new(!file.exists());
        Ok(InUse { lock, file, sound })
    }

    /// The whole database was looked through and is sound.
    pub fn found_sound(&self) {
        self.sound.store(true, Ordering::Relaxed);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let sound = self.sound.load(Ordering::Relaxed) && !trouble::damage_was_seen();
        // Where another process has it open, the next server looks.
        let alone = sound && self.lock.try_lock().is_ok();
        if alone
            && !copy::has_log(&self.file)
            && let Some(seal) = seal(&self.file)
            && let Err(error) = write(&self.lock, &State::Closed(seal), &self.file)
        {
            tracing::warn!(%error, "the next start looks through the database");
        }
    }
}

/// Held while a backup is made.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until no other backup of this data folder is being made.
    pub fn take(data: &Path) -> Result<Turn> {
        let lock = open(&data.join("backup.lock"))?;
        // Where the file system knows no locks, it is left to good sense.
        let _ = lock.lock();
        Ok(Turn { _lock: lock })
    }
}

/// Held by what replaces the database.
#[derive(Debug)]
pub struct Alone {
    _lock: File,
}

impl Alone {
    /// Waits a while until nobody has the database open.
    ///
    /// # Errors
    /// Somebody still has.
    pub fn take(data: &Path) -> Result<Alone> {
        let lock = open(&data.join("database.lock"))?;
        match try_for(&lock, PATIENCE) {
            true => Ok(Alone { _lock: lock }),
            false => Err(Error::new(format!(
                "another Kinglet has the database of {} open, like `kinglet scan`: wait until it is \
                 done, and try again",
                data.display()
            ))),
        }
    }
}

/// Takes a lock for itself alone; false where others still hold it after this time. Where the file
/// system knows no locks, it is left to good sense.
fn try_for(lock: &File, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    while matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}

/// How the database of a data folder was left.
pub fn state(data: &Path) -> State {
    File::open(data.join("database.lock")).map_or(State::Unknown, |file| read(&file))
}

/// Writes down how the database of a data folder is.
pub fn write_state(data: &Path, state: State) -> Result<()> {
    let path = data.join("database.lock");
    write(&open(&path)?, &state, &path)
}

fn open(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options.open(path).map_err(|cause| {
        let hint = match cause.kind() {
            ErrorKind::ReadOnlyFilesystem => "; its file system is read-only",
            ErrorKind::StorageFull => "; its disk is full",
            _ => "",
        };
        Error::caused(format!("cannot open {}{hint}", path.display()), cause)
    })
}

fn read(file: &File) -> State {
    let mut text = String::new();
    let mut file = file;
    if file.rewind().and_then(|()| file.take(MOST_STATE).read_to_string(&mut text)).is_err() {
        return State::Open;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    match words.as_slice() {
        [] => State::Unknown,
        ["damaged"] => State::Damaged,
        ["closed", length, hash] => match (number(length), number(hash)) {
            (Some(length), Some(hash)) => State::Closed(Seal { length, hash }),
            _ => State::Open,
        },
        _ => State::Open,
    }
}

fn write(mut file: &File, state: &State, path: &Path) -> Result<()> {
    let text = match state {
        State::Unknown => String::new(),
        State::Open => "open\n".to_owned(),
        State::Damaged => "damaged\n".to_owned(),
        State::Closed(Seal { length, hash }) => format!("closed {length:x} {hash:x}\n"),
    };
    // Not brought to the disk: what is lost with the power, the next start makes up by looking.
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|cause| Error::caused(format!("cannot write beside {}", path.display()), cause))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::Db;
    use std::fs;

    #[test]
    fn there_is_one_server_at_a_time() {
        let data = tempfile::tempdir().unwrap();
        assert!(!is_served(data.path()));
        let server = Server::take(data.path()).unwrap();
        assert!(is_served(data.path()));
        let message = Server::take(data.path()).unwrap_err().to_string();
        assert!(message.contains("another Kinglet serves"), "{message}");
        drop(server);
        assert!(!is_served(data.path()));
        Server::take(data.path()).unwrap();
    }

    #[test]
    fn whoever_closes_last_says_how_the_file_was_left() {
        let data = tempfile::tempdir().unwrap();
        let file = database(data.path());
        let one = InUse::begin(data.path()).unwrap();
        let db = Db::open(&file).unwrap();
        assert_eq!(state(data.path()), State::Open);
        // Who comes while it is open cannot say that it is sound.
        let other = InUse::begin(data.path()).unwrap();
        drop(other);
        assert_eq!(state(data.path()), State::Open);
        drop(db);
        drop(one);
        let State::Closed(seal) = state(data.path()) else { panic!("{:?}", state(data.path())) };
        assert_eq!(super::seal(&file), Some(seal));
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_ne!(super::seal(&file), Some(seal));
    }

    #[test]
    fn nobody_says_that_it_is_sound_who_has_not_looked() {
        let data = tempfile::tempdir().unwrap();
        drop(Db::open(&database(data.path())).unwrap());
        for (looked, sealed) in [(false, false), (true, true), (false, false)] {
            let in_use = InUse::begin(data.path()).unwrap();
            if looked {
                in_use.found_sound();
            }
            drop(in_use);
            let left = state(data.path());
            assert_eq!(matches!(left, State::Closed(_)), sealed, "{left:?}");
        }
        write_state(data.path(), State::Damaged).unwrap();
        drop(InUse::begin(data.path()).unwrap());
        assert_eq!(state(data.path()), State::Damaged);
    }

    #[test]
    fn the_database_is_replaced_by_one_alone() {
        let data = tempfile::tempdir().unwrap();
        let alone = Alone::take(data.path()).unwrap();
        drop(alone);
        let _in_use = InUse::begin(data.path()).unwrap();
        let lock = open(&data.path().join("database.lock")).unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    }

    #[test]
    fn damaged_words_of_state_stand_for_open() {
        let data = tempfile::tempdir().unwrap();
        for text in ["closed", "closed x y", "clised 1 2", "\u{fffd}"] {
            fs::write(data.path().join("database.lock"), text).unwrap();
            assert_eq!(state(data.path()), State::Open, "{text}");
        }
    }
}
