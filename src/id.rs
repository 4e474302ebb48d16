//! Ids on the wire: a short prefix and a number; the only place that knows the prefixes.

use std::fmt;

use serde::{Serialize, Serializer};

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
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, number) = match self {
            Id::Song(number) => ("so", number),
            Id::Album(number) => ("al", number),
            Id::Artist(number) => ("at", number),
            Id::Folder(number) => ("fo", number),
            Id::Playlist(number) => ("pl", number),
            Id::Share(number) => ("sh", number),
            Id::Radio(number) => ("ra", number),
        };
        write!(f, "{prefix}{number}")
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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
        }

        #[test]
        fn nothing_makes_it_panic(text in ".*") {
            let _ = Id::parse(&text);
        }
    }
}
