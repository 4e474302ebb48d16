//! Ids on the wire: a short prefix and a number; the only place that knows the prefixes.

use std::fmt;

use serde::{Serialize, Serializer};

/// Digits of the highest number.
pub const DIGITS: usize = 20;
/// Bytes of the longest id: a prefix and the digits.
pub const LONGEST: usize = 2 + DIGITS;

/// The id of a thing as clients see it: `so7` is song 7.
///
/// The number is the row's id in the database and is never used again for something else. No
/// prefix is `ar-` or `al-`, which an old client strips from ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// A song.
    Song(i64),
    /// An album.
    Album(i64),
    /// An artist.
    Artist(i64),
    /// A folder on the disk.
    Folder(i64),
    /// A playlist.
    Playlist(i64),
    /// A share.
    Share(i64),
    /// An internet radio station.
    Radio(i64),
}

impl Id {
    /// Reads an id; `None` where the text is no id of ours.
    pub fn parse(text: &str) -> Option<Id> {
        let (prefix, digits) = text.split_at_checked(2)?;
        let well_formed = (1..=18).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && (!digits.starts_with('0') || digits == "0");
        let number = digits.parse().ok().filter(|_| well_formed)?;
        Some(match prefix {
            "so" => Id::Song(number),
            "al" => Id::Album(number),
            "at" => Id::Artist(number),
            "fo" => Id::Folder(number),
            "pl" => Id::Playlist(number),
            "sh" => Id::Share(number),
            "ra" => Id::Radio(number),
            _ => return None,
        })
    }

    /// Writes the id to the end of a text of at least [`LONGEST`] bytes; says where it begins.
    ///
    /// By hand, since lists hold thousands of ids and formatting would be most of their cost.
    pub fn write_to_end(self, text: &mut [u8]) -> usize {
        let (prefix, number) = self.parts();
        let digits = decimal(number.unsigned_abs(), text);
        let start = text.len().saturating_sub(digits + prefix.len());
        if let Some(place) = text.get_mut(start..start + prefix.len()) {
            place.copy_from_slice(prefix.as_bytes());
        }
        start
    }

    fn parts(self) -> (&'static str, i64) {
        match self {
            Id::Song(number) => ("so", number),
            Id::Album(number) => ("al", number),
            Id::Artist(number) => ("at", number),
            Id::Folder(number) => ("fo", number),
            Id::Playlist(number) => ("pl", number),
            Id::Share(number) => ("sh", number),
            Id::Radio(number) => ("ra", number),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, number) = self.parts();
        write!(f, "{prefix}{number}")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; LONGEST];
        let start = self.write_to_end(&mut text);
        let text = text.get(start..).unwrap_or_default();
        serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

/// Writes a number to the end of a text of at least [`DIGITS`] bytes; says how many digits it has.
pub fn decimal(mut number: u64, text: &mut [u8]) -> usize {
    let mut digits = 0;
    for place in text.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        (number, digits) = (number / 10, digits + 1);
        if number == 0 {
            break;
        }
    }
    digits
}

/// The digit of four bits, in small letters.
pub fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_our_own_spelling_is_an_id() {
        assert_eq!(Id::parse("so7"), Some(Id::Song(7)));
        assert_eq!(Id::parse("fo0"), Some(Id::Folder(0)));
        for text in
            ["", "7", "so", "so-7", "so+7", "so07", "zz7", "so7 ", "é7", "so99999999999999999999"]
        {
            assert_eq!(Id::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(number in 0..=999_999_999_999_999_999_i64, kind in 0..7_usize) {
            let id = [Id::Song, Id::Album, Id::Artist, Id::Folder, Id::Playlist, Id::Share, Id::Radio][kind](number);
            prop_assert_eq!(Id::parse(&id.to_string()), Some(id));
            prop_assert_eq!(serde_json::to_value(id).ok(), Some(id.to_string().into()));
        }

        #[test]
        fn nothing_makes_it_panic(text in ".*") {
            let _ = Id::parse(&text);
        }
    }
}
