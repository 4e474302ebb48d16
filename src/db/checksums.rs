//! Checksums of every table, kept in the transaction of each write, so that damage cannot go unnoticed.
//!
//! SQLite finds a damaged file by its structure alone: a byte that changes inside a row or a row that
//! is gone in one piece would be taken for what somebody wrote. The sum of a table is that of the
//! hashes of its rows, whatever their order, so that a write costs as much as the rows it changes.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Transaction};

use super::collect;
use super::trouble::is_of_access;
use crate::hash::Hash;

/// The table of the sums. It is no part of the schema: older and newer schemas keep it alike. The
/// row without a name holds the schema number that the sums are of.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS main.checksum (
    name TEXT PRIMARY KEY, row_count INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID";

/// The function of SQL that adds the hash of a row to a sum, or takes it away: sum, 1 or -1, the
/// row's values.
const ROW_SUM: &str = "row_sum";

/// How many rows a table has, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Rows.
    pub rows: i64,
    /// The sum, which wraps around.
    pub sum: i64,
}

/// A table that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// Its name.
    pub table: String,
    /// As it was written.
    pub written: Sum,
    /// As it is; `None` where it cannot be read to its end, or holds text that is none.
    pub found: Option<Sum>,
}

/// Lets a writing connection keep the sums from now on. Where they are of another schema or there
/// are none yet, they are made of what is there.
pub fn keep(writer: &mut Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    writer.create_scalar_function(ROW_SUM, -1, flags, |context| {
        let (sum, sign): (i64, i64) = (context.get(0)?, context.get(1)?);
        let mut hash = Hash::default();
        (2..context.len()).for_each(|at| take_in(&mut hash, context.get_raw(at)));
        Ok(sum.wrapping_add(sign.wrapping_mul(hash.value().cast_signed())))
    })?;
    // REPLACE deletes rows: its triggers run only with this.
    writer.pragma_update(None, "recursive_triggers", true)?;
    writer.execute_batch(TABLE)?;
    if schema(writer)? != Some(user_version(writer)?) {
        let transaction = writer.transaction()?;
        adopt(&transaction)?;
        transaction.commit()?;
    }
    for table in tables(writer)? {
        writer.execute_batch(&triggers(&table, &columns(writer, &table)?))?;
    }
    Ok(())
}

/// Takes what is there for right.
pub fn adopt(db: &Transaction) -> Result<()> {
    db.execute_batch(TABLE)?;
    db.execute("DELETE FROM checksum", [])?;
    for table in tables(db)? {
        set(db, &table, of(db, &table)?)?;
    }
    set(db, "", Sum { rows: user_version(db)?, sum: 0 })
}

fn set(db: &Connection, name: &str, sum: Sum) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO checksum (name, row_count, sum) VALUES (?1, ?2, ?3)";
    db.execute(sql, (name, sum.rows, sum.sum))?;
    Ok(())
}

/// The schema that the sums are of; `None` where there are none.
pub fn schema(db: &Connection) -> Result<Option<i64>> {
    match super::has_table(db, "checksum")? {
        true => super::optional(db.query_row(
            "SELECT row_count FROM checksum WHERE name = ''",
            [],
            |row| row.get(0),
        )),
        false => Ok(None),
    }
}

/// All sums as they were written, by the tables' names.
pub fn written(db: &Connection) -> Result<Vec<(String, Sum)>> {
    let sql = "SELECT name, row_count, sum FROM checksum WHERE name != '' ORDER BY name";
    collect(db, sql, [], |row| Ok((row.get(0)?, Sum { rows: row.get(1)?, sum: row.get(2)? })))
}

/// The same of the tables of users.
pub fn written_of_users(db: &Connection) -> Result<Vec<(String, Sum)>> {
    let mut sums = written(db)?;
    sums.retain(|(table, _)| !is_of_library(table));
    Ok(sums)
}

/// Which of the tables that a function chooses are not as they were written.
///
/// # Errors
/// The sums themselves cannot be read, or nothing can.
pub fn altered(db: &Connection, choose: impl Fn(&str) -> bool) -> Result<Vec<Altered>> {
    let mut altered = Vec::new();
    let written = written(db)?;
    for (table, written) in written.into_iter().filter(|(table, _)| choose(table)) {
        let found = match of(db, &table) {
            Ok(found) => Some(found),
            Err(error) if is_of_access(&error) => return Err(error),
            Err(_) => None,
        };
        if found != Some(written) {
            altered.push(Altered { table, written, found });
        }
    }
    Ok(altered)
}

/// The sum of a table as it is.
///
/// # Errors
/// It cannot be read to its end, or a text is none.
pub fn of(db: &Connection, table: &str) -> Result<Sum> {
    let columns = columns(db, table)?;
    // An index that holds all columns would be read instead of the table.
    let sql = format!("SELECT {} FROM \"{table}\" NOT INDEXED", listed(&columns, ""));
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut total = Sum::default();
    while let Some(row) = rows.next()? {
        total.rows += 1;
        let mut hash = Hash::default();
        for at in 0..columns.len() {
            let value = row.get_ref(at)?;
            if let ValueRef::Text(_) = value {
                // Other text could not be read by anybody else either.
                value.as_str()?;
            }
            take_in(&mut hash, value);
        }
        total.sum = total.sum.wrapping_add(hash.value().cast_signed());
    }
    Ok(total)
}

/// The tables that have sums, those of them that the schema of a file has. Tables of other programs
/// have none: Litestream, for one, keeps some of its own in the database. Nor has what songs are
/// found by, which can be made again.
pub fn tables(db: &Connection) -> Result<Vec<String>> {
    let sql =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name";
    let mut tables: Vec<String> = collect(db, sql, [], |row| row.get(0))?;
    tables.retain(|name| OF_USERS.contains(&name.as_str()) || is_of_library(name));
    Ok(tables)
}

/// Tables of what users made, and of what they chose and were counted by. The number of a music
/// folder is among it, since users' rights name it.
const OF_USERS: [&str; 16] = [
    "annotation",
    "api_key",
    "bookmark",
    "chat_message",
    "music_folder",
    "play_queue",
    "play_queue_entry",
    "playlist",
    "playlist_entry",
    "radio_station",
    "share",
    "share_default",
    "share_entry",
    "share_frozen",
    "share_play",
    "user",
];

/// Tables of what a scan finds and can find again, and of times that are noted.
const LIBRARY: [&str; 17] = [
    "setting",
    "folder",
    "artist",
    "artist_key",
    "album",
    "album_key",
    "song",
    "album_tags",
    "lyrics",
    "song_artist",
    "album_artist",
    "genre",
    "song_genre",
    "album_genre",
    "unreadable",
    "video",
    "caption",
];

/// Whether a table holds what a scan finds, not what users made.
pub fn is_of_library(table: &str) -> bool {
    LIBRARY.contains(&table)
}

/// The columns of a table.
pub fn columns(db: &Connection, table: &str) -> Result<Vec<String>> {
    collect(db, "SELECT name FROM pragma_table_info(?1)", [table], |row| row.get(0))
}

/// Columns in one line, each with this before its name.
pub fn listed(columns: &[String], before: &str) -> String {
    let columns: Vec<String> =
        columns.iter().map(|column| format!("{before}\"{column}\"")).collect();
    columns.join(", ")
}

/// The schema number of a file.
pub fn user_version(db: &Connection) -> Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// They belong to the connection, not to the file: other programs may write to it too, and an older
/// schema has none of them.
fn triggers(table: &str, columns: &[String]) -> String {
    let (old, new) = (listed(columns, "OLD."), listed(columns, "NEW."));
    format!(
        "CREATE TEMP TRIGGER \"{table}_added\" AFTER INSERT ON main.\"{table}\" BEGIN
            UPDATE checksum SET row_count = row_count + 1, sum = {ROW_SUM}(sum, 1, {new}) WHERE name = '{table}';
         END;
         CREATE TEMP TRIGGER \"{table}_removed\" AFTER DELETE ON main.\"{table}\" BEGIN
            UPDATE checksum SET row_count = row_count - 1, sum = {ROW_SUM}(sum, -1, {old}) WHERE name = '{table}';
         END;
         CREATE TEMP TRIGGER \"{table}_changed\" AFTER UPDATE ON main.\"{table}\" BEGIN
            UPDATE checksum SET sum = {ROW_SUM}({ROW_SUM}(sum, -1, {old}), 1, {new}) WHERE name = '{table}';
         END;"
    )
}

fn take_in(hash: &mut Hash, value: ValueRef) {
    match value {
        ValueRef::Null => hash.word(0),
        ValueRef::Integer(number) => {
            hash.word(1);
            hash.word(number.cast_unsigned());
        }
        ValueRef::Real(number) => {
            hash.word(2);
            hash.word(number.to_bits());
        }
        ValueRef::Text(bytes) => {
            hash.word(3);
            hash.bytes(bytes);
        }
        ValueRef::Blob(bytes) => {
            hash.word(4);
            hash.bytes(bytes);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        super::super::migrate::run(&mut db).unwrap();
        db.pragma_update(None, "foreign_keys", true).unwrap();
        keep(&mut db).unwrap();
        db
    }

    #[test]
    fn every_table_of_the_schema_has_a_sum_and_those_of_others_have_none() {
        let db = database();
        db.execute_batch("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
            .unwrap();
        let all: Vec<String> = collect(
            &db,
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
                AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
            [],
            |row| row.get(0),
        )
        .unwrap();
        let others = ["_litestream_seq", "checksum"];
        let ours: Vec<&String> =
            all.iter().filter(|name| !others.contains(&name.as_str())).collect();
        assert_eq!(tables(&db).unwrap().iter().collect::<Vec<_>>(), ours);
        assert_eq!(ours.len(), OF_USERS.len() + LIBRARY.len());
    }

    const USER: &str =
        "INSERT INTO user (id, name, password, roles, created) VALUES (1, 'anna', x'00', 1024, 0)";

    #[test]
    fn the_sums_follow_every_write() {
        let db = database();
        for sql in [
            USER,
            "INSERT INTO playlist (id, user_id, name, created, changed) VALUES (1, 1, 'a', 0, 0), (2, 1, 'b', 0, 0)",
            "UPDATE playlist SET name = name || 'x'",
            "INSERT INTO playlist (id, user_id, name, created, changed) VALUES (1, 1, 'c', 0, 0)
                ON CONFLICT DO UPDATE SET name = excluded.name",
            "REPLACE INTO setting VALUES ('a', '1')",
            "REPLACE INTO setting VALUES ('a', '2')",
            "DELETE FROM setting",
            "INSERT OR IGNORE INTO user (id, name, password, roles, created) VALUES (1, 'ben', x'00', 0, 0)",
            // A foreign key takes the playlists along.
            "DELETE FROM user",
        ] {
            db.execute(sql, []).unwrap();
            assert_eq!(altered(&db, |_| true).unwrap(), [], "{sql}");
        }
        assert!(written(&db).unwrap().iter().all(|(_, sum)| *sum == Sum::default()));
    }

    #[test]
    fn a_failed_statement_and_a_transaction_that_is_taken_back_leave_no_trace() {
        let mut db = database();
        db.execute(USER, []).unwrap();
        let two = "INSERT INTO user (id, name, password, roles, created)
            VALUES (2, 'ben', x'00', 0, 0), (3, 'ANNA', x'00', 0, 0)";
        assert!(db.execute(two, []).is_err());
        let transaction = db.transaction().unwrap();
        transaction.execute("UPDATE user SET name = 'x'", []).unwrap();
        drop(transaction);
        assert_eq!(altered(&db, |_| true).unwrap(), []);
    }

    #[test]
    fn what_is_written_behind_their_back_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let mut db = Connection::open(&file).unwrap();
        super::super::migrate::run(&mut db).unwrap();
        keep(&mut db).unwrap();
        db.execute(USER, []).unwrap();
        let other = Connection::open(&file).unwrap();
        other.execute("UPDATE user SET roles = 1", []).unwrap();
        let found = altered(&db, |_| true).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].table, "user");
        assert_eq!(found[0].written.rows, found[0].found.unwrap().rows);
        let transaction = db.transaction().unwrap();
        adopt(&transaction).unwrap();
        transaction.commit().unwrap();
        assert_eq!(altered(&db, |_| true).unwrap(), []);
    }
}
