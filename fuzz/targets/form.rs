//! Parameters of the query and of a form: nothing is lost, nothing breaks.

#![no_main]

use hyper::header::{CONTENT_TYPE, HeaderValue};
use kinglet::http::form::parameters;
use kinglet::http::request::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (query, form) = data.split_at(end);
    let Ok(query) = std::str::from_utf8(query) else { return };
    let Ok(uri) = format!("/rest/x?{query}").parse() else { return };
    let mut request = Request::get("/rest/x");
    request.uri = uri;
    let without_form = request.clone();
    let of_query = parameters(&without_form);
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers.insert(CONTENT_TYPE, form_type);
    request.body = form.get(1..).unwrap_or_default().to_vec().into();
    let all = parameters(&request);
    assert!(all.starts_with(&of_query) && all.len() <= 50_000);
});
