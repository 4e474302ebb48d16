//! Text for XML 1.0.

use std::fmt::Write;

/// Text between tags or in an attribute; what XML cannot hold in any spelling becomes U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            '\r' => {}
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// Writes an element with text.
pub fn element(out: &mut String, name: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<{name}>{}</{name}>", escape(text));
}

#[cfg(test)]
pub mod tests {
    #![allow(missing_docs)]
    use super::*;

    /// Holds a document against the rules of well-formed XML that what we write could break:
    /// allowed letters, entities, and tags that end in the order they began. Gives all texts.
    #[track_caller]
    pub fn texts(xml: &str) -> Vec<String> {
        for letter in xml.chars() {
            let allowed = matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            assert!(allowed, "{letter:?} is not in XML");
        }
        let (mut open, mut texts, mut rest) = (Vec::new(), Vec::new(), xml.trim_start());
        while let Some(at) = rest.find('<') {
            texts.push(unescape(&rest[..at]));
            let end =
                at + rest[at..].find('>').unwrap_or_else(|| panic!("no end of a tag in {xml}"));
            let tag = &rest[at + 1..end];
            if tag.starts_with('?') {
                assert!(tag.ends_with('?'));
            } else if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{xml}");
            } else {
                let name = tag.split([' ', '/']).next().unwrap_or_default();
                assert!(name.starts_with(|first: char| first.is_ascii_alphabetic()), "{tag}");
                let attributes = tag.matches('"').count();
                assert!(attributes % 2 == 0 && !tag.contains('<'), "{tag}");
                texts.extend(tag.split('"').skip(1).step_by(2).map(unescape));
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
            rest = &rest[end + 1..];
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} in {xml}");
        texts
    }

    #[track_caller]
    fn unescape(text: &str) -> String {
        let mut parts = text.split('&');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, after) =
                part.split_once(';').unwrap_or_else(|| panic!("a bare & in {text}"));
            out.push(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "#39" => '\'',
                other => panic!("unknown entity {other}"),
            });
            out.push_str(after);
        }
        out
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            escape("a<b>&\"'\u{0}\u{1b}\u{85}\u{fffe}\r\n夜🎵"),
            "a&lt;b&gt;&amp;&quot;'\u{fffd}\u{fffd}\u{fffd}\u{fffd}\n夜🎵"
        );
        let mut out = String::new();
        element(&mut out, "title", "A & B");
        assert_eq!(out, "<title>A &amp; B</title>\n");
        assert_eq!(texts(&out), ["", "A & B"]);
    }
}
