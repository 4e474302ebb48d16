//! Users who called a moment ago, so that a call need not ask the database who calls.

use crate::db::Db;
use crate::db::users::{self, User};
use crate::remembered::Remembered;
use crate::secret::Vault;

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

/// The users who are remembered.
pub struct KnownUsers(Remembered<String, Known>);

impl Default for KnownUsers {
    fn default() -> Self {
        KnownUsers(Remembered::new(MOST))
    }
}

impl KnownUsers {
    /// The user of a name, if there is one.
    pub fn find(&self, db: &Db, vault: &Vault, name: &str) -> rusqlite::Result<Option<Known>> {
        self.0.find(db, name, || {
            let user = db.read(|db| users::by_name(db, name))?;
            let known = |user: User| Known {
                password: vault.open_sealed(&user.name, &user.password),
                user,
            };
            Ok(user.map(known))
        })
    }
}
