//! The words of the pages, in the language a visitor asks for.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod ja;

use hyper::header::{ACCEPT_LANGUAGE, HeaderMap};
use serde::Serialize;

use crate::clock::civil;
use crate::http::accepted::accepted;
use crate::numbers::grouped;

/// Every language there is; the first is for those who ask for none of them.
pub const ALL: [&Words; 6] =
    [&en::WORDS, &de::WORDS, &fr::WORDS, &es::WORDS, &ja::WORDS, &ar::WORDS];

/// All texts of one language. `{name}` and its like stand for what is filled in.
#[derive(Debug, Serialize)]
pub struct Words {
    /// The tag of the language (BCP 47).
    pub lang: &'static str,
    /// `ltr` or `rtl`.
    pub dir: &'static str,
    /// Which form of a word a number takes.
    #[serde(skip)]
    pub form: fn(u64) -> Form,
    /// Year, month from 1 and day, in words.
    #[serde(skip)]
    pub day: fn(i64, i64, i64) -> String,
    /// What groups thousands, and the least number that is grouped.
    pub group: (&'static str, u64),

    /// Stands above the name; not who shares, since no name of a user is told.
    pub shared: &'static str,
    /// What the picture shows.
    pub cover_of: &'static str,
    /// The heading of the list.
    pub tracks: &'static str,
    /// How many there are.
    pub count: Forms,
    /// A length of seconds.
    pub seconds: &'static str,
    /// A length of minutes.
    pub minutes: &'static str,
    /// A length of hours and minutes.
    pub hours: &'static str,
    /// When the link ends.
    pub until: &'static str,
    /// The name of a share of several things.
    pub mix: &'static str,
    /// Keeps one track.
    pub download: &'static str,
    /// Keeps everything.
    pub download_all: &'static str,
    /// Opens what is needed less often.
    pub more: &'static str,
    /// The M3U8 file.
    pub open_in_player: &'static str,
    /// The RSS feed.
    pub podcast: &'static str,
    /// The picture of the link.
    pub qr: &'static str,
    /// Hands the link to another program.
    pub share: &'static str,
    /// Stands at a track whose file is not there.
    pub missing: &'static str,
    /// The words of a track.
    pub lyrics_of: &'static str,
    /// The name of the player.
    pub player: &'static str,
    /// The slider of the time.
    pub position: &'static str,
    /// To the track before.
    pub previous: &'static str,
    /// To the track after.
    pub next: &'static str,
    /// Silence.
    pub mute: &'static str,
    /// The slider of the volume.
    pub volume: &'static str,
    /// Opens further controls.
    pub options: &'static str,
    /// How fast.
    pub speed: &'static str,
    /// Stops by itself.
    pub sleep: &'static str,
    /// Does not stop by itself.
    pub off: &'static str,
    /// Stops after so many minutes.
    pub after: Forms,
    /// Stops after this track.
    pub end_of_track: &'static str,
    /// In any order.
    pub shuffle: &'static str,
    /// Whether to begin again.
    pub repeat: &'static str,
    /// All tracks again.
    pub repeat_all: &'static str,
    /// This track again.
    pub repeat_one: &'static str,
    /// A link that begins where the listener is.
    pub link: &'static str,
    /// The words of the track.
    pub lyrics: &'static str,
    /// Closes what lies over the page.
    pub close: &'static str,
    /// The video on the whole screen.
    pub full_screen: &'static str,
    /// The video in a window of its own.
    pub window: &'static str,
    /// Keys that do something.
    pub keys: Keys,
    /// What made the page.
    pub made_with: &'static str,
    /// Leads from the small player to the page.
    pub open_page: &'static str,
    /// The page of a link that never was.
    pub not_found: Notice,
    /// The page of a share that has ended.
    pub ended: Notice,
    /// The page of a share that was played as often as it may be.
    pub used_up: Notice,
    /// On the page of a share of which nothing is left.
    pub nothing: Notice,
    /// The page of a share with a passphrase.
    pub locked: Notice,
    /// The field for the passphrase.
    pub passphrase: &'static str,
    /// Sends it.
    pub unlock: &'static str,
    /// It was another one.
    pub wrong: &'static str,
    /// It was tried too often.
    pub too_many: &'static str,
    /// What the script says.
    pub script: Script,
}

/// A page, or a part of one, that says why there is nothing else.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Notice {
    /// What is the matter.
    pub heading: &'static str,
    /// What to do.
    pub text: &'static str,
}

/// What the keys of the page do, in the order they are listed.
#[derive(Debug, Serialize)]
pub struct Keys {
    /// The heading.
    pub heading: &'static str,
    /// Space and K.
    pub play: &'static str,
    /// The arrows.
    pub arrows: &'static str,
    /// J and L.
    pub jump: &'static str,
    /// P and N.
    pub tracks: &'static str,
    /// M.
    pub mute: &'static str,
    /// The switch.
    pub on: &'static str,
}

/// Handed to the script as JSON.
#[derive(Debug, Serialize)]
pub struct Script {
    /// On the button.
    pub play: &'static str,
    /// On the button while something plays.
    pub pause: &'static str,
    /// Where the slider stands.
    pub at: &'static str,
    /// A track that the browser cannot play.
    pub broken: &'static str,
    /// A track that is not there any more.
    pub missing: &'static str,
    /// The share ended while it was heard.
    pub ended: &'static str,
    /// The server gives no answer of use.
    pub busy: &'static str,
    /// The server cannot be reached.
    pub offline: &'static str,
    /// The link is in the clipboard.
    pub copied: &'static str,
    /// The link stands in a field, to be copied by hand.
    pub copy: &'static str,
    /// What will stop, and when.
    pub sleeping: &'static str,
    /// It stopped by the timer.
    pub asleep: &'static str,
    /// While lyrics are fetched.
    pub loading: &'static str,
    /// Where lyrics could not be fetched.
    pub no_lyrics: &'static str,
}

/// The forms a word takes by number, as in the CLDR; languages fill in those they have, and repeat
/// `other` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 0 in Arabic.
    Zero,
    /// 1 in most languages.
    One,
    /// 2 in Arabic.
    Two,
    /// 3 to 10 in Arabic.
    Few,
    /// 11 to 99 in Arabic, millions in French and Spanish.
    Many,
    /// All else.
    Other,
}

/// A text for each form.
#[derive(Debug, Serialize)]
pub struct Forms {
    /// For [`Form::Zero`].
    pub zero: &'static str,
    /// For [`Form::One`].
    pub one: &'static str,
    /// For [`Form::Two`].
    pub two: &'static str,
    /// For [`Form::Few`].
    pub few: &'static str,
    /// For [`Form::Many`].
    pub many: &'static str,
    /// For [`Form::Other`].
    pub other: &'static str,
}

impl Forms {
    /// The same text, but for one.
    const fn two(one: &'static str, other: &'static str) -> Forms {
        Forms { zero: other, one, two: other, few: other, many: other, other }
    }
}

impl Words {
    /// The language a visitor would rather have than the others.
    pub fn wanted(headers: &HeaderMap) -> &'static Words {
        let mut wanted = accepted(headers, &ACCEPT_LANGUAGE);
        // The order of the list decides between equals.
        wanted.sort_by(|(_, one), (_, other)| other.cmp(one));
        let known = wanted.iter().filter(|(_, weight)| *weight > 0).find_map(|(tag, _)| {
            let language = tag.split(['-', '_']).next().unwrap_or_default();
            ALL.into_iter().find(|words| words.lang.eq_ignore_ascii_case(language))
        });
        known.unwrap_or(&en::WORDS)
    }

    /// A number with the text that fits it.
    pub fn counted(&self, number: u64, forms: &Forms) -> String {
        let text = match (self.form)(number) {
            Form::Zero => forms.zero,
            Form::One => forms.one,
            Form::Two => forms.two,
            Form::Few => forms.few,
            Form::Many => forms.many,
            Form::Other => forms.other,
        };
        text.replace("{n}", &self.number(number))
    }

    /// A whole number, its thousands grouped as the language does it.
    pub fn number(&self, number: u64) -> String {
        let (group, least) = self.group;
        if number < least { number.to_string() } else { grouped(number, group) }
    }

    /// A length of time in words: `47 s`, `52 min`, `1 h 3 min`.
    pub fn length(&self, milliseconds: u64) -> String {
        let (minutes, seconds) =
            (milliseconds.saturating_add(30_000) / 60_000, milliseconds / 1000);
        match (minutes, seconds) {
            (_, 0..60) => self.seconds.replace("{s}", &seconds.to_string()),
            (0..60, _) => self.minutes.replace("{m}", &minutes.to_string()),
            _ => self
                .hours
                .replace("{h}", &self.number(minutes / 60))
                .replace("{m}", &(minutes % 60).to_string()),
        }
    }

    /// The day of a moment in ms since 1970, in UTC.
    pub fn date(&self, milliseconds: i64) -> String {
        let (year, month, day) = civil(milliseconds.div_euclid(86_400_000));
        (self.day)(year, month, day)
    }
}

/// The name of a month, from 1; empty for another number.
fn month_of(names: &[&'static str; 12], month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| names.get(at)).copied().unwrap_or("")
}

/// One and all others: English, German.
fn one_or_other(number: u64) -> Form {
    if number == 1 { Form::One } else { Form::Other }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// Every text by its path.
    fn texts(words: &Words) -> BTreeMap<String, String> {
        fn collect(path: &str, value: Value, into: &mut BTreeMap<String, String>) {
            match value {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        collect(&format!("{path}.{name}"), value, into);
                    }
                }
                Value::String(text) => {
                    into.insert(path.to_owned(), text);
                }
                _ => {}
            }
        }
        let mut texts = BTreeMap::new();
        collect("", serde_json::to_value(words).unwrap(), &mut texts);
        texts
    }

    fn placeholders(text: &str) -> Vec<&str> {
        let mut found: Vec<_> =
            text.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_language_has_every_text() {
        let english = texts(ALL[0]);
        assert!(english.len() > 60, "{}", english.len());
        for words in ALL {
            let texts = texts(words);
            assert_eq!(texts.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
            for (path, text) in &texts {
                assert!(!text.trim().is_empty() && text.trim() == text, "{} {path}", words.lang);
                // "one track" may be said without the number.
                let counts = path.starts_with(".count") || path.starts_with(".after");
                if !counts {
                    let expected = placeholders(&english[path]);
                    assert_eq!(placeholders(text), expected, "{} {path}", words.lang);
                }
                assert!(!text.contains(['<', '>', '&', '"']), "{} {path}", words.lang);
            }
            let own = texts.iter().filter(|(path, text)| english[*path] == **text).count();
            assert!(words.lang == "en" || own < 16, "{} has {own} English texts", words.lang);
        }
    }

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        for (header, lang) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9", "de"),
            ("pt-BR, pt;q=0.9, fr;q=0.8, en;q=0.7", "fr"),
            ("en;q=0.5, ja;q=0.9", "ja"),
            ("es-419", "es"),
            ("AR-eg", "ar"),
            ("de;q=0, en", "en"),
            ("*", "en"),
            ("xx, *;q=0.5", "en"),
            ("fr;q=0.8, de;q=0.8", "fr"),
            ("\u{fffd};;;q=,,=", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(Words::wanted(&headers).lang, lang, "{header}");
        }
        assert_eq!(Words::wanted(&HeaderMap::new()).lang, "en");
    }

    #[test]
    fn numbers_have_their_forms() {
        let said = |lang: &str, number: u64| {
            let words = ALL.into_iter().find(|words| words.lang == lang).unwrap();
            words.counted(number, &words.count)
        };
        for (lang, number, text) in [
            ("en", 0, "0 tracks"),
            ("en", 1, "1 track"),
            ("en", 1_234, "1,234 tracks"),
            ("de", 1, "1 Titel"),
            ("de", 5_000, "5.000 Titel"),
            ("fr", 0, "0 titre"),
            ("fr", 1, "1 titre"),
            ("fr", 2, "2 titres"),
            ("fr", 5_000, "5\u{202f}000 titres"),
            ("es", 1, "1 pista"),
            ("es", 5_000, "5000 pistas"),
            ("es", 12_000, "12.000 pistas"),
            ("ja", 1, "1曲"),
            ("ja", 12, "12曲"),
            ("ar", 0, "لا مقاطع"),
            ("ar", 1, "مقطع واحد"),
            ("ar", 2, "مقطعان"),
            ("ar", 3, "3 مقاطع"),
            ("ar", 10, "10 مقاطع"),
            ("ar", 11, "11 مقطعًا"),
            ("ar", 99, "99 مقطعًا"),
            ("ar", 100, "100 مقطع"),
            ("ar", 103, "103 مقاطع"),
            ("ar", 111, "111 مقطعًا"),
        ] {
            assert_eq!(said(lang, number), text);
        }
    }

    #[test]
    fn days_are_named_in_the_language() {
        assert_eq!(en::WORDS.date(951_782_400_000), "29 February 2000");
        // 1 March 2027 and 24 November 2026.
        let days = [1_803_859_200_000, 1_795_478_400_000];
        let said: Vec<_> =
            ALL.map(|words| days.map(|day| words.date(day))).into_iter().flatten().collect();
        assert_eq!(
            said,
            [
                "1 March 2027",
                "24 November 2026",
                "1. März 2027",
                "24. November 2026",
                "1er mars 2027",
                "24 novembre 2026",
                "1 de marzo de 2027",
                "24 de noviembre de 2026",
                "2027年3月1日",
                "2026年11月24日",
                "1 مارس 2027",
                "24 نوفمبر 2026",
            ]
        );
    }

    #[test]
    fn lengths_read_well() {
        let english = ALL[0];
        assert_eq!(english.length(59_999), "59 s");
        assert_eq!(english.length(60_000), "1 min");
        assert_eq!(english.length(3_569_999), "59 min");
        assert_eq!(english.length(3_570_000), "1 h 0 min");
        assert_eq!(english.length(u64::MAX), "5,124,095,576,030 h 25 min");
        assert_eq!(ALL[4].length(3_780_000), "1時間3分");
    }
}
