//! Which bytes of a file a request wants: ranges and preconditions of RFC 9110, sections 13 and 14.

use std::ops::Range;
use std::time::SystemTime;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::Method;

/// The most ranges one request may name; with more, the whole file is the answer, so that a
/// short request cannot make us assemble a long list of parts.
pub const MOST_RANGES: usize = 16;

/// What requests are compared with: the file as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// Length in bytes.
    pub len: u64,
    /// The strong entity tag with its quotes.
    pub etag: &'a str,
    /// Time of the last change in whole seconds; `None` where it is not known for sure.
    pub modified: Option<SystemTime>,
}

/// How a request is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200 with every byte.
    Whole,
    /// 206 with one range; it is not empty and within the file.
    Part(Range<u64>),
    /// 206 with two or more ranges as `multipart/byteranges`, in the order of the request.
    ///
    /// They may overlap, but together they are never longer than the file.
    Parts(Vec<Range<u64>>),
    /// 304: the client has what it asks for.
    NotModified,
    /// 412: the file is not the one the client means.
    PreconditionFailed,
    /// 416: no range lies within the file.
    Unsatisfiable,
}

/// The answer to a request for a file, in the order of evaluation of RFC 9110 13.2.2.
///
/// Only GET and HEAD have ranges and preconditions; a HEAD with a range gets the header of the
/// 206, as from the servers that clients were tried with. A POST is a form of the API and always
/// wants the whole file.
pub fn answer(method: &Method, headers: &HeaderMap, file: &Validators<'_>) -> Answer {
    if method != Method::GET && method != Method::HEAD {
        return Answer::Whole;
    }
    if !is_the_one_meant(headers, file) {
        return Answer::PreconditionFailed;
    }
    if is_known_already(headers, file) {
        return Answer::NotModified;
    }
    if !range_still_applies(headers, file) {
        return Answer::Whole;
    }
    match only(headers, header::RANGE).and_then(|value| ranges(value, file.len)) {
        None => Answer::Whole,
        Some(ranges) => match ranges.as_slice() {
            [] => Answer::Unsatisfiable,
            [range] => Answer::Part(range.clone()),
            _ => Answer::Parts(ranges),
        },
    }
}

/// `If-Match`, else `If-Unmodified-Since`.
fn is_the_one_meant(headers: &HeaderMap, file: &Validators<'_>) -> bool {
    if headers.contains_key(header::IF_MATCH) {
        return lists(headers, header::IF_MATCH, |tag| !tag.weak && tag.is(file.etag));
    }
    match (date(headers, header::IF_UNMODIFIED_SINCE), file.modified) {
        (Some(date), Some(modified)) => modified <= date,
        _ => true,
    }
}

/// `If-None-Match`, else `If-Modified-Since`.
fn is_known_already(headers: &HeaderMap, file: &Validators<'_>) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return has_copy(headers, file.etag);
    }
    match (date(headers, header::IF_MODIFIED_SINCE), file.modified) {
        (Some(date), Some(modified)) => modified <= date,
        _ => false,
    }
}

/// Whether `If-None-Match` names a tag, given with its quotes: the weak comparison of RFC 9110,
/// 13.1.2.
pub fn has_copy(headers: &HeaderMap, etag: &str) -> bool {
    lists(headers, header::IF_NONE_MATCH, |tag| tag.is(etag))
}

/// `If-Range`: a strong tag or exactly our date, else the client resumes another file than it began.
fn range_still_applies(headers: &HeaderMap, file: &Validators<'_>) -> bool {
    if !headers.contains_key(header::IF_RANGE) {
        return true;
    }
    match only(headers, header::IF_RANGE) {
        Some(value) if value.contains('"') => value == file.etag,
        Some(_) => file.modified.is_some() && date(headers, header::IF_RANGE) == file.modified,
        None => false,
    }
}

/// The value of a field that may stand there once; `None` also where it is not plain ASCII.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    if lines.next().is_some() { None } else { line.to_str().ok() }
}

/// The date in a field; one that is no date counts as absent.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(only(headers, name)?).ok()
}

/// One entity tag of a list.
struct Tag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl Tag<'_> {
    /// Weak comparison with a tag that stands in quotes.
    fn is(&self, etag: &str) -> bool {
        etag.as_bytes().strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""))
            == Some(self.opaque)
    }
}

/// Whether a list of entity tags is `*` or holds one that matches; what follows a syntax error in
/// a line does not count.
fn lists(headers: &HeaderMap, name: HeaderName, matches: impl Fn(&Tag<'_>) -> bool) -> bool {
    headers.get_all(name).iter().any(|line| {
        let mut rest = line.as_bytes();
        if rest.trim_ascii() == b"*" {
            return true;
        }
        while let Some((tag, after)) = next_tag(rest) {
            if matches(&tag) {
                return true;
            }
            rest = after;
        }
        false
    })
}

/// The first tag of a list and what stands after it.
fn next_tag(list: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let start = list.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
    let list = list.get(start..)?;
    let (weak, quoted) = match list.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, list),
    };
    let inner = quoted.strip_prefix(b"\"")?;
    let end = inner.iter().position(|byte| *byte == b'"')?;
    Some((Tag { weak, opaque: inner.get(..end)? }, inner.get(end + 1..)?))
}

/// The ranges of a `Range` field that lie within a file of this length, cut to it; `None` where
/// the field is to be ignored: another unit, a syntax error, more than [`MOST_RANGES`], more bytes
/// together than the file has, or a file without any byte.
fn ranges(value: &str, len: u64) -> Option<Vec<Range<u64>>> {
    let (unit, set) = value.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") || len == 0 {
        return None;
    }
    let (mut named, mut total, mut within) = (0, 0_u64, Vec::new());
    for spec in set.split(',').map(|spec| spec.trim_matches([' ', '\t'])) {
        if spec.is_empty() {
            continue;
        }
        named += 1;
        if named > MOST_RANGES {
            return None;
        }
        let range = one_range(spec, len)?;
        if !range.is_empty() {
            total = total.saturating_add(range.end - range.start);
            within.push(range);
        }
    }
    (named > 0 && total <= len).then_some(within)
}

/// `first-`, `first-last` or `-length`, cut to the file; an empty range where nothing is left of
/// it, `None` for a syntax error.
fn one_range(spec: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(len.saturating_sub(number(last)?)..len);
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    (first <= last).then(|| first.min(len)..last.saturating_add(1).min(len))
}

/// Decimal digits; what does not fit is as good as the largest number.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn ask(fields: &[(HeaderName, &[u8])], len: u64) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let modified = httpdate::parse_http_date("Tue, 02 Jan 2024 03:04:05 GMT").ok();
        answer(&Method::GET, &headers, &Validators { len, etag: "\"a,b\"", modified })
    }

    #[test]
    fn tags_may_hold_commas_and_lists_may_span_lines() {
        let file = |name: HeaderName, lines: &[&str]| {
            let fields: Vec<_> = lines.iter().map(|line| (name.clone(), line.as_bytes())).collect();
            ask(&fields, 10)
        };
        assert_eq!(file(header::IF_NONE_MATCH, &["\"a\", \"b\", W/\"a,b\""]), Answer::NotModified);
        assert_eq!(file(header::IF_NONE_MATCH, &["\"a\"", "\"a,b\""]), Answer::NotModified);
        assert_eq!(file(header::IF_NONE_MATCH, &["a,b"]), Answer::Whole);
        assert_eq!(file(header::IF_NONE_MATCH, &["\"a,b"]), Answer::Whole);
        assert_eq!(file(header::IF_MATCH, &["*"]), Answer::Whole);
        assert_eq!(file(header::IF_MATCH, &["W/\"a,b\""]), Answer::PreconditionFailed);
        assert_eq!(file(header::IF_MATCH, &[""]), Answer::PreconditionFailed);
    }

    #[test]
    fn a_file_without_a_date_ignores_dates() {
        let mut headers = HeaderMap::new();
        let date = HeaderValue::from_static("Tue, 02 Jan 2024 03:04:05 GMT");
        let file = Validators { len: 10, etag: "\"e\"", modified: None };
        headers.insert(header::IF_MODIFIED_SINCE, date.clone());
        assert_eq!(answer(&Method::GET, &headers, &file), Answer::Whole);
        headers.insert(header::IF_UNMODIFIED_SINCE, date.clone());
        assert_eq!(answer(&Method::GET, &headers, &file), Answer::Whole);
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-0"));
        assert_eq!(answer(&Method::GET, &headers, &file), Answer::Part(0..1));
        headers.insert(header::IF_RANGE, date);
        assert_eq!(answer(&Method::GET, &headers, &file), Answer::Whole);
    }

    #[test]
    fn more_bytes_than_the_file_has_are_the_whole_file() {
        assert_eq!(ask(&[(header::RANGE, b"bytes=0-,0-0")], 10), Answer::Whole);
        assert_eq!(ask(&[(header::RANGE, b"bytes=5-,0-4")], 10), Answer::Parts(vec![5..10, 0..5]));
    }

    #[test]
    fn ranges_reach_to_the_end_of_the_largest_file() {
        let last = format!("bytes={}-", u64::MAX - 1);
        assert_eq!(
            ranges(&last, u64::MAX),
            Some(vec![Range { start: u64::MAX - 1, end: u64::MAX }])
        );
        assert_eq!(
            ranges("bytes=-1", u64::MAX),
            Some(vec![Range { start: u64::MAX - 1, end: u64::MAX }])
        );
    }

    /// A range as a client means it.
    #[derive(Clone, Copy, Debug)]
    enum Wish {
        From(u64),
        Between(u64, u64),
        Last(u64),
    }

    impl Wish {
        fn text(self) -> String {
            match self {
                Wish::From(first) => format!("{first}-"),
                Wish::Between(first, last) => format!("{first}-{last}"),
                Wish::Last(count) => format!("-{count}"),
            }
        }

        /// The positions it means, found by trying each.
        fn positions(self, len: u64) -> Vec<u64> {
            let wanted = |position: &u64| match self {
                Wish::From(first) => *position >= first,
                Wish::Between(first, last) => *position >= first && *position <= last,
                Wish::Last(count) => len - *position <= count,
            };
            (0..len).filter(wanted).collect()
        }
    }

    fn wish() -> impl Strategy<Value = Wish> {
        let place = || prop_oneof![9 => 0..70_u64, 1 => Just(u64::MAX)];
        prop_oneof![
            place().prop_map(Wish::From),
            (place(), place()).prop_map(|(one, other)| Wish::Between(one, other)),
            place().prop_map(Wish::Last),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn ranges_are_those_of_a_simple_model(
            len in 0..60_u64,
            wishes in prop::collection::vec(wish(), 1..20),
            unit in select(vec!["bytes", "Bytes", "BYTES"]),
            comma in select(vec![",", ", ", " ,\t", ",,"]),
        ) {
            let texts: Vec<String> = wishes.iter().map(|wish| wish.text()).collect();
            let field = format!("{unit}={}", texts.join(comma));
            let parts: Vec<Vec<u64>> = wishes
                .iter()
                .map(|wish| wish.positions(len))
                .filter(|positions| !positions.is_empty())
                .collect();
            let wrong = wishes.iter().any(|wish| matches!(wish, Wish::Between(a, b) if a > b));
            let total: usize = parts.iter().map(Vec::len).sum();
            let expected = if len == 0 || wrong || wishes.len() > 16 || total as u64 > len {
                vec![(0..len).collect()]
            } else {
                parts
            };
            let given = match ask(&[(header::RANGE, field.as_bytes())], len) {
                Answer::Whole => vec![(0..len).collect::<Vec<u64>>()],
                Answer::Part(range) => vec![range.collect()],
                Answer::Parts(ranges) => ranges.into_iter().map(Iterator::collect).collect(),
                Answer::Unsatisfiable => vec![],
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(given, expected, "{} of {}", field, len);
        }

        #[test]
        fn no_field_makes_it_panic_or_leave_the_file(
            name in select(vec![
                header::RANGE, header::IF_RANGE, header::IF_MATCH, header::IF_NONE_MATCH,
                header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE,
            ]),
            value in "(bytes=)?[-0-9, \"W/*\\t\u{e9}a]{0,40}",
            len in prop_oneof![0..100_u64, Just(u64::MAX)],
        ) {
            let parts = match ask(&[(name, value.as_bytes())], len) {
                Answer::Part(range) => vec![range],
                Answer::Parts(ranges) => ranges,
                _ => vec![],
            };
            for range in parts {
                prop_assert!(range.start < range.end && range.end <= len);
            }
        }
    }
}
