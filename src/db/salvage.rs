//! A new database out of a damaged one and a backup: every row that can be read, and what it lacks
//! from the backup. Or the old one, made consistent, where only rows were changed.

use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Row, Transaction, params_from_iter};

use super::checksums::{self, Altered, Sum};
use super::scanned::search;
use super::{collect, migrate};
use crate::error::{Error, Result};

/// How many times the rows of a table may break off before the rest is given up: more than a disk
/// damages, and an end to what a circle of pages would make endless.
const MOST_GAPS: usize = 10_000;

/// What became of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name.
    pub table: String,
    /// Rows that it had, where that can be told.
    pub had: Option<i64>,
    /// Rows read out of the damaged file.
    pub read: i64,
    /// Rows that came from the backup.
    pub filled: i64,
    /// Rows left out, because what they belong to is lost.
    pub orphans: i64,
    /// Whether exactly what was written is there again.
    pub whole: bool,
}

impl Outcome {
    /// Of a table of which nothing is known yet.
    fn of(table: String) -> Outcome {
        Outcome { table, had: None, read: 0, filled: 0, orphans: 0, whole: false }
    }
}

/// Makes a database in a new file. Sources are the damaged file and a backup of the newest schema;
/// either may be missing.
///
/// # Errors
/// The new file cannot be written, or the backup cannot be read.
pub fn rebuild(to: &Path, damaged: Option<&Path>, backup: Option<&Path>) -> Result<Vec<Outcome>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    // One that cannot even be opened is of no help.
    let damaged = damaged.and_then(|file| Connection::open_with_flags(file, flags).ok());
    if let Some(damaged) = &damaged {
        let _ = damaged.pragma_update(None, "writable_schema", true);
    }
    let backup = backup.map(|file| Connection::open_with_flags(file, flags)).transpose()?;
    let mut new = Connection::open(to)?;
    new.pragma_update(None, "journal_mode", "DELETE")?;
    new.pragma_update(None, "foreign_keys", false)?;
    let written = damaged.as_ref().and_then(|damaged| checksums::written(damaged).ok());
    let schema = damaged.as_ref().and_then(schema_of).unwrap_or_else(migrate::newest);
    migrate::run_to(&mut new, schema)?;

    let mut outcomes = Vec::new();
    let transaction = new.transaction()?;
    for table in checksums::tables(&transaction)? {
        let had = written.iter().flatten().find(|(name, _)| *name == table).map(|(_, sum)| *sum);
        let read = damaged.as_ref().map_or(Ok(0), |damaged| take(damaged, &transaction, &table))?;
        outcomes.push((table, had, read));
    }
    if let Some(damaged) = &damaged {
        take_sequences(damaged, &transaction)?;
    }
    transaction.commit()?;
    // Sums are of the schema they were written in: compared before it grows.
    let mut found = Vec::new();
    for (table, had, read) in outcomes {
        let whole = had == Some(checksums::of(&new, &table)?) && damaged.is_some();
        let had = had.map(|Sum { rows, .. }| rows);
        found.push(Outcome { had, read, whole, ..Outcome::of(table) });
    }
    migrate::run(&mut new)?;

    let transaction = new.transaction()?;
    for table in checksums::tables(&transaction)? {
        if found.iter().all(|outcome| outcome.table != table) {
            found.push(Outcome { whole: schema < migrate::newest(), ..Outcome::of(table) });
        }
    }
    for outcome in &mut found {
        // A table that has all its rows, some of them altered, is missing none.
        let is_full = outcome.had.is_some_and(|had| outcome.read >= had);
        if let Some(backup) = &backup
            && !outcome.whole
            && !is_full
        {
            outcome.filled = take(backup, &transaction, &outcome.table)?;
        }
    }
    if let Some(backup) = &backup {
        take_sequences(backup, &transaction)?;
    }
    stand_in(&transaction)?;
    drop_orphans(&transaction, &mut found)?;
    super::shares::hash_tokens(&transaction)?;
    super::copy::widen_sequences(&transaction)?;
    read_again(&transaction)?;
    search::fill(&transaction)?;
    checksums::adopt(&transaction)?;
    transaction.commit()?;
    new.close().map_err(|(_, cause)| Error::from(cause))?;
    super::copy::sync(to)?;
    Ok(found)
}

/// The schema of a damaged file, where it can be believed.
fn schema_of(damaged: &Connection) -> Option<i64> {
    let seen = checksums::user_version(damaged).ok();
    let summed = checksums::schema(damaged).ok().flatten();
    let is_known = |number: &i64| (1..=migrate::newest()).contains(number);
    summed.filter(is_known).or(seen.filter(is_known))
}

/// Copies the rows of a table that are not there yet; gives how many. What cannot be read is left
/// out, and so is what breaks a rule of the table.
fn take(from: &Connection, to: &Transaction, table: &str) -> Result<i64> {
    let known = checksums::columns(from, table).unwrap_or_default();
    let columns: Vec<String> = checksums::columns(to, table)?
        .into_iter()
        .filter(|column| known.contains(column))
        .collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let listed = checksums::listed(&columns, "");
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    let insert =
        format!("INSERT OR IGNORE INTO \"{table}\" ({listed}) VALUES ({})", places.join(", "));
    let mut insert = to.prepare(&insert)?;
    let mut taken = 0;
    let mut keep = |row: &Row| -> rusqlite::Result<()> {
        let values = (1..=columns.len())
            .map(|at| row.get_ref(at).map(readable))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        match insert.execute(params_from_iter(values)) {
            Ok(count) => taken += i64::try_from(count).unwrap_or(0),
            Err(error) if is_of_this_row(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    };
    // By this the rows lie in order; where it is no number, they are read from both ends alone.
    let key = key_of(from, table);
    let select = format!("SELECT \"{key}\", {listed} FROM \"{table}\" NOT INDEXED");
    let mut start = None;
    for _ in 0..MOST_GAPS {
        let (sql, from_here) = match start {
            None => (select.clone(), None),
            Some(start) => {
                (format!("{select} WHERE \"{key}\" >= ?1 ORDER BY \"{key}\""), Some(start))
            }
        };
        let Some(last) = read(from, &sql, from_here, &mut keep)? else { return Ok(taken) };
        // What lies just behind is on a page that cannot be read; a page hides only its own rows.
        let Some(next) = readable_from(from, table, &key, last.or(start).unwrap_or(0)) else {
            break;
        };
        start = Some(next);
    }
    // What is left lies between the last gap and the end, or has no number to go by.
    read(from, &format!("{select} ORDER BY \"{key}\" DESC"), None, &mut keep)?;
    Ok(taken)
}

/// A value as it can be read by everybody: bytes that are no letters are replaced.
fn readable(value: ValueRef) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// By what the rows of a table lie in order: their number, or the first column of their key.
fn key_of(db: &Connection, table: &str) -> String {
    let without = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    let column = "SELECT name FROM pragma_table_info(?1) WHERE pk = 1";
    let has_none = db.query_row(without, [table], |row| row.get(0)).unwrap_or(false);
    has_none
        .then(|| db.query_row(column, [table], |row| row.get(0)).ok())
        .flatten()
        .unwrap_or_else(|| "rowid".to_owned())
}

/// The first number after one from which rows can be read again; `None` where there is none, or
/// the rows have no numbers.
fn readable_from(db: &Connection, table: &str, key: &str, after: i64) -> Option<i64> {
    let sql = format!(
        "SELECT \"{key}\" FROM \"{table}\" NOT INDEXED WHERE \"{key}\" >= ?1 ORDER BY \"{key}\" LIMIT 1"
    );
    let mut first = db.prepare(&sql).ok()?;
    let mut try_from = |start: i64| first.query_row([start], |row| row.get::<_, i64>(0));
    // Farther and farther, until something can be read.
    let (mut bad, mut step) = (after, 1_i64);
    let mut good = loop {
        let start = bad.checked_add(step)?;
        match try_from(start) {
            Ok(_) => break start,
            Err(rusqlite::Error::QueryReturnedNoRows) => return None,
            Err(_) => (bad, step) = (start, step.checked_mul(2)?),
        }
    };
    // Back to where that begins.
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        match try_from(middle) {
            Ok(_) => good = middle,
            Err(_) => bad = middle,
        }
    }
    Some(good)
}

/// Whether an error of an insertion is that of the row: another may still go in.
fn is_of_this_row(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}

/// Reads rows until the end, then gives `None`, or until one cannot be read, then gives the number
/// of the last one before, if there was one and it has a number.
///
/// # Errors
/// A row cannot be kept.
fn read(
    from: &Connection,
    sql: &str,
    start: Option<i64>,
    keep: &mut impl FnMut(&Row) -> rusqlite::Result<()>,
) -> Result<Option<Option<i64>>> {
    let mut last = None;
    let Ok(mut statement) = from.prepare(sql) else { return Ok(Some(last)) };
    let Ok(mut rows) = statement.query(params_from_iter(start)) else { return Ok(Some(last)) };
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                keep(row)?;
                last = row.get(0).ok().or(last);
            }
            Ok(None) => return Ok(None),
            Err(_) => return Ok(Some(last)),
        }
    }
}

/// Makes albums and folders of songs that lost theirs, so that the songs keep their numbers, which
/// playlists, stars and shares name. The next scan knows the songs of lost folders again by their
/// sound, as it does after a move, and fills in the albums.
fn stand_in(db: &Transaction) -> Result<()> {
    db.execute_batch(
        "INSERT INTO folder (id, music_folder_id, path, name, sort_key, created, missing)
            SELECT folder_id, min(music_folder_id), CAST('lost ' || folder_id AS BLOB), '', '', 0, 1 FROM song
            WHERE folder_id NOT IN (SELECT id FROM folder) GROUP BY folder_id;
         UPDATE song SET missing = 1 WHERE folder_id IN (SELECT id FROM folder WHERE created = 0 AND missing = 1);
         INSERT INTO album (id, music_folder_id, folder_id, name)
            SELECT album_id, min(music_folder_id), min(folder_id), '' FROM song
            WHERE album_id NOT IN (SELECT id FROM album) GROUP BY album_id;",
    )?;
    Ok(())
}

/// Leaves out rows that name others which are lost, as foreign keys demand; where a column may be
/// empty, it is emptied.
fn drop_orphans(db: &Transaction, outcomes: &mut [Outcome]) -> Result<()> {
    let links = "SELECT t.name, f.\"from\", f.\"table\", i.\"notnull\" OR i.pk > 0
        FROM pragma_table_list t, pragma_foreign_key_list(t.name) f, pragma_table_info(t.name) i
        WHERE t.schema = 'main' AND t.type = 'table' AND i.name = f.\"from\"";
    let links: Vec<(String, String, String, bool)> =
        collect(db, links, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    // Every round takes out what the one before made an orphan; each takes at least one row.
    loop {
        let mut changed = 0;
        for (table, column, parent, needed) in &links {
            // A key of ours names the whole key of the other table, which has one column.
            let key = "SELECT name FROM pragma_table_info(?1) WHERE pk = 1";
            let key: String = db.query_row(key, [parent], |row| row.get(0))?;
            let orphan = format!(
                "\"{table}\".\"{column}\" IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM \"{parent}\" AS other WHERE other.\"{key}\" = \"{table}\".\"{column}\")"
            );
            // A folder without the one above it would be taken for a music folder.
            let rows = if *needed || table == "folder" {
                let rows = db.execute(&format!("DELETE FROM \"{table}\" WHERE {orphan}"), [])?;
                let outcome = outcomes.iter_mut().find(|outcome| outcome.table == *table);
                if let Some(outcome) = outcome {
                    outcome.orphans += i64::try_from(rows).unwrap_or(0);
                    outcome.whole &= rows == 0;
                }
                rows
            } else {
                db.execute(
                    &format!("UPDATE \"{table}\" SET \"{column}\" = NULL WHERE {orphan}"),
                    [],
                )?
            };
            changed += rows;
        }
        if changed == 0 {
            return Ok(());
        }
    }
}

/// Takes over up to which number things were numbered, where that is further than known.
fn take_sequences(from: &Connection, to: &Transaction) -> Result<()> {
    let sequences: Vec<(String, i64)> =
        collect(from, "SELECT name, seq FROM sqlite_sequence", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap_or_default();
    for (table, number) in sequences {
        // A number beyond all that could have been given was damaged.
        if (0..i64::from(i32::MAX)).contains(&number) {
            let known = "SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)";
            if to.query_row(known, [&table], |row| row.get(0))? {
                let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
                to.execute(sql, (&table, number))?;
            } else if checksums::tables(to)?.contains(&table) {
                let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
                to.execute(sql, (&table, number))?;
            }
        }
    }
    Ok(())
}

/// Has the next scan read every file again, since what is known of it may be wrong; until then
/// albums without songs are not shown.
fn read_again(db: &Transaction) -> rusqlite::Result<()> {
    db.execute_batch(
        "UPDATE song SET modified = -1;
         DELETE FROM unreadable;
         UPDATE album SET song_count = 0, duration = 0 WHERE NOT EXISTS
            (SELECT 1 FROM song WHERE album_id = album.id AND missing IS NULL);",
    )
}

/// Takes the rows of a sound file as they are: leaves out those that belong to others which are
/// gone, has what a scan found read again where it was changed, and makes new sums. Gives how many
/// rows were left out.
pub fn accept(db: &Transaction, altered: &[Altered]) -> Result<i64> {
    let mut outcomes: Vec<Outcome> = checksums::tables(db)?.into_iter().map(Outcome::of).collect();
    stand_in(db)?;
    drop_orphans(db, &mut outcomes)?;
    if altered.iter().any(|altered| checksums::is_of_library(&altered.table)) {
        read_again(db)?;
    }
    search::fill(db)?;
    checksums::adopt(db)?;
    Ok(outcomes.iter().map(|outcome| outcome.orphans).sum())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A database with this many playlists, each with an entry.
    fn database(file: &Path, playlists: i64) {
        let mut db = Connection::open(file).unwrap();
        migrate::run(&mut db).unwrap();
        checksums::keep(&mut db).unwrap();
        let user =
            "INSERT INTO user (id, name, password, roles, created) VALUES (1, 'anna', x'00', 0, 0)";
        db.execute(user, []).unwrap();
        let db = db.transaction().unwrap();
        for number in 1..=playlists {
            let sql = "INSERT INTO playlist (id, user_id, name, created, changed) VALUES (?1, 1, ?2, 0, 0)";
            db.execute(sql, (number, format!("A list of the number {number}"))).unwrap();
        }
        db.commit().unwrap();
    }

    #[test]
    fn every_row_on_a_page_that_can_be_read_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let [damaged, new] = ["damaged", "new"].map(|name| folder.path().join(name));
        database(&damaged, 2000);
        let mut bytes = std::fs::read(&damaged).unwrap();
        // Every third page that holds names.
        let pages = bytes.chunks_exact_mut(4096);
        let names = pages.filter(|page| page.windows(6).any(|part| part == b"A list"));
        names.skip(2).step_by(3).for_each(|page| page.fill(0xa5));
        std::fs::write(&damaged, bytes).unwrap();
        let outcomes = rebuild(&new, Some(&damaged), None).unwrap();
        let ids = |file: &Path| -> Vec<i64> {
            let db = Connection::open(file).unwrap();
            let mut one = db.prepare("SELECT name FROM playlist WHERE id = ?1").unwrap();
            let is_there = |id: &i64| one.query_row([id], |row| row.get::<_, String>(0)).is_ok();
            (1..=2000).filter(is_there).collect()
        };
        let (readable, there) = (ids(&damaged), ids(&new));
        assert!(readable.len() > 1000 && readable.len() < 1900, "{}", readable.len());
        assert_eq!(there, readable);
        let outcome = outcomes.iter().find(|outcome| outcome.table == "playlist").unwrap();
        assert_eq!(outcome.had, Some(2000));
        assert_eq!(outcome.read, i64::try_from(there.len()).unwrap());
        assert!(!outcome.whole);
    }

    #[test]
    fn a_row_whose_text_is_no_text_is_taken_too() {
        let folder = tempfile::tempdir().unwrap();
        let [damaged, new] = ["damaged", "new"].map(|name| folder.path().join(name));
        database(&damaged, 3);
        let mut bytes = std::fs::read(&damaged).unwrap();
        let at = bytes.windows(6).position(|part| part == b"A list").unwrap();
        bytes[at] = 0xff;
        std::fs::write(&damaged, bytes).unwrap();
        let mut db = Connection::open(&damaged).unwrap();
        let damage = super::super::check::examine_all(&mut db).unwrap();
        assert!(!damage.is_of_rows_alone(), "{damage:?}");
        drop(db);
        rebuild(&new, Some(&damaged), None).unwrap();
        let db = Connection::open(&new).unwrap();
        let names: Vec<String> =
            collect(&db, "SELECT name FROM playlist ORDER BY id", [], |row| row.get(0)).unwrap();
        assert_eq!(names.len(), 3);
        assert!(names.iter().any(|name| name.starts_with("\u{fffd} list")), "{names:?}");
    }
}
