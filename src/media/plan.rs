//! What is to be sent and how it is called on the way.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A file that answers a request.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it is.
    pub path: PathBuf,
    /// Its `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// Its `Content-Disposition`; [`attachment`] makes one.
    pub disposition: Option<String>,
    /// Its `Cache-Control`.
    pub cache: &'static str,
}

/// What may stand plainly in an extended value (`attr-char` of RFC 8187 3.2.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A `Content-Disposition` (RFC 6266) that saves the body under a file name.
///
/// Clients that know only the old spelling get the name with `_` for everything they could take
/// wrongly; a name with a slash cannot lead into another folder.
pub fn attachment(file_name: &str) -> String {
    let safe: String = file_name
        .chars()
        .map(|letter| match letter {
            '"' | '\\' | '/' | '%' => '_',
            ' '..='~' => letter,
            _ => '_',
        })
        .collect();
    let mut value = format!("attachment; filename=\"{safe}\"");
    if safe != file_name {
        let name = file_name.replace(['/', '\\'], "_");
        // Writing to a String cannot fail.
        let _ = write!(value, "; filename*=UTF-8''{}", utf8_percent_encode(&name, PLAIN));
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn plain_names_need_one_spelling() {
        assert_eq!(attachment("01 - Song.mp3"), "attachment; filename=\"01 - Song.mp3\"");
    }

    #[test]
    fn other_names_are_given_twice() {
        assert_eq!(
            attachment("Björk \"live\".mp3"),
            "attachment; filename=\"Bj_rk _live_.mp3\"; filename*=UTF-8''Bj%C3%B6rk%20%22live%22.mp3"
        );
        assert_eq!(
            attachment("AC/DC.mp3"),
            "attachment; filename=\"AC_DC.mp3\"; filename*=UTF-8''AC_DC.mp3"
        );
    }

    proptest! {
        #[test]
        fn every_name_makes_a_header_with_two_quotes(name in "\\PC*|.*") {
            let value = attachment(&name);
            prop_assert!(HeaderValue::from_str(&value).is_ok());
            prop_assert_eq!(value.matches('"').count(), 2);
            prop_assert!(!value.contains('/'));
        }
    }
}
