//! Lets a few of the threads that carry connections wait for a disk themselves, where that is short.
//!
//! To go on to another thread and back takes longer than to open a song, or to map a window, that is
//! in memory. So while disks answer at once, it is done on the spot. What keeps a disk that sleeps
//! or hangs from stopping the server:
//! - nothing is done on the spot unless what was done before took no time, so a disk that sleeps is
//!   met by a thread that may wait for it;
//! - there are fewer turns than threads that carry connections;
//! - another thread watches the turns. A thread that carries connections sleeps until it is woken,
//!   and where the one that would wake it waits for a disk, the watcher does.

use std::array;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How much may be done on the spot at a time; there must be more threads that carry connections.
pub const TURNS: usize = 2;
/// What takes no longer needed no disk.
const SHORT: Duration = Duration::from_millis(1);
/// So long disks are believed to answer at once after they did.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// How often the watcher looks, and so how long other connections may stand still for a turn.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// After so many looks at nothing the watcher sleeps until a turn is taken.
const IDLE_LOOKS: u32 = 50;

/// The turns of a server. Nobody has one until they are watched.
#[derive(Debug)]
pub struct Turns {
    clock: Instant,
    /// How often each was taken and given back: odd while it is taken.
    counts: [AtomicU64; TURNS],
    /// Until when disks are believed to answer at once, in ms of the clock.
    short_until: AtomicU64,
    watcher: OnceLock<Thread>,
    watcher_sleeps: AtomicBool,
}

/// A turn that is taken, until this is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    turns: &'a Turns,
    count: &'a AtomicU64,
    began: Instant,
}

impl Default for Turns {
    fn default() -> Self {
        Turns {
            clock: Instant::now(),
            counts: array::from_fn(|_| AtomicU64::new(0)),
            short_until: AtomicU64::new(0),
            watcher: OnceLock::new(),
            watcher_sleeps: AtomicBool::new(false),
        }
    }
}

impl Turns {
    /// Starts the thread that watches; it ends with the turns. `runtime` is the one whose threads
    /// take them.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn watch(self: &Arc<Self>, runtime: Handle) -> io::Result<()> {
        let turns = Arc::downgrade(self);
        let thread = thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || watch(&turns, &runtime))?;
        // A second watcher would do no harm.
        let _ = self.watcher.set(thread.thread().clone());
        Ok(())
    }

    /// A turn; `None` where all are taken, or a disk may have to be waited for.
    pub fn take(&self) -> Option<Turn<'_>> {
        let watcher = self.watcher.get()?;
        let began = Instant::now();
        if self.short_until.load(Ordering::Relaxed) <= self.ms(began) {
            return None;
        }
        let count = self.counts.iter().find(|count| {
            let now = count.load(Ordering::Relaxed);
            let taken =
                |now| count.compare_exchange(now, now + 1, Ordering::SeqCst, Ordering::Relaxed);
            now % 2 == 0 && taken(now).is_ok()
        })?;
        if self.watcher_sleeps.load(Ordering::SeqCst) {
            watcher.unpark();
        }
        Some(Turn { turns: self, count, began })
    }

    /// Remembers how long a disk was waited for on a thread that may.
    pub fn took(&self, time: Duration) {
        let until = match time <= SHORT {
            true => self.ms(Instant::now() + BELIEVED_FOR),
            false => 0,
        };
        self.short_until.store(until, Ordering::Relaxed);
    }

    fn ms(&self, moment: Instant) -> u64 {
        let since = moment.duration_since(self.clock).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    fn counts(&self) -> [u64; TURNS] {
        self.counts.each_ref().map(|count| count.load(Ordering::SeqCst))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.took(self.began.elapsed());
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }
}

/// Wakes a thread of the runtime for each turn that lasts, until there are no turns any more.
fn watch(turns: &Weak<Turns>, runtime: &Handle) {
    let (mut seen, mut woken_for) = ([0; TURNS], [0; TURNS]);
    let mut idle_looks = 0;
    loop {
        thread::sleep(LOOK_EVERY);
        let Some(all) = turns.upgrade() else { return };
        let counts = all.counts();
        for ((count, seen), woken_for) in counts.iter().zip(&seen).zip(&mut woken_for) {
            if count % 2 == 1 && count == seen && count != woken_for {
                *woken_for = *count;
                // Whichever thread wakes for it goes on to listen for all connections.
                drop(runtime.spawn(async {}));
            }
        }
        idle_looks = if counts == seen { idle_looks + 1 } else { 0 };
        seen = counts;
        if idle_looks >= IDLE_LOOKS {
            all.watcher_sleeps.store(true, Ordering::SeqCst);
            // A turn taken before that is seen here; after it, it wakes this thread.
            let idle = all.counts() == seen;
            let sleeps = Arc::downgrade(&all);
            drop(all);
            if idle {
                thread::park();
            }
            idle_looks = 0;
            if let Some(all) = sleeps.upgrade() {
                all.watcher_sleeps.store(false, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::mpsc;
    use tokio::runtime::{Builder, Runtime};

    const DEADLINE: Duration = Duration::from_secs(20);

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(TURNS + 1).enable_all().build().unwrap()
    }

    fn watched(runtime: &Runtime) -> Arc<Turns> {
        let turns = Arc::new(Turns::default());
        turns.watch(runtime.handle().clone()).unwrap();
        turns
    }

    #[test]
    fn there_are_turns_while_disks_answer_at_once() {
        let runtime = runtime();
        let turns = watched(&runtime);
        assert!(turns.take().is_none(), "nothing is known yet");
        turns.took(Duration::ZERO);
        let taken: Vec<_> = (0..TURNS).map(|_| turns.take().unwrap()).collect();
        assert!(turns.take().is_none(), "as many as may");
        drop(taken);
        turns.took(Duration::ZERO);
        drop(turns.take().unwrap());
        turns.took(SHORT * 2);
        assert!(turns.take().is_none(), "a disk was slow");
    }

    #[test]
    fn unwatched_turns_are_not_given() {
        let turns = Turns::default();
        turns.took(Duration::ZERO);
        assert!(turns.take().is_none());
    }

    #[test]
    fn connections_are_heard_while_all_turns_wait_for_a_disk() {
        for quiet in [Duration::ZERO, LOOK_EVERY * (IDLE_LOOKS + 20)] {
            let runtime = runtime();
            let turns = watched(&runtime);
            thread::sleep(quiet);
            let mut ends = Vec::new();
            for _ in 0..TURNS {
                let (end, waits) = mpsc::channel::<()>();
                let (tell, began) = mpsc::channel();
                let turns = Arc::clone(&turns);
                // Woken by the runtime's clock, as a connection is by its socket: the thread that
                // listened for all is now the one that waits.
                runtime.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    turns.took(Duration::ZERO);
                    let turn = turns.take();
                    tell.send(turn.is_some()).unwrap();
                    let _ = waits.recv();
                });
                assert!(began.recv_timeout(DEADLINE).unwrap());
                ends.push(end);
                let (tell, hears) = mpsc::channel();
                runtime.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    tell.send(()).unwrap();
                });
                hears.recv_timeout(DEADLINE).unwrap();
            }
            drop(ends);
        }
    }

    #[test]
    fn the_watcher_ends_with_the_turns() {
        let runtime = runtime();
        for quiet in [Duration::ZERO, LOOK_EVERY * (IDLE_LOOKS + 20)] {
            let turns = watched(&runtime);
            thread::sleep(quiet);
            let gone = Arc::downgrade(&turns);
            drop(turns);
            let end = Instant::now() + DEADLINE;
            while gone.weak_count() > 1 {
                assert!(Instant::now() < end, "the watcher still looks");
                thread::sleep(LOOK_EVERY);
            }
        }
    }
}
