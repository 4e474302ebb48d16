//! Visits and plays of shares, counted in memory and written together, so that a link many people
//! open does not wear out an SD card.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::db::Db;
use crate::db::shares::{self, Counts};
use crate::error::Result;
use crate::id::Id;

/// How long counts are kept in memory at most.
pub const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Visits and plays not written yet; bounded by the shares and what was played of them, since only
/// those that are open count.
#[derive(Debug, Default)]
pub struct Visits {
    pending: Mutex<HashMap<i64, Counts>>,
    /// Held while writing: two at once would write the same visits twice.
    writing: Mutex<()>,
}

impl Visits {
    /// Counts a visit of a share at a moment in ms since 1970.
    pub fn count(&self, share: i64, now: i64) {
        let mut pending = self.lock();
        let counts = pending.entry(share).or_default();
        counts.visits += 1;
        counts.last_visited = counts.last_visited.max(Some(now));
    }

    /// Counts a play of something of a share, and a listener where they are a new one.
    pub fn count_play(&self, share: i64, of: Id, is_new_listener: bool) {
        let mut pending = self.lock();
        let counts = pending.entry(share).or_default();
        counts.listeners += i64::from(is_new_listener);
        match counts.plays.iter_mut().find(|(known, _)| *known == of) {
            Some((_, count)) => *count += 1,
            None => counts.plays.push((of, 1)),
        }
    }

    /// What of a share is not written yet.
    pub fn pending(&self, share: i64) -> Counts {
        self.lock().get(&share).cloned().unwrap_or_default()
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
            for (share, counts) in &written {
                shares::add_counts(db, *share, counts)?;
            }
            Ok::<_, crate::error::Error>(())
        })?;
        let mut pending = self.lock();
        for (share, counts) in written {
            if let Some(more) = pending.get_mut(&share) {
                take_away(more, &counts);
            }
        }
        pending.retain(|_, counts| {
            counts.visits > 0 || counts.listeners > 0 || !counts.plays.is_empty()
        });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Counts>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_away(more: &mut Counts, written: &Counts) {
    more.visits -= written.visits;
    more.listeners -= written.listeners;
    for (of, count) in &written.plays {
        if let Some((_, more)) = more.plays.iter_mut().find(|(known, _)| known == of) {
            *more -= count;
        }
    }
    more.plays.retain(|(_, count)| *count > 0);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::shares::{NewShare, Options};
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
                    options: Options::OPEN,
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
        for (of, is_new) in [(Id::Song(2), true), (Id::Song(1), false), (Id::Song(2), false)] {
            visits.count_play(share, of, is_new);
        }
        visits.count_play(share + 1, Id::Song(1), true);
        let expected = Counts {
            visits: 3,
            last_visited: Some(9),
            listeners: 1,
            plays: vec![(Id::Song(2), 2), (Id::Song(1), 1)],
        };
        assert_eq!(visits.pending(share), expected);
        assert_eq!(written().visit_count, 0);
        visits.flush(&db).unwrap();
        visits.flush(&db).unwrap();
        assert_eq!(visits.pending(share), Counts::default());
        let row = written();
        assert_eq!((row.visit_count, row.last_visited), (3, Some(9)));
        assert_eq!((row.play_count, row.listener_count), (3, 1));
        let plays = || db.read(|db| shares::plays(db, share)).unwrap();
        assert_eq!(plays(), [(Id::Song(1), 1), (Id::Song(2), 2)]);
        // A play alone tells nothing of a visit.
        visits.count_play(share, Id::Song(2), false);
        visits.flush(&db).unwrap();
        assert_eq!((written().visit_count, written().last_visited), (3, Some(9)));
        assert_eq!(plays(), [(Id::Song(1), 1), (Id::Song(2), 3)]);
    }

    #[test]
    fn what_comes_while_it_is_written_is_kept() {
        let counts = |visits, plays: &[(Id, i64)]| Counts {
            visits,
            plays: plays.to_vec(),
            ..Counts::default()
        };
        let mut more = counts(5, &[(Id::Song(1), 3), (Id::Song(2), 1), (Id::Song(3), 1)]);
        take_away(&mut more, &counts(4, &[(Id::Song(1), 1), (Id::Song(2), 1)]));
        assert_eq!(more, counts(1, &[(Id::Song(1), 2), (Id::Song(3), 1)]));
    }
}
