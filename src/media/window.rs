//! Memory-mapped windows of files: the only file with `unsafe`.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use memmap2::{Advice, Mmap, MmapOptions};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::media::kind;
use crate::media::source::open_regular;

/// Where windows must end: past it a file is read, not mapped.
///
/// On 32-bit machines a map's offset passes through interfaces that were made for 32 bits, and an
/// emulator is known that cuts it off silently; reading has no such weakness.
pub const MAPPED_UP_TO: u64 = if usize::BITS == 32 { 1 << 32 } else { 1 << 63 };

/// How many bytes the self-test compares at each place.
const COMPARED: usize = 64;

/// How many directory entries the self-test looks at to find a song to try.
const TRIED_ENTRIES: usize = 1_000;

/// A part of a file in memory.
///
/// Its slice is there for the kernel alone, as the source of a vectored write to a socket: there a
/// page that is gone is an error (`EFAULT`), while in our own code it would be the end of the
/// process (`SIGBUS`). Nothing may read, copy, compress or encrypt it.
pub struct Mapped(Mmap);

impl Mapped {
    /// Maps a part of a file and brings all its pages into memory, which may wait for the disk.
    ///
    /// Fails where the part is not (wholly) within the file, its bytes cannot be read, or the
    /// kernel or the file system cannot do it; [`cannot_map`] tells these apart.
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Mapped> {
        // SAFETY: the rule that a mapped file must not change cannot be kept, so nothing but the
        // kernel ever looks at these bytes (see the type), and for the kernel they may change.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map(file)? };
        // An error of a page that cannot be had comes from here, and not as a signal.
        map.advise(Advice::PopulateRead)?;
        Ok(Mapped(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Whether an error of [`Mapped::new`] is about maps (no `MADV_POPULATE_READ` before Linux 5.14, a
/// file system without maps, no address space left), so that reading may work, and not about the
/// content.
pub fn cannot_map(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let cause = error.raw_os_error().map(Errno::from_raw_os_error);
    !matches!(cause, Some(Errno::FAULT | Errno::IO | Errno::HWPOISON))
}

/// Tries whether maps show the same bytes as reading, on the first song found in a folder (or on
/// the song that the path is); `true` where there is no song with any content to try.
///
/// A map that fails, shows other bytes, or a kernel that cannot bring its pages in beforehand, is
/// `false`: the files there must be read. A file that cannot be opened or read says nothing.
pub fn maps_work_on(path: &Path) -> bool {
    let mut tries = TRIED_ENTRIES;
    let Some((file, len)) = first_file(path.to_path_buf(), &mut tries) else { return true };
    // The beginning, the end, and the place that the end of a file above 4 GiB is confused with.
    let end = len.saturating_sub(COMPARED as u64);
    [0, end, end & 0xffff_ffff].into_iter().all(|offset| same_bytes(&file, offset).unwrap_or(false))
}

/// The first song with content at or under a path, and its length.
///
/// Only songs, because closing a file of SQLite would end the locks that SQLite holds on it.
fn first_file(path: PathBuf, tries: &mut usize) -> Option<(File, u64)> {
    let mut paths = vec![path];
    while let Some(path) = paths.pop() {
        *tries = tries.checked_sub(1)?;
        // Links are not followed: they may lead in circles, or to another file system.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten().take(*tries);
            paths.extend(entries.map(|entry| entry.path()));
        } else if metadata.is_file() && metadata.len() > 0 && is_song(&path) {
            let Ok((file, _)) = open_regular(&path) else { continue };
            if file.read_at(&mut [0], 0).is_ok() {
                return Some((file, metadata.len()));
            }
        }
    }
    None
}

fn is_song(path: &Path) -> bool {
    path.file_name().is_some_and(|name| kind::of_name(name.as_bytes()).is_some())
}

/// Compares a few bytes of a map with the same bytes read.
fn same_bytes(file: &File, offset: u64) -> io::Result<bool> {
    let mut read = [0; COMPARED];
    let count = file.read_at(&mut read, offset)?;
    let map = Mapped::new(file, offset, count)?;
    // The kernel fetches the mapped bytes for us, since they may be gone by now.
    let mut copy = File::from(memfd_create(c"kinglet-self-test", MemfdFlags::CLOEXEC)?);
    copy.write_all(map.as_ref())?;
    let mut mapped = [0; COMPARED];
    Ok(copy.read_at(&mut mapped, 0)? == count && mapped == read)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn maps_work_on_ordinary_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        assert!(maps_work_on(folder.path()));
        assert!(maps_work_on(&folder.path().join("missing")));
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("short.mp3"), b"abc").unwrap();
        assert!(maps_work_on(folder.path()));
        fs::write(folder.path().join("long.ogg"), vec![1; 100_000]).unwrap();
        assert!(maps_work_on(&folder.path().join("long.ogg")));
    }

    #[test]
    fn offsets_past_four_gibibytes_are_told_apart() {
        let file = tempfile::NamedTempFile::with_suffix(".flac").unwrap();
        let end = (1_u64 << 32) + 8_192;
        file.as_file().write_at(b"here", end - 4).unwrap();
        assert!(maps_work_on(file.path()));
        assert!(same_bytes(file.as_file(), end - 64).unwrap());
    }

    #[test]
    fn some_files_cannot_be_mapped_but_read() {
        let file = File::open("/proc/self/status").unwrap();
        assert!(cannot_map(&Mapped::new(&file, 0, 64).err().unwrap()));
        assert!(!same_bytes(&file, 0).unwrap_or(false));
    }

    #[test]
    fn a_part_past_the_end_is_an_error_and_no_signal() {
        let file = tempfile::tempfile().unwrap();
        file.write_at(&[1; 10_000], 0).unwrap();
        let failure = Mapped::new(&file, 8_192, 65_536).err().unwrap();
        assert!(!cannot_map(&failure), "{failure}");
    }
}
