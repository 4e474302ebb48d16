//! Visits of shares, counted in memory and written together, so that a link many people open does
//! not wear out an SD card.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::db::{Db, shares};
use crate::error::Result;

/// How long counts are kept in memory at most.
pub const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Visits not written yet; bounded by the number of shares, since only those that are open count.
#[derive(Debug, Default)]
pub struct Visits {
    pending: Mutex<HashMap<i64, Pending>>,
    /// Held while writing: two at once would write the same visits twice.
    writing: Mutex<()>,
}

/// Visits of one share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many.
    pub count: i64,
    /// When the last one was, ms since 1970.
    pub last: Option<i64>,
}

impl Visits {
    /// Counts a visit of a share at a moment in ms since 1970.
    pub fn count(&self, share: i64, now: i64) {
        let mut pending = self.lock();
        let visits = pending.entry(share).or_default();
        visits.count += 1;
        visits.last = visits.last.max(Some(now));
    }

    /// The visits of a share that are not written yet.
    pub fn pending(&self, share: i64) -> Pending {
        self.lock().get(&share).copied().unwrap_or_default()
    }

    /// Writes what is pending in one transaction; writes nothing where there is nothing.
    ///
    /// # Errors
    /// Where the database fails; the counts are kept for the next time then.
    pub fn flush(&self, db: &Db) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for the disk: visits that come meanwhile are counted on top.
        let written = self.lock().clone();
        if written.is_empty() {
            return Ok(());
        }
        db.write(|db| {
            for (share, visits) in &written {
                shares::add_visits(db, *share, visits.count, visits.last.unwrap_or(0))?;
            }
            Ok::<_, crate::error::Error>(())
        })?;
        let mut pending = self.lock();
        for (share, visits) in &written {
            if let Some(more) = pending.get_mut(share) {
                more.count -= visits.count;
            }
        }
        pending.retain(|_, visits| visits.count > 0);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::shares::NewShare;
    use crate::db::users::{self, User};

    #[test]
    fn visits_are_written_together_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("db")).unwrap();
        let share = db
            .write(|db| {
                let user = users::create(db, &User { name: "anna".into(), ..User::nobody() })?;
                let new = NewShare {
                    token: "t",
                    user,
                    description: None,
                    created: 0,
                    expires: None,
                    entries: &[],
                };
                shares::create(db, &new)
            })
            .unwrap();
        let visits = Visits::default();
        let written = || db.read(|db| shares::by_id(db, share)).unwrap().unwrap();
        for now in [5, 9, 7] {
            visits.count(share, now);
        }
        // A share that was removed meanwhile loses its visits with it.
        visits.count(share + 1, 1);
        assert_eq!(visits.pending(share), Pending { count: 3, last: Some(9) });
        assert_eq!(written().visit_count, 0);
        visits.flush(&db).unwrap();
        visits.flush(&db).unwrap();
        assert_eq!(visits.pending(share), Pending::default());
        assert_eq!((written().visit_count, written().last_visited), (3, Some(9)));
    }
}
