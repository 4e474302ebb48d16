//! Looks whether the write-ahead log of a database lost transactions to damage, and makes it readable again.
//!
//! SQLite reads the log up to the first frame whose checksum is wrong and takes that for its end,
//! which after a power cut it is. Whole transactions behind that frame say that it is not.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IntoInnerError, Read, Write};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first word of a log; its last bit says that checksums are of big-endian words.
const MAGIC: u32 = 0x377f_0682;
/// How many rounds old a frame of a log can be: 65,536 rounds of a thousand pages are 256 GiB that one
/// process wrote.
const MOST_ROUNDS: u32 = 1 << 16;
/// Bytes of a page of our databases.
const PAGE: usize = 4096;
/// The version of its format.
const VERSION: u32 = 3_007_000;

/// Counts the transactions that can no longer be read; 0 for a sound log and for none.
///
/// The index, which is there after a process ended in the middle of its work, tells how far the log
/// goes: what stands behind was being written, and nobody was told that it was. Without it, a single
/// one may be one that was being written when the power went.
///
/// # Errors
/// The log cannot be read.
pub fn lost_transactions(log: &Path, index: &Path) -> io::Result<u64> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    count(file, Index::read(index))
}

fn count(log: impl Read, index: Option<Index>) -> io::Result<u64> {
    let (mut lost, mut garbled, mut intact, mut sums) = (0_u64, false, true, None);
    frames(log, |head, number, kind, frame| {
        let of_now = |index: &Index| head.is_sound && index.salts == head.salts;
        if index.as_ref().filter(|index| of_now(index)).is_some_and(|index| number > index.frames) {
            return Ok(());
        }
        garbled |= kind == Frame::Garbled;
        intact &= head.is_sound && salts_of(frame) == head.salts;
        if intact {
            let sums = sums.get_or_insert(head.sums);
            add(sums, frame.get(..8).unwrap_or_default(), head.big);
            add(sums, frame.get(FRAME_HEADER..).unwrap_or_default(), head.big);
            intact = *sums == (word(frame, 16), word(frame, 20));
        }
        if !intact && kind == Frame::Ours && word(frame, 4) != 0 {
            lost += 1;
        }
        Ok(())
    })?;
    Ok(lost.max(u64::from(garbled)))
}

/// Writes a log with all frames of a damaged one up to its last whole transaction, under checksums
/// that are right. A page that is damaged and was written again later does no harm then; whether
/// one did is seen by looking through the database. Says whether that transaction is known to be the
/// last: false where something stands behind it that cannot be told.
///
/// # Errors
/// A file cannot be read or written.
pub fn mend(log: &Path, to: &Path) -> io::Result<bool> {
    // Once to find the end, and once to copy.
    let (mut last, mut is_end) = (0, true);
    let Head { page, salts, .. } = frames(File::open(log)?, |_, number, kind, frame| {
        if kind == Frame::Ours && word(frame, 4) != 0 {
            (last, is_end) = (number, true);
        }
        is_end &= kind != Frame::Garbled;
        Ok(())
    })?;
    let mut bytes = Vec::new();
    for value in [MAGIC, VERSION, u32::try_from(page).unwrap_or(0), 0, salts.0, salts.1] {
        bytes.extend(value.to_be_bytes());
    }
    let mut sums = (0, 0);
    add(&mut sums, &bytes, false);
    bytes.extend(sums.0.to_be_bytes());
    bytes.extend(sums.1.to_be_bytes());
    let mut file = BufWriter::with_capacity(1 << 16, File::create(to)?);
    file.write_all(&bytes)?;
    frames(File::open(log)?, |_, number, kind, frame| {
        if number > last || kind != Frame::Ours {
            return Ok(());
        }
        let start = frame.get(..8).unwrap_or_default();
        let content = frame.get(FRAME_HEADER..).unwrap_or_default();
        add(&mut sums, start, false);
        add(&mut sums, content, false);
        file.write_all(start)?;
        for value in [salts.0, salts.1, sums.0, sums.1] {
            file.write_all(&value.to_be_bytes())?;
        }
        file.write_all(content)
    })?;
    file.into_inner().map_err(IntoInnerError::into_error)?.sync_all()?;
    Ok(is_end)
}

/// Of which round of its log a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// The last one.
    Ours,
    /// One before: it was not written over yet.
    Before,
    /// Nobody knows.
    Garbled,
}

impl Frame {
    /// By the salts of a frame and of the last round. Those of rounds before differ in both words;
    /// where one is right, the other is damaged. The first word counts the rounds.
    fn of(own: (u32, u32), salts: (u32, u32)) -> Frame {
        if own.0 == salts.0 || own.1 == salts.1 {
            Frame::Ours
        } else if (1..=MOST_ROUNDS).contains(&salts.0.wrapping_sub(own.0)) {
            Frame::Before
        } else {
            Frame::Garbled
        }
    }
}

/// What the index of a log says of it.
struct Index {
    /// Of which round it is.
    salts: (u32, u32),
    /// How many frames of the log belong to transactions that were finished.
    frames: usize,
}

impl Index {
    /// Reads the head of an index, which stands there twice; `None` where there is none, or the two
    /// differ.
    fn read(index: &Path) -> Option<Index> {
        let mut bytes = [0; 2 * Index::HEAD];
        File::open(index).ok()?.read_exact(&mut bytes).ok()?;
        let (one, other) = bytes.split_at(Index::HEAD);
        let is_made = one.get(12) == Some(&1);
        // Numbers stand there as this machine has them, salts as they are in the log.
        let frames = u32::from_ne_bytes(*one.get(16..)?.first_chunk()?);
        let index =
            Index { salts: (word(one, 32), word(one, 36)), frames: frames.try_into().ok()? };
        (one == other && is_made).then_some(index)
    }

    const HEAD: usize = 48;
}

/// How a log begins.
struct Head {
    /// Whether it can be believed.
    is_sound: bool,
    /// Whether checksums are of big-endian words.
    big: bool,
    /// The size of a page.
    page: usize,
    /// The salts of the last round. Where the head is damaged, the first frame tells them.
    salts: (u32, u32),
    /// Its checksum, which those of the frames go on from.
    sums: (u32, u32),
}

impl Head {
    fn of(header: &[u8]) -> Head {
        let (magic, mut sums) = (word(header, 0), (0, 0));
        let big = magic & 1 == 1;
        add(&mut sums, header.get(..24).unwrap_or_default(), big);
        let page = usize::try_from(word(header, 8)).unwrap_or(0);
        let is_sound = magic & !1 == MAGIC
            && sums == (word(header, 24), word(header, 28))
            && page.is_power_of_two()
            && (512..=1 << 16).contains(&page);
        let (page, salts) = match is_sound {
            true => (page, (word(header, 16), word(header, 20))),
            false => (PAGE, (0, 0)),
        };
        Head { is_sound, big, page, salts, sums }
    }
}

/// Goes through the frames of a log, numbered from 1; gives its head.
fn frames(
    log: impl Read,
    mut then: impl FnMut(&Head, usize, Frame, &[u8]) -> io::Result<()>,
) -> io::Result<Head> {
    let mut log = BufReader::with_capacity(1 << 16, log);
    let mut bytes = Vec::new();
    fill(&mut log, &mut bytes, HEADER)?;
    bytes.resize(HEADER, 0);
    let mut head = Head::of(&bytes);
    let mut number = 0;
    while fill(&mut log, &mut bytes, FRAME_HEADER + head.page)? {
        let own = salts_of(&bytes);
        if number == 0 && !head.is_sound {
            head.salts = own;
        }
        number += 1;
        then(&head, number, Frame::of(own, head.salts), &bytes)?;
    }
    Ok(head)
}

fn salts_of(frame: &[u8]) -> (u32, u32) {
    (word(frame, 8), word(frame, 12))
}

/// Reads so many bytes; false where the file ends before.
fn fill(from: &mut impl Read, bytes: &mut Vec<u8>, count: usize) -> io::Result<bool> {
    bytes.clear();
    Ok(from.take(count as u64).read_to_end(bytes)? == count)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied();
    u32::from_be_bytes(word.unwrap_or_default())
}

fn add(sums: &mut (u32, u32), bytes: &[u8], big: bool) {
    let read = if big { u32::from_be_bytes } else { u32::from_le_bytes };
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    for [one, other] in pairs {
        sums.0 = sums.0.wrapping_add(read(*one)).wrapping_add(sums.1);
        sums.1 = sums.1.wrapping_add(read(*other)).wrapping_add(sums.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    /// Of an index that is not there.
    const NONE: &str = "/no/such/file";

    /// A log of ten transactions of one frame each, after a round before of twenty.
    fn log() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let db = Connection::open(&file).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (a); PRAGMA wal_autocheckpoint = 0",
        )
        .unwrap();
        for _ in 0..20 {
            db.execute("INSERT INTO t VALUES (1)", []).unwrap();
        }
        db.execute_batch("PRAGMA wal_checkpoint(RESTART)").ok();
        for _ in 0..10 {
            db.execute("INSERT INTO t VALUES (1)", []).unwrap();
        }
        std::fs::read(folder.path().join("db-wal")).unwrap()
    }

    #[test]
    fn a_sound_log_lost_nothing() {
        assert_eq!(count(log().as_slice(), None).unwrap(), 0);
        assert_eq!(count(&b""[..], None).unwrap(), 0);
        assert_eq!(count(&[0; 31][..], None).unwrap(), 0);
        assert_eq!(lost_transactions(Path::new("/no/such/file"), Path::new(NONE)).unwrap(), 0);
    }

    #[test]
    fn a_torn_end_is_one_transaction_or_none() {
        let log = log();
        let mut torn = log.clone();
        torn[HEADER + 10 * (FRAME_HEADER + 4096) - 1] ^= 1;
        assert_eq!(count(torn.as_slice(), None).unwrap(), 1);
        assert_eq!(count(&log[..HEADER + 5 * (FRAME_HEADER + 4096) - 7], None).unwrap(), 0);
    }

    #[test]
    fn damage_in_the_midst_shows() {
        let mut torn = log();
        torn[HEADER + 2 * (FRAME_HEADER + 4096) + 100] ^= 1;
        assert!(count(torn.as_slice(), None).unwrap() >= 7);
        let mut torn = log();
        torn[20] ^= 1;
        assert!(count(torn.as_slice(), None).unwrap() >= 9);
        let mut torn = log();
        torn[HEADER + 9 * (FRAME_HEADER + 4096) + 13] ^= 1;
        assert_eq!(count(torn.as_slice(), None).unwrap(), 1);
    }

    #[test]
    fn a_mended_log_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let db = Connection::open(path("db")).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (a); PRAGMA wal_autocheckpoint = 0",
        )
        .unwrap();
        for number in 0..10 {
            db.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
        }
        let log = std::fs::read(path("db-wal")).unwrap();
        // The header, the salts of a frame, a page that was written again later.
        for at in
            [20, HEADER + 5 * (FRAME_HEADER + 4096) + 9, HEADER + 4 * (FRAME_HEADER + 4096) + 99]
        {
            let mut torn = log.clone();
            torn[at] ^= 0x10;
            std::fs::copy(path("db"), path("other")).unwrap();
            std::fs::write(path("torn"), torn).unwrap();
            assert!(lost_transactions(&path("torn"), Path::new(NONE)).unwrap() > 0);
            assert!(mend(&path("torn"), &path("other-wal")).unwrap());
            assert_eq!(lost_transactions(&path("other-wal"), Path::new(NONE)).unwrap(), 0);
            let other = Connection::open(path("other")).unwrap();
            let count: i64 =
                other.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(count, 10, "{at}");
        }
    }

    #[test]
    fn what_was_never_finished_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let db = Connection::open(path("db")).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)").unwrap();
        db.execute("INSERT INTO t VALUES (1)", []).unwrap();
        std::fs::copy(path("db-shm"), path("before")).unwrap();
        db.execute("INSERT INTO t VALUES (2)", []).unwrap();
        std::fs::copy(path("db-shm"), path("after")).unwrap();
        let mut log = std::fs::read(path("db-wal")).unwrap();
        *log.last_mut().unwrap() ^= 1;
        std::fs::write(path("torn"), &log).unwrap();
        // The page of a change did not get to the log before the process ended; or it did, and was
        // damaged later.
        assert_eq!(lost_transactions(&path("torn"), &path("before")).unwrap(), 0);
        assert_eq!(lost_transactions(&path("torn"), &path("after")).unwrap(), 1);
        assert_eq!(lost_transactions(&path("torn"), Path::new(NONE)).unwrap(), 1);
        // An index of another round, or one that is damaged itself, says nothing.
        for at in [32, 16, 12] {
            let mut index = std::fs::read(path("before")).unwrap();
            index[at] ^= 1;
            std::fs::write(path("other"), index).unwrap();
            assert_eq!(lost_transactions(&path("torn"), &path("other")).unwrap(), 1, "{at}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let _ = count(bytes.as_slice(), None);
        }
    }
}
