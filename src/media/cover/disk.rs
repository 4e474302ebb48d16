//! The scaled covers on the disk: one file a picture and size, the oldest go when they are many.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::Key;

/// Folders the files are spread over by the last digit of their stamp. Each is kept small on its
/// own, so that making room never looks at more than a sixteenth of the files.
const SHELVES: u64 = 16;

/// A file that is read gets the time of now once its own is this old: often enough to know what
/// is in use, and next to no writing for an SD card.
const TOUCHED_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// A half-written file of this age is what a crash left.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// What every JPEG ends with.
pub(super) const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// The folder of scaled covers.
pub(super) struct Disk {
    dir: PathBuf,
    most_on_a_shelf: u64,
    /// Bytes on each shelf; `None` until it was counted.
    shelves: [Mutex<Option<u64>>; SHELVES as usize],
}

impl Disk {
    pub(super) fn new(dir: PathBuf, most_bytes: u64) -> Disk {
        Disk { dir, most_on_a_shelf: most_bytes / SHELVES, shelves: Default::default() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A kept cover. A file that a power cut left without its end counts as not there.
    pub(super) fn read(&self, key: Key) -> Option<Bytes> {
        let mut file = File::open(self.path(key)).ok()?;
        let metadata = file.metadata().ok()?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()? + 1);
        file.read_to_end(&mut bytes).ok()?;
        if !bytes.ends_with(&END_OF_IMAGE) {
            return None;
        }
        let now = SystemTime::now();
        if age(now, metadata.modified()) > TOUCHED_AFTER {
            // Where that fails, the file only goes earlier.
            let _ = file.set_modified(now);
        }
        Some(bytes.into())
    }

    /// Keeps a cover that ends with `END_OF_IMAGE`, and makes room where there are too many.
    ///
    /// The file appears whole under its name or not at all. There is no waiting for the disk: a
    /// cover that a power cut spoils is noticed by its end and made again.
    pub(super) fn keep(&self, key: Key, jpeg: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        let half = path.with_extension("half");
        let written = write(&half, jpeg).and_then(|()| fs::rename(&half, &path));
        if written.is_err() {
            let _ = fs::remove_file(&half);
        }
        written?;
        self.count(key, jpeg.len() as u64)
    }

    /// Adds to the bytes of a shelf, and removes its oldest files where they are too many.
    fn count(&self, key: Key, length: u64) -> io::Result<()> {
        let Some(shelf) = self.shelves.get(shelf(key) as usize) else { return Ok(()) };
        let mut kept = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.map(|kept| kept + length).filter(|sum| *sum <= self.most_on_a_shelf) {
            Some(sum) => *kept = Some(sum),
            None => *kept = Some(self.make_room(key)?),
        }
        Ok(())
    }

    /// Removes files of a shelf, oldest first, but not the one of the key, until a tenth is free;
    /// gives the bytes that stay.
    fn make_room(&self, key: Key) -> io::Result<u64> {
        let now = SystemTime::now();
        let newest = self.path(key);
        let mut files = Vec::new();
        for entry in fs::read_dir(self.shelf(key))? {
            let entry = entry?;
            let Ok(metadata) = entry.metadata() else { continue };
            if !metadata.is_file() {
                continue;
            }
            let path = entry.path();
            let age = age(now, metadata.modified());
            if path.extension().is_some_and(|extension| extension == "half") {
                if age > ABANDONED_AFTER {
                    let _ = fs::remove_file(path);
                }
            } else {
                files.push((age, metadata.len(), path));
            }
        }
        let mut kept = files.iter().map(|(_, length, _)| length).sum::<u64>();
        if kept > self.most_on_a_shelf {
            let wanted = self.most_on_a_shelf / 10 * 9;
            files.sort_unstable_by(|one, other| other.cmp(one));
            for (_, length, path) in files {
                if kept <= wanted {
                    break;
                }
                if path != newest && fs::remove_file(path).is_ok() {
                    kept -= length;
                }
            }
        }
        Ok(kept)
    }

    fn shelf(&self, key: Key) -> PathBuf {
        self.dir.join(format!("{:x}", shelf(key)))
    }

    fn path(&self, key: Key) -> PathBuf {
        self.shelf(key).join(format!("{:016x}-{}.jpg", key.stamp, key.size))
    }
}

/// The shelf of a key, below `SHELVES`.
fn shelf(key: Key) -> u64 {
    key.stamp.cast_unsigned() % SHELVES
}

/// Writes a file, in a folder that is made where it is missing.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = match File::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(path)
        }
        created => created,
    }?;
    file.write_all(bytes)
}

/// How long ago a file was written; a time in the future is no age.
fn age(now: SystemTime, modified: io::Result<SystemTime>) -> Duration {
    modified.ok().and_then(|modified| now.duration_since(modified).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn picture(length: usize) -> Vec<u8> {
        let mut bytes = vec![7; length - 2];
        bytes.extend(END_OF_IMAGE);
        bytes
    }

    fn set_age(disk: &Disk, key: Key, age: Duration) {
        let file = File::options().write(true).open(disk.path(key)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().join("covers"), 1 << 20);
        let key = Key { stamp: -1, size: 300 };
        assert_eq!(disk.read(key), None);
        disk.keep(key, &picture(100)).unwrap();
        assert_eq!(disk.read(key).unwrap(), picture(100));
        assert_eq!(disk.read(Key { size: 301, ..key }), None);
        assert!(dir.path().join("covers/f/ffffffffffffffff-300.jpg").exists());
    }

    #[test]
    fn a_file_without_its_end_counts_as_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 1 << 20);
        let key = Key { stamp: 5, size: 300 };
        disk.keep(key, &picture(100)).unwrap();
        fs::write(disk.path(key), vec![0; 100]).unwrap();
        assert_eq!(disk.read(key), None);
        fs::write(disk.path(key), []).unwrap();
        assert_eq!(disk.read(key), None);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 1000 * SHELVES);
        let key = |size| Key { stamp: 3, size };
        for (size, age) in [(1, 50), (2, 40), (3, 30)] {
            disk.keep(key(size), &picture(300)).unwrap();
            set_age(&disk, key(size), Duration::from_secs(age));
        }
        disk.keep(Key { stamp: 4, size: 1 }, &picture(900)).unwrap();
        disk.keep(key(4), &picture(300)).unwrap();
        let there = |size| disk.read(key(size)).is_some();
        assert_eq!([there(1), there(2), there(3), there(4)], [false, true, true, true]);
        assert!(disk.read(Key { stamp: 4, size: 1 }).is_some());
    }

    #[test]
    fn a_cover_larger_than_the_room_is_kept_until_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 100 * SHELVES);
        let (one, other) = (Key { stamp: 3, size: 1 }, Key { stamp: 3, size: 2 });
        disk.keep(one, &picture(300)).unwrap();
        assert!(disk.read(one).is_some());
        set_age(&disk, one, Duration::from_secs(9));
        disk.keep(other, &picture(300)).unwrap();
        assert!(disk.read(one).is_none() && disk.read(other).is_some());
    }

    #[test]
    fn what_is_in_use_is_young() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 1 << 20);
        let key = Key { stamp: 3, size: 1 };
        disk.keep(key, &picture(10)).unwrap();
        set_age(&disk, key, TOUCHED_AFTER * 2);
        disk.read(key).unwrap();
        let modified = fs::metadata(disk.path(key)).unwrap().modified();
        assert!(age(SystemTime::now(), modified) < TOUCHED_AFTER);
    }

    #[test]
    fn what_a_crash_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 1 << 20);
        let key = Key { stamp: 3, size: 1 };
        let half = disk.shelf(key).join("0000000000000013-9.half");
        write(&half, b"half").unwrap();
        File::options()
            .write(true)
            .open(&half)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        disk.keep(key, &picture(10)).unwrap();
        assert!(!half.exists());
    }

    #[test]
    fn nothing_half_stays_where_writing_fails() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path().to_owned(), 1 << 20);
        let key = Key { stamp: 3, size: 1 };
        // A folder of that name is in the way of the file.
        fs::create_dir_all(disk.path(key).join("x")).unwrap();
        assert!(disk.keep(key, &picture(10)).is_err());
        assert_eq!(fs::read_dir(disk.shelf(key)).unwrap().count(), 1);
    }
}
