//! What a client would rather have: lists with weights (RFC 9110, 12.4.2), and codings of bodies.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, VARY,
};

use super::body::{Body, Response};

/// The most entries of a list that are looked at; no browser sends as many.
const MOST_ENTRIES: usize = 64;

/// A body shorter than this, in bytes, fits into a packet or two and is sent as it is.
const LEAST_COMPRESSED: usize = 1024;

/// The entries of a list and their weights in thousandths, in the order they stand. What is no
/// entry is left out.
pub fn accepted<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<(&'a str, u16)> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let entries = lines.flat_map(|line| line.split(',')).take(MOST_ENTRIES);
    let entry = |entry: &'a str| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let weight =
            parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
        Some((name, weight.map_or(Some(1000), |weight| thousandths(weight.trim()))?))
    };
    entries.filter_map(entry).collect()
}

/// `0.5` as 500; at most three digits behind the point, and at most 1.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || !digits || fraction.len() > 3 {
        return None;
    }
    let thousandths = format!("{whole}{fraction:0<3}").parse().ok()?;
    (thousandths <= 1000).then_some(thousandths)
}

/// How a body may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Plain,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
}

impl Coding {
    /// Its name in `Content-Encoding`; `None` for what is named by the absence of that.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Coding::Plain => None,
            Coding::Gzip => Some("gzip"),
            Coding::Brotli => Some("br"),
        }
    }
}

/// The coding a client would rather have of those that are there, best first; between equals the
/// first. `Plain` where it takes none of them: a body as it is is better than none.
pub fn coding(headers: &HeaderMap, there: &[Coding]) -> Coding {
    let wanted = accepted(headers, &ACCEPT_ENCODING);
    let weight = |coding: Coding| {
        let named = |name: &str| {
            wanted
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, weight)| *weight)
        };
        match coding.name() {
            Some(name) => named(name).or_else(|| named("*")).unwrap_or(0),
            // What is not named stands behind all that is.
            None => named("identity").unwrap_or(1),
        }
    };
    let mut best = (Coding::Plain, weight(Coding::Plain));
    for coding in there.iter().rev() {
        let weight = weight(*coding);
        if weight > 0 && weight >= best.1 {
            best = (*coding, weight);
        }
    }
    best.0
}

/// Bytes as gzip.
pub fn gzip(bytes: &[u8], level: Compression) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A response whose text goes as gzip where the client takes it, at a quick level: brotli saves a
/// tenth more and needs megabytes of memory for each page. The response must be one that no cache
/// tells apart by a strong tag.
pub fn compressed(mut response: Response, headers: &HeaderMap) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    let Body::Full(Some(bytes)) = response.body() else { return response };
    if bytes.len() < LEAST_COMPRESSED || coding(headers, &[Coding::Gzip]) != Coding::Gzip {
        return response;
    }
    // Writing to memory does not fail; if it did, the plain bytes are good too.
    if let Ok(packed) = gzip(bytes, Compression::new(5)) {
        *response.body_mut() = Body::full(Bytes::from(packed));
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::body;
    use hyper::StatusCode;
    use proptest::prelude::*;
    use std::io::Read as _;

    fn headers(accept_encoding: &str) -> HeaderMap {
        [(ACCEPT_ENCODING, accept_encoding.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn weights_are_read_in_thousandths() {
        let headers =
            headers("a, b;q=0.5,c ; Q = 0.25;x=1, ,d;q=1.000, e;q=0, f;q=2, g;q=0.1234, h;q=x");
        assert_eq!(
            accepted(&headers, &ACCEPT_ENCODING),
            [("a", 1000), ("b", 500), ("c", 250), ("d", 1000), ("e", 0)]
        );
        assert!(accepted(&HeaderMap::new(), &ACCEPT_ENCODING).is_empty());
    }

    #[test]
    fn several_lines_are_one_list_and_it_has_an_end() {
        let mut several = headers("a");
        several.append(ACCEPT_ENCODING, "b;q=0.1".parse().unwrap());
        assert_eq!(accepted(&several, &ACCEPT_ENCODING), [("a", 1000), ("b", 100)]);
        assert_eq!(accepted(&headers(&"x,".repeat(900)), &ACCEPT_ENCODING).len(), MOST_ENTRIES);
    }

    #[test]
    fn the_best_coding_that_is_taken_is_sent() {
        use Coding::{Brotli, Gzip, Plain};
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("br;q=1, GZIP;q=0.5", Brotli),
            ("br;q=0.4, gzip;q=0.5", Gzip),
            ("br;q=0, gzip;q=0", Plain),
            ("br;q=0, *", Gzip),
            ("*", Brotli),
            ("*;q=0", Plain),
            ("identity, gzip;q=0.5", Plain),
            ("gzip;q=0.001", Gzip),
            ("identity;q=0.5, br;q=0.5", Brotli),
            ("deflate", Plain),
            ("", Plain),
        ] {
            assert_eq!(coding(&headers(accepted), &[Brotli, Gzip]), expected, "{accepted}");
        }
        assert_eq!(coding(&HeaderMap::new(), &[Brotli, Gzip]), Plain);
        assert_eq!(coding(&headers("br, gzip;q=0.1"), &[Gzip]), Gzip);
    }

    #[test]
    fn text_is_compressed_for_those_who_take_it() {
        let text = "word ".repeat(1000);
        for (accepted, packed) in [("gzip", true), ("br", false), ("gzip;q=0", false)] {
            let response = body::respond(StatusCode::OK, "text/html", text.clone());
            let mut response = compressed(response, &headers(accepted));
            assert_eq!(response.headers()[VARY], "accept-encoding");
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), packed);
            let Body::Full(bytes) = response.body_mut() else { unreachable!() };
            let bytes = bytes.take().unwrap();
            let mut plain = String::new();
            if packed {
                flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut plain).unwrap();
            } else {
                plain = String::from_utf8(bytes.to_vec()).unwrap();
            }
            assert!(plain == text);
        }
        let short = body::respond(StatusCode::OK, "text/html", "short");
        assert!(!compressed(short, &headers("gzip")).headers().contains_key(CONTENT_ENCODING));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "[a-z*;,=q0-9. ]{0,60}") {
            let headers = headers(&text);
            let list = accepted(&headers, &ACCEPT_ENCODING);
            prop_assert!(list.iter().all(|(name, weight)| !name.is_empty() && *weight <= 1000));
            coding(&headers, &[Coding::Brotli, Coding::Gzip]);
        }
    }
}
