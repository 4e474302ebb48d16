//! What it takes to send a file, and how a window of it is brought into memory.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::media::buffers::{Buffer, Buffers};
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

/// The most clients whose windows are read, as [`Part::quick`] says: so much memory of our own they
/// cost together, 2 MiB.
///
/// Who stops in the middle of such a window, as browsers do that have enough for a while, keeps its
/// buffer until it goes on or is given up. Then there are fewer for others, whose windows are mapped
/// as everybody's are.
pub(super) const QUICK_AT_A_TIME: usize = 8;

/// How bytes get from a file into a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// From memory-mapped windows, and by reading where a map cannot be made.
    Mapped,
    /// By reading into buffers.
    Read,
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
    /// Windows that were read because that is quicker for their client.
    pub quick: AtomicU64,
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
pub(super) struct Ended;

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
    /// What it has in common with all bodies.
    pub shared: Arc<Shared>,
}

/// What all bodies of a server have in common.
#[derive(Debug)]
pub struct Shared {
    /// Bounds how many windows are waited for at a time in the whole server, so that a disk that
    /// hangs cannot take all blocking threads.
    pub permits: Arc<Semaphore>,
    /// Lets a window be brought in where it is asked for, while that is short.
    pub turns: Arc<Turns>,
    /// Where memory for what is read comes from: at most [`BUFFER`] bytes for a connection.
    pub buffers: Arc<Buffers>,
    /// The same for windows of quick clients.
    pub quick_buffers: Arc<Buffers>,
    /// Where it is counted.
    pub counters: Counters,
}

/// A window to be brought in.
pub(super) struct Part {
    /// How it is to be had.
    pub(super) how: Mode,
    /// Which bytes it has.
    pub(super) bytes: Range<u64>,
    /// What the disk is told to read ahead.
    pub(super) ahead: Range<u64>,
    /// Whether the client takes windows as fast as they come. To map one, bring its pages in and end
    /// the map costs more than to copy it out of the system's memory, if it is there: then such a
    /// window is read, into one of a few buffers that it leaves at once.
    pub(super) quick: bool,
}

/// A window that was brought in, and what the file was then.
pub(super) struct Window {
    pub(super) content: Content,
    pub(super) len: u64,
    pub(super) identity: Identity,
    /// Whether it was to be read from memory and was not there.
    pub(super) is_cold: bool,
}

/// The bytes of a window.
pub(super) enum Content {
    Mapped(Counted),
    Buffer(Buffer),
}

/// A map that is counted as long as it is there.
pub(super) struct Counted {
    map: Mapped,
    shared: Arc<Shared>,
}

impl Counted {
    fn new(map: Mapped, shared: &Arc<Shared>) -> Counted {
        shared.counters.mapped.fetch_add(1, Ordering::Relaxed);
        Counted { map, shared: Arc::clone(shared) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.counters.mapped.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        match self {
            Content::Mapped(counted) => counted.map.as_ref(),
            Content::Buffer(buffer) => buffer.as_ref(),
        }
    }
}

/// The first window of a range that is not empty, and how it is to be had. `most` is a power of
/// two, at most [`WINDOW`].
pub(super) fn first_window(range: &Range<u64>, mode: Mode, most: u64) -> (Mode, Range<u64>) {
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
pub(super) fn read_window(sending: &Sending, part: Part) -> io::Result<Window> {
    if sending.watch.as_ref().is_some_and(|watch| !watch.goes_on()) {
        return Err(io::Error::other(Ended));
    }
    let source = sending.source.as_ref();
    let identity = verify(source, sending.identity)?;
    let tried = at_hand(sending, &part);
    let is_cold = matches!(tried, Some(Err(_)));
    let content = match tried {
        Some(Ok(buffer)) => Content::Buffer(buffer),
        // Whatever was the matter, this way tells.
        Some(Err(_)) | None => bring(sending, part)?,
    };
    let identity = verify(source, identity)?;
    let len = content.as_ref().len() as u64;
    Ok(Window { content, len, identity, is_cold })
}

/// Reads a window for a quick client; an error where it is not in memory, and `None` where that was
/// not tried.
fn at_hand(sending: &Sending, part: &Part) -> Option<io::Result<Buffer>> {
    if !part.quick || part.how == Mode::Read {
        return None;
    }
    let len = usize::try_from(part.bytes.end.saturating_sub(part.bytes.start)).ok()?;
    let mut buffer = sending.shared.quick_buffers.take_of(QUICK_AT_A_TIME, len)?;
    Some(match sending.source.read_at_hand(buffer.as_mut(), part.bytes.start) {
        Ok(count) if count == len => {
            sending.shared.counters.quick.fetch_add(1, Ordering::Relaxed);
            Ok(buffer)
        }
        Ok(_) => Err(io::ErrorKind::WouldBlock.into()),
        Err(cause) => Err(cause),
    })
}

/// Maps a window or reads it, after the disk was told what comes next.
fn bring(sending: &Sending, part: Part) -> io::Result<Content> {
    let Part { how, bytes, ahead, .. } = part;
    let source = sending.source.as_ref();
    if !ahead.is_empty() {
        source.ahead(ahead.start, ahead.end - ahead.start);
    }
    let len = bytes.end.saturating_sub(bytes.start);
    if let Some(map) = map(sending, how, bytes.start, len)? {
        return Ok(Content::Mapped(Counted::new(map, &sending.shared)));
    }
    let len = usize::try_from(len.min(BUFFER)).map_err(io::Error::other)?;
    let mut buffer = sending.shared.buffers.take(len);
    read_exact(source, buffer.as_mut(), bytes.start)?;
    Ok(Content::Buffer(buffer))
}

/// Maps a window; `None` where it is to be read instead.
fn map(sending: &Sending, how: Mode, offset: u64, len: u64) -> io::Result<Option<Mapped>> {
    if how == Mode::Read {
        return Ok(None);
    }
    match sending.source.map(offset, usize::try_from(len).map_err(io::Error::other)?) {
        Ok(map) => Ok(Some(map)),
        Err(cause) if cannot_map(&cause) => {
            sending.shared.counters.unmapped.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
        Err(cause) => {
            sending.shared.counters.failed.fetch_add(1, Ordering::Relaxed);
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
