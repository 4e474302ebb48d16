//! What every kind of tag is brought into: names and values under one vocabulary.
//!
//! The names are those of Vorbis comments as MusicBrainz Picard writes them, in capitals and with
//! letters and digits only (`ALBUMARTIST`, `MUSICBRAINZALBUMID`), so that `album artist`,
//! `ALBUM_ARTIST` and `TXXX:Album Artist` are one name.

use super::Lyrics;

/// All text kept of one tag, in bytes: a tag with more has its later fields left out.
const MOST_TAG_BYTES: usize = 1024 * 1024;
/// One value, in bytes; it is cut again to what its field may hold.
const MOST_VALUE_BYTES: usize = 64 * 1024;
/// Fields kept of one tag; real ones have fewer than a hundred.
const MOST_FIELDS: usize = 1024;

/// The fields of one tag of a file.
#[derive(Debug, Default)]
pub(super) struct Layer {
    entries: Vec<(String, String)>,
    /// Lyrics, which have a language.
    pub(super) lyrics: Vec<Lyrics>,
    bytes: usize,
}

impl Layer {
    /// Adds a value; one that is there already is left out.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        let name = canonical(name);
        let value = cut(value, MOST_VALUE_BYTES);
        if name.is_empty() || value.is_empty() || !self.room(name.len() + value.len()) {
            return;
        }
        if !self.entries.iter().any(|(known, text)| *known == name && text == value) {
            self.entries.push((name, value.to_owned()));
        }
    }

    /// Adds lyrics.
    pub(super) fn push_lyrics(&mut self, language: &str, text: &str) {
        let text = cut(text, MOST_VALUE_BYTES);
        if !text.trim().is_empty() && self.room(text.len()) {
            self.lyrics.push(Lyrics { language: language.to_owned(), text: text.to_owned() });
        }
    }

    fn room(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.bytes <= MOST_TAG_BYTES && self.entries.len() + self.lyrics.len() < MOST_FIELDS
    }

    /// The values of a name that are not blank.
    fn values(&self, name: &str) -> Vec<&str> {
        let named =
            self.entries.iter().filter(|(known, value)| known == name && !value.trim().is_empty());
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// The tags of a file, the one to believe first.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The tags in their order.
    pub(super) layers: Vec<Layer>,
}

impl Fields {
    /// The values of the first of these names that a tag has a value for, from the first tag that
    /// has one: two tags of one file are never mixed in one field.
    pub(super) fn all(&self, names: &[&str]) -> Vec<&str> {
        for name in names {
            for layer in &self.layers {
                let values = layer.values(name);
                if !values.is_empty() {
                    return values;
                }
            }
        }
        Vec::new()
    }

    /// The first value of `all`.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        self.all(names).into_iter().next()
    }
}

/// A name in the one spelling of our vocabulary.
pub(super) fn canonical(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

/// The longest start of a text that fits into so many bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        for name in ["album artist", "ALBUM_ARTIST", "AlbumArtist", "album-artist"] {
            assert_eq!(canonical(name), "ALBUMARTIST");
        }
        assert_eq!(canonical("椎名"), "");
    }

    #[test]
    fn the_first_tag_with_a_value_gives_all_of_them() {
        let (mut first, mut second) = (Layer::default(), Layer::default());
        first.push("artist", "  ");
        first.push("Title", "T");
        second.push("ARTIST", "A");
        second.push("ARTIST", "A");
        second.push("ARTIST", "B");
        second.push("TITLE", "other");
        let fields = Fields { layers: vec![first, second] };
        assert_eq!(fields.all(&["ARTIST"]), ["A", "B"]);
        assert_eq!(fields.all(&["TITLE"]), ["T"]);
        assert_eq!(fields.first(&["NONE", "TITLE"]), Some("T"));
        assert!(fields.all(&["NONE"]).is_empty());
    }

    #[test]
    fn a_tag_of_a_million_fields_stays_small() {
        let mut layer = Layer::default();
        layer.push("TITLE", &"é".repeat(MOST_VALUE_BYTES));
        assert!(layer.values("TITLE").iter().all(|value| value.len() == MOST_VALUE_BYTES));
        for _ in 0..100 {
            layer.push_lyrics("eng", &"la ".repeat(MOST_VALUE_BYTES));
        }
        assert!(layer.lyrics.len() < 17);
        let mut layer = Layer::default();
        for number in 0..2 * MOST_FIELDS {
            layer.push("COMMENT", &number.to_string());
        }
        assert_eq!(layer.entries.len(), MOST_FIELDS);
    }

    #[test]
    fn a_cut_never_splits_a_letter() {
        assert_eq!(cut("aéb", 2), "a");
        assert_eq!(cut("aéb", 3), "aé");
        assert_eq!(cut("aéb", 99), "aéb");
    }
}
