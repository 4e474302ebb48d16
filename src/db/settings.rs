//! Single values that the server keeps for itself.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result, Transaction};

use super::optional;

/// A value by name.
pub fn get(db: &Connection, name: &str) -> Result<Option<String>> {
    let mut statement = db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    optional(statement.query_row([name], |row| row.get(0)))
}

/// Keeps a value.
pub fn set(db: &Transaction, name: &str, value: &str) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

const LIBRARY_CHANGED: &str = "library_changed";

/// Keeps when a scan changed something, ms since 1970.
pub fn set_library_changed(db: &Transaction, time: i64) -> Result<()> {
    set(db, LIBRARY_CHANGED, &time.to_string())
}

/// When a scan last changed something, ms since 1970; 0 before the first.
pub fn library_changed(db: &Connection) -> Result<i64> {
    Ok(get(db, LIBRARY_CHANGED)?.and_then(|time| time.parse().ok()).unwrap_or(0))
}

const TIME: &str = "time";

/// Notes a time in ms since 1970 that has been.
pub fn note_time(db: &Transaction, time: i64) -> Result<()> {
    set(db, TIME, &time.to_string())
}

/// The time noted last, ms since 1970; 0 where none was.
pub fn noted_time(db: &Connection) -> Result<i64> {
    Ok(get(db, TIME)?.and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// The newest time, in ms since 1970, at which something was surely written into a database file.
/// Times that come from files and from clients do not count: their clocks are not ours.
pub fn newest_time(file: &Path) -> Result<i64> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // An older schema is brought to the newest later; it has at least the first tables, or none.
    let tables =
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('setting', 'user', 'share', 'playlist')";
    if db.query_row(tables, [], |row| row.get::<_, i64>(0))? < 4 {
        return Ok(0);
    }
    let rows = "SELECT max(coalesce(time, 0)) FROM (
        SELECT max(created) AS time FROM user
        UNION ALL SELECT max(created) FROM api_key
        UNION ALL SELECT max(changed) FROM playlist
        UNION ALL SELECT max(changed) FROM bookmark
        UNION ALL SELECT max(changed) FROM play_queue
        UNION ALL SELECT max(created) FROM share
        UNION ALL SELECT max(last_visited) FROM share
        UNION ALL SELECT max(time) FROM chat_message)";
    let newest: i64 = db.query_row(rows, [], |row| row.get(0))?;
    Ok(newest.max(noted_time(&db)?).max(library_changed(&db)?))
}
