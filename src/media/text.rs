//! Text files whose encoding nobody states: lyrics and captions.

/// What a byte from 0x80 to 0x9f is where a program of old Windows wrote "Latin-1"; there are no
/// letters in real Latin-1 there.
const WINDOWS_LETTERS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Text in UTF-8, in UTF-16 with a mark in front, else in Latin-1 with the letters of Windows. The
/// mark and NUL are left out.
pub fn decode(bytes: &[u8]) -> String {
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
            Err(_) => latin1(bytes),
        }
    };
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// UTF-16 in one order of bytes; half a letter is U+FFFD, half a unit at the end is left out.
pub fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    char::decode_utf16(units.iter().map(|pair| unit(*pair)))
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Latin-1, which has every byte, with the letters of Windows.
pub fn latin1(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        0x80..=0x9f => WINDOWS_LETTERS.get(usize::from(byte - 0x80)).copied().unwrap_or(' '),
        byte => char::from(*byte),
    };
    bytes.iter().map(letter).collect()
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
        assert_eq!(decode(b"\x93so\x94"), "“so”");
        assert_eq!(decode("ab夜".as_bytes().get(..4).unwrap()), "ab");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            prop_assert!(!decode(&bytes).contains('\0'));
        }
    }
}
