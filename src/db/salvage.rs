//! A new database out of a damaged one and a backup: every row that can be read, and what it lacks
//! from the backup.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, Transaction, params_from_iter};

use super::checksums::{self, Sum};
use super::scanned::search;
use super::{collect, migrate};
use crate::error::{Error, Result};

/// How far the numbers of new things lie behind the highest that could be read: some that were
/// given may have been lost.
const GAP: i64 = 1_000_000;

/// How often the search for a readable row jumps over unreadable ones, each time farther.
const JUMPS: u32 = 48;

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
        let is = checksums::of(&new, &table)?;
        let whole = had == Some(is) && damaged.is_some();
        found.push(Outcome {
            table,
            had: had.map(|Sum { rows, .. }| rows),
            read,
            filled: 0,
            orphans: 0,
            whole,
        });
    }
    migrate::run(&mut new)?;

    let transaction = new.transaction()?;
    for table in checksums::tables(&transaction)? {
        if found.iter().all(|outcome| outcome.table != table) {
            let (had, read, filled, orphans) = (None, 0, 0, 0);
            found.push(Outcome {
                table,
                had,
                read,
                filled,
                orphans,
                whole: schema < migrate::newest(),
            });
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
    widen_sequences(&transaction)?;
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
        let values: Vec<Value> =
            (0..columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
        match insert.execute(params_from_iter(values)) {
            Ok(count) => taken += i64::try_from(count).unwrap_or(0),
            Err(error) if is_of_this_row(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    };
    let key = key_of(from, table);
    let select = format!("SELECT {listed} FROM \"{table}\" NOT INDEXED");
    if read_all(from, &select, &mut keep)? {
        return Ok(taken);
    }
    // From the other end, and then between: a page that cannot be read hides only its own rows.
    let order = match &key {
        Key::RowId => "ORDER BY rowid DESC".to_owned(),
        Key::Columns(columns) => {
            let columns: Vec<String> =
                columns.iter().map(|column| format!("\"{column}\" DESC")).collect();
            format!("ORDER BY {}", columns.join(", "))
        }
    };
    read_all(from, &format!("SELECT {listed} FROM \"{table}\" {order}"), &mut keep)?;
    if let Key::RowId = key {
        for jump in 0..JUMPS {
            for start in [1_i64 << jump, (1_i64 << jump) + (1 << jump >> 1)] {
                let between = format!("{select} WHERE rowid >= {start}");
                read_all(from, &between, &mut keep)?;
            }
        }
    }
    Ok(taken)
}

/// By what the rows of a table lie in order.
enum Key {
    RowId,
    Columns(Vec<String>),
}

fn key_of(db: &Connection, table: &str) -> Key {
    let without = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    match db.query_row(without, [table], |row| row.get(0)) {
        Ok(true) => {
            collect(db, columns, [table], |row| row.get(0)).map_or(Key::RowId, Key::Columns)
        }
        _ => Key::RowId,
    }
}

/// Whether an error of an insertion is that of the row: another may still go in.
fn is_of_this_row(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}

/// Reads rows until the end or until one cannot be read; true for the end.
///
/// # Errors
/// A row cannot be kept.
fn read_all(
    from: &Connection,
    sql: &str,
    keep: &mut impl FnMut(&Row) -> rusqlite::Result<()>,
) -> Result<bool> {
    let Ok(mut statement) = from.prepare(sql) else { return Ok(false) };
    let Ok(mut rows) = statement.query([]) else { return Ok(false) };
    loop {
        match rows.next() {
            Ok(Some(row)) => keep(row)?,
            Ok(None) => return Ok(true),
            Err(_) => return Ok(false),
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

fn widen_sequences(db: &Transaction) -> Result<()> {
    db.execute("UPDATE sqlite_sequence SET seq = seq + ?1", [GAP])?;
    Ok(())
}

/// Has the next scan read every file again, since what is known of it may be wrong; until then
/// albums without songs are not shown.
fn read_again(db: &Transaction) -> Result<()> {
    db.execute_batch(
        "UPDATE song SET modified = -1;
         DELETE FROM unreadable;
         UPDATE album SET song_count = 0, duration = 0 WHERE NOT EXISTS
            (SELECT 1 FROM song WHERE album_id = album.id AND missing IS NULL);",
    )?;
    Ok(())
}

/// Has the next scan read every file again.
pub fn distrust(file: &Path) -> Result<()> {
    let db = super::Db::open(file)?;
    db.write(|db| {
        db.execute_batch(
            "DELETE FROM song_search; DELETE FROM album_search; DELETE FROM artist_search;",
        )?;
        read_again(db)?;
        Ok::<_, Error>(search::fill(db)?)
    })
}
