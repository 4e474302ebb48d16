//! Copies of the database: made while it is written to, looked through, and made ready to take its place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::checksums::{self, Altered};
use super::migrate;
use crate::error::{Error, Result};

/// What a copy says of itself.
const ABOUT: &str = "CREATE TABLE backup (
    created INTEGER NOT NULL, version TEXT NOT NULL, key BLOB) STRICT";

/// How far the numbers of new things lie behind those of a copy that takes the place of a newer
/// file: what was numbered in between must never be taken for something else.
const GAP: i64 = 1_000_000;

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// When it was made, ms since 1970.
    pub created: i64,
    /// The Kinglet that made it.
    pub version: String,
    /// The key that its passwords are sealed with, where that lay beside the database.
    pub key: Option<Vec<u8>>,
    /// Rows of each table.
    pub rows: Vec<(String, i64)>,
}

impl Contents {
    /// How many rows a table has.
    pub fn count(&self, table: &str) -> i64 {
        self.rows.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }

    /// What users made, in words.
    pub fn in_words(&self) -> String {
        let kinds = [
            ("user", "users"),
            ("playlist", "playlists"),
            ("share", "shares"),
            ("annotation", "stars, ratings and play counts"),
            ("bookmark", "bookmarks"),
            ("song", "songs"),
        ];
        let words: Vec<String> =
            kinds.iter().map(|(table, words)| format!("{} {words}", self.count(table))).collect();
        words.join(", ")
    }
}

/// Copies a database into a new file as it is at one moment; it can be written to meanwhile.
///
/// # Errors
/// The file is there already, the disk is full, or the database cannot be read.
pub fn make(from: &Path, to: &Path, created: i64, version: &str, key: Option<&[u8]>) -> Result<()> {
    let failed = |cause| Error::caused(format!("cannot write {}", to.display()), cause);
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(super::BUSY_TIMEOUT)?;
    source.pragma_update(None, "cache_size", -super::READER_CACHE_KIB)?;
    let target = to
        .to_str()
        .ok_or_else(|| Error::new(format!("{} is no path of text; name another", to.display())))?;
    source.execute("VACUUM INTO ?1", [target]).map_err(failed)?;
    drop(source);
    let mut copy = Connection::open(to).map_err(failed)?;
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(failed)?;
    copy.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    if checksums::schema(&copy)? != Some(checksums::user_version(&copy)?) {
        let transaction = copy.transaction()?;
        checksums::adopt(&transaction)?;
        transaction.commit().map_err(failed)?;
    }
    copy.execute_batch(ABOUT).map_err(failed)?;
    let about = "INSERT INTO backup (created, version, key) VALUES (?1, ?2, ?3)";
    copy.execute(about, params![created, version, key]).map_err(failed)?;
    copy.close().map_err(|(_, cause)| failed(cause))
}

/// The tables of a database, which may be written to meanwhile, that are not as they were written.
pub fn altered(file: &Path) -> Result<Vec<Altered>> {
    let mut db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(super::BUSY_TIMEOUT)?;
    let db = db.transaction()?;
    // A database that this Kinglet has not opened yet may have no sums, or those of an older schema.
    match checksums::schema(&db)? == Some(checksums::user_version(&db)?) {
        true => Ok(checksums::altered(&db, |_| true)?),
        false => Ok(Vec::new()),
    }
}

/// Looks through a copy: its structure and every row.
///
/// # Errors
/// It is no copy, it is damaged, or a newer Kinglet made it.
pub fn examine(file: &Path) -> Result<Contents> {
    let name = file.display();
    let failed = |cause| Error::caused(format!("{name} is no backup that can be read"), cause);
    let copy = open_kept(file).map_err(failed)?;
    let schema = checksums::user_version(&copy).map_err(failed)?;
    if schema > migrate::newest() {
        return Err(Error::new(format!("{name}: {}", migrate::too_new(schema))));
    }
    let (created, version, key) = copy
        .query_row("SELECT created, version, key FROM backup", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .map_err(failed)?;
    let damage = super::check::structure(&copy).map_err(failed)?;
    if let Some(damage) = damage.first() {
        return Err(Error::new(format!("{name} is damaged: {damage}")));
    }
    let altered = checksums::altered(&copy, |_| true).map_err(failed)?;
    if let Some(altered) = altered.first() {
        return Err(Error::new(format!(
            "{name} is damaged: the table {} is not as it was written",
            altered.table
        )));
    }
    let rows = checksums::written(&copy).map_err(failed)?;
    let rows = rows.into_iter().map(|(table, sum)| (table, sum.rows)).collect();
    Ok(Contents { created, version, key, rows })
}

/// When a copy was made and the sums of the tables of users, without looking through it; `None`
/// where it cannot be read.
pub fn glance(file: &Path) -> Option<(i64, Vec<(String, checksums::Sum)>)> {
    let copy = open_kept(file).ok()?;
    let created = copy.query_row("SELECT created FROM backup", [], |row| row.get(0)).ok()?;
    Some((created, checksums::written_of_users(&copy).ok()?))
}

/// Opens a copy that nobody writes to, so that it may lie on a disk that cannot be written to.
fn open_kept(file: &Path) -> rusqlite::Result<Connection> {
    let uri = format!("file:{}?immutable=1", uri_path(file));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags)
}

/// Makes a copy of a backup ready to be the database: of the newest schema, with numbers for new
/// things that were never given.
pub fn make_ready(file: &Path) -> Result<()> {
    let mut db = Connection::open(file)?;
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    migrate::run(&mut db)?;
    checksums::keep(&mut db)?;
    widen_sequences(&db)?;
    db.close().map_err(|(_, cause)| Error::from(cause))?;
    sync(file)
}

/// Leaves out numbers for new things that may have been given already.
pub(super) fn widen_sequences(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE sqlite_sequence SET seq = seq + ?1", [GAP])?;
    Ok(())
}

/// The key, if one came with it, of a backup which has become the database, until [`settle`]; `None`
/// where that was none.
pub fn brought_key(file: &Path) -> Result<Option<Option<Vec<u8>>>> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if !super::has_table(&db, "backup")? {
        return Ok(None);
    }
    let key = super::optional(db.query_row("SELECT key FROM backup", [], |row| row.get(0)))?;
    Ok(Some(key.flatten()))
}

/// Takes out what made a database a backup, the key above all.
pub fn settle(file: &Path) -> Result<()> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "secure_delete", true)?;
    db.execute_batch("DROP TABLE IF EXISTS backup")?;
    Ok(())
}

/// Brings what was written to a file to the disk.
pub fn sync(file: &Path) -> Result<()> {
    File::open(file)
        .and_then(|file| file.sync_all())
        .map_err(|cause| Error::caused(format!("cannot write {}", file.display()), cause))
}

/// Brings everything of a database into its one file, so that it can be moved.
pub fn join_log(file: &Path) -> Result<()> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(super::BUSY_TIMEOUT)?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    db.close().map_err(|(_, cause)| Error::from(cause))
}

/// The versions of the format for writers and readers, as the head of a database file tells them;
/// `None` for a file without a head, as of a database that was never written to.
pub fn versions(file: &Path) -> io::Result<Option<[u8; 2]>> {
    let mut header = [0; 20];
    match File::open(file)?.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => {
            let [.., write, read] = header;
            Ok(Some([write, read]))
        }
    }
}

/// What stands at the head of every database file of ours: where, and what. The rest there are
/// counters, which cannot be known.
const HEAD: [(u64, &[u8]); 6] = [
    // The name of the format, pages of 4096 bytes, both versions (2 is for a write-ahead log),
    // nothing reserved, and three numbers that never change.
    (0, b"SQLite format 3\0\x10\x00\x02\x02\x00\x40\x20\x20"),
    (44, &[0, 0, 0, 4]),
    // No automatic vacuum, UTF-8.
    (52, &[0, 0, 0, 0, 0, 0, 0, 1]),
    (64, &[0, 0, 0, 0]),
    // Whose file it is: nobody said; and room for later.
    (68, &[0; 4]),
    (72, &[0; 20]),
];

/// Writes again what has to stand at the head of a damaged file, and the schema number that its
/// checksums are of.
pub fn mend_head(file: &Path) -> Result<()> {
    let open = File::options().write(true).open(file);
    open.and_then(|mut open| {
        for (at, bytes) in HEAD {
            open.seek(SeekFrom::Start(at))?;
            open.write_all(bytes)?;
        }
        Ok(())
    })
    .map_err(|cause| Error::caused(format!("cannot write {}", file.display()), cause))?;
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if let Some(schema) = checksums::schema(&db)?
        && checksums::user_version(&db)? != schema
    {
        db.pragma_update(None, "user_version", schema)?;
    }
    Ok(())
}

/// Whether the log of a database holds something yet.
pub fn has_log(file: &Path) -> bool {
    let [log, _] = beside(file);
    log.metadata().is_ok_and(|log| log.len() > 0)
}

/// The write-ahead log of a database file, and the index of that log.
pub fn beside(file: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}

/// A path inside a URI.
fn uri_path(file: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    percent_encoding::percent_encode(file.as_os_str().as_bytes(), URI_PATH).to_string()
}

const URI_PATH: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');
