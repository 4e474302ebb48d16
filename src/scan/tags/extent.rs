//! How many bytes of a file are sound, for the bit rate: a picture may be larger than the song.

use std::fs::File;
use std::io;

use super::file::bytes_at;

/// Blocks, boxes or pages looked at in one file.
const MOST_PARTS: usize = 1000;

/// The bytes of sound between two places of a file, as the container tells; `None` where it does
/// not, as in Matroska, and where all of it is sound.
pub(super) fn of(file: &File, start: u64, end: u64) -> io::Result<Option<u64>> {
    let head = bytes_at(file, start, 12)?;
    let found = match head.as_slice() {
        [b'f', b'L', b'a', b'C', ..] => flac(file, start, end)?,
        [b'O', b'g', b'g', b'S', ..] => ogg(file, start, end)?,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4(file, start, end)?,
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// Everything after the metadata blocks.
fn flac(file: &File, start: u64, end: u64) -> io::Result<u64> {
    let mut position = start + 4;
    for _ in 0..MOST_PARTS {
        let head = bytes_at(file, position, 4)?;
        let &[kind, a, b, c] = head.as_slice() else { break };
        position += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & 0x80 != 0 || position >= end {
            break;
        }
    }
    Ok(end.saturating_sub(position))
}

/// Everything after the pages of the headers, which are those at the time 0.
fn ogg(file: &File, start: u64, end: u64) -> io::Result<u64> {
    let mut position = start;
    for _ in 0..MOST_PARTS {
        let page = bytes_at(file, position, 27 + 255)?;
        let (Some(b"OggS"), Some(time)) = (page.get(..4), page.get(6..14)) else { break };
        // A page on which no packet ends has a time of all ones.
        if time.iter().any(|byte| *byte != 0) && time.iter().any(|byte| *byte != 0xff) {
            break;
        }
        let segments = usize::from(page.get(26).copied().unwrap_or(0));
        let body: u64 = page.iter().skip(27).take(segments).map(|length| u64::from(*length)).sum();
        position += 27 + segments as u64 + body;
    }
    Ok(end.saturating_sub(position))
}

/// The `mdat` boxes.
fn mp4(file: &File, start: u64, end: u64) -> io::Result<u64> {
    let (mut position, mut sound) = (start, 0);
    for _ in 0..MOST_PARTS {
        let head = bytes_at(file, position, 16)?;
        let Some((size, rest)) = head.split_first_chunk::<4>() else { break };
        let (size, header) = match (
            u32::from_be_bytes(*size),
            rest.get(4..).and_then(|rest| rest.first_chunk::<8>()),
        ) {
            (0, _) => (end.saturating_sub(position), 8),
            (1, Some(long)) => (u64::from_be_bytes(*long), 16),
            (size, _) => (u64::from(size), 8),
        };
        let next = position.saturating_add(size.max(header)).min(end);
        if rest.starts_with(b"mdat") {
            sound += next.saturating_sub(position.saturating_add(header));
        }
        position = next;
        if position >= end {
            break;
        }
    }
    Ok(sound)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn sound(bytes: &[u8]) -> Option<u64> {
        of(&file_of(bytes), 0, bytes.len() as u64).unwrap()
    }

    #[test]
    fn only_the_sound_is_counted() {
        assert_eq!(sound(b"fLaC\x00\x00\x00\x02ab\x86\x00\x00\x01psound"), Some(5));
        assert_eq!(sound(b"\0\0\0\x0cftypM4A \0\0\0\x0bmdatsnd\0\0\0\x0amoovxx"), Some(3));
        let page = |time: u8, body: &[u8]| {
            let length = u8::try_from(body.len()).unwrap();
            [b"OggS\0\0", &[time, 0, 0, 0, 0, 0, 0, 0][..], &[0; 12], &[1, length], body].concat()
        };
        let last = page(9, b"sound");
        assert_eq!(
            sound(&[page(0, b"head"), page(0, b"tags"), last.clone()].concat()),
            Some(last.len() as u64)
        );
        assert_eq!(sound(b"\xff\xfb anything"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(head in 0..3_usize, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let heads: [&[u8]; 3] = [b"fLaC", b"OggS", b"\0\0\0\x0cftypM4A "];
            let bytes = [heads[head], &body].concat();
            prop_assert!(sound(&bytes).unwrap() <= bytes.len() as u64);
        }
    }
}
