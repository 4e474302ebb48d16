//! The chunks of CAF files: where the sound is, and the text, which symphonia passes over.

use std::fs::File;
use std::io;

use super::fields::Layer;
use super::file::bytes_at;
use super::riff::Chunks;

/// Chunks looked at in one file.
const MOST_CHUNKS: usize = 1000;
/// Bytes of text.
const MOST_TEXT_BYTES: u64 = 64 * 1024;
/// Bytes before the first chunk, and of the head of each chunk.
const FILE_HEAD: u64 = 8;
const CHUNK_HEAD: usize = 12;
/// A count of edits, before the sound.
const EDITS: u64 = 4;

/// Names of Apple that are another name in our vocabulary.
const NAMES: [(&str, &str); 5] = [
    ("track number", "TRACKNUMBER"),
    ("track", "TRACKNUMBER"),
    ("comments", "COMMENT"),
    ("recorded date", "RECORDINGDATE"),
    ("tempo", "BPM"),
];

/// The chunks from `start` to `end`, `None` where it is no CAF file.
pub(super) fn read(file: &File, start: u64, end: u64) -> io::Result<Option<Chunks>> {
    if bytes_at(file, start, 4)? != b"caff" {
        return Ok(None);
    }
    let mut chunks = Chunks::default();
    let mut position = start + FILE_HEAD;
    for _ in 0..MOST_CHUNKS {
        let head = bytes_at(file, position, CHUNK_HEAD)?;
        let Some((name, size)) = head.split_first_chunk::<4>() else { break };
        let Some(size) = size.first_chunk::<8>() else { break };
        let body = position + CHUNK_HEAD as u64;
        // A size of -1 is all the rest.
        let stop = body.saturating_add(u64::from_be_bytes(*size)).min(end);
        match name {
            b"data" => chunks.sound += stop.saturating_sub(body + EDITS),
            b"info" => {
                let length = stop.saturating_sub(body).min(MOST_TEXT_BYTES);
                let text = bytes_at(file, body, usize::try_from(length).unwrap_or(0))?;
                info(&text, &mut chunks.text);
            }
            _ => {}
        }
        position = stop;
        if position >= end {
            break;
        }
    }
    Ok(Some(chunks))
}

/// A count, then names and values, each ended by a zero.
fn info(bytes: &[u8], text: &mut Layer) {
    let strings = bytes.get(4..).unwrap_or_default();
    let mut strings = strings.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    while let (Some(name), Some(value)) = (strings.next(), strings.next()) {
        let known = NAMES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&name));
        text.push(known.map_or(&*name, |(_, ours)| *ours), &value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
    use proptest::prelude::*;
    use std::io::Write;

    fn read_bytes(bytes: &[u8]) -> Option<Chunks> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file, 0, bytes.len() as u64).unwrap()
    }

    #[test]
    fn text_and_sound_of_a_caf_are_found() {
        let info = b"info\0\0\0\0\0\0\0\x1b\0\0\0\x02title\0T\0Track Number\x003\0";
        let data = b"data\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0sound";
        let chunks = read_bytes(&[b"caff\0\x01\0\0", &info[..], data].concat()).unwrap();
        assert_eq!(chunks.sound, 5);
        let fields = Fields { layers: vec![chunks.text] };
        assert_eq!(fields.all(&["TITLE"]), ["T"]);
        assert_eq!(fields.all(&["TRACKNUMBER"]), ["3"]);
        assert!(read_bytes(b"RIFF").is_none());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [b"caff\0\x01\0\0info\0\0\0\0\0\0\0\x20", &body[..]].concat();
            prop_assert!(read_bytes(&bytes).is_some());
        }
    }
}
