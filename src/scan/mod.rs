//! From the disk to the database: one scan at a time.
//!
//! A scan walks through the music folders first and compares what lies there with what is known,
//! so that it is clear what is gone before anything is read: a moved file is a song that was
//! known. Then new and changed files are read, some at a time, and written in batches.

mod album;
mod beside;
mod late;
mod moved;
mod names;
mod plan;
mod read;
mod renamed;
mod run;
mod stamp;
mod survey;
pub mod tags;
mod walk;
mod words;
mod write;

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use late::Late;

use crate::clock::now;
use crate::config::Config;
use crate::db::Db;
use crate::db::trouble::Trouble;
use crate::error::{Error, Result};

/// How long after a disk ended a scan it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// How far a scan is, or how the last one ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether a scan runs or is asked for.
    pub scanning: bool,
    /// Sound files and videos seen so far.
    pub walked: u64,
    /// Files of which it is settled whether they changed; counted once all are seen.
    pub done: u64,
    /// Sound files and videos there are; known once all are seen.
    pub total: Option<u64>,
    /// Files read so far.
    pub read: u64,
    /// Files that could not be read.
    pub unreadable: u64,
    /// The folder the scan is at, for display.
    pub folder: String,
    /// Music folders that were left as they were, and why; the error that ended the scan.
    pub problems: Vec<String>,
    /// When the last scan ended, ms since 1970.
    pub finished: Option<i64>,
    /// How long it took.
    pub took: Option<Duration>,
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sound files and videos there are.
    pub files: u64,
    /// Songs there are now.
    pub songs: i64,
    /// Videos there are now.
    pub videos: i64,
    /// Songs and videos that are new.
    pub new: u64,
    /// Songs whose file changed.
    pub changed: u64,
    /// Songs whose file is at another place.
    pub moved: u64,
    /// Songs whose file is gone since the scan before.
    pub gone: u64,
    /// Files that could not be read.
    pub unreadable: u64,
    /// Music folders that were left as they were, and why.
    pub problems: Vec<String>,
}

/// Runs scans, one at a time, and tells how far the current one is.
#[derive(Default)]
pub struct Scanner {
    state: Mutex<State>,
    asked: Condvar,
}

#[derive(Default)]
struct State {
    status: Status,
    running: bool,
    wanted: bool,
    stopping: bool,
}

impl Scanner {
    /// A scanner that rests.
    pub fn new() -> Scanner {
        Scanner::default()
    }

    /// How far the scan is.
    pub fn status(&self) -> Status {
        let state = self.state();
        Status { scanning: state.running || state.wanted, ..state.status.clone() }
    }

    /// Asks for a scan. If one runs, another follows it: files that came after it passed by are
    /// found too.
    pub fn request(&self) {
        self.state().wanted = true;
        self.asked.notify_all();
    }

    /// Scans whenever it is asked for, until `stop`: the work of a thread of its own. It asks
    /// itself where a folder was not there and comes, and some time after a disk ended a scan.
    pub fn serve(&self, db: &Db, config: &Config) {
        let (mut late, mut retry) = (Late::default(), None);
        while self.wait(&late, retry) {
            let run = catch_unwind(AssertUnwindSafe(|| run(db, config, self)));
            (late, retry) = (Late::default(), None);
            match run {
                Ok(Ok(summary)) => {
                    log(&summary);
                    if !summary.problems.is_empty() {
                        late = Late::of(&config.music);
                    }
                }
                Ok(Err(_)) if self.state().stopping => {}
                Ok(Err(error)) => match Trouble::behind(&error) {
                    Some(trouble) if trouble != Trouble::Damaged => {
                        retry = Some(Instant::now() + RETRY_AFTER);
                        tracing::error!(
                            "the scan ended early, and goes on in {} minutes: {} ({error})",
                            RETRY_AFTER.as_secs() / 60,
                            trouble.text()
                        );
                    }
                    _ => tracing::error!("the scan ended early: {error}"),
                },
                Err(_) => tracing::error!("the scan broke down; this is a mistake in Kinglet"),
            }
        }
    }

    /// Ends `serve`, and a scan that runs, after what it is writing just now.
    pub fn stop(&self) {
        self.state().stopping = true;
        self.asked.notify_all();
    }

    /// Waits until a scan is asked for, a folder that was late has come, or it is time to try
    /// again; false once it is told to stop.
    fn wait(&self, late: &Late, retry: Option<Instant>) -> bool {
        let mut state = self.state();
        while !state.wanted && !state.stopping {
            if !late.is_any() && retry.is_none() {
                state = self.asked.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.asked.wait_timeout(state, late::LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.wanted || state.stopping {
                break;
            }
            if retry.is_some_and(|retry| Instant::now() >= retry) {
                return true;
            }
            drop(state);
            // Asked for without the lock: whoever wants to know the status need not wait for it.
            if let Some(folder) = late.arrived() {
                tracing::info!("the music folder {} has changed: scanning", walk::shown(folder));
                return !self.state().stopping;
            }
            state = self.state();
        }
        !state.stopping
    }

    /// Fails once the scan is to stop.
    fn go_on(&self) -> Result<()> {
        match self.state().stopping {
            true => Err(Error::new("the scan was stopped")),
            false => Ok(()),
        }
    }

    fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.state().status);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scans all music folders of the settings; blocks until it is done.
///
/// # Errors
/// A scan runs already, the database failed, or the scan was stopped. Music folders and files that
/// cannot be read are no errors: they are told in the log and the summary.
pub fn run(db: &Db, config: &Config, scanner: &Scanner) -> Result<Summary> {
    {
        let mut state = scanner.state();
        if state.running {
            return Err(Error::new("a scan is running already"));
        }
        (state.running, state.wanted) = (true, false);
        let Status { finished, took, .. } = state.status;
        state.status = Status { finished, took, ..Status::default() };
    }
    let running = Running { scanner, began: Instant::now() };
    let result = lock_out_others(config).and_then(|_lock| run::scan(db, config, scanner, now()));
    if let Err(error) = &result {
        scanner.update(|status| status.problems.push(error.to_string()));
    }
    drop(running);
    result
}

/// Keeps other processes from scanning into the same data folder, for as long as the file is open.
fn lock_out_others(config: &Config) -> Result<File> {
    let path = config.data.join("scan.lock");
    let failed = |cause| Error::caused(format!("cannot open {}", path.display()), cause);
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::new(
            "another Kinglet is scanning into this data folder; wait until it is done",
        )),
        // Where the file system knows no locks, two scans at a time are left to good sense.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Marks a scan as running until it is dropped, after a panic too.
struct Running<'a> {
    scanner: &'a Scanner,
    began: Instant,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.scanner.state();
        state.running = false;
        state.status.finished = Some(now());
        state.status.took = Some(self.began.elapsed());
        state.status.folder.clear();
    }
}

fn log(summary: &Summary) {
    let Summary { songs, videos, new, changed, moved, gone, unreadable, .. } = summary;
    if new + changed + moved + gone + unreadable == 0 {
        tracing::info!("scanned: {songs} songs, {videos} videos, nothing changed");
    } else {
        tracing::info!(
            "scanned: {songs} songs, {videos} videos; {new} new, {changed} changed, {moved} moved, {gone} gone, \
             {unreadable} files could not be read"
        );
    }
}
