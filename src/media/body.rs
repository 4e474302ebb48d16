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
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{Semaphore, oneshot};

use crate::media::buffers::Buffers;
use crate::media::pace::Pace;
use crate::media::source::{Identity, Source, verify};
use crate::media::turns::Turns;
use crate::media::window::{MAPPED_UP_TO, Mapped, cannot_map};

/// The length of a window and so the most that is mapped for one connection: a multiple of every
/// page size in use (4, 16 and 64 KiB).
pub const WINDOW: u64 = 256 * 1024;

/// The most that is read into memory of our own for one connection.
///
/// It is also what the end of every part is read with, so that the last bytes of a body never
/// come from a map; 4 KiB would be enough for that, but a short map is dearer than a read.
pub const BUFFER: u64 = 64 * 1024;

/// How far from the beginning of a window the disk is told to read ahead at most: while a window is
/// sent, the next one is fetched.
const AHEAD: u64 = 2 * WINDOW;

/// How bytes get from a file into a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// From memory-mapped windows, and by reading where a map cannot be made.
    Mapped,
    /// By reading into buffers.
    Read,
}

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

/// What all bodies of a server have done, for its log and its tests.
#[derive(Debug, Default)]
pub struct Counters {
    /// Bodies that are being sent.
    pub live: AtomicU64,
    /// Bodies that ended because their file changed or failed.
    pub broken: AtomicU64,
    /// Windows that were read because they could not be mapped.
    pub unmapped: AtomicU64,
    /// Windows whose pages could not be had: the disk failed, or the file was cut off.
    pub failed: AtomicU64,
    /// Windows that are mapped.
    pub mapped: AtomicU64,
    /// Bytes of files that were handed to connections.
    pub sent: AtomicU64,
}

/// Watches over a body while it is sent.
pub trait Watch: Send + Sync {
    /// Whether the next window may be sent; may wait for the database.
    fn goes_on(&self) -> bool;
    /// So many more bytes of a file of `len` bytes were taken.
    fn sent(&self, bytes: u64, len: u64);
}

/// Why a body breaks off that may not be sent any more.
#[derive(Debug)]
struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it may not be sent any more")
    }
}

impl std::error::Error for Ended {}

/// What lives as long as a body.
pub type Held = Option<Arc<dyn Send + Sync>>;

/// The file of a body and what sending it needs.
#[derive(Clone)]
pub struct Sending {
    /// The open file.
    pub source: Arc<dyn Source>,
    /// What it was when it was opened.
    pub identity: Identity,
    /// Its name for the log.
    pub path: PathBuf,
    /// What is given back when the body has ended.
    pub held: Held,
    /// How its bytes are to be had.
    pub mode: Mode,
    /// How fast they may be sent; `None` is without a cap.
    pub pace: Option<Arc<Pace>>,
    /// Who watches over it.
    pub watch: Option<Arc<dyn Watch>>,
    /// Bounds how many windows are waited for at a time in the whole server, so that a disk that
    /// hangs cannot take all blocking threads.
    pub permits: Arc<Semaphore>,
    /// Lets a window be brought in where it is asked for, while that is short.
    pub turns: Arc<Turns>,
    /// Where memory for what is read comes from.
    pub buffers: Arc<Buffers>,
    /// Where it is counted.
    pub counters: Arc<Counters>,
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

/// A window to be brought in.
struct Part {
    how: Mode,
    bytes: Range<u64>,
    /// What the disk is told to read ahead.
    ahead: Range<u64>,
}

/// A window that was brought in, and what the file was then.
struct Window {
    content: Content,
    len: u64,
    identity: Identity,
}

enum Content {
    Mapped(Counted),
    Buffer(Vec<u8>),
}

/// A map that is counted as long as it is there.
struct Counted {
    map: Mapped,
    counters: Arc<Counters>,
}

impl Counted {
    fn new(map: Mapped, counters: &Arc<Counters>) -> Counted {
        counters.mapped.fetch_add(1, Ordering::Relaxed);
        Counted { map, counters: Arc::clone(counters) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counters.mapped.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        match self {
            Content::Mapped(counted) => counted.map.as_ref(),
            Content::Buffer(buffer) => buffer,
        }
    }
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

/// The first window of a range that is not empty, and how it is to be had. `most` is a power of
/// two, at most [`WINDOW`].
fn first_window(range: &Range<u64>, mode: Mode, most: u64) -> (Mode, Range<u64>) {
    let left = range.end - range.start;
    // Windows lie at multiples of their length, so that none has more pages than its length.
    let border = (range.start / most + 1).saturating_mul(most);
    if mode == Mode::Read || left <= BUFFER || border > MAPPED_UP_TO {
        (Mode::Read, range.start..range.start + left.min(BUFFER).min(most))
    } else {
        (Mode::Mapped, range.start..border.min(range.end - BUFFER / 2))
    }
}

/// Brings a window in, and makes sure that the file was the same before and after.
fn read_window(sending: &Sending, part: Part) -> io::Result<Window> {
    let Part { how, bytes, ahead } = part;
    if sending.watch.as_ref().is_some_and(|watch| !watch.goes_on()) {
        return Err(io::Error::other(Ended));
    }
    let source = sending.source.as_ref();
    let identity = verify(source, sending.identity)?;
    if !ahead.is_empty() {
        source.ahead(ahead.start, ahead.end - ahead.start);
    }
    let len = bytes.end.saturating_sub(bytes.start);
    let content = match map(sending, how, bytes.start, len)? {
        Some(map) => Content::Mapped(Counted::new(map, &sending.counters)),
        None => {
            let len = usize::try_from(len.min(BUFFER)).map_err(io::Error::other)?;
            let mut buffer = sending.buffers.take(len);
            read_exact(source, &mut buffer, bytes.start)?;
            Content::Buffer(buffer)
        }
    };
    let identity = verify(source, identity)?;
    let len = content.as_ref().len() as u64;
    Ok(Window { content, len, identity })
}

/// Maps a window; `None` where it is to be read instead.
fn map(sending: &Sending, how: Mode, offset: u64, len: u64) -> io::Result<Option<Mapped>> {
    if how == Mode::Read {
        return Ok(None);
    }
    match sending.source.map(offset, usize::try_from(len).map_err(io::Error::other)?) {
        Ok(map) => Ok(Some(map)),
        Err(cause) if cannot_map(&cause) => {
            sending.counters.unmapped.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
        Err(cause) => {
            sending.counters.failed.fetch_add(1, Ordering::Relaxed);
            Err(cause)
        }
    }
}

/// Fills a buffer; a file that ends before is an error.
fn read_exact(source: &dyn Source, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match source.read_at(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            // A short read is no end: network file systems give what they have.
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_cover_a_range_and_its_end_is_read(
            start in prop_oneof![0..2 * WINDOW, MAPPED_UP_TO / 2..MAPPED_UP_TO / 2 + WINDOW],
            len in 1..6 * WINDOW,
            mapped in any::<bool>(),
            power in 12..=WINDOW.ilog2(),
        ) {
            let longest = 1 << power;
            let mode = if mapped { Mode::Mapped } else { Mode::Read };
            let end = start + len;
            let (mut at, mut last) = (start, Mode::Mapped);
            while at < end {
                let (how, window) = first_window(&(at..end), mode, longest);
                let size = window.end - window.start;
                prop_assert!(window.start == at && window.end <= end && size > 0);
                let most = if how == Mode::Mapped { longest } else { BUFFER.min(longest) };
                let aligned = window.start / longest == (window.end - 1) / longest;
                prop_assert!(size <= most && (aligned || how == Mode::Read));
                (at, last) = (window.end, how);
            }
            prop_assert_eq!(last, Mode::Read);
        }
    }
}
