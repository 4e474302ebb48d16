//! Languages as containers and file names write them: one tag for each, and a name to show.

/// ISO 639-1, the codes of three letters in ISO 639-2 (for books and for terms), and the name of the
/// language in itself.
const LANGUAGES: [(&str, [&str; 2], &str); 50] = [
    ("af", ["afr", "afr"], "Afrikaans"),
    ("ar", ["ara", "ara"], "العربية"),
    ("bg", ["bul", "bul"], "Български"),
    ("bn", ["ben", "ben"], "বাংলা"),
    ("bs", ["bos", "bos"], "Bosanski"),
    ("ca", ["cat", "cat"], "Català"),
    ("cs", ["cze", "ces"], "Čeština"),
    ("cy", ["wel", "cym"], "Cymraeg"),
    ("da", ["dan", "dan"], "Dansk"),
    ("de", ["ger", "deu"], "Deutsch"),
    ("el", ["gre", "ell"], "Ελληνικά"),
    ("en", ["eng", "eng"], "English"),
    ("es", ["spa", "spa"], "Español"),
    ("et", ["est", "est"], "Eesti"),
    ("eu", ["baq", "eus"], "Euskara"),
    ("fa", ["per", "fas"], "فارسی"),
    ("fi", ["fin", "fin"], "Suomi"),
    ("fr", ["fre", "fra"], "Français"),
    ("ga", ["gle", "gle"], "Gaeilge"),
    ("gl", ["glg", "glg"], "Galego"),
    ("he", ["heb", "heb"], "עברית"),
    ("hi", ["hin", "hin"], "हिन्दी"),
    ("hr", ["hrv", "hrv"], "Hrvatski"),
    ("hu", ["hun", "hun"], "Magyar"),
    ("id", ["ind", "ind"], "Bahasa Indonesia"),
    ("is", ["ice", "isl"], "Íslenska"),
    ("it", ["ita", "ita"], "Italiano"),
    ("ja", ["jpn", "jpn"], "日本語"),
    ("ko", ["kor", "kor"], "한국어"),
    ("lt", ["lit", "lit"], "Lietuvių"),
    ("lv", ["lav", "lav"], "Latviešu"),
    ("mk", ["mac", "mkd"], "Македонски"),
    ("ms", ["may", "msa"], "Bahasa Melayu"),
    ("nb", ["nob", "nob"], "Norsk bokmål"),
    ("nl", ["dut", "nld"], "Nederlands"),
    ("no", ["nor", "nor"], "Norsk"),
    ("pl", ["pol", "pol"], "Polski"),
    ("pt", ["por", "por"], "Português"),
    ("ro", ["rum", "ron"], "Română"),
    ("ru", ["rus", "rus"], "Русский"),
    ("sk", ["slo", "slk"], "Slovenčina"),
    ("sl", ["slv", "slv"], "Slovenščina"),
    ("sq", ["alb", "sqi"], "Shqip"),
    ("sr", ["srp", "srp"], "Српски"),
    ("sv", ["swe", "swe"], "Svenska"),
    ("th", ["tha", "tha"], "ไทย"),
    ("tr", ["tur", "tur"], "Türkçe"),
    ("uk", ["ukr", "ukr"], "Українська"),
    ("vi", ["vie", "vie"], "Tiếng Việt"),
    ("zh", ["chi", "zho"], "中文"),
];

/// Letters of a tag at most: longer ones exist and mean nothing to players.
const LONGEST: usize = 16;

/// The tag (BCP 47) of a language in any of its usual spellings (`ger`, `deu`, `de`, `pt_BR`); empty
/// where the text is no code of a language, or says that it is none (`und`, `zxx`).
pub fn tag(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase().replace('_', "-");
    let (language, rest) = text.split_once('-').unwrap_or((&text, ""));
    let well_formed = (2..=3).contains(&language.len())
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !well_formed || ["und", "zxx", "mis", "mul"].contains(&language) {
        return String::new();
    }
    let known = LANGUAGES.iter().find(|(_, long, _)| long.contains(&language));
    let language = known.map_or(language, |(short, ..)| short);
    let mut tag = language.to_owned();
    for part in rest.split('-').filter(|part| !part.is_empty()) {
        tag.push('-');
        // A country is written in capitals.
        let country = part.len() == 2;
        tag.push_str(&if country { part.to_ascii_uppercase() } else { part.to_owned() });
    }
    tag
}

/// Whether a text is the code of a language that has a name here.
pub fn is_known(text: &str) -> bool {
    let tag = tag(text);
    name(&tag).is_some()
}

/// What a tag of ours is called in its own language, as a menu shows it.
pub fn name(tag: &str) -> Option<&'static str> {
    let language = tag.split('-').next().unwrap_or(tag);
    LANGUAGES.iter().find(|(short, ..)| *short == language).map(|(.., name)| *name)
}

/// What captions or a sound are called in a menu: their language and what else is known of them.
pub fn label(tag: &str, more: &str) -> String {
    let name = match (name(tag), tag.split_once('-')) {
        (Some(name), Some((_, country))) => format!("{name} ({country})"),
        (Some(name), None) => name.to_owned(),
        (None, _) => tag.to_owned(),
    };
    match (name.as_str(), more.trim()) {
        ("", more) => more.to_owned(),
        (_, "") => name,
        // Many files call a track by its language.
        (_, more) if more.to_lowercase().contains(&name.to_lowercase()) => more.to_owned(),
        (_, more) => format!("{name} – {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_language_has_one_tag() {
        for (text, wanted) in [
            ("ger", "de"),
            ("deu", "de"),
            ("DE", "de"),
            ("pt_br", "pt-BR"),
            ("zh-hant", "zh-hant"),
            ("gsw", "gsw"),
            ("und", ""),
            ("english", ""),
            ("forced", ""),
            ("", ""),
            ("e1", ""),
        ] {
            assert_eq!(tag(text), wanted, "{text}");
        }
        assert!(is_known("eng") && is_known("pt-BR") && !is_known("xq") && !is_known("hd"));
    }

    #[test]
    fn a_menu_shows_the_language_and_what_tells_two_of_it_apart() {
        assert_eq!(label("de", ""), "Deutsch");
        assert_eq!(label("de", "forced"), "Deutsch – forced");
        assert_eq!(label("en", "English (SDH)"), "English (SDH)");
        assert_eq!(label("pt-BR", ""), "Português (BR)");
        assert_eq!(label("", "Commentary"), "Commentary");
        assert_eq!((label("gsw", "").as_str(), label("", "").as_str()), ("gsw", ""));
    }

    proptest! {
        #[test]
        fn a_tag_stays_as_it_is(text in ".{0,20}|[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{0,8}){0,3}") {
            let once = tag(&text);
            prop_assert_eq!(tag(&once), once.clone());
            prop_assert!(once.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        }
    }
}
