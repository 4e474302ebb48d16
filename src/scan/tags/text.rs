//! Text as ID3 stores it, and text as we keep it.

use std::borrow::Cow;

use super::fields::cut;
pub(super) use crate::media::text::latin1;
use crate::media::text::utf16;

/// The values of a text frame, which zero characters separate.
pub(super) fn list(encoding: u8, bytes: &[u8]) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = bytes;
    let mut encoding = encoding;
    while !rest.is_empty() {
        // The byte order mark may stand at the first value only.
        if let (1, [0xfe, 0xff, ..]) = (encoding, rest) {
            encoding = 2;
        }
        let (value, after) = first(encoding, rest);
        values.push(value);
        rest = after;
    }
    values
}

/// The text up to the first zero character, and the bytes after that.
pub(super) fn first(encoding: u8, bytes: &[u8]) -> (String, &[u8]) {
    let (text, rest) = match encoding {
        1 | 2 => {
            let end = bytes.chunks_exact(2).position(|unit| unit == [0, 0]).map(|unit| 2 * unit);
            (end.and_then(|end| bytes.get(..end)), end.and_then(|end| bytes.get(end + 2..)))
        }
        _ => {
            let end = bytes.iter().position(|byte| *byte == 0);
            (end.and_then(|end| bytes.get(..end)), end.and_then(|end| bytes.get(end + 1..)))
        }
    };
    (decoded(encoding, text.unwrap_or(bytes)), rest.unwrap_or_default())
}

/// All the text, whatever zero characters are in it.
pub(super) fn whole(encoding: u8, bytes: &[u8]) -> String {
    list(encoding, bytes).join("\n")
}

/// 0 is Latin-1, 1 UTF-16 with a byte order mark, 2 UTF-16 in network order, 3 UTF-8.
fn decoded(encoding: u8, bytes: &[u8]) -> String {
    match (encoding, bytes) {
        (1 | 2, [0xff, 0xfe, rest @ ..]) => utf16(rest, u16::from_le_bytes),
        (1 | 2, [0xfe, 0xff, rest @ ..]) | (2, rest) => utf16(rest, u16::from_be_bytes),
        (1, rest) => utf16(rest, u16::from_le_bytes),
        (0, rest) => latin1(rest),
        (_, rest) => String::from_utf8_lossy(rest).into_owned(),
    }
}

/// A text as it is kept: without control characters other than tab and line feed, at most so many
/// bytes, and empty where there is nothing but space.
pub(super) fn kept(text: &str, most: usize) -> String {
    let text = text.trim_end_matches('\0');
    if text.trim().is_empty() {
        return String::new();
    }
    let clean: Cow<'_, str> = if text.contains(unwanted) {
        text.replace("\r\n", "\n").replace(unwanted, " ").into()
    } else {
        text.into()
    };
    cut(&clean, most).to_owned()
}

fn unwanted(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_encoding_is_read() {
        assert_eq!(list(0, b"caf\xe9\0\x93a\x94"), ["café", "“a”"]);
        assert_eq!(list(1, b"\xff\xfea\0\0\0\xff\xfeb\0"), ["a", "b"]);
        assert_eq!(list(1, b"\xfe\xff\0a\0\0\0b"), ["a", "b"]);
        assert_eq!(list(1, b"a\0\0\0b\0"), ["a", "b"]);
        assert_eq!(list(2, b"\0a\0\0\xd8\0"), ["a", "\u{fffd}"]);
        assert_eq!(list(3, "é\0\u{fffd}".as_bytes()), ["é", "\u{fffd}"]);
        assert_eq!(list(9, b"a\xff"), ["a\u{fffd}"]);
    }

    #[test]
    fn a_value_that_ends_in_a_zero_is_one_value() {
        assert_eq!(list(0, b"a\0"), ["a"]);
        assert_eq!(list(1, b"\xff\xfea\0\0\0"), ["a"]);
        assert!(list(3, b"").is_empty());
    }

    #[test]
    fn text_is_kept_with_its_spaces_and_without_controls() {
        assert_eq!(kept("  two  spaces  ", 100), "  two  spaces  ");
        assert_eq!(kept(" \u{3000}\t", 100), "");
        assert_eq!(kept("a\u{1b}[31m\u{85}b\tc\nd\r\ne\0", 100), "a [31m b\tc\nd\ne");
        assert_eq!(kept("ééé", 5), "éé");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(encoding: u8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let encoding = encoding % 5;
            let values = list(encoding, &bytes);
            prop_assert!(values.len() <= bytes.len());
            prop_assert!(kept(&whole(encoding, &bytes), 10).len() <= 10);
        }
    }
}
