//! The open connections: how many there may be, which wait for a request, and which have to leave.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Notify;

use super::body::Body;

/// What `waits_since` is while a request is answered.
const BUSY: u64 = u64::MAX;

/// All connections of a server. Its memory is bounded by `most`.
pub struct Connections {
    most: usize,
    clock: Instant,
    open: Mutex<Open>,
    /// Told whenever one has gone.
    gone: Notify,
    counts: Arc<Counts>,
}

/// How many connections there were since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Those that are open.
    pub open: AtomicU64,
    /// Those that were given a place.
    pub admitted: AtomicU64,
    /// Those for which there was none.
    pub refused: AtomicU64,
    /// Those that broke because bytes of a response were gone before they were written: a mapped
    /// file was cut off, or its disk failed.
    pub faulted: AtomicU64,
}

#[derive(Default)]
struct Open {
    last: u64,
    list: HashMap<u64, Arc<Connection>>,
}

/// What the server knows of a connection.
pub struct Connection {
    clock: Instant,
    /// Since when it waits for a request, in ms of the clock.
    waits_since: AtomicU64,
    /// Whether its peer has yet to take what was written.
    stalls: AtomicBool,
    /// How many requests it has brought.
    requests: AtomicU64,
    leave: Notify,
}

/// The place of a connection, until this is dropped.
pub struct Place {
    number: u64,
    /// The connection that has it.
    pub connection: Arc<Connection>,
    all: Arc<Connections>,
}

/// A request that is being answered, until this is dropped.
pub struct Busy(Arc<Connection>);

impl Connections {
    /// Places for this many; `counts` is where they are counted.
    pub fn new(most: usize, counts: Arc<Counts>) -> Arc<Connections> {
        Arc::new(Connections {
            most,
            clock: Instant::now(),
            open: Mutex::default(),
            gone: Notify::new(),
            counts,
        })
    }

    /// A place for a new connection. Where none is free, the connection that has waited longest
    /// for a request has to leave for it; `None` where all are busy.
    pub fn admit(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.list.len() >= self.most {
            let waiting = open.list.iter().filter(|(_, connection)| connection.waits());
            let longest = waiting.min_by_key(|(number, connection)| (connection.since(), **number));
            let Some(longest) = longest.map(|(number, _)| *number) else {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            // It is as good as gone: it has nothing to send.
            if let Some(connection) = open.list.remove(&longest) {
                connection.leave.notify_one();
            }
        }
        open.last += 1;
        let number = open.last;
        let connection = Arc::new(Connection::new(self.clock));
        open.list.insert(number, Arc::clone(&connection));
        self.counts.admitted.fetch_add(1, Ordering::Relaxed);
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { number, connection, all: Arc::clone(self) })
    }

    /// Asks all to leave when they have sent what they are sending.
    pub fn dismiss(&self) {
        self.open().list.values().for_each(|connection| connection.leave.notify_one());
    }

    /// Comes back when no connection is left.
    pub async fn all_gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.open().list.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// How many are being sent a response.
    pub fn busy(&self) -> usize {
        self.open().list.values().filter(|connection| !connection.waits()).count()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// One that waits for its first request, by a clock that began then.
    pub fn new(clock: Instant) -> Connection {
        let connection = Connection {
            clock,
            waits_since: AtomicU64::new(BUSY),
            stalls: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            leave: Notify::new(),
        };
        connection.wait();
        connection
    }

    /// Whether no request is being answered, and every byte of the answers was taken.
    pub fn waits(&self) -> bool {
        self.since() != BUSY && !self.stalls.load(Ordering::Relaxed)
    }

    /// Tells whether the peer has yet to take what was written.
    pub fn stalls(&self, stalls: bool) {
        self.stalls.store(stalls, Ordering::Relaxed);
    }

    /// How many requests it has brought.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Begins a request.
    pub fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.waits_since.store(BUSY, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Comes back when the connection has to leave.
    pub async fn dismissed(&self) {
        self.leave.notified().await;
    }

    fn since(&self) -> u64 {
        self.waits_since.load(Ordering::Relaxed)
    }

    fn wait(&self) {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(BUSY - 1);
        self.waits_since.store(now, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.open().list.remove(&self.number);
        self.all.counts.open.fetch_sub(1, Ordering::Relaxed);
        self.all.gone.notify_waiters();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// The body of a response that keeps its connection busy until its end.
pub struct Kept {
    body: Body,
    _busy: Busy,
}

impl Kept {
    /// A body, and the request it answers.
    pub fn new(body: Body, busy: Busy) -> Kept {
        Kept { body, _busy: busy }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::thread::sleep;
    use std::time::Duration;

    async fn is_dismissed(connection: &Connection) -> bool {
        tokio::time::timeout(Duration::ZERO, connection.dismissed()).await.is_ok()
    }

    #[tokio::test]
    async fn who_waits_longest_leaves_for_a_new_one() {
        let all = Connections::new(2, Arc::default());
        let (first, second) = (all.admit().unwrap(), all.admit().unwrap());
        let busy = first.connection.begin();
        sleep(Duration::from_millis(2));
        drop(busy);
        let third = all.admit().unwrap();
        assert!(is_dismissed(&second.connection).await);
        assert!(!is_dismissed(&first.connection).await);
        let _busy = [first.connection.begin(), third.connection.begin()];
        drop(second);
        assert!(all.admit().is_none());
        assert_eq!(all.busy(), 2);
        drop(third);
        assert!(all.admit().is_some());
    }

    #[test]
    fn connections_are_counted() {
        let counts = Arc::new(Counts::default());
        let all = Connections::new(1, Arc::clone(&counts));
        let figures = || {
            [&counts.open, &counts.admitted, &counts.refused]
                .map(|count| count.load(Ordering::Relaxed))
        };
        let first = all.admit().unwrap();
        assert_eq!(figures(), [1, 1, 0]);
        let busy = first.connection.begin();
        assert!(all.admit().is_none());
        assert_eq!(figures(), [1, 1, 1]);
        drop(busy);
        // The first has to leave, and is open until it has.
        let second = all.admit().unwrap();
        assert_eq!(figures(), [2, 2, 1]);
        drop((first, second));
        assert_eq!(figures(), [0, 2, 1]);
    }

    #[tokio::test]
    async fn the_end_waits_for_all() {
        let all = Connections::new(2, Arc::default());
        let places = [all.admit().unwrap(), all.admit().unwrap()];
        all.dismiss();
        for place in &places {
            assert!(is_dismissed(&place.connection).await);
        }
        assert!(tokio::time::timeout(Duration::from_millis(10), all.all_gone()).await.is_err());
        let end = tokio::spawn({
            let all = Arc::clone(&all);
            async move { all.all_gone().await }
        });
        tokio::task::yield_now().await;
        drop(places);
        end.await.unwrap();
    }
}
