//! Looks whether a database file is sound: structure, schema, and every row against the checksums.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::checksums::{self, Altered};
use super::trouble::is_of_access;
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
    /// Whether everything can be read and holds together, and only rows are not as they were written:
    /// another program changed them, or the disk did.
    pub fn is_of_rows_alone(&self) -> bool {
        self.structure.is_empty() && self.altered.iter().all(|altered| altered.found.is_some())
    }

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

/// How much of a database is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What is as quick for any library: the head, the schema, and all rows that users made. Of a
    /// file of an older schema, which is about to be changed, everything.
    Users,
    /// All pages, all rows, and every index.
    All,
}

/// Looks through a database file.
///
/// # Errors
/// A newer Kinglet wrote it, or there is no access to it. What can be read badly is no error but
/// damage.
pub fn examine(file: &Path, depth: Depth) -> Result<Damage> {
    // SQLite would not complain of versions it does not know, and refuse every write later.
    let versions = super::copy::versions(file)
        .map_err(|cause| Error::caused(format!("cannot read {}", file.display()), cause))?;
    if versions.is_some_and(|versions| versions.iter().any(|version| !matches!(version, 1 | 2))) {
        return Ok(Damage::of("the head of the file is not as it was written".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(file, flags)?;
        db.busy_timeout(super::BUSY_TIMEOUT)?;
        Ok(db)
    };
    let db =
        open().map_err(|cause| Error::caused(format!("cannot open {}", file.display()), cause))?;
    examine_open(&db, depth).map_err(|error| match error {
        Unknown::Told(error) => error,
        Unknown::Inaccessible(cause) => {
            Error::caused(format!("cannot read {}", file.display()), cause)
        }
    })
}

/// Looks through an open database, as it is at one moment.
///
/// # Errors
/// See [`examine`].
pub fn examine_all(db: &mut Connection) -> Result<Damage> {
    let transaction = db.transaction()?;
    examine_open(&transaction, Depth::All).map_err(|error| match error {
        Unknown::Told(error) => error,
        Unknown::Inaccessible(cause) => Error::from(cause),
    })
}

/// Why nothing can be said of a file.
enum Unknown {
    Told(Error),
    Inaccessible(rusqlite::Error),
}

impl From<rusqlite::Error> for Unknown {
    fn from(cause: rusqlite::Error) -> Self {
        Unknown::Inaccessible(cause)
    }
}

fn examine_open(db: &Connection, depth: Depth) -> std::result::Result<Damage, Unknown> {
    // The schema is read by the first query.
    let numbers = checksums::user_version(db).and_then(|seen| Ok((seen, checksums::schema(db)?)));
    let (seen, summed) = match told(numbers)? {
        Ok(numbers) => numbers,
        Err(damage) => return Ok(Damage::of(damage)),
    };
    // A number that the sums do not bear out was not written by a newer Kinglet.
    let borne_out = summed == Some(seen);
    if seen > migrate::newest() && borne_out {
        return Err(Unknown::Told(migrate::too_new(seen)));
    }
    if seen > migrate::newest() || seen < 0 || summed.is_some_and(|summed| summed > seen) {
        return Ok(Damage::of(format!("the schema number {seen} is wrong")));
    }
    let all = depth == Depth::All || seen < migrate::newest();
    let mut damage = Damage::default();
    if all {
        damage.structure = structure(db)?;
    }
    let mut model = Connection::open_in_memory()?;
    migrate::run_to(&mut model, seen).map_err(Unknown::Told)?;
    match told(has_schema(db, &model))? {
        Ok(true) => {}
        Ok(false) => damage.structure.push("the schema is not as it was written".to_owned()),
        Err(text) => damage.structure.push(text),
    }
    if borne_out {
        match told(checksums::altered(db, |table| all || !checksums::is_of_library(table)))? {
            Ok(altered) => damage.altered = altered,
            Err(text) => damage.structure.push(text),
        }
    } else if seen > 0 && summed.is_none() && !is_before_sums(db) {
        damage.structure.push("the checksums are gone".to_owned());
    }
    Ok(damage)
}

/// Tells errors of what is in the file, in words, from those of the access to it.
fn told<T>(result: rusqlite::Result<T>) -> rusqlite::Result<std::result::Result<T, String>> {
    match result {
        Err(error) if is_of_access(&error) => Err(error),
        result => Ok(result.map_err(|error| error.to_string())),
    }
}

impl Damage {
    fn of(text: String) -> Damage {
        Damage { structure: vec![text], altered: Vec::new() }
    }
}

/// Whether a file comes from a Kinglet that kept no checksums: it has no such table at all.
fn is_before_sums(db: &Connection) -> bool {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'checksum')";
    db.query_row(sql, [], |row| row.get(0)).unwrap_or(false)
}

/// What SQLite finds wrong with the structure of a file; indexes are held against their tables.
///
/// # Errors
/// There is no access to it.
pub fn structure(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = format!("PRAGMA integrity_check({MOST_FAULTS})");
    Ok(match told(collect(db, &sql, [], |row| row.get::<_, String>(0)))? {
        Ok(lines) if lines == ["ok"] => Vec::new(),
        Ok(lines) => lines.iter().map(|line| line.replace('\n', " ")).collect(),
        Err(text) => vec![text],
    })
}

/// Whether the tables and indexes of a model are in a file, letter by letter: a changed letter in
/// a column's name would else show only when that column is asked for. Others may be there too:
/// somebody may have added an index, and Litestream keeps tables of its own. How SQLite lays out
/// what songs are found by is its own affair.
fn has_schema(db: &Connection, model: &Connection) -> rusqlite::Result<bool> {
    let all = "SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE tbl_name NOT LIKE '%\\_search\\_%' ESCAPE '\\'";
    let read = |db: &Connection| -> rusqlite::Result<HashSet<[Option<String>; 4]>> {
        let rows =
            collect(db, all, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
        Ok(rows.into_iter().collect())
    };
    Ok(read(model)?.is_subset(&read(db)?))
}
