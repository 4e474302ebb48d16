//! Headers of a request: ranges and conditions, what is accepted, who asks by which name.
//!
//! The first byte chooses a header, the next one how long the file is; the rest is the value.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use hyper::Method;
use hyper::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue};
use kinglet::config::Network;
use kinglet::http::accepted::accepted;
use kinglet::http::client::{Site, origin};
use kinglet::http::range::{Answer, Validators, answer};
use kinglet::http::request::Request;
use kinglet::share::assets;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 15] = [
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "accept-encoding",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "host",
    "content-type",
    "cookie",
    "authorization",
    "accept-language",
];

fuzz_target!(|data: &[u8]| {
    let [name, length, lines @ ..] = data else { return };
    let mut headers = HeaderMap::new();
    for (number, line) in lines.split(|byte| *byte == b'\n').take(4).enumerate() {
        let name = NAMES[(usize::from(*name) + number) % NAMES.len()];
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(HeaderName::from_static(name), value);
    }
    let len = match length {
        255 => u64::MAX,
        length => u64::from(*length) << (length % 32),
    };
    let modified = Some(UNIX_EPOCH + Duration::from_secs(784_111_777));
    let validators = Validators { len, etag: "\"a\"", modified };
    let parts = match answer(&Method::GET, &headers, &validators) {
        Answer::Part(range) => vec![range],
        Answer::Parts(ranges) => ranges,
        _ => Vec::new(),
    };
    assert!(parts.len() <= 16);
    assert!(parts.iter().all(|range| range.start < range.end && range.end <= len));

    let script = assets::url("share.js");
    assert!(assets::serve(script.trim_start_matches("assets/"), &headers).is_some());

    for name in [ACCEPT_LANGUAGE, ACCEPT_ENCODING] {
        let accepted = accepted(&headers, &name);
        assert!(accepted.len() <= 64 && accepted.iter().all(|(_, weight)| *weight <= 1000));
    }

    let mut request = Request::get("/share/x");
    request.headers = headers;
    request.has_form();
    let site = Site { public_url: None, base_path: "/music", https: false };
    let base = origin(&request, site, |_| true).base;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_:[]".contains(&byte);
    assert!(base.bytes().all(is_plain), "{base}");

    if let Some(network) =
        std::str::from_utf8(lines).ok().and_then(|text| Network::parse(text).ok())
    {
        network.contains([127, 0, 0, 1].into());
        network.contains("::1".parse().expect("an address"));
    }
});
