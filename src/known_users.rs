//! Users who called a moment ago, so that a call need not ask the database who calls.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::db::Db;
use crate::db::users::{self, User};
use crate::secret::Vault;

/// How long a user is believed to be as last read. A change through the server counts at once; one
/// by another process (`kinglet user`) within this time.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Most users who are remembered: a household.
const MOST: usize = 16;

/// A user and the password in clear; `None` where it cannot be decrypted.
#[derive(Clone)]
pub struct Known {
    /// The user.
    pub user: User,
    /// The password.
    pub password: Option<String>,
}

struct Memory {
    /// The name as it was sent.
    name: String,
    known: Known,
    /// `Db::writes` when it was read.
    writes: u64,
    read: Instant,
}

/// The users who are remembered.
#[derive(Default)]
pub struct KnownUsers(Mutex<Vec<Memory>>);

impl KnownUsers {
    /// The user of a name, if there is one.
    pub fn find(&self, db: &Db, vault: &Vault, name: &str) -> rusqlite::Result<Option<Known>> {
        let (writes, now) = (db.writes(), Instant::now());
        let fresh = |memory: &Memory| {
            memory.writes == writes && now.duration_since(memory.read) < BELIEVED_FOR
        };
        {
            let memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(memory) = memories.iter().find(|memory| memory.name == name)
                && fresh(memory)
            {
                return Ok(Some(memory.known.clone()));
            }
        }
        let Some(user) = db.read(|db| users::by_name(db, name))? else { return Ok(None) };
        let known = Known { password: vault.open_sealed(&user.name, &user.password), user };
        let mut memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memories.retain(|memory| memory.name != name && fresh(memory));
        if memories.len() < MOST {
            memories.push(Memory {
                name: name.to_owned(),
                known: known.clone(),
                writes,
                read: now,
            });
        }
        Ok(Some(known))
    }
}
