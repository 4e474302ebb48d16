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
/// If it is one, it may be one that was being written when the power went.
///
/// # Errors
/// The file cannot be read.
pub fn lost_transactions(log: &Path) -> io::Result<u64> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    count(BufReader::with_capacity(1 << 16, file))
}

fn count(mut log: impl Read) -> io::Result<u64> {
    let mut header = [0; HEADER];
    if fill(&mut log, &mut header)? < HEADER {
        return Ok(0);
    }
    let big = word(&header, 0) & 1 == 1;
    let mut sums = (0, 0);
    add(&mut sums, header.get(..24).unwrap_or_default(), big);
    let mut salts = (word(&header, 16), word(&header, 20));
    let sound = sound_page(&header);
    // With a header that cannot be believed, frames tell their own generation.
    let (page, mut intact) = (sound.unwrap_or(PAGE), sound.is_some());
    let mut first = true;
    let (mut lost, mut garbled) = (0_u64, false);
    let mut frame = vec![0; FRAME_HEADER + page];
    while fill(&mut log, &mut frame)? == frame.len() {
        let own = (word(&frame, 8), word(&frame, 12));
        if first && sound.is_none() {
            salts = own;
        }
        first = false;
        let kind = Frame::of(own, salts);
        garbled |= kind == Frame::Garbled;
        intact &= own == salts;
        if intact {
            add(&mut sums, frame.get(..8).unwrap_or_default(), big);
            add(&mut sums, frame.get(FRAME_HEADER..).unwrap_or_default(), big);
            intact = sums == (word(&frame, 16), word(&frame, 20));
        }
        if !intact && kind == Frame::Ours && word(&frame, 4) != 0 {
            lost += 1;
        }
    }
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
    let (page, salts) = frames(log, |number, kind, frame| {
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
    frames(log, |number, kind, frame| {
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

/// Goes through the frames of a log, numbered from 1; tells the size of a page and the salts of the
/// last round.
fn frames(
    log: &Path,
    mut then: impl FnMut(usize, Frame, &[u8]) -> io::Result<()>,
) -> io::Result<(usize, (u32, u32))> {
    let mut log = BufReader::with_capacity(1 << 16, File::open(log)?);
    let mut header = [0; HEADER];
    fill(&mut log, &mut header)?;
    // Where the header is damaged, the first frame tells which round it is.
    let sound = sound_page(&header);
    let page = sound.unwrap_or(PAGE);
    let mut salts = sound.map(|_| (word(&header, 16), word(&header, 20)));
    let mut frame = vec![0; FRAME_HEADER + page];
    let mut number = 0;
    while fill(&mut log, &mut frame)? == frame.len() {
        let own = (word(&frame, 8), word(&frame, 12));
        let salts = *salts.get_or_insert(own);
        number += 1;
        then(number, Frame::of(own, salts), &frame)?;
    }
    Ok((page, salts.unwrap_or_default()))
}

/// The size of the pages in a log with this header; `None` where the header is damaged.
fn sound_page(header: &[u8]) -> Option<usize> {
    let magic = word(header, 0);
    let mut sums = (0, 0);
    add(&mut sums, header.get(..24).unwrap_or_default(), magic & 1 == 1);
    let page = usize::try_from(word(header, 8)).unwrap_or(0);
    let is_sound = magic & !1 == MAGIC
        && sums == (word(header, 24), word(header, 28))
        && page.is_power_of_two()
        && (512..=1 << 16).contains(&page);
    is_sound.then_some(page)
}

/// Reads until the buffer is full or the file ends; gives how much that is.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match from.read(free)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
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
        assert_eq!(count(log().as_slice()).unwrap(), 0);
        assert_eq!(count(&b""[..]).unwrap(), 0);
        assert_eq!(count(&[0; 31][..]).unwrap(), 0);
        assert_eq!(lost_transactions(Path::new("/no/such/file")).unwrap(), 0);
    }

    #[test]
    fn a_torn_end_is_one_transaction_or_none() {
        let log = log();
        let mut torn = log.clone();
        torn[HEADER + 10 * (FRAME_HEADER + 4096) - 1] ^= 1;
        assert_eq!(count(torn.as_slice()).unwrap(), 1);
        assert_eq!(count(&log[..HEADER + 5 * (FRAME_HEADER + 4096) - 7]).unwrap(), 0);
    }

    #[test]
    fn damage_in_the_midst_shows() {
        let mut torn = log();
        torn[HEADER + 2 * (FRAME_HEADER + 4096) + 100] ^= 1;
        assert!(count(torn.as_slice()).unwrap() >= 7);
        let mut torn = log();
        torn[20] ^= 1;
        assert!(count(torn.as_slice()).unwrap() >= 9);
        let mut torn = log();
        torn[HEADER + 9 * (FRAME_HEADER + 4096) + 13] ^= 1;
        assert_eq!(count(torn.as_slice()).unwrap(), 1);
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
            assert!(lost_transactions(&path("torn")).unwrap() > 0);
            assert!(mend(&path("torn"), &path("other-wal")).unwrap());
            assert_eq!(lost_transactions(&path("other-wal")).unwrap(), 0);
            let other = Connection::open(path("other")).unwrap();
            let count: i64 =
                other.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(count, 10, "{at}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let _ = count(bytes.as_slice());
        }
    }
}
