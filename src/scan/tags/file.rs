//! A sound file as the readers see it: positioned reads within a window, and an end to them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use symphonia::core::io::MediaSource;

use crate::error::{Error, Result};

/// Opens a file that is known to be a regular one: opening a pipe would wait for its writer, and a
/// device may never end.
pub(super) fn open(path: &Path) -> Result<(Arc<File>, u64)> {
    let failed = |cause| Error::caused(format!("cannot read {}", path.display()), cause);
    let regular = std::fs::metadata(path).map_err(failed)?.is_file();
    let file = if regular { Some(File::open(path).map_err(failed)?) } else { None };
    // Looked at again when it is open, for it may have been replaced in between.
    match file.and_then(|file| {
        file.metadata().ok().filter(|found| found.is_file()).map(|found| (file, found))
    }) {
        Some((file, found)) => Ok((Arc::new(file), found.len())),
        None => Err(Error::new(format!("{} is not a regular file", path.display()))),
    }
}

/// Up to `most` bytes from a position; fewer only where the file ends.
pub(super) fn bytes_at(file: &File, position: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, position.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// How many bytes may still be read; shared with the reader that was given away with a `Source`.
#[derive(Clone)]
pub(super) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// An allowance of so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Allowance(Arc::new(AtomicU64::new(bytes)))
    }

    /// Sets it anew, for the next step of reading.
    pub(super) fn renew(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// The part of a file between its leading and its trailing tags, as a file of its own.
///
/// It cannot be read for ever: once its allowance is used up every read fails. As symphonia
/// allocates what it has read and not what a header promises, this bounds the memory as well.
pub(super) struct Source {
    file: Arc<File>,
    start: u64,
    end: u64,
    position: u64,
    allowance: Allowance,
}

impl Source {
    /// The bytes from `start` to `end` of a file.
    pub(super) fn new(file: Arc<File>, start: u64, end: u64, allowance: Allowance) -> Self {
        Source { file, start, end: end.max(start), position: start, allowance }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let allowed = self.allowance.0.load(Ordering::Relaxed);
        if allowed == 0 {
            return Err(io::Error::other("more had to be read than any sound file needs"));
        }
        let most = usize::try_from(left.min(allowed)).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..most) else { return Ok(0) };
        let count = self.file.read_at(part, self.position)?;
        self.position += count as u64;
        self.allowance.0.store(allowed.saturating_sub(count as u64), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        match wanted.filter(|position| *position >= self.start) {
            Some(position) => {
                self.position = position;
                Ok(position - self.start)
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the start")),
        }
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end - self.start)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_window_knows_nothing_of_its_surroundings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits");
        std::fs::write(&path, b"0123456789").unwrap();
        let (file, length) = open(&path).unwrap();
        assert_eq!(length, 10);
        assert_eq!(bytes_at(&file, 8, 5).unwrap(), b"89");
        let mut source = Source::new(file.clone(), 2, 7, Allowance::new(100));
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");
        assert_eq!(source.seek(SeekFrom::End(-2)).unwrap(), 3);
        assert!(source.seek(SeekFrom::Current(-4)).is_err());
        let mut poor = Source::new(file, 0, 10, Allowance::new(4));
        assert!(poor.read_to_string(&mut text).is_err());
    }

    #[test]
    fn a_folder_and_a_device_are_no_sound_files() {
        for path in ["/", "/dev/zero"] {
            let message = open(Path::new(path)).unwrap_err().to_string();
            assert!(message.contains("not a regular file"), "{message}");
        }
    }
}
