//! A page as it is sent: the frame of every document, and the policy that goes with it.

use std::fmt::Write;
use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, VARY};
use sha2::{Digest, Sha256};

use super::words::Words;
use super::{assets, palette};
use crate::http::accepted::compressed;
use crate::http::body::{self, Response};
use crate::media::cover::colours::Colours;

/// The style of all pages. It stands in each, so that a page is painted after one request.
const STYLE: &str = include_str!("assets/share.css");

/// Its source in a policy.
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| source(STYLE));

/// Who may show a page in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Nobody.
    Nowhere,
    /// Every site.
    Everywhere,
}

/// A page to be sent.
#[derive(Clone, Debug)]
pub struct Document {
    /// The HTML.
    pub html: String,
    /// What the browser may do for it: nothing inline but the styles that stand in it, nothing from
    /// elsewhere.
    pub policy: String,
}

/// What a document is made of; all of it is HTML already.
pub struct Parts<'a> {
    /// The language.
    pub words: &'static Words,
    /// Where the page lies below `/share/`: `""`, or `"../"` one folder deeper.
    pub up: &'static str,
    /// The name of the window.
    pub title: &'a str,
    /// What else stands in the head.
    pub head: &'a str,
    /// The attributes of the body, with a space before each.
    pub attributes: &'a str,
    /// The body.
    pub body: &'a str,
    /// The colours of the cover.
    pub colours: Option<Colours>,
    /// Who may show it in a frame.
    pub frames: Frames,
}

/// A whole document.
pub fn document(parts: &Parts) -> Document {
    let palette = palette::css(parts.colours);
    let [light, dark] = palette::grounds(parts.colours);
    let Words { lang, dir, .. } = parts.words;
    let html = format!(
        "<!doctype html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>{}</title>\n{}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"theme-color\" content=\"{light}\" media=\"(prefers-color-scheme: light)\">\n\
         <meta name=\"theme-color\" content=\"{dark}\" media=\"(prefers-color-scheme: dark)\">\n\
         <link rel=\"icon\" href=\"{}{}\" type=\"image/svg+xml\">\n\
         <style>{palette}</style>\n<style>{STYLE}</style>\n</head>\n<body{}>\n{}</body>\n</html>\n",
        parts.title,
        parts.head,
        parts.up,
        assets::url("icon.svg"),
        parts.attributes,
        parts.body
    );
    let frames = match parts.frames {
        Frames::Nowhere => "'none'",
        Frames::Everywhere => "*",
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src {} {}; img-src 'self'; media-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frames}",
        *STYLE_SOURCE,
        source(&palette)
    );
    Document { html, policy }
}

/// The response with a document, for a client that sent these headers.
pub fn respond(status: StatusCode, document: Document, headers: &HeaderMap) -> Response {
    let mut response = body::respond(status, "text/html; charset=utf-8", document.html);
    let fields: [(HeaderName, &str); 2] =
        [(CONTENT_SECURITY_POLICY, &document.policy), (VARY, "accept-language")];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    compressed(response, headers)
}

/// The source by which a policy allows one inline style (CSP 3, 2.3.1).
fn source(style: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(style)))
}

/// Bytes in base64 (RFC 4648, 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get((bits >> shift) as usize & 63).filter(|_| at <= three.len());
            text.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    text
}

/// Text as HTML, good between tags and within double or single quotes.
///
/// What HTML forbids in a document (control characters, U+FFFE and U+FFFF) becomes U+FFFD; the line
/// and paragraph separators U+2028 and U+2029 become line breaks.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\n' | '\t' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// A text of a language as HTML, with something that is HTML already in the place of `{name}`.
pub fn filled(text: &str, name: &str, html: &str) -> String {
    escape(text).replace(&format!("{{{name}}}"), html)
}

/// An attribute with a space before it; the value is text.
pub fn attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"{}\"", escape(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn hostile_text_is_only_text() {
        assert_eq!(
            escape("</title><script>alert('1')&\"\0\u{7f}\u{85}\u{ffff}"),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;&quot;\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(escape("a\u{2028}b\u{2029}c\nd\te"), "a\nb\nc\nd\te");
        assert_eq!(escape("naïve 夜 \u{200f}שיר 🎵"), "naïve 夜 \u{200f}שיר 🎵");
    }

    #[test]
    fn the_style_can_stand_in_a_page() {
        assert!(!STYLE.contains("</") && !STYLE.contains("@import") && !STYLE.contains("url("));
    }
}
