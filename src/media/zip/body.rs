//! The body that sends a part of an archive: what is known, and files a window at a time.
//!
//! Files whose checksum is not known yet are read and not mapped, so that it comes from the very
//! bytes that are sent, each read once. One that is needed and was not sent by this body (behind a
//! range that begins within a file, or in the directory) is kept from before, or comes from reading
//! the file once more.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use flate2::Crc;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Semaphore;

use super::layout::Part;
use super::sums::Sums;
use super::{Archive, Content};
use crate::media::body::{Piece, Windows};
use crate::media::pace::Pace;
use crate::media::send::Sender;
use crate::media::sending::{Held, Mode, Watch};
use crate::media::source::{Identity, Source, open_regular, verify};

/// What is known is sent in frames of about so many bytes.
const FRAME: usize = 16 * 1024;

/// Bytes of a file that are read at a time for its checksum, before others who wait for a disk have
/// their turn.
const STRETCH: u64 = 4 << 20;
/// Bytes of a read.
const READ: usize = 64 * 1024;

/// What sending an archive needs besides it.
pub(super) struct Tools {
    pub sender: Sender,
    pub sums: Arc<Sums>,
    pub pace: Option<Arc<Pace>>,
    pub held: Held,
    pub watch: Option<Arc<dyn Watch>>,
}

/// A body of a range of an archive.
pub(super) struct Archived {
    archive: Arc<Archive>,
    tools: Tools,
    at: u64,
    end: u64,
    /// Checksums that are known by now.
    known: Vec<Option<u32>>,
    state: State,
}

type Doing<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

enum State {
    /// The next part can be begun.
    Ready,
    /// A file is being opened.
    Opening(Doing<Windows>, Option<Summing>),
    /// A file is being sent.
    Sending(Box<Windows>, Option<Summing>),
    /// A file is read for its checksum.
    Reading(usize, Doing<u32>),
    /// A file changed or failed.
    Broken,
}

/// The checksum of a file that is being sent from its first byte on.
struct Summing {
    member: usize,
    crc: Crc,
}

impl Archived {
    /// The bytes of an archive from one place to another.
    pub(super) fn new(archive: Arc<Archive>, tools: Tools, at: u64, end: u64) -> Archived {
        let known = vec![None; archive.contents.len()];
        Archived { archive, tools, at, end, known, state: State::Ready }
    }

    /// The checksum of a member, where it is known.
    fn sum(&mut self, member: usize) -> Option<u32> {
        let known = self.known.get_mut(member)?;
        if known.is_none() {
            *known = match self.archive.contents.get(member)? {
                Content::Bytes(_, sum) => Some(*sum),
                Content::File(_, identity) if identity.len == 0 => Some(0),
                Content::File(_, identity) => self.tools.sums.get(*identity),
            };
        }
        *known
    }

    /// Begins the next part that is not there yet; gives what is known up to it.
    fn next(&mut self) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        while bytes.len() < FRAME {
            let Some(part) = self.archive.layout.part(self.at..self.end) else { break };
            let (member, more) = match part {
                Part::Known(more) => (None, more),
                Part::File(member, range) => match self.archive.contents.get(member) {
                    Some(Content::Bytes(content, _)) => {
                        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                        let part = content.get(place(range.start)..place(range.end));
                        (None, part.unwrap_or_default().to_vec())
                    }
                    Some(Content::File(path, identity)) if bytes.is_empty() => {
                        let whole = range == (0..identity.len);
                        let summing = whole && self.tools.sums.get(*identity).is_none();
                        let opening =
                            open(&self.tools, path.clone(), *identity, Piece::File(range), summing);
                        let summing = summing.then(|| Summing { member, crc: Crc::new() });
                        self.state = State::Opening(opening, summing);
                        return None;
                    }
                    _ => break,
                },
                Part::Descriptor(member, range) => {
                    let sum = self.sum(member);
                    let whole = sum.map(|sum| self.archive.layout.descriptor(member, sum));
                    (
                        Some(member),
                        whole
                            .and_then(|whole| Some(whole.get(range)?.to_vec()))
                            .unwrap_or_default(),
                    )
                }
                Part::Entry(member, range) => {
                    let sum = self.sum(member);
                    let whole = sum.map(|sum| self.archive.layout.entry(member, sum));
                    (
                        Some(member),
                        whole
                            .and_then(|whole| Some(whole.get(range)?.to_vec()))
                            .unwrap_or_default(),
                    )
                }
            };
            match member {
                Some(member) if more.is_empty() => {
                    if bytes.is_empty() {
                        self.read(member);
                        return None;
                    }
                    break;
                }
                _ => {}
            }
            self.at = self.at.saturating_add(more.len() as u64);
            bytes.extend_from_slice(&more);
        }
        Some(bytes.freeze())
    }

    /// Begins to read a file for its checksum.
    fn read(&mut self, member: usize) {
        self.state = match self.archive.contents.get(member) {
            Some(Content::File(path, identity)) => {
                let permits = self.tools.sender.permits();
                State::Reading(member, Box::pin(checksum(permits, path.clone(), *identity)))
            }
            _ => State::Broken,
        };
    }

    /// Keeps the checksum of a member.
    fn learn(&mut self, member: usize, sum: u32) {
        if let Some(known) = self.known.get_mut(member) {
            *known = Some(sum);
        }
        if let Some(Content::File(_, identity)) = self.archive.contents.get(member) {
            self.tools.sums.keep(*identity, sum);
        }
    }

    fn broken(&mut self, cause: io::Error) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.state = State::Broken;
        tracing::warn!(%cause, "broke off sending an archive");
        Poll::Ready(Some(Err(cause)))
    }
}

/// Opens a file to send a part of it, if it still is what it was when the archive was laid out.
fn open(
    tools: &Tools,
    path: Arc<Path>,
    identity: Identity,
    piece: Piece,
    read: bool,
) -> Doing<Windows> {
    let (sender, watch) = (tools.sender.clone(), tools.watch.clone());
    let kept = (tools.held.clone(), tools.pace.clone());
    Box::pin(async move {
        let permits = sender.permits();
        let opened = on_disk(permits, move || {
            let (file, _) = open_regular(&path)?;
            let identity = verify(&file, identity)?;
            Ok((Arc::new(file), identity, path))
        });
        let (file, identity, path) = opened.await?;
        let mut sending = sender.sending(file, identity, PathBuf::from(&*path), kept, watch);
        if read {
            sending.mode = Mode::Read;
        }
        Ok(Windows::new(sending, [piece]))
    })
}

/// The checksum of a file, a stretch at a time.
async fn checksum(permits: Arc<Semaphore>, path: Arc<Path>, identity: Identity) -> io::Result<u32> {
    let (mut crc, mut at) = (Crc::new(), 0);
    let open = move || {
        let (file, _) = open_regular(&path)?;
        verify(&file, identity)?;
        Ok(file)
    };
    let mut file = on_disk(Arc::clone(&permits), open).await?;
    while at < identity.len {
        let end = identity.len.min(at.saturating_add(STRETCH));
        let stretch = move || {
            let mut buffer = vec![0; READ];
            let mut place = at;
            file.ahead(place, end - place);
            while place < end {
                let most = usize::try_from(end - place).unwrap_or(READ).min(READ);
                let buffer = buffer.get_mut(..most).unwrap_or_default();
                match Source::read_at(&file, buffer, place) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => {
                        crc.update(buffer.get(..count).unwrap_or_default());
                        place = place.saturating_add(count as u64);
                    }
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                    Err(cause) => return Err(cause),
                }
            }
            verify(&file, identity)?;
            Ok((file, crc))
        };
        (file, crc) = on_disk(Arc::clone(&permits), stretch).await?;
        at = end;
    }
    Ok(crc.sum())
}

/// Does work that may wait for a disk on a thread that may, when its turn has come.
async fn on_disk<T: Send + 'static>(
    permits: Arc<Semaphore>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Body for Archived {
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
                State::Ready => {
                    if body.at >= body.end {
                        return Poll::Ready(None);
                    }
                    match body.next() {
                        Some(bytes) if bytes.is_empty() => {
                            return body.broken(io::Error::other("an archive ended too early"));
                        }
                        Some(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                        None => {}
                    }
                }
                State::Opening(opening, summing) => {
                    let summing = summing.take();
                    match opening.as_mut().poll(context) {
                        Poll::Pending => {
                            if let State::Opening(_, place) = &mut body.state {
                                *place = summing;
                            }
                            return Poll::Pending;
                        }
                        Poll::Ready(Ok(windows)) => {
                            body.state = State::Sending(Box::new(windows), summing);
                        }
                        Poll::Ready(Err(cause)) => return body.broken(cause),
                    }
                }
                State::Sending(windows, summing) => {
                    match ready!(Pin::new(windows.as_mut()).poll_frame(context)) {
                        Some(Ok(frame)) => {
                            if let Some(bytes) = frame.data_ref() {
                                body.at = body.at.saturating_add(bytes.len() as u64);
                                if let Some(summing) = summing {
                                    summing.crc.update(bytes);
                                }
                            }
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        Some(Err(cause)) => return body.broken(cause),
                        None => {
                            let done = summing.take();
                            body.state = State::Ready;
                            if let Some(Summing { member, crc }) = done {
                                body.learn(member, crc.sum());
                            }
                        }
                    }
                }
                State::Reading(member, reading) => {
                    let member = *member;
                    match ready!(reading.as_mut().poll(context)) {
                        Ok(sum) => {
                            body.state = State::Ready;
                            body.learn(member, sum);
                        }
                        Err(cause) => return body.broken(cause),
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end.saturating_sub(self.at))
    }
}
