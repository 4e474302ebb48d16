//! Text folded for searching, sorting and telling whether two names are one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest text that is folded, in bytes; no name needs more to be found or sorted.
const MOST_BYTES: usize = 1000;

/// The words of a text for searching: lower case, without accents, each letter of scripts that
/// do not part words (Chinese, Japanese) a word of its own, parted by single spaces.
///
/// What a person types and what a tag holds meet here: "bjork" finds "Björk", "夜想" finds "夜想曲".
pub fn words(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in plain_letters(text) {
        if is_unparted_script(letter) {
            part(&mut folded);
            folded.push(letter);
            folded.push(' ');
        } else if letter.is_alphanumeric() {
            folded.push(letter);
        } else if !matches!(letter, '\'' | '’' | '`') {
            part(&mut folded);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// What a text is sorted by: its words, or the text itself in lower case where it has none.
pub fn sort_key(text: &str) -> String {
    let words = words(text);
    if words.is_empty() { text.trim().to_lowercase() } else { words }
}

/// What makes two spellings one name: case, composition and the number of spaces do not count,
/// accents do.
pub fn name_key(text: &str) -> String {
    let composed: String = cut(text).nfkc().flat_map(char::to_lowercase).collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text without one of these articles in front ("The Beatles" -> "Beatles").
pub fn without_article<'a>(text: &'a str, articles: &[String]) -> &'a str {
    let text = text.trim();
    for article in articles {
        let Some((front, rest)) = text.split_at_checked(article.len()) else { continue };
        let joined = article.ends_with('\'') || article.ends_with('’');
        if front.eq_ignore_ascii_case(article) && (joined || rest.starts_with(' ')) {
            let rest = rest.trim_start();
            if !rest.is_empty() {
                return rest;
            }
        }
    }
    text
}

/// The heading a sort key is listed under in an index of artists: a letter, or `#`.
pub fn index_heading(sort_key: &str) -> String {
    match sort_key.chars().next() {
        Some(letter) if letter.is_alphabetic() && !is_unparted_script(letter) => {
            letter.to_uppercase().collect()
        }
        _ => "#".to_owned(),
    }
}

/// An FTS5 query that finds texts which hold every word, the beginnings of words counting too;
/// `None` where nothing is left to search for.
pub fn query(text: &str) -> Option<String> {
    /// A query of more words is cut: nobody types more, and each one costs time.
    const MOST_WORDS: usize = 12;
    let words = words(text);
    let mut query = String::new();
    for word in words.split(' ').filter(|word| !word.is_empty()).take(MOST_WORDS) {
        if !query.is_empty() {
            query.push(' ');
        }
        // A word holds letters and digits alone, so the quotes cannot be left.
        query.push('"');
        query.push_str(word);
        query.push_str("\"*");
    }
    (!query.is_empty()).then_some(query)
}

/// Letters in lower case without accents.
fn plain_letters(text: &str) -> impl Iterator<Item = char> {
    cut(text)
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(|letter| {
            let plain = match letter {
                'ø' => "o",
                'ł' => "l",
                'đ' | 'ð' => "d",
                'ı' => "i",
                'ß' => "ss",
                'æ' => "ae",
                'œ' => "oe",
                'þ' => "th",
                'ħ' => "h",
                'ŧ' => "t",
                _ => return Letters::One(Some(letter)),
            };
            Letters::Some(plain.chars())
        })
}

enum Letters {
    One(Option<char>),
    Some(std::str::Chars<'static>),
}

impl Iterator for Letters {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Letters::One(letter) => letter.take(),
            Letters::Some(letters) => letters.next(),
        }
    }
}

fn is_unparted_script(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn part(folded: &mut String) {
    if !folded.is_empty() && !folded.ends_with(' ') {
        folded.push(' ');
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_lose_accents_case_and_signs() {
        for (text, folded) in [
            ("Björk Guðmundsdóttir", "bjork gudmundsdottir"),
            ("Für  Elise!", "fur elise"),
            ("Don't Stop", "dont stop"),
            ("AC/DC: Back", "ac dc back"),
            ("椎名林檎と東京", "椎 名 林 檎 と 東 京"),
            ("ABC東京def", "abc 東 京 def"),
            ("Мумий Тролль", "мумии тролль"),
            ("İstanbul", "istanbul"),
            ("ﬁne", "fine"),
            ("...", ""),
        ] {
            assert_eq!(words(text), folded, "{text}");
        }
    }

    #[test]
    fn a_name_of_signs_alone_still_sorts() {
        assert_eq!(sort_key("!!!"), "!!!");
        assert_eq!(sort_key("Ænima"), "aenima");
    }

    #[test]
    fn spellings_of_one_name_meet() {
        assert_eq!(name_key(" The  Beatles "), name_key("the beatles"));
        assert_eq!(name_key("Zoe\u{308}"), name_key("Zoë"));
        assert_ne!(name_key("Bjork"), name_key("Björk"));
    }

    #[test]
    fn articles_are_left_out_but_never_the_whole_name() {
        let articles = ["The".to_owned(), "Los".to_owned(), "L'".to_owned()];
        assert_eq!(without_article("the Beatles", &articles), "Beatles");
        assert_eq!(without_article("Theremin", &articles), "Theremin");
        assert_eq!(without_article("L'Arc", &articles), "Arc");
        assert_eq!(without_article("The", &articles), "The");
        assert_eq!(without_article("The ", &articles), "The");
    }

    #[test]
    fn headings_are_letters_or_a_hash() {
        let headings: Vec<_> =
            ["abba", "мумии", "椎 名", "2 unlimited", ""].map(index_heading).into();
        assert_eq!(headings, ["A", "М", "#", "#", "#"]);
    }

    #[test]
    fn a_query_has_no_grammar_of_its_own() {
        assert_eq!(query("love AND \"*\" OR"), Some("\"love\"* \"and\"* \"or\"*".to_owned()));
        assert_eq!(query("\"\""), None);
        assert_eq!(query("夜想"), Some("\"夜\"* \"想\"*".to_owned()));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_and_never_panics(text in ".*") {
            let once = words(&text);
            prop_assert_eq!(words(&once), once.clone());
            let _ = (sort_key(&text), name_key(&text), query(&text), without_article(&text, &["The".into()]));
        }
    }
}
