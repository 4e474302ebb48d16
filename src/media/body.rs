//! The body that sends parts of a file, a window at a time, and breaks when the file changes.
//!
//! A response that is complete holds no byte that the file did not have when it was opened. To be
//! sure of it with maps, where the kernel puts zeros for bytes that were just cut off:
//! - the file's identity is compared before and after each window is brought into memory;
//! - the next window is made only when every byte of the previous one was taken by the kernel;
//! - the last bytes are read, not mapped, and only after all mapped ones were taken, so that the
//!   comparison after them speaks for the whole body.
//!
//! Windows are mapped, which costs no memory of our own however long a client takes. To map costs more
//! time than to read what is in memory already, though: for a few clients that take windows as fast as
//! they come, windows are read.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::mem;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::media::sending::{
    Content, Ended, Part, Sending, WINDOW, Window, first_window, read_window,
};

/// How far from the beginning of a window the disk is told to read ahead at most: while a window is
/// sent, the next one is fetched.
const AHEAD: u64 = 2 * WINDOW;

/// Who takes a window within this time takes it as fast as it comes: at 100 Mbit/s at least.
const QUICK: Duration = Duration::from_millis(20);

/// Who takes so much in a row as fast as it comes is quick. The buffers of a connection take more, some
/// MiB, so that it may be somebody who stopped reading: that costs a buffer of a few, and those who
/// find none are sent maps, as everybody else is.
const IN_A_ROW: u64 = 1 << 20;

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
    /// Bytes of the window that was handed out last, and when that was.
    handed: u64,
    handed_at: Instant,
    /// Bytes of the windows that were taken one after the other as fast as they came, since a disk
    /// was last met.
    quick: u64,
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
    Taken(oneshot::Receiver<Infallible>),
    /// The file changed or failed.
    Broken,
}

/// The owner of a window while the connection has it.
struct Owner {
    /// Gone before the body hears of it, or there could be two: fields go in this order.
    content: Content,
    /// Its end is what the body hears.
    _taken: oneshot::Sender<Infallible>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.content.as_ref()
    }
}

impl Windows {
    /// A body of these pieces of a file.
    pub fn new(sending: Sending, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<Piece> =
            pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        sending.shared.counters.live.fetch_add(1, Ordering::Relaxed);
        Windows {
            left: pieces.iter().map(Piece::len).fold(0, u64::saturating_add),
            handed: 0,
            handed_at: Instant::now(),
            quick: 0,
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
        let quick = self.quick >= IN_A_ROW && self.sending.pace.is_none();
        Part { how, bytes, ahead: from..to, quick }
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
        let turns = Arc::clone(&self.sending.shared.turns);
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
            let permit = Arc::clone(&sending.shared.permits).acquire_owned().await;
            let permit = permit.map_err(io::Error::other)?;
            let work = move || {
                // Held here and not in the future: the thread is busy even if the client leaves.
                let _permit = permit;
                let began = Instant::now();
                let window = read_window(&sending, part);
                sending.shared.turns.took(began.elapsed());
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
        taken: oneshot::Sender<Infallible>,
    ) -> Frame<Bytes> {
        let rest = range.start.saturating_add(window.len)..range.end;
        if !rest.is_empty() {
            self.pieces.push_front(Piece::File(rest));
        }
        self.sending.identity = window.identity;
        self.left = self.left.saturating_sub(window.len);
        self.sending.shared.counters.sent.fetch_add(window.len, Ordering::Relaxed);
        if window.is_cold {
            // The disk is told ahead what comes, which it is not for windows that are read.
            self.quick = 0;
        }
        self.handed = window.len;
        self.handed_at = Instant::now();
        if self.left == 0 {
            // Nobody asks again.
            self.taken();
        }
        Frame::data(Bytes::from_owner(Owner { content: window.content, _taken: taken }))
    }

    /// The window that was handed out last was taken.
    fn taken(&mut self) {
        let bytes = mem::take(&mut self.handed);
        self.quick = match self.handed_at.elapsed() < QUICK {
            true => self.quick.saturating_add(bytes),
            false => 0,
        };
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
        self.sending.shared.counters.broken.fetch_add(1, Ordering::Relaxed);
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
                    // Nothing is ever said: the end tells that the window is gone.
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
        self.sending.shared.counters.live.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::media::send::{Mode, Sender};
    use crate::media::sending::{BUFFER, QUICK_AT_A_TIME};
    use crate::media::source::{Identity, Source};
    use crate::media::window::Mapped;
    use http_body_util::BodyExt;
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use tokio::time::sleep;

    /// Windows of a client until it is known to be quick.
    const UNKNOWN: u64 = IN_A_ROW / WINDOW;
    const WINDOWS: u64 = UNKNOWN + 6;

    /// A file of which so many bytes are in memory.
    struct Known(File, u64);

    impl Source for Known {
        fn identity(&self) -> io::Result<Identity> {
            self.0.identity()
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            FileExt::read_at(&self.0, buffer, offset)
        }

        fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let there = usize::try_from(self.1.saturating_sub(offset)).unwrap();
            match buffer.get_mut(..there) {
                None => self.read_at(buffer, offset),
                Some([]) => Err(io::ErrorKind::WouldBlock.into()),
                Some(there) => self.read_at(there, offset),
            }
        }

        fn map(&self, offset: u64, len: usize) -> io::Result<Mapped> {
            Source::map(&self.0, offset, len)
        }

        fn ahead(&self, _: u64, _: u64) {}
    }

    fn content() -> Vec<u8> {
        let words = WINDOWS * WINDOW / 8;
        (0..words).flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect()
    }

    fn body(sender: &Sender, known: u64) -> Windows {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&content(), 0).unwrap();
        let identity = file.identity().unwrap();
        let source = Arc::new(Known(file, known));
        let sending = sender.sending(source, identity, "song".into(), (None, None), None);
        Windows::new(sending, [Piece::File(0..WINDOWS * WINDOW)])
    }

    /// A body whose client is known to be quick.
    async fn known(sender: &Sender, mut body: Windows) -> Windows {
        let before = sender.figures().quick;
        for _ in 0..UNKNOWN {
            drop(next(&mut body).await.unwrap());
        }
        assert_eq!(sender.figures().quick, before);
        body
    }

    async fn next(body: &mut Windows) -> Option<Bytes> {
        Some(body.frame().await?.unwrap().into_data().unwrap())
    }

    /// What is sent to a client that takes a window after each of these times and the others at
    /// once; and how many windows were read because it is quick.
    async fn taken(sender: &Sender, known: u64, milliseconds: &[u64]) -> (Vec<u8>, u64) {
        let before = sender.figures().quick;
        let (mut body, mut bytes) = (body(sender, known), Vec::new());
        let mut times = milliseconds.iter();
        while let Some(window) = next(&mut body).await {
            bytes.extend_from_slice(&window);
            sleep(Duration::from_millis(*times.next().unwrap_or(&0))).await;
        }
        (bytes, sender.figures().quick - before)
    }

    #[tokio::test(start_paused = true)]
    async fn windows_are_read_for_those_who_take_them_as_they_come() {
        let all = WINDOWS - UNKNOWN;
        let count = |windows| usize::try_from(windows).unwrap();
        let later = vec![0; count(UNKNOWN) + 2];
        let paused = [&later[..], &[20]].concat();
        for (mode, known, times, quick) in [
            (Mode::Mapped, u64::MAX, &[][..], all),
            (Mode::Mapped, u64::MAX, &vec![19; count(WINDOWS)], all),
            (Mode::Mapped, u64::MAX, &vec![20; count(WINDOWS)], 0),
            (Mode::Mapped, u64::MAX, &[0, 0, 20], all - 3),
            (Mode::Mapped, u64::MAX, &paused, 3),
            (Mode::Mapped, (UNKNOWN + 2) * WINDOW, &[], 2),
            (Mode::Mapped, (UNKNOWN + 2) * WINDOW + 5_000, &[], 2),
            (Mode::Read, u64::MAX, &[], 0),
        ] {
            let sender = Sender::new(mode);
            let (bytes, read) = taken(&sender, known, times).await;
            assert!(bytes == content(), "{mode:?} {known} {times:?}");
            assert_eq!(read, quick, "{mode:?} {known} {times:?}");
            let figures = sender.figures();
            assert_eq!((figures.live, figures.mapped, figures.broken), (0, 0, 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_at_a_time_have_their_windows_read() {
        let sender = Sender::new(Mode::Mapped);
        let mut others = Vec::new();
        for _ in 0..QUICK_AT_A_TIME {
            let mut body = known(&sender, body(&sender, u64::MAX)).await;
            // Here it stops.
            let window = next(&mut body).await.unwrap();
            others.push((body, window));
        }
        assert_eq!(sender.figures().mapped, 0);
        let (bytes, quick) = taken(&sender, u64::MAX, &[]).await;
        assert!(bytes == content() && quick == 0);
        // The window is gone, and with it what it took: whether its body goes on or not.
        let (mut one, window) = others.pop().unwrap();
        drop(window);
        assert_eq!(taken(&sender, u64::MAX, &[]).await.1, WINDOWS - UNKNOWN);
        sleep(QUICK).await;
        let window = next(&mut one).await.unwrap();
        assert_eq!(sender.figures().mapped, 1, "it is slow now");
        drop((one, window, others));
        assert_eq!(taken(&sender, u64::MAX, &[]).await.1, WINDOWS - UNKNOWN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_changed_breaks_off_for_quick_clients_too() {
        let sender = Sender::new(Mode::Mapped);
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all_at(&content(), 0).unwrap();
        let source = Arc::new(Known(file.reopen().unwrap(), u64::MAX));
        let identity = source.identity().unwrap();
        let sending = sender.sending(source, identity, "song".into(), (None, None), None);
        let body = Windows::new(sending, [Piece::File(0..WINDOWS * WINDOW)]);
        let mut body = known(&sender, body).await;
        drop(next(&mut body).await.unwrap());
        assert_eq!(sender.figures().quick, 1);
        file.as_file().set_len(WINDOWS * WINDOW - BUFFER / 4).unwrap();
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(sender.figures().broken, 1);
    }
}
