//! Reads the file with words beside a song.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::media::text::decode;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
}
