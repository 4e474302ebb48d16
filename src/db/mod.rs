//! All the SQL: one writing connection, a few reading ones, and plain structs for rows.

pub mod albums;
pub mod annotations;
pub mod api_keys;
pub mod artists;
pub mod bookmarks;
pub mod chat;
pub mod check;
pub mod checksums;
pub mod copy;
pub mod covers;
pub mod fold;
pub mod folders;
pub mod items;
pub mod lists;
pub mod lyrics;
pub mod migrate;
pub mod pack;
pub mod playlists;
pub mod radio;
pub mod salvage;
pub mod scanned;
pub mod search;
pub mod settings;
pub mod shares;
pub mod songs;
pub mod trouble;
pub mod users;
pub mod videos;
pub mod wal;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Params, Row, Transaction, TransactionBehavior};
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::id::Id;

/// Reading connections: as many requests read at once, others wait their turn.
const READERS: usize = 3;
/// Page cache of each reading connection, in KiB.
const READER_CACHE_KIB: i64 = 2048;
/// Page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i64 = 4096;
/// The write-ahead log is cut back to this size after a checkpoint.
const LOG_LIMIT_BYTES: i64 = 8 << 20;
/// How long SQLite waits for a lock that another program holds.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// Prepared statements kept by each connection: more than there are different ones.
const STATEMENTS: usize = 160;

/// For whom something is read: whose stars and ratings are shown, and what is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user's id; 0 for a stranger with a share link.
    pub user: i64,
    /// A bit for each visible music folder: bit 3 for music folder 3.
    pub scope: i64,
}

/// What one user made of a song, an album or an artist. Times are ms since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// When it was starred.
    pub starred: Option<i64>,
    /// 1 to 5.
    pub rating: Option<i64>,
    /// How often it was played.
    pub play_count: i64,
    /// When it was last played.
    pub played: Option<i64>,
}

/// A picture: of what, and a stamp that changes with the picture, so that clients which keep
/// pictures by id notice a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The song, album, artist or folder it shows.
    pub of: Id,
    /// Made from the picture's bytes, or from the file's name, length and time.
    pub stamp: i64,
}

/// The database file.
pub struct Db {
    file: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    reader_freed: Condvar,
    writes: AtomicU64,
}

impl Db {
    /// Opens the file, made and brought to the newest schema where needed.
    pub fn open(file: &Path) -> Result<Db> {
        let failed = |cause: rusqlite::Error| {
            let why = trouble::Trouble::of(&cause).map_or("", trouble::Trouble::at_start);
            Error::caused(format!("cannot open the database {}{why}", file.display()), cause)
        };
        // For its owner alone, as then all is that SQLite makes beside it; where that fails, SQLite
        // tells why.
        let _ = File::options().append(true).create(true).mode(0o600).open(file);
        let mut writer = Connection::open(file).map_err(failed)?;
        prepare(&writer, WRITER_CACHE_KIB).map_err(failed)?;
        migrate::run(&mut writer)?;
        checksums::keep(&mut writer).map_err(failed)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let readers = (0..READERS)
            .map(|_| {
                let reader = Connection::open_with_flags(file, flags)?;
                prepare(&reader, READER_CACHE_KIB)?;
                reader.pragma_update(None, "query_only", true)?;
                Ok(reader)
            })
            .collect::<rusqlite::Result<_>>()
            .map_err(failed)?;
        Ok(Db {
            file: file.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            reader_freed: Condvar::new(),
            writes: AtomicU64::new(0),
        })
    }

    /// Runs a reading function on a connection of its own, on one state of the database.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        function: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let reader = self.reader();
        // A transaction that only reads: what the function's queries see is of one moment.
        let transaction = reader.connection().unchecked_transaction()?;
        function(&transaction)
    }

    /// Runs a writing function in a transaction that is on the disk when this returns.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        function: impl FnOnce(&Transaction) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut writer = lock(&self.writer);
        let done = transact(&mut writer, function);
        self.writes.fetch_add(1, Ordering::Release);
        done
    }

    /// Lends the writing connection: nobody else of this process writes meanwhile.
    pub fn alone<T>(&self, function: impl FnOnce(&mut Connection) -> T) -> T {
        let done = function(&mut lock(&self.writer));
        self.writes.fetch_add(1, Ordering::Release);
        done
    }

    /// Bytes that the file takes together with its write-ahead log.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut log = self.file.clone().into_os_string();
        log.push("-wal");
        let log = match fs::metadata(log) {
            Ok(log) => log.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(fs::metadata(&self.file)?.len() + log)
    }

    /// How often this process has written: what was read before the last time may be old.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// Like `write`, for what a scan can find again: a power cut may lose it, a crash of ours not.
    pub fn write_catalogue<T, E: From<rusqlite::Error>>(
        &self,
        function: impl FnOnce(&Transaction) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut writer = lock(&self.writer);
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        let done = transact(&mut writer, function);
        self.writes.fetch_add(1, Ordering::Release);
        writer.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    fn reader(&self) -> Reader<'_> {
        let mut readers = lock(&self.readers);
        loop {
            if let Some(connection) = readers.pop() {
                return Reader { db: self, connection: Some(connection) };
            }
            readers = self.reader_freed.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A reading connection on loan; it goes back when dropped, after a panic too.
struct Reader<'a> {
    db: &'a Db,
    connection: Option<Connection>,
}

impl Reader<'_> {
    fn connection(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is taken by drop alone"),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        lock(&self.db.readers).extend(self.connection.take());
        self.db.reader_freed.notify_one();
    }
}

fn transact<T, E: From<rusqlite::Error>>(
    writer: &mut Connection,
    function: impl FnOnce(&Transaction) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = function(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// A panic while the lock was held has rolled its transaction back: the connection is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prepare(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else SQLite compiles a query again whenever a bound value changes that a partial index was
    // weighed against: as much work as all the rest of the request.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)?;
    // A map of the database would bring SIGBUS when the disk fails.
    connection.pragma_update(None, "mmap_size", 0)
}

/// All rows of a query.
fn collect<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// Whether a database file has a table, of whichever schema it is.
fn has_table(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1)";
    db.query_row(sql, [name], |row| row.get(0))
}

/// A row that may be absent.
fn optional<T>(row: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    rusqlite::OptionalExtension::optional(row)
}

/// A user's note from the four columns of `annotation` at a place: starred, rating, plays, played.
/// It is empty where the join found none.
fn note(row: &Row, first: usize) -> rusqlite::Result<Note> {
    Ok(Note {
        starred: row.get(first)?,
        rating: row.get(first + 1)?,
        play_count: row.get::<_, Option<i64>>(first + 2)?.unwrap_or(0),
        played: row.get(first + 3)?,
    })
}

/// Picks the ids of the list ?3, made by [`id_list`], in its order.
const LISTED: &str = "SELECT value AS id FROM json_each(?3)";

/// Ids as SQLite reads them from one value: one statement whatever their number.
fn id_list(ids: &[i64]) -> String {
    serde_json::to_string(ids).unwrap_or_default()
}

/// A column of JSON; empty where there is none, and where it was damaged.
fn extra<T: DeserializeOwned + Default>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// A path from its parts: the music folder, the folder below it (may be empty), the file.
fn join_path(parts: [ValueRef; 3]) -> rusqlite::Result<PathBuf> {
    let mut path = PathBuf::new();
    for part in parts {
        let part = part.as_blob()?;
        if !part.is_empty() {
            path.push(OsStr::from_bytes(part));
        }
    }
    Ok(path)
}

/// A path below the music folder as text: what is no UTF-8 or no printable character is replaced.
fn display_path(folder: &[u8], file: &[u8]) -> String {
    let mut path = display_name(folder);
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(&display_name(file));
    path
}

/// A file's name as text that can be shown.
pub fn display_name(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    // What `is_control` means begins with these bytes: below a space, DEL, and C1 after 0xc2.
    if !text.bytes().any(|byte| byte < b' ' || matches!(byte, 0x7f | 0xc2)) {
        return text.into_owned();
    }
    text.chars()
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect()
}
