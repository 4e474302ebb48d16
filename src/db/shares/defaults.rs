//! What a user's shares are unless their maker says otherwise.

use rusqlite::{Connection, Result, Transaction};

use crate::db::optional;

/// What a user chose; `None` is as the server has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Whether files may be kept.
    pub downloadable: Option<bool>,
    /// Whether shares follow what they name.
    pub live: Option<bool>,
    /// Whether other sites may show the player.
    pub embed: Option<bool>,
    /// How long a share lives, in ms; 0 is for ever.
    pub expiry: Option<i64>,
}

/// What a user chose.
pub fn defaults(db: &Connection, user: i64) -> Result<Defaults> {
    let sql = "SELECT downloadable, live, embed, expiry FROM share_default WHERE user_id = ?1";
    let chosen = optional(db.prepare_cached(sql)?.query_row([user], |row| {
        Ok(Defaults {
            downloadable: row.get(0)?,
            live: row.get(1)?,
            embed: row.get(2)?,
            expiry: row.get(3)?,
        })
    }))?;
    Ok(chosen.unwrap_or_default())
}

/// Keeps what a user chose.
pub fn set_defaults(db: &Transaction, user: i64, chosen: &Defaults) -> Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO share_default (user_id, downloadable, live, embed, expiry)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((user, chosen.downloadable, chosen.live, chosen.embed, chosen.expiry))?;
    Ok(())
}
