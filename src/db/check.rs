//! Looks whether a database file is sound: structure, schema, and every row against the checksums.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::checksums::{self, Altered};
use super::{collect, migrate};
use crate::error::{Error, Result};

/// How many faults of the structure are told.
const MOST_FAULTS: usize = 5;

/// What is wrong with a database file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// What SQLite says of its structure.
    pub structure: Vec<String>,
    /// Tables whose rows are not as they were written.
    pub altered: Vec<Altered>,
}

impl Damage {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.structure.is_empty() && self.altered.is_empty()
    }

    /// In words for the log.
    pub fn in_words(&self) -> String {
        let altered = self.altered.iter().map(|altered| match altered.found {
            Some(found) if found.rows == altered.written.rows => {
                format!("rows of the table {} are not as they were written", altered.table)
            }
            Some(found) => format!(
                "the table {} has {} rows where {} were written",
                altered.table, found.rows, altered.written.rows
            ),
            None => format!("the table {} cannot be read to its end", altered.table),
        });
        self.structure.iter().cloned().chain(altered).collect::<Vec<_>>().join("; ")
    }
}

/// Looks through a database file that nobody writes to.
///
/// # Errors
/// A newer Kinglet wrote it, or there is no access to it. What can be read badly is no error but
/// damage.
pub fn examine(file: &Path) -> Result<Damage> {
    // SQLite would not complain of versions it does not know, and refuse every write later.
    let versions = super::copy::versions(file)
        .map_err(|cause| Error::caused(format!("cannot read {}", file.display()), cause))?;
    if versions.is_some_and(|versions| versions.iter().any(|version| !matches!(version, 1 | 2))) {
        return Ok(Damage::of("the head of the file is not as it was written".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = match Connection::open_with_flags(file, flags) {
        Ok(db) => db,
        Err(cause) => {
            return Err(Error::caused(format!("cannot open {}", file.display()), cause));
        }
    };
    // The schema is read by the first query.
    let numbers = checksums::user_version(&db).and_then(|seen| Ok((seen, checksums::schema(&db)?)));
    let (seen, summed) = match numbers {
        Ok(numbers) => numbers,
        Err(error) if is_damage(&error) => return Ok(Damage::of(error.to_string())),
        Err(cause) => {
            return Err(Error::caused(format!("cannot read {}", file.display()), cause));
        }
    };
    // A number that the sums do not bear out was not written by a newer Kinglet.
    let borne_out = summed == Some(seen);
    if seen > migrate::newest() && borne_out {
        return Err(migrate::too_new(seen));
    }
    if seen > migrate::newest() || seen < 0 || summed.is_some_and(|summed| summed > seen) {
        return Ok(Damage::of(format!("the schema number {seen} is wrong")));
    }
    let mut damage = Damage { structure: structure(&db), altered: Vec::new() };
    match same_schema(&db, seen) {
        Ok(true) => {}
        Ok(false) => damage.structure.push("the schema is not as it was written".to_owned()),
        Err(error) => damage.structure.push(error.to_string()),
    }
    if borne_out {
        match checksums::altered(&db) {
            Ok(altered) => damage.altered = altered,
            Err(error) => damage.structure.push(error.to_string()),
        }
    } else if seen > 0 && summed.is_none() && !is_before_sums(&db) {
        damage.structure.push("the checksums are gone".to_owned());
    }
    Ok(damage)
}

impl Damage {
    fn of(text: String) -> Damage {
        Damage { structure: vec![text], altered: Vec::new() }
    }
}

/// Whether an error says something of the file, not of the access to it.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, PermissionDenied, ReadOnly,
        SystemIoFailure,
    };
    !matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure
        )
    )
}

/// Whether a file comes from a Kinglet that kept no checksums: it has no such table at all.
fn is_before_sums(db: &Connection) -> bool {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'checksum')";
    db.query_row(sql, [], |row| row.get(0)).unwrap_or(false)
}

/// What SQLite finds wrong with the structure of a file; indexes are held against their tables.
pub fn structure(db: &Connection) -> Vec<String> {
    let sql = format!("PRAGMA integrity_check({MOST_FAULTS})");
    match collect(db, &sql, [], |row| row.get::<_, String>(0)) {
        Ok(lines) if lines == ["ok"] => Vec::new(),
        Ok(lines) => lines.iter().map(|line| line.replace('\n', " ")).collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// Whether the tables and indexes of a file are those of its schema, letter by letter: a changed
/// letter in a column's name would else show only when that column is asked for.
fn same_schema(db: &Connection, number: i64) -> Result<bool> {
    let all = "SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE name NOT IN ('checksum', 'backup') AND name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'
        ORDER BY name, type";
    let read = |db: &Connection| {
        collect(db, all, [], |row| {
            let texts: [Option<String>; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok(texts)
        })
    };
    let mut model = Connection::open_in_memory()?;
    migrate::run_to(&mut model, number)?;
    Ok(read(db)? == read(&model)?)
}
