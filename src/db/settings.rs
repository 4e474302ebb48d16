//! Single values that the server keeps for itself.

use rusqlite::{Connection, Result, Transaction};

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
