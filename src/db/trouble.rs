//! What a disk does to a database: which errors are the disk's, in words for whoever meets them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;
use crate::seldom::Seldom;

/// How often each trouble is written to the log at most: a full disk must not fill another one.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Errors of a file system that was made read-only while files are open for writing, as Linux does
/// with one it no longer trusts: SQLite tells them from other errors by what it was about to do.
const OF_WRITING: [i32; 8] = [
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_FSYNC,
    ffi::SQLITE_IOERR_DIR_FSYNC,
    ffi::SQLITE_IOERR_TRUNCATE,
    ffi::SQLITE_IOERR_DELETE,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMMAP,
];

/// Whether this process met damage: the next start has to look through the database.
static DAMAGE_SEEN: AtomicBool = AtomicBool::new(false);

/// Whether this process met a damaged database.
pub fn damage_was_seen() -> bool {
    DAMAGE_SEEN.load(Ordering::Relaxed)
}

/// Whether an error is of the access to a file, like that of a disk that fails or of a lock: it says
/// nothing of what is in it.
pub fn is_of_access(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
        OperationInterrupted, OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | FileLockingProtocolFailed
                | OperationInterrupted
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure
        )
    )
}

/// A trouble that is the disk's, not a mistake of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room.
    Full,
    /// The file or its file system cannot be written to: it is read-only, or gives errors.
    ReadOnly,
    /// The disk gives errors when it is read.
    Failing,
    /// The file is no database any more.
    Damaged,
}

impl Trouble {
    /// The trouble behind an error of the database, if it is one.
    pub fn of(error: &rusqlite::Error) -> Option<Trouble> {
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if extended.is_some_and(|code| OF_WRITING.contains(&code)) {
            return Some(Trouble::ReadOnly);
        }
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Trouble::Full),
            ErrorCode::ReadOnly => Some(Trouble::ReadOnly),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Some(Trouble::Failing),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Trouble::Damaged),
            _ => None,
        }
    }

    /// The trouble behind any error.
    pub fn behind(error: &Error) -> Option<Trouble> {
        let cause = std::error::Error::source(error)?;
        cause.downcast_ref().and_then(Trouble::of)
    }

    /// Whether it is that nothing can be written.
    pub fn is_of_writing(self) -> bool {
        matches!(self, Trouble::Full | Trouble::ReadOnly)
    }

    /// What is the matter, for whoever asked for a change.
    pub fn text(self) -> &'static str {
        match self {
            Trouble::Full => {
                "The server's disk is full: nothing can be changed until there is room again; \
                 playing goes on"
            }
            Trouble::ReadOnly => {
                "The server's disk cannot be written to, it may have become read-only: nothing can \
                 be changed until it can be; playing goes on"
            }
            Trouble::Failing => {
                "The server's disk fails: the database cannot be read; the server's log tells more"
            }
            Trouble::Damaged => {
                "The server's database is damaged: it is mended when Kinglet is started again"
            }
        }
    }

    /// What is the matter, for whoever starts a server or a command.
    pub fn at_start(self) -> &'static str {
        match self {
            Trouble::Full => "; the disk is full: make room",
            Trouble::ReadOnly => {
                "; it cannot be written to: the disk is full, read-only or failing, or it belongs to \
                 another user"
            }
            Trouble::Failing => "; the disk fails",
            Trouble::Damaged => "; it is damaged: `kinglet serve` mends it when it starts",
        }
    }

    /// Writes it to the log, with the error that showed it; soon after the last time nothing.
    pub fn log(self, error: &dyn std::fmt::Display) {
        if self == Trouble::Damaged {
            DAMAGE_SEEN.store(true, Ordering::Relaxed);
        }
        static TOLD: [Seldom; 4] = [const { Seldom::new(LOG_EVERY) }; 4];
        if TOLD.get(self as usize).is_some_and(|told| told.is_due(Instant::now())) {
            tracing::error!("{} ({error})", self.text());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_disks_are_told_from_ours() {
        let of = |code| Trouble::of(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert_eq!(of(ffi::SQLITE_FULL), Some(Trouble::Full));
        assert_eq!(of(ffi::SQLITE_READONLY), Some(Trouble::ReadOnly));
        assert_eq!(of(ffi::SQLITE_IOERR_WRITE), Some(Trouble::ReadOnly));
        assert_eq!(of(ffi::SQLITE_IOERR_READ), Some(Trouble::Failing));
        assert_eq!(of(ffi::SQLITE_CORRUPT), Some(Trouble::Damaged));
        assert_eq!(of(ffi::SQLITE_NOTADB), Some(Trouble::Damaged));
        assert_eq!(of(ffi::SQLITE_CONSTRAINT), None);
        assert_eq!(Trouble::of(&rusqlite::Error::QueryReturnedNoRows), None);
    }

    #[test]
    fn they_are_found_behind_errors_of_ours() {
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        assert_eq!(Trouble::behind(&Error::from(full)), Some(Trouble::Full));
        assert_eq!(Trouble::behind(&Error::new("x")), None);
    }
}
