//! Several names in one text: where it is taken apart, and where it is not.

use super::fields::canonical;
use super::genres;

/// Names that hold a slash of their own, in lower case. An ID3v2.3 tag has nothing else to tell
/// them from a list; a name that is missing here is right in every other kind of tag.
const NAMES_WITH_A_SLASH: [&str; 16] = [
    "+/-",
    "30/70",
    "a/t/o/s",
    "ac/dc",
    "am/fm",
    "au/ra",
    "axwell /\\ ingrosso",
    "de/vision",
    "f/i",
    "k/da",
    "love/hate",
    "m/a/r/r/s",
    "u/nam",
    "v/vm",
    "sony/atv",
    "singer/songwriter",
];

/// The parts of a text between slashes, each without spaces around it.
pub(super) fn at_slashes(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let mut names = Vec::new();
    let mut from = 0;
    while from < parts.len() {
        let joined = |to: usize| parts.get(from..to).map(|some| some.join("/").trim().to_owned());
        // The longest run of parts that is one name; names with a slash are short.
        let whole = (from + 2..=parts.len().min(from + 5)).rev().find_map(|to| {
            let name = joined(to)?;
            (NAMES_WITH_A_SLASH.contains(&name.to_lowercase().as_str())
                || genres::is_standard(&name))
            .then_some((name, to))
        });
        let (name, to) = whole.unwrap_or_else(|| (joined(from + 1).unwrap_or_default(), from + 1));
        names.push(name);
        from = to;
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The parts of a text between semicolons that a space follows, as several taggers write lists.
pub(super) fn at_semicolons(text: &str) -> impl Iterator<Item = &str> {
    text.split("; ")
        .map(|part| part.trim().trim_end_matches(';').trim_end())
        .filter(|part| !part.is_empty())
}

/// A person and the instrument or voice in brackets at the end, as in "Name (lead vocals)".
pub(super) fn person_and_part(text: &str) -> (&str, &str) {
    let text = text.trim();
    let inner = text.strip_suffix(')').and_then(|start| start.rsplit_once(" ("));
    match inner {
        Some((name, part)) if !name.trim().is_empty() => (name.trim(), part.trim()),
        _ => (text, ""),
    }
}

/// Whether a text is an id of MusicBrainz: a UUID.
pub(super) fn is_mbid(text: &str) -> bool {
    text.len() == 36
        && canonical(text).len() == 32
        && text.char_indices().all(|(place, letter)| match place {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slash_separates_but_where_a_name_has_one() {
        assert_eq!(at_slashes("A/B / C"), ["A", "B", "C"]);
        assert_eq!(at_slashes("AC/DC"), ["AC/DC"]);
        assert_eq!(at_slashes("Queen/ac/dc/M/A/R/R/S/x"), ["Queen", "ac/dc", "M/A/R/R/S", "x"]);
        assert_eq!(at_slashes("Axwell /\\ Ingrosso"), ["Axwell /\\ Ingrosso"]);
        assert_eq!(at_slashes("Rock/Pop/Funk/Jazz"), ["Rock", "Pop/Funk", "Jazz"]);
        // Taggers write these two as one genre as well, and nothing is lost in taking it as two.
        assert_eq!(at_slashes("R&B/Soul"), ["R&B", "Soul"]);
        assert_eq!(at_slashes("//A/"), ["A"]);
        assert!(at_slashes("").is_empty());
    }

    #[test]
    fn semicolons_separate_only_before_a_space() {
        assert_eq!(at_semicolons("A; B;C; ").collect::<Vec<_>>(), ["A", "B;C"]);
        assert_eq!(at_semicolons(" Anders;Son ").collect::<Vec<_>>(), ["Anders;Son"]);
    }

    #[test]
    fn an_instrument_stands_in_brackets() {
        assert_eq!(person_and_part("Jane (violin)"), ("Jane", "violin"));
        assert_eq!(person_and_part("Jane (the) Doe"), ("Jane (the) Doe", ""));
        assert_eq!(person_and_part(" (violin)"), ("(violin)", ""));
    }

    #[test]
    fn only_a_uuid_is_an_id() {
        assert!(is_mbid("89ad4ac3-39f7-470e-963a-56509c546377"));
        for text in [
            "",
            "89ad4ac339f7470e963a56509c546377",
            "89ad4ac3-39f7-470e-963a-56509c54637g",
            "89ad4ac3-39f7-470e-963a-56509c5463é",
        ] {
            assert!(!is_mbid(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_part_is_blank(text in "[a/; ()DC-]{0,30}") {
            for part in at_slashes(&text) {
                prop_assert!(!part.trim().is_empty());
            }
            prop_assert!(at_semicolons(&text).all(|part| part.trim() == part && !part.is_empty()));
            let _ = person_and_part(&text);
        }
    }
}
