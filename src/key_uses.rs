//! The days on which API keys were last used, kept in memory and written together, so that calls
//! do not wear out an SD card.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::db::{Db, api_keys};
use crate::error::Result;

/// A day in ms.
const DAY: i64 = 86_400_000;

/// When keys were last used; bounded by the number of keys, since only those that are known count,
/// and each is written once a day.
#[derive(Debug, Default)]
pub struct KeyUses {
    days: Mutex<HashMap<[u8; 32], Use>>,
}

/// The last day of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    /// Its beginning, ms since 1970.
    day: i64,
    /// Whether the database has it.
    written: bool,
}

impl KeyUses {
    /// A key, by its hash, was used at a moment in ms since 1970.
    pub fn used(&self, hash: [u8; 32], now: i64) {
        let day = now - now.rem_euclid(DAY);
        let mut days = self.days();
        if days.get(&hash).is_none_or(|last| last.day != day) {
            days.insert(hash, Use { day, written: false });
        }
    }

    /// Writes what is new in one transaction; writes nothing where there is nothing.
    ///
    /// # Errors
    /// Where the database fails; it is tried again the next time.
    pub fn flush(&self, db: &Db) -> Result<()> {
        let new: Vec<([u8; 32], i64)> = {
            let days = self.days();
            let new = days.iter().filter(|(_, last)| !last.written);
            new.map(|(hash, last)| (*hash, last.day)).collect()
        };
        if new.is_empty() {
            return Ok(());
        }
        db.write(|db| new.iter().try_for_each(|(hash, day)| api_keys::set_used(db, hash, *day)))?;
        let mut days = self.days();
        // Those of another day are of keys that were not used since, or have ended.
        let newest = new.iter().map(|(_, day)| *day).fold(i64::MIN, i64::max);
        days.retain(|_, last| last.day >= newest);
        for (hash, day) in new {
            if let Some(last) = days.get_mut(&hash).filter(|last| last.day == day) {
                last.written = true;
            }
        }
        Ok(())
    }

    fn days(&self) -> MutexGuard<'_, HashMap<[u8; 32], Use>> {
        self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::users::{self, User};

    #[test]
    fn a_day_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("db")).unwrap();
        let hash = [7; 32];
        let user = db
            .write(|db| {
                let user = users::create(db, &User { name: "anna".into(), ..User::nobody() })?;
                api_keys::add(db, user, &hash, "", 1)?;
                Ok::<_, rusqlite::Error>(user)
            })
            .unwrap();
        let last_used = || db.read(|db| api_keys::of(db, user)).unwrap().pop().unwrap().last_used;
        let (uses, before) = (KeyUses::default(), db.writes());
        uses.flush(&db).unwrap();
        assert_eq!((db.writes(), last_used()), (before, None));
        uses.used(hash, 10 * DAY + 5);
        uses.used([8; 32], 10 * DAY + 5);
        uses.flush(&db).unwrap();
        assert_eq!((db.writes(), last_used()), (before + 1, Some(10 * DAY)));
        uses.used(hash, 10 * DAY + 6);
        uses.flush(&db).unwrap();
        assert_eq!(db.writes(), before + 1);
        uses.used(hash, 11 * DAY);
        uses.flush(&db).unwrap();
        assert_eq!(last_used(), Some(11 * DAY));
        assert_eq!(uses.days().len(), 1, "those of other days are forgotten");
    }
}
