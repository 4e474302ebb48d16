//! A file while it is sent: what it is, its bytes, and whether it is still the same.

use std::fmt::Write;
use std::fs::{File, Metadata};
use std::io::{self, IoSliceMut, Read};
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Advice, Mode, OFlags, fadvise};
use rustix::io::{ReadWriteFlags, preadv2};

use crate::media::window::Mapped;

/// What the sender asks of a file.
///
/// It is a trait only so that tests can send files that are slow, hang, fail or shrink. Every
/// method may block for as long as a disk needs.
pub trait Source: Send + Sync + 'static {
    /// What the file is now.
    fn identity(&self) -> io::Result<Identity>;
    /// Reads at an offset as `pread` does; 0 is the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Reads what is in memory already: less than asked for, or an error, where a disk would have to
    /// be waited for, or that cannot be told.
    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Maps a part of the file with all its pages present.
    fn map(&self, offset: u64, len: usize) -> io::Result<Mapped>;
    /// Says which part will be wanted soon; nothing depends on it.
    fn ahead(&self, offset: u64, len: u64);
}

impl Source for File {
    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::of(&self.metadata()?))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let slices = &mut [IoSliceMut::new(buffer)];
        Ok(preadv2(self, slices, offset, ReadWriteFlags::NOWAIT)?)
    }

    fn map(&self, offset: u64, len: usize) -> io::Result<Mapped> {
        Mapped::new(self, offset, len)
    }

    fn ahead(&self, offset: u64, len: u64) {
        let _ = fadvise(self, offset, NonZeroU64::new(len), Advice::WillNeed);
    }
}

/// Opens a regular file for reading, and tells what it is.
///
/// Anything else is refused: a FIFO or a device in a music folder could block for ever or act on
/// being read, and only regular files have ranges.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    // Without NONBLOCK, opening a FIFO waits until somebody writes to it.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        let message = format!("{} is not a regular file", path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

/// All bytes of a regular file; `None` where it has more than `most`.
pub fn read_regular(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let (file, metadata) = open_regular(path)?;
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(length.min(most) + 1);
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// Which file this is and which content it has, as far as the file system tells.
///
/// A content that was changed through a writable map, or twice within one tick of the file
/// system's clock, or on a network share that answers from its cache, may look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Length in bytes.
    pub len: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub modified: i128,
    /// Last change of the content or of the inode, in nanoseconds since 1970; unlike `modified`
    /// nobody can set it back.
    pub changed: i128,
    /// Number of the inode.
    pub inode: u64,
    /// Number of the device.
    pub device: u64,
    /// How many names the file has.
    pub links: u64,
}

impl Identity {
    /// The identity that a file's metadata holds.
    pub fn of(metadata: &Metadata) -> Identity {
        let time = |seconds, nanoseconds| {
            i128::from(seconds).saturating_mul(1_000_000_000) + i128::from(nanoseconds)
        };
        Identity {
            len: metadata.len(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
            links: metadata.nlink(),
        }
    }

    /// The strong entity tag, with its quotes.
    ///
    /// It holds the inode's time too, because taggers can keep length and modification time while
    /// they change the content. The device is left out: its number differs after the next start.
    pub fn etag(&self) -> String {
        let Identity { inode, len, modified, changed, .. } = self;
        // Made with each response: room for all of it, so that it need not grow.
        let mut tag = String::with_capacity(64);
        // Writing to a String cannot fail.
        let _ = write!(tag, "\"{inode:x}-{len:x}-{modified:x}-{changed:x}\"");
        tag
    }

    /// The time for `Last-Modified`, in whole seconds; `None` where the file's time cannot be: in
    /// the future, as on a machine that starts without a clock, or before 1970.
    pub fn last_modified(&self, now: SystemTime) -> Option<SystemTime> {
        let seconds = u64::try_from(self.modified.div_euclid(1_000_000_000)).ok()?;
        let modified = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        (modified <= now).then_some(modified)
    }

    /// What the file is to be compared with from now on, if what was seen of it later still means
    /// the same content.
    ///
    /// A file that lost or got a name (deleted, replaced by another, linked) has a new `changed`
    /// with the old content: who has it open may read it to its end.
    fn still(self, seen: Identity) -> Option<Identity> {
        let renamed = seen.links != self.links;
        let expected = Identity {
            changed: if renamed { seen.changed } else { self.changed },
            links: seen.links,
            ..self
        };
        (expected == seen).then_some(seen)
    }
}

/// Asks the file whether it still has the content it had; an error if not, else its identity now.
pub fn verify(source: &dyn Source, identity: Identity) -> io::Result<Identity> {
    identity
        .still(source.identity()?)
        .ok_or_else(|| io::Error::other("the file was changed while it was sent"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::io::Write;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        for path in [folder.path(), &fifo, Path::new("/dev/null")] {
            let failure = open_regular(path).unwrap_err();
            assert_eq!(failure.kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
        let missing = open_regular(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn changes_of_the_content_are_seen() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let old = file.identity().unwrap();
        assert!(verify(&file, old).is_ok());
        file.write_at(b"x", 3).unwrap();
        file.set_times(
            std::fs::FileTimes::new().set_modified(
                UNIX_EPOCH + Duration::from_nanos(u64::try_from(old.modified).unwrap()),
            ),
        )
        .unwrap();
        let new = file.identity().unwrap();
        assert_eq!(new.modified, old.modified);
        assert_ne!(new.etag(), old.etag());
        assert!(verify(&file, old).is_err());
        file.set_len(5).unwrap();
        assert!(verify(&file, new).is_err());
    }

    #[test]
    fn what_is_in_memory_is_read_and_nothing_past_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut buffer = [0; 6];
        // Not every file system can tell.
        if let Ok(count) = file.read_at_hand(&mut buffer, 2) {
            assert_eq!(buffer.get(..count).unwrap(), b"234567".get(..count).unwrap());
            assert!(file.read_at_hand(&mut buffer, 7).unwrap() <= 3);
            assert_eq!(file.read_at_hand(&mut buffer, 10).unwrap(), 0);
        }
    }

    #[test]
    fn a_deleted_file_keeps_its_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (open, _) = open_regular(file.path()).unwrap();
        let old = open.identity().unwrap();
        file.close().unwrap();
        let now = verify(&open, old).unwrap();
        assert_eq!((now.links, verify(&open, now).unwrap()), (0, now));
    }

    #[test]
    fn times_that_cannot_be_are_not_told() {
        let second = Duration::from_secs(1);
        let now = UNIX_EPOCH + 100 * second;
        let told = |modified| {
            let identity = Identity { len: 1, modified, changed: 0, inode: 1, device: 1, links: 1 };
            identity.last_modified(now)
        };
        assert_eq!(told(99_999_999_999), Some(UNIX_EPOCH + 99 * second));
        assert_eq!(told(100_000_000_000), Some(now));
        for modified in [101_000_000_000, -1, i128::MAX, i128::MIN] {
            assert_eq!(told(modified), None);
        }
    }
}
