//! How many bytes of a file are sound, for the bit rate: a picture may be larger than the song.

use std::fs::File;
use std::io;

use super::fields::Layer;
use super::file::bytes_at;

/// Blocks, boxes, pages or chunks looked at in one file.
const MOST_PARTS: usize = 1000;
/// Bytes of text in a CAF file.
const MOST_TEXT_BYTES: u64 = 64 * 1024;

/// The bytes of sound between two places of a file, as the container tells; `None` where it does
/// not, as in Matroska, and where all of it is sound.
pub(super) fn of(file: &File, start: u64, end: u64) -> io::Result<Option<u64>> {
    let head = bytes_at(file, start, 12)?;
    let found = match head.as_slice() {
        [b'f', b'L', b'a', b'C', ..] => flac(file, start, end)?,
        [b'O', b'g', b'g', b'S', ..] => ogg(file, start, end)?,
        [b'c', b'a', b'f', b'f', ..] => caf(file, start, end, &mut Layer::default())?,
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

/// The `data` chunk of a CAF file; the text of its `info` chunk, which symphonia passes over, goes
/// into the layer.
pub(super) fn caf(file: &File, start: u64, end: u64, text: &mut Layer) -> io::Result<u64> {
    let (mut position, mut sound) = (start + 8, 0);
    for _ in 0..MOST_PARTS {
        let head = bytes_at(file, position, 12)?;
        let Some((name, Some(size))) =
            head.split_first_chunk::<4>().map(|(name, rest)| (name, rest.first_chunk::<8>()))
        else {
            break;
        };
        let body = position + 12;
        // A size of -1 is all the rest.
        let stop = body.saturating_add(u64::from_be_bytes(*size)).min(end);
        match name {
            b"data" => sound += stop.saturating_sub(body + 4),
            b"info" => {
                let length = stop.saturating_sub(body).min(MOST_TEXT_BYTES);
                info(&bytes_at(file, body, usize::try_from(length).unwrap_or(0))?, text);
            }
            _ => {}
        }
        position = stop;
        if position >= end {
            break;
        }
    }
    Ok(sound)
}

/// A count, then names and values, each ended by a zero.
fn info(bytes: &[u8], text: &mut Layer) {
    let mut strings =
        bytes.get(4..).unwrap_or_default().split(|byte| *byte == 0).map(String::from_utf8_lossy);
    while let (Some(name), Some(value)) = (strings.next(), strings.next()) {
        let name = match name.to_ascii_lowercase().as_str() {
            "track number" | "track" => "TRACKNUMBER".to_owned(),
            "disc" => "DISCNUMBER".to_owned(),
            "comments" => "COMMENT".to_owned(),
            "recorded date" => "RECORDINGDATE".to_owned(),
            "tempo" => "BPM".to_owned(),
            other => other.to_owned(),
        };
        text.push(&name, &value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
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

    #[test]
    fn the_text_of_a_caf_is_read() {
        let caf = b"caff\0\x01\0\0info\0\0\0\0\0\0\0\x19\0\0\0\x02title\0T\0track number\0data\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0sound";
        let mut text = Layer::default();
        assert_eq!(super::caf(&file_of(caf), 0, caf.len() as u64, &mut text).unwrap(), 5);
        assert_eq!(Fields { layers: vec![text] }.all(&["TITLE"]), ["T"]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(head in 0..4_usize, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let heads: [&[u8]; 4] = [b"fLaC", b"OggS", b"caff\0\x01\0\0", b"\0\0\0\x0cftypM4A "];
            let bytes = [heads[head], &body].concat();
            prop_assert!(sound(&bytes).unwrap() <= bytes.len() as u64);
        }
    }
}
