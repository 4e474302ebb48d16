//! Brings the text of a caption into one small markup that harms nobody.

/// The markup of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Tags as SubRip files have them, and `{\an8}`.
    Srt,
    /// Tags and entities of WebVTT.
    Vtt,
    /// Overrides in braces, line breaks as `\N`.
    Ass,
    /// None: every sign is meant.
    Plain,
}

/// Bytes of one caption; nobody can read more at a time.
const MOST_BYTES: usize = 4096;
/// Letters of a tag, or of an override in braces.
const LONGEST_TAG: usize = 200;
/// Tags that are kept.
const KEPT: [&str; 3] = ["i", "b", "u"];
/// Tags that SubRip files have besides, which are left out; all others are meant as text.
const KNOWN: [&str; 6] = ["font", "s", "strike", "c", "span", "br"];

/// The text in the markup of WebVTT with `<i>`, `<b>` and `<u>` alone, without empty lines, and the
/// settings for a caption that is to be at the top.
pub fn clean(text: &str, markup: Markup) -> (String, &'static str) {
    let mut cleaner = Cleaner { text: String::new(), settings: "", drawing: false };
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if cleaner.text.len() >= MOST_BYTES {
            break;
        }
        let after = match (letter, markup) {
            ('<', Markup::Srt | Markup::Vtt) => cleaner.tag(rest, markup),
            ('{', Markup::Srt | Markup::Ass) => cleaner.overrides(rest, markup),
            ('&', Markup::Vtt) => cleaner.entity(rest),
            ('\\', Markup::Ass) => cleaner.escape(rest),
            _ => None,
        };
        rest = after.unwrap_or_else(|| {
            cleaner.letter(letter);
            rest.get(letter.len_utf8()..).unwrap_or_default()
        });
    }
    let lines = cleaner.text.lines().map(str::trim_end).filter(|line| !is_empty(line));
    (lines.collect::<Vec<_>>().join("\n"), cleaner.settings)
}

/// Whether a line shows nothing.
fn is_empty(line: &str) -> bool {
    let mut rest = line;
    while let Some(tag) = rest.find('<') {
        if !rest.get(..tag).unwrap_or_default().trim().is_empty() {
            return false;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        rest = rest.get(end.max(tag + 1)..).unwrap_or_default();
    }
    rest.trim().is_empty()
}

struct Cleaner {
    text: String,
    settings: &'static str,
    /// Whether what follows are the lines of a drawing.
    drawing: bool,
}

impl Cleaner {
    fn letter(&mut self, letter: char) {
        match letter {
            _ if self.drawing => {}
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '\n' => self.text.push('\n'),
            '\t' | '\u{2028}' | '\u{2029}' => self.text.push(' '),
            letter if letter.is_control() => {}
            letter => self.text.push(letter),
        }
    }

    /// What follows a tag; `None` where it is none.
    fn tag<'a>(&mut self, text: &'a str, markup: Markup) -> Option<&'a str> {
        let (inside, rest) = enclosed(text, '<', '>')?;
        let (slash, name) = match inside.strip_prefix('/') {
            Some(name) => ("/", name),
            None => ("", inside),
        };
        let end = name.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = name.get(..end)?.to_ascii_lowercase();
        if KEPT.contains(&name.as_str()) {
            self.text.push_str(&format!("<{slash}{name}>"));
        } else if name == "br" {
            self.text.push('\n');
        } else if markup == Markup::Srt && !KNOWN.contains(&name.as_str()) {
            return None;
        }
        Some(rest)
    }

    /// What follows overrides such as `{\an8\i1}`; `None` where they are none.
    fn overrides<'a>(&mut self, text: &'a str, markup: Markup) -> Option<&'a str> {
        let (inside, rest) = enclosed(text, '{', '}')?;
        if markup == Markup::Srt && !inside.starts_with('\\') {
            return None;
        }
        for part in inside.split('\\').map(str::trim) {
            match part {
                "an7" | "an8" | "an9" | "a5" | "a6" | "a7" => self.settings = "line:0",
                "i1" | "b1" | "u1" => {
                    self.text.push_str(&format!("<{}>", part.trim_end_matches('1')))
                }
                "i0" | "b0" | "u0" => {
                    self.text.push_str(&format!("</{}>", part.trim_end_matches('0')))
                }
                "p0" => self.drawing = false,
                "p1" | "p2" | "p3" | "p4" => self.drawing = true,
                _ => {}
            }
        }
        Some(rest)
    }

    fn escape<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (two, rest) = text.split_at_checked(2)?;
        match two {
            "\\N" | "\\n" => self.letter('\n'),
            "\\h" => self.letter('\u{a0}'),
            _ => return None,
        }
        Some(rest)
    }

    fn entity<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        const NAMED: [(&str, char); 8] = [
            ("amp", '&'),
            ("lt", '<'),
            ("gt", '>'),
            ("nbsp", '\u{a0}'),
            ("lrm", '\u{200e}'),
            ("rlm", '\u{200f}'),
            ("quot", '"'),
            ("apos", '\''),
        ];
        let (name, rest) = enclosed(text, '&', ';')?;
        let letter = match name.strip_prefix('#') {
            Some(number) => {
                let number = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(number.ok()?)?
            }
            None => NAMED.iter().find(|(known, _)| *known == name)?.1,
        };
        self.letter(letter);
        Some(rest)
    }
}

/// What stands between a sign at the start and the next of another, and what follows; `None` where
/// that is far or the first sign comes again before.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let inside = text.strip_prefix(open)?;
    let near = inside.get(..inside.floor_char_boundary(LONGEST_TAG))?;
    let end = near.find([open, close])?;
    let rest = inside.get(end..)?.strip_prefix(close)?;
    Some((inside.get(..end)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn styles_stay_and_all_else_is_text() {
        for (text, wanted) in [
            ("<i>La</i> & <B>la</B>", "<i>La</i> &amp; <b>la</b>"),
            ("I <3 you -> me", "I &lt;3 you -&gt; me"),
            ("<font color=\"#f00\">Red</font>", "Red"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("one\n\n<i> </i>\n two ", "one\n two"),
            ("a {brace} b", "a {brace} b"),
            ("{\\i1}so{\\i0}", "<i>so</i>"),
            ("", ""),
        ] {
            assert_eq!(clean(text, Markup::Srt).0, wanted, "{text}");
        }
        assert_eq!(clean("{\\an8}Up", Markup::Srt), ("Up".to_owned(), "line:0"));
    }

    #[test]
    fn each_markup_has_its_own_signs() {
        let vtt = "<v Ann>Hi <c.loud>you</c> &amp; <00:00:01.000>me &lt;b&gt; &#233; &nope;";
        assert_eq!(clean(vtt, Markup::Vtt).0, "Hi you &amp; me &lt;b&gt; é &amp;nope;");
        let ass = "{\\an8\\fs20}One\\Ntwo\\hthree{\\p1}m 0 0 l 1 1{\\p0}!";
        assert_eq!(clean(ass, Markup::Ass), ("One\ntwo\u{a0}three!".to_owned(), "line:0"));
        assert_eq!(clean("<i>{a}&amp;", Markup::Plain).0, "&lt;i&gt;{a}&amp;amp;");
    }

    proptest! {
        #[test]
        fn nothing_but_three_tags_is_left(
            text in "([<>&{};\\\\/ibpu1NnAa\n-]|.|<i>|</b>|&lt;|\\{\\\\an8\\}){0,60}",
            markup in 0..4_usize,
        ) {
            let markup = [Markup::Srt, Markup::Vtt, Markup::Ass, Markup::Plain][markup];
            let (mut cleaned, settings) = clean(&text, markup);
            prop_assert!(["", "line:0"].contains(&settings));
            prop_assert!(cleaned.lines().all(|line| !line.trim().is_empty()));
            for tag in ["<i>", "</i>", "<b>", "</b>", "<u>", "</u>"] {
                cleaned = cleaned.replace(tag, "");
            }
            prop_assert!(!cleaned.contains(['<', '>']), "{cleaned}");
            prop_assert!(!cleaned.chars().any(|letter| letter.is_control() && letter != '\n'));
            prop_assert!(cleaned.split('&').skip(1).all(|rest| ["amp;", "lt;", "gt;"].iter().any(|name| rest.starts_with(name))));
        }
    }
}
