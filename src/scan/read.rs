//! Reads files on threads of their own, in order, and gives up on one that hangs.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::tags::{self, Tags};
use super::walk::shown;
use super::{stamp, words};
use crate::error::{Error, Result};

/// Threads that read: one waits for the disk while the other takes tags apart.
const THREADS: usize = 2;

/// Files given out and not taken back: bounds the memory, as each may hold tags with long words.
const MOST_IN_FLIGHT: usize = 64;

/// How long a file may take. A sleeping disk needs some seconds to wake.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is looked whether a file takes too long.
const TICK: Duration = Duration::from_millis(500);

/// Hanging threads that are left behind before a scan gives up: the disk is broken then.
const MOST_LEFT_BEHIND: usize = 8;

/// What was read of a file.
#[derive(Debug)]
pub struct Loaded {
    /// The tags, without the bytes of the picture.
    pub tags: Tags,
    /// A stamp of the picture.
    pub picture: Option<i64>,
    /// The words in the file beside it.
    pub words: Option<String>,
}

/// Why a file was not read, in words that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is broken, and will be until it is changed.
    Broken(String),
    /// Another time it may be read: the disk failed, or access was denied.
    Passing(String),
}

/// The outcome of reading a file.
pub type Outcome = std::result::Result<Loaded, Failure>;

/// A file to read.
struct Task {
    number: u64,
    path: PathBuf,
    has_words: bool,
}

/// What a thread does.
#[derive(Default)]
struct Doing {
    task: Option<(u64, Instant)>,
    left_behind: bool,
}

/// A file given out.
struct Flight<T> {
    number: u64,
    path: PathBuf,
    job: T,
    outcome: Option<Outcome>,
}

/// Threads that read files; what is asked for comes back in the order of asking.
pub struct Readers<T> {
    queue: SyncSender<Task>,
    queue_end: Arc<Mutex<Receiver<Task>>>,
    results: Receiver<(u64, Outcome)>,
    results_in: Sender<(u64, Outcome)>,
    threads: Vec<Arc<Mutex<Doing>>>,
    flights: VecDeque<Flight<T>>,
    next: u64,
    left_behind: usize,
}

impl<T> Readers<T> {
    /// Starts the threads; they end when this is dropped.
    pub fn start() -> Result<Readers<T>> {
        let (queue, queue_end) = sync_channel(MOST_IN_FLIGHT);
        let (results_in, results) = channel();
        let mut readers = Readers {
            queue,
            queue_end: Arc::new(Mutex::new(queue_end)),
            results,
            results_in,
            threads: Vec::new(),
            flights: VecDeque::new(),
            next: 0,
            left_behind: 0,
        };
        for _ in 0..THREADS {
            let thread = readers.thread()?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Whether another file may be given out.
    pub fn has_room(&self) -> bool {
        self.flights.len() < MOST_IN_FLIGHT
    }

    /// Gives out a file, with what the asker wants to know of it when it comes back.
    pub fn give(&mut self, path: PathBuf, has_words: bool, job: T) -> Result<()> {
        let number = self.next;
        self.next += 1;
        self.flights.push_back(Flight { number, path: path.clone(), job, outcome: None });
        let task = Task { number, path, has_words };
        self.queue.send(task).map_err(|_| Error::new("the threads that read files have ended"))
    }

    /// Waits for the next file in the order of giving out; `None` where none is out.
    ///
    /// # Errors
    /// Too many files hang, or `go_on` fails, which is asked from time to time.
    pub fn take(&mut self, go_on: &dyn Fn() -> Result<()>) -> Result<Option<(T, Outcome)>> {
        loop {
            go_on()?;
            match self.flights.pop_front() {
                None => return Ok(None),
                Some(Flight { job, outcome: Some(outcome), .. }) => {
                    return Ok(Some((job, outcome)));
                }
                Some(flight) => self.flights.push_front(flight),
            }
            match self.results.recv_timeout(TICK) {
                Ok((number, outcome)) => self.land(number, outcome),
                Err(RecvTimeoutError::Timeout) => self.look_after()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new("the threads that read files have ended"));
                }
            }
        }
    }

    fn land(&mut self, number: u64, outcome: Outcome) {
        let flight = self.flights.iter_mut().find(|flight| flight.number == number);
        // A file that was given up may still come back: it is too late then.
        if let Some(flight) = flight.filter(|flight| flight.outcome.is_none()) {
            flight.outcome = Some(outcome);
        }
    }

    fn look_after(&mut self) -> Result<()> {
        for place in 0..self.threads.len() {
            let Some(doing) = self.threads.get(place).cloned() else { continue };
            let hanging = {
                let mut doing = lock(&doing);
                let hanging = doing.task.filter(|(_, since)| since.elapsed() > PATIENCE);
                doing.left_behind = hanging.is_some();
                hanging
            };
            let Some((number, _)) = hanging else { continue };
            let path = self.flights.iter().find(|flight| flight.number == number);
            let path = path.map(|flight| shown(&flight.path)).unwrap_or_default();
            self.left_behind += 1;
            if self.left_behind > MOST_LEFT_BEHIND {
                return Err(Error::new(
                    "reading files takes for ever; is the disk broken, or the network drive gone?",
                ));
            }
            let reason = format!("{path} could not be read within {} seconds", PATIENCE.as_secs());
            self.land(number, Err(Failure::Passing(reason)));
            let thread = self.thread()?;
            if let Some(old) = self.threads.get_mut(place) {
                *old = thread;
            }
        }
        Ok(())
    }

    fn thread(&self) -> Result<Arc<Mutex<Doing>>> {
        let doing = Arc::new(Mutex::new(Doing::default()));
        let (queue, results) = (self.queue_end.clone(), self.results_in.clone());
        let of_thread = doing.clone();
        thread::Builder::new()
            .name("tags".to_owned())
            .spawn(move || work(&queue, &results, &of_thread))
            .map_err(|cause| Error::caused("cannot start a thread that reads files", cause))?;
        Ok(doing)
    }
}

fn work(queue: &Mutex<Receiver<Task>>, results: &Sender<(u64, Outcome)>, doing: &Mutex<Doing>) {
    loop {
        let Ok(task) = lock(queue).recv() else { return };
        lock(doing).task = Some((task.number, Instant::now()));
        let outcome = catch_unwind(|| load(&task.path, task.has_words)).unwrap_or_else(|_| {
            let path = shown(&task.path);
            Err(Failure::Broken(format!("the reader of tags broke down at {path}")))
        });
        let left_behind = {
            let mut doing = lock(doing);
            doing.task = None;
            doing.left_behind
        };
        if results.send((task.number, outcome)).is_err() || left_behind {
            return;
        }
    }
}

/// Reads one file, and the words beside it.
fn load(path: &Path, has_words: bool) -> Outcome {
    let mut tags = tags::read(path).map_err(|error| match accessible(path) {
        Ok(()) => Failure::Broken(error.to_string()),
        Err(cause) => Failure::Passing(format!("cannot read {}: {cause}", shown(path))),
    })?;
    let picture = tags.picture.take().map(|picture| stamp::of(&picture.bytes));
    let words = match has_words {
        true => words::beside(path).unwrap_or_else(|cause| {
            tracing::warn!("the words beside {} cannot be read: {cause}", shown(path));
            None
        }),
        false => None,
    };
    Ok(Loaded { tags, picture, words })
}

/// Whether a file can be opened and read at all.
fn accessible(path: &Path) -> std::io::Result<()> {
    let mut start = [0; 512];
    File::open(path)?.read(&mut start).map(|_| ())
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
