//! Names of files in an archive: good on every system, and each there once.

use std::collections::HashSet;

/// Most bytes of a part of a name: file systems take 255, and a number may be added to it.
const MOST_BYTES: usize = 160;

/// Names that Windows keeps for devices, with any suffix.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A text as the name of a file or folder without its suffix: without what Windows forbids, what
/// moves letters around, and dots or spaces at its ends; `_` where nothing is left.
pub fn clean(text: &str) -> String {
    let letters = text.chars().filter_map(|letter| match letter {
        '/' | '\\' | '|' | ':' => Some('-'),
        '"' => Some('\''),
        '<' => Some('('),
        '>' => Some(')'),
        '?' | '*' => Some('_'),
        // Marks that turn the direction of writing could hide a suffix.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{fffe}' | '\u{ffff}' => None,
        _ if letter.is_whitespace() => Some(' '),
        _ if letter.is_control() => None,
        _ => Some(letter),
    });
    let mut name = String::new();
    for letter in letters {
        if name.len() + letter.len_utf8() > MOST_BYTES {
            break;
        }
        if !(letter == ' ' && name.ends_with(' ')) {
            name.push(letter);
        }
    }
    let ends: &[char] = &[' ', '.'];
    // A dot at the beginning hides a file.
    let name = name.trim_matches(ends);
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    match name {
        "" => "_".to_owned(),
        _ if DEVICES.contains(&stem.as_str()) => format!("_{name}"),
        _ => name.to_owned(),
    }
}

/// Names that were given, so that none is given twice, also where large and small letters are
/// not told apart.
#[derive(Debug, Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// A name in a folder (empty, or with a slash at its end), with a number where it was given
    /// already; `suffix` begins with its dot.
    pub fn give(&mut self, folder: &str, stem: &str, suffix: &str) -> String {
        let first = format!("{folder}{stem}{suffix}");
        if self.0.insert(first.to_lowercase()) {
            return first;
        }
        for number in 2_u64.. {
            let name = format!("{folder}{stem} ({number}){suffix}");
            if self.0.insert(name.to_lowercase()) {
                return name;
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_lose_what_a_system_forbids() {
        for (text, name) in [
            ("AC/DC: \"Live\" <1>?", "AC-DC- 'Live' (1)_"),
            (" . hidden . ", "hidden"),
            ("...", "_"),
            ("..", "_"),
            ("", "_"),
            ("a\tb\n\nc\0d", "a b cd"),
            ("CON", "_CON"),
            ("com1.flac", "_com1.flac"),
            ("Conan", "Conan"),
            ("夜のうた", "夜のうた"),
            ("gpj.\u{202e}exe", "gpj.exe"),
        ] {
            assert_eq!(clean(text), name, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let mut taken = Taken::default();
        assert_eq!(taken.give("A/", "Song", ".mp3"), "A/Song.mp3");
        assert_eq!(taken.give("A/", "SONG", ".mp3"), "A/SONG (2).mp3");
        assert_eq!(taken.give("A/", "Song", ".mp3"), "A/Song (3).mp3");
        assert_eq!(taken.give("B/", "Song", ".mp3"), "B/Song.mp3");
    }

    proptest! {
        #[test]
        fn every_text_gives_a_name_that_stays_in_its_folder(text in "\\PC{0,300}|[./\\\\:\0-\u{ff}]{0,40}") {
            let name = clean(&text);
            prop_assert!(!name.is_empty() && name.len() <= MOST_BYTES + 1);
            prop_assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']));
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            prop_assert!(!name.chars().any(char::is_control));
            prop_assert_eq!(clean(&name), name);
        }
    }
}
