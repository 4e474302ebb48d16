//! Watches over what is being sent of a share: it ends within a second of what it was sent for, and
//! counts as a play.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::now;
use crate::db::Db;
use crate::db::shares::{self, Share};
use crate::media::sending::Watch;
use crate::plays::Play;

/// How long a share is believed to be as last read. A change through the server counts at once.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// What is watched over.
#[derive(Clone, Copy, Debug)]
pub enum Over {
    /// A song.
    Song(i64),
    /// All of the share in one file.
    Archive,
}

/// Who watches over what is sent of a share.
pub struct Watcher {
    db: Arc<Db>,
    token: String,
    passphrase: Option<String>,
    over: Over,
    play: Option<Play>,
    seen: Mutex<Seen>,
}

/// When the share was last read, and `Db::writes` then.
struct Seen {
    at: Instant,
    writes: u64,
}

impl Watcher {
    /// Over something of a share that was just admitted; `writes` is that of the database before.
    pub fn new(
        db: &Arc<Db>,
        share: &Share,
        over: Over,
        play: Option<Play>,
        writes: u64,
    ) -> Watcher {
        Watcher {
            db: Arc::clone(db),
            token: share.token.clone(),
            passphrase: share.passphrase.clone(),
            over,
            play,
            seen: Mutex::new(Seen { at: Instant::now(), writes }),
        }
    }

    /// Whether the share still holds the song, or lets its files be kept, is open, and has the
    /// passphrase it had.
    fn is_open(&self) -> bool {
        let found = self.db.read(|db| match self.over {
            Over::Song(song) => {
                let found = shares::with_file(db, &self.token, song)?;
                Ok(found.map(|(share, file)| (share, file.is_some())))
            }
            Over::Archive => {
                let found = shares::by_token(db, &self.token)?;
                Ok::<_, rusqlite::Error>(found.map(|share| {
                    let held = share.may_download();
                    (share, held)
                }))
            }
        });
        found.is_ok_and(|found| {
            found.is_some_and(|(share, held)| {
                held && share.is_open(now()) && share.passphrase == self.passphrase
            })
        })
    }
}

impl Watch for Watcher {
    fn goes_on(&self) -> bool {
        let (at, writes) = (Instant::now(), self.db.writes());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.writes == writes && at.duration_since(seen.at) < BELIEVED_FOR {
            return true;
        }
        let is_open = self.is_open();
        if is_open {
            *seen = Seen { at, writes };
        }
        is_open
    }

    fn sent(&self, bytes: u64, len: u64) {
        if let Some(play) = &self.play {
            play.sent(bytes, len, Instant::now());
        }
    }
}
