//! Chat messages between the users of a server.

use rusqlite::{Connection, Result, Transaction};

use super::collect;

/// Messages that are kept; the oldest go.
const MOST: i64 = 1_000;

/// A message.
pub struct Message {
    /// Who wrote it.
    pub username: String,
    /// When, ms since 1970.
    pub time: i64,
    /// What.
    pub message: String,
}

/// The messages after a time, oldest first.
pub fn since(db: &Connection, time: i64) -> Result<Vec<Message>> {
    let sql = "SELECT user.name, chat_message.time, message FROM chat_message
        JOIN user ON user.id = user_id WHERE time > ?1 ORDER BY time, chat_message.id";
    collect(db, sql, [time], |row| {
        Ok(Message { username: row.get(0)?, time: row.get(1)?, message: row.get(2)? })
    })
}

/// Adds a message.
pub fn add(db: &Transaction, user: i64, message: &str, now: i64) -> Result<()> {
    db.execute(
        "INSERT INTO chat_message (user_id, time, message) VALUES (?1, ?2, ?3)",
        (user, now, message),
    )?;
    db.execute(
        "DELETE FROM chat_message WHERE id <= (SELECT id FROM chat_message ORDER BY id DESC LIMIT 1 OFFSET ?1)",
        [MOST],
    )?;
    Ok(())
}
