//! The chunks of WAV and AIFF files: where the sound and the ID3 tags are, and the text chunks.
//!
//! symphonia reads the `LIST` chunk of a WAV file and forgets it, and passes over `id3 `.

use std::fs::File;
use std::io;

use super::fields::Layer;
use super::file::bytes_at;
use super::text;

/// Chunks looked at in one file.
const MOST_CHUNKS: usize = 1000;
/// Bytes of one text chunk.
const MOST_TEXT_BYTES: u64 = 64 * 1024;

/// The `INFO` entries of WAV and the text chunks of AIFF in our vocabulary. `ISRC` is not there: in
/// WAV it is who supplied the tape.
const NAMES: [([u8; 4], &str); 18] = [
    (*b"INAM", "TITLE"),
    (*b"TITL", "TITLE"),
    (*b"IART", "ARTIST"),
    (*b"IPRD", "ALBUM"),
    (*b"IALB", "ALBUM"),
    (*b"ICRD", "DATE"),
    (*b"YEAR", "DATE"),
    (*b"IGNR", "GENRE"),
    (*b"GENR", "GENRE"),
    (*b"ICMT", "COMMENT"),
    (*b"IPRT", "TRACKNUMBER"),
    (*b"ITRK", "TRACKNUMBER"),
    (*b"TRCK", "TRACKNUMBER"),
    (*b"IMUS", "COMPOSER"),
    (*b"IENG", "ENGINEER"),
    (*b"NAME", "TITLE"),
    (*b"AUTH", "ARTIST"),
    (*b"ANNO", "COMMENT"),
];

/// What the chunks of a file hold.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Text in chunks of its own.
    pub(super) text: Layer,
    /// Start and end of each ID3 tag.
    pub(super) id3: Vec<(u64, u64)>,
    /// Bytes of sound.
    pub(super) sound: u64,
}

/// The chunks from `start` to `end`, `None` where it is neither a WAV nor an AIFF file.
pub(super) fn read(file: &File, start: u64, end: u64) -> io::Result<Option<Chunks>> {
    let number: fn([u8; 4]) -> u32 = match bytes_at(file, start, 12)?.as_slice() {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => u32::from_le_bytes,
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C'] => u32::from_be_bytes,
        _ => return Ok(None),
    };
    let mut chunks = Chunks::default();
    let mut position = start + 12;
    for _ in 0..MOST_CHUNKS {
        let Some((name, size)) = head(&bytes_at(file, position, 8)?, number) else { break };
        let body = position + 8;
        let stop = body.saturating_add(size).min(end);
        match &name {
            b"data" | b"SSND" => chunks.sound += stop.saturating_sub(body),
            b"id3 " | b"ID3 " => chunks.id3.push((body, stop)),
            b"LIST" => {
                let list = bytes_at(file, body, text_length(size))?;
                if let Some(entries) = list.strip_prefix(b"INFO") {
                    info(&mut chunks.text, entries, number);
                }
            }
            name if position_of(name).is_some() => {
                take(&mut chunks.text, name, &bytes_at(file, body, text_length(size))?);
            }
            _ => {}
        }
        // Chunks begin at even places. A size beyond the end leaves no place for another.
        position = body.saturating_add(size).saturating_add(size % 2);
        if position >= end {
            break;
        }
    }
    Ok(Some(chunks))
}

fn text_length(size: u64) -> usize {
    usize::try_from(size.min(MOST_TEXT_BYTES)).unwrap_or(0)
}

fn head(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Option<([u8; 4], u64)> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    Some((*name, u64::from(number(*rest.first_chunk::<4>()?))))
}

fn info(layer: &mut Layer, mut entries: &[u8], number: fn([u8; 4]) -> u32) {
    while let Some((name, size)) = head(entries, number) {
        let Some(body) = entries.get(8..) else { break };
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
        take(layer, &name, body.get(..size).unwrap_or_default());
        entries = body.get(size + size % 2..).unwrap_or_default();
    }
}

fn position_of(name: &[u8; 4]) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours)
}

/// The text has no stated encoding: UTF-8 where it can be, else the letters of Windows.
fn take(layer: &mut Layer, name: &[u8; 4], bytes: &[u8]) {
    let Some(name) = position_of(name) else { return };
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(value) => layer.push(name, value),
        Err(_) => layer.push(name, &text::latin1(bytes)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
    use proptest::prelude::*;
    use std::io::Write;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        [name, &size, body, &b"\0"[..body.len() % 2]].concat()
    }

    fn read_bytes(bytes: &[u8]) -> Option<Chunks> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file, 0, bytes.len() as u64).unwrap()
    }

    #[test]
    fn info_and_id3_of_a_wav_are_found() {
        let info = [
            b"INFO".to_vec(),
            chunk(b"INAM", b"Odd"),
            chunk(b"IART", b"caf\xe9\0"),
            chunk(b"IXXX", b"x"),
        ]
        .concat();
        let bytes = [
            b"RIFF\0\0\0\0WAVE".to_vec(),
            chunk(b"data", b"sound"),
            chunk(b"LIST", &info),
            chunk(b"id3 ", b"ID3"),
        ]
        .concat();
        let chunks = read_bytes(&bytes).unwrap();
        assert_eq!((chunks.sound, chunks.id3.len()), (5, 1));
        let fields = Fields { layers: vec![chunks.text] };
        assert_eq!(fields.all(&["TITLE"]), ["Odd"]);
        assert_eq!(fields.all(&["ARTIST"]), ["café"]);
    }

    #[test]
    fn a_size_beyond_the_end_is_cut() {
        let chunks = read_bytes(b"RIFF\0\0\0\0WAVEdata\xff\xff\xff\xffsound").unwrap();
        assert_eq!(chunks.sound, 5);
        assert!(read_bytes(b"fLaC").is_none());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), aiff: bool) {
            let head: &[u8] = if aiff { b"FORM\0\0\0\0AIFF" } else { b"RIFF\0\0\0\0WAVE" };
            let list = [head, b"LIST\x80\0\0\0INFO", &body].concat();
            prop_assert!(read_bytes(&list).is_some() && read_bytes(&[head, &body].concat()).is_some());
        }
    }
}
