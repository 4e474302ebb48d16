//! Reads the file with words beside a song.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::tags::text::utf16;

/// Longest file of words that is read, in bytes; longer ones are cut.
const MOST_BYTES: u64 = 256 << 10;

/// The text of the `.lrc` file beside a song; `None` where there is none or nothing in it.
pub fn beside(song: &Path) -> io::Result<Option<String>> {
    for suffix in ["lrc", "LRC"] {
        let path = song.with_extension(suffix);
        match std::fs::metadata(&path) {
            Ok(found) if found.is_file() => {
                let mut bytes = Vec::new();
                File::open(&path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
                let text = decode(&bytes);
                return Ok((!text.trim().is_empty()).then_some(text));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Text in UTF-8 or UTF-16 with or without a mark in front, else in Latin-1. NUL is left out.
fn decode(bytes: &[u8]) -> String {
    let text = if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        String::from_utf8_lossy(rest).into_owned()
    } else if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        utf16(rest, u16::from_le_bytes)
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        utf16(rest, u16::from_be_bytes)
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            // A letter cut in two at the end is no sign of another encoding.
            Err(error) if error.error_len().is_none() => {
                String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default())
                    .into_owned()
            }
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        }
    };
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_usual_encoding_is_read() {
        for bytes in [
            "é夜".as_bytes(),
            b"\xef\xbb\xbf\xc3\xa9\xe5\xa4\x9c",
            b"\xff\xfe\xe9\x00\x1c\x59",
            b"\xfe\xff\x00\xe9\x59\x1c",
        ] {
            assert_eq!(decode(bytes), "é夜", "{bytes:x?}");
        }
        assert_eq!(decode(b"caf\xe9!"), "café!");
        assert_eq!(decode("ab夜".as_bytes().get(..4).unwrap()), "ab");
    }

    #[test]
    fn a_long_file_is_cut_and_an_empty_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let song = folder.path().join("a.b.mp3");
        assert_eq!(beside(&song).unwrap(), None);
        std::fs::write(folder.path().join("a.b.lrc"), " \n").unwrap();
        assert_eq!(beside(&song).unwrap(), None);
        std::fs::write(folder.path().join("a.b.lrc"), "x".repeat(300 << 10)).unwrap();
        assert_eq!(beside(&song).unwrap().unwrap().len(), 256 << 10);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            prop_assert!(!decode(&bytes).contains('\0'));
        }
    }
}
