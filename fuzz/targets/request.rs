//! A whole request: address, headers and form, answered by a server with a library.
//!
//! The input is like a request: a line with method and address, lines of headers, an empty line, the
//! body. What is no request for hyper is none here.

#![no_main]

use std::cell::{Cell, LazyCell, RefCell};
use std::net::Ipv4Addr;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use kinglet::app::App;
use kinglet::http::body::Body;
use kinglet::http::client::Site;
use kinglet::http::request::Request;
use kinglet::route;
use kinglet::sign_ins::SignIns;
use kinglet_fuzz::{PASSWORD, check_xml, let_others_panic, server};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static SERVER: LazyCell<RefCell<(App, TempDir)>> = LazyCell::new(|| RefCell::new(server()));
    static CLIENT: Cell<u32> = const { Cell::new(0) };
}

fn request(data: &[u8]) -> Option<Request> {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (head, body) = data.split_at(end);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, uri) = first.split_once(' ')?;
    // Few would find out how to sign in.
    let uri = uri.replace("SIGN", &format!("u=admin&p={PASSWORD}&v=1.16.1&c=f"));
    let mut headers = HeaderMap::new();
    for line in lines.take(64) {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(at);
        let name = HeaderName::from_bytes(name).ok()?;
        headers.append(name, HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?);
    }
    // Each request is from elsewhere: else all but the first would be one too many.
    let client = CLIENT.with(|client| client.replace(client.get().wrapping_add(1)));
    let client = Ipv4Addr::from_bits(0x0a00_0000 | client & 0x00ff_ffff).to_string();
    headers.append("x-forwarded-for", HeaderValue::from_str(&client).ok()?);
    let mut uri: Uri = uri.parse().ok()?;
    Site { public_url: None, base_path: "/music", https: false }.without_base_path(&mut uri);
    Some(Request {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        uri,
        headers,
        peer: [127, 0, 0, 1].into(),
        body: body.get(2..).unwrap_or_default().to_vec().into(),
    })
}

fuzz_target!(init: let_others_panic(), |data: &[u8]| {
    let Some(request) = request(data).map(Arc::new) else { return };
    SERVER.with(|server| {
        let mut server = server.borrow_mut();
        let response = route::dispatch(&server.0, &request).finish();
        if response.status().as_u16() == 429 {
            server.0.sign_ins = SignIns::default();
        }
        let kind = response.headers().get("content-type").map(HeaderValue::as_bytes);
        let kind = kind.unwrap_or_default().to_vec();
        assert!(response.status().as_u16() != 500, "{request:?}");
        if let Body::Full(Some(bytes)) = response.into_body() {
            if kind.starts_with(b"text/xml") {
                check_xml(&bytes);
            } else if kind.starts_with(b"application/json") {
                serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON");
            }
        }
    });
});
