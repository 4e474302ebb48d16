//! The body that sends parts of a file, a window at a time, and breaks when the file changes.
//!
//! A response that is complete holds no byte that the file did not have when it was opened. To be
//! sure of it with maps, where the kernel puts zeros for bytes that were just cut off:
//! - the file's identity is compared before and after each window is brought into memory;
//! - the next window is made only when every byte of the previous one was taken by the kernel;
//! - the last bytes are read, not mapped, and only after all mapped ones were taken, so that the
//!   comparison after them speaks for the whole body.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use crate::media::buffers::Buffers;
use crate::media::sending::{
    Content, Ended, Part, Sending, WINDOW, Window, first_window, read_window,
};

/// How far from the beginning of a window the disk is told to read ahead at most: while a window is
/// sent, the next one is fetched.
const AHEAD: u64 = 2 * WINDOW;

/// A piece of a body.
#[derive(Clone, Debug)]
pub enum Piece {
    /// These bytes.
    Literal(Bytes),
    /// These bytes of the file.
    File(Range<u64>),
}

impl Piece {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Piece::Literal(bytes) => bytes.len() as u64,
            Piece::File(range) => range.end.saturating_sub(range.start),
        }
    }

    /// Whether it has no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A body of pieces; it has at most one window of the file in memory.
pub struct Windows {
    sending: Sending,
    pieces: VecDeque<Piece>,
    left: u64,
    /// Bytes of the window that was handed out last.
    handed: u64,
    /// Up to where the disk was told to read ahead.
    told: u64,
    state: State,
}

type Reading = Pin<Box<dyn Future<Output = io::Result<Window>> + Send>>;

enum State {
    /// The next piece can be begun.
    Ready,
    /// A blocking thread brings the first window of a range in.
    Reading(Range<u64>, Reading),
    /// The first window of a range is there.
    Read(Range<u64>, Window),
    /// A window was handed out; this hears when the last byte was taken.
    Taken(oneshot::Receiver<()>),
    /// The file changed or failed.
    Broken,
}

/// The owner of a window while the connection has it.
struct Owner {
    content: Content,
    buffers: Arc<Buffers>,
    taken: Option<oneshot::Sender<()>>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.content.as_ref()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        match mem::replace(&mut self.content, Content::Buffer(Vec::new())) {
            Content::Buffer(buffer) => self.buffers.give_back(buffer),
            // The map must be gone before the body hears of it, or there could be two.
            Content::Mapped(map) => drop(map),
        }
        if let Some(taken) = self.taken.take() {
            // Nobody listens when the connection was closed, or this was the last window.
            let _ = taken.send(());
        }
    }
}

impl Windows {
    /// A body of these pieces of a file.
    pub fn new(sending: Sending, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<Piece> =
            pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        sending.counters.live.fetch_add(1, Ordering::Relaxed);
        Windows {
            left: pieces.iter().map(Piece::len).fold(0, u64::saturating_add),
            handed: 0,
            told: 0,
            sending,
            pieces,
            state: State::Ready,
        }
    }

    /// Length in bytes of what was not handed out yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The most that is handed out at a time.
    fn most(&self) -> u64 {
        self.sending.pace.as_ref().map_or(WINDOW, |pace| pace.piece().min(WINDOW))
    }

    /// The first window of a range. What the disk was told once it is not told again.
    fn first_part(&mut self, range: &Range<u64>) -> Part {
        let (how, bytes) = first_window(range, self.sending.mode, self.most());
        let known = (bytes.start..=bytes.start.saturating_add(AHEAD)).contains(&self.told);
        let from = if known { self.told } else { bytes.start };
        let to = match bytes.end < range.end {
            true => bytes.end.saturating_add(WINDOW).min(range.end),
            // Reading it takes no longer than telling.
            false => from,
        };
        self.told = to.max(from);
        Part { how, bytes, ahead: from..to }
    }

    /// Brings the first window in on this thread, which may wait for the disk: who is on such a
    /// thread already need not be sent to another one. A body under a cap begins when its turn has
    /// come.
    ///
    /// # Errors
    /// The file changed or failed; nothing of the body was handed out.
    pub fn begin(&mut self) -> io::Result<()> {
        let range = match self.pieces.front() {
            Some(Piece::File(range)) if self.sending.pace.is_none() => range.clone(),
            _ => return Ok(()),
        };
        let part = self.first_part(&range);
        match read_window(&self.sending, part) {
            Ok(window) => {
                self.pieces.pop_front();
                self.state = State::Read(range, window);
                Ok(())
            }
            Err(cause) => Err(self.broken(cause)),
        }
    }

    /// Brings a window in on the thread that asks for it, where that may; a body under a cap has to
    /// wait for its time anyway.
    fn read_here(&mut self, range: &Range<u64>) -> Option<io::Result<Window>> {
        if self.sending.pace.is_some() {
            return None;
        }
        let turns = Arc::clone(&self.sending.turns);
        let _turn = turns.take()?;
        let part = self.first_part(range);
        let read = catch_unwind(AssertUnwindSafe(|| read_window(&self.sending, part)));
        Some(read.unwrap_or_else(|_| Err(io::Error::other("a window made the server stumble"))))
    }

    /// Begins to bring a window in on another thread.
    fn read(&mut self, range: &Range<u64>) -> Reading {
        let part = self.first_part(range);
        let sending = self.sending.clone();
        Box::pin(async move {
            // Before the permit, which is not there to be held by those who only wait.
            if let Some(pace) = &sending.pace {
                pace.wait(part.bytes.end.saturating_sub(part.bytes.start)).await;
            }
            let permit = Arc::clone(&sending.permits).acquire_owned().await;
            let permit = permit.map_err(io::Error::other)?;
            let work = move || {
                // Held here and not in the future: the thread is busy even if the client leaves.
                let _permit = permit;
                let began = Instant::now();
                let window = read_window(&sending, part);
                sending.turns.took(began.elapsed());
                window
            };
            tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
        })
    }

    /// Gives the first window of a range away; what is left of the range comes next.
    fn hand_out(
        &mut self,
        range: &Range<u64>,
        window: Window,
        taken: oneshot::Sender<()>,
    ) -> Frame<Bytes> {
        let rest = range.start.saturating_add(window.len)..range.end;
        if !rest.is_empty() {
            self.pieces.push_front(Piece::File(rest));
        }
        self.sending.identity = window.identity;
        self.left = self.left.saturating_sub(window.len);
        self.sending.counters.sent.fetch_add(window.len, Ordering::Relaxed);
        self.handed = window.len;
        if self.left == 0 {
            // Nobody asks again.
            self.taken();
        }
        let buffers = Arc::clone(&self.sending.buffers);
        let owner = Owner { content: window.content, buffers, taken: Some(taken) };
        Frame::data(Bytes::from_owner(owner))
    }

    /// The window that was handed out last was taken.
    fn taken(&mut self) {
        let bytes = mem::take(&mut self.handed);
        if let Some(watch) = self.sending.watch.as_ref().filter(|_| bytes > 0) {
            watch.sent(bytes, self.sending.identity.len);
        }
    }

    fn broken(&mut self, cause: io::Error) -> io::Error {
        self.state = State::Broken;
        if cause.get_ref().is_some_and(|cause| cause.is::<Ended>()) {
            tracing::info!(file = %self.sending.path.display(), "ended sending a file: it may not be sent any more");
            return cause;
        }
        self.sending.counters.broken.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(file = %self.sending.path.display(), %cause, "broke off sending a file");
        cause
    }
}

impl Body for Windows {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        loop {
            match &mut body.state {
                State::Broken => return Poll::Ready(None),
                State::Taken(taken) => {
                    // However it ends, the window is gone.
                    let _ = ready!(Pin::new(taken).poll(context));
                    body.state = State::Ready;
                    body.taken();
                }
                State::Ready => match body.pieces.pop_front() {
                    None => return Poll::Ready(None),
                    Some(Piece::Literal(bytes)) => {
                        body.left = body.left.saturating_sub(bytes.len() as u64);
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                    Some(Piece::File(range)) => {
                        body.state = match body.read_here(&range) {
                            Some(Ok(window)) => State::Read(range, window),
                            Some(Err(cause)) => return Poll::Ready(Some(Err(body.broken(cause)))),
                            None => {
                                let reading = body.read(&range);
                                State::Reading(range, reading)
                            }
                        };
                    }
                },
                State::Reading(range, reading) => match ready!(reading.as_mut().poll(context)) {
                    Ok(window) => body.state = State::Read(range.clone(), window),
                    Err(cause) => return Poll::Ready(Some(Err(body.broken(cause)))),
                },
                State::Read(..) => {
                    let (taken, hears) = oneshot::channel();
                    let state = mem::replace(&mut body.state, State::Taken(hears));
                    if let State::Read(range, window) = state {
                        return Poll::Ready(Some(Ok(body.hand_out(&range, window, taken))));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.sending.counters.live.fetch_sub(1, Ordering::Relaxed);
    }
}
