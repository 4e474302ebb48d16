//! API keys: the users' ways in for programs, kept by their hashes.

use rusqlite::{Connection, Result, Row, Transaction};

use super::collect;

/// An API key as the database holds it.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The hash of the key.
    pub hash: [u8; 32],
    /// What its maker called it, may be empty.
    pub name: String,
    /// When it was made, ms since 1970.
    pub created: i64,
    /// The beginning of the day on which it was last used, ms since 1970, as far as that was
    /// written down; `None` never.
    pub last_used: Option<i64>,
}

impl ApiKey {
    /// What it is called by people: the first 8 hex digits of its hash, which tell nothing of the
    /// key.
    pub fn id(&self) -> String {
        id_of(&self.hash)
    }
}

/// The id of a key by its hash.
pub fn id_of(hash: &[u8; 32]) -> String {
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps a new API key of a user by its hash.
pub fn add(db: &Transaction, user: i64, hash: &[u8; 32], name: &str, now: i64) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO api_key (hash, user_id, name, created) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((hash, user, name, now))?;
    Ok(())
}

/// The keys of a user, the oldest first.
pub fn of(db: &Connection, user: i64) -> Result<Vec<ApiKey>> {
    let sql = "SELECT hash, name, created, last_used FROM api_key WHERE user_id = ?1
               ORDER BY created, hash";
    collect(db, sql, [user], read)
}

fn read(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        hash: row.get(0)?,
        name: row.get(1)?,
        created: row.get(2)?,
        last_used: row.get(3)?,
    })
}

/// Writes down on which day a key was last used; a key that has ended has none.
pub fn set_used(db: &Transaction, hash: &[u8; 32], day: i64) -> Result<()> {
    db.prepare_cached("UPDATE api_key SET last_used = ?2 WHERE hash = ?1")?.execute((hash, day))?;
    Ok(())
}

/// Ends a key of a user.
pub fn remove(db: &Transaction, hash: &[u8; 32]) -> Result<()> {
    db.prepare_cached("DELETE FROM api_key WHERE hash = ?1")?.execute([hash])?;
    Ok(())
}

/// Ends all API keys of a user.
pub fn remove_all(db: &Transaction, user: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM api_key WHERE user_id = ?1")?.execute([user])?;
    Ok(())
}
