//! Parameters of a request: those of the query, then those of a form in the body.

use std::borrow::Cow;

use super::request::Request;

/// Parameters beyond this number are not read: the longest honest list is a large playlist.
const MOST_PARAMETERS: usize = 50_000;

/// A parameter, as it stands in the request where that needs no decoding.
pub type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// All parameters in order, decoded; what is no UTF-8 is replaced.
pub fn parameters(request: &Request) -> Vec<Parameter<'_>> {
    let query = request.uri.query().unwrap_or_default();
    let form = if request.has_form() { request.body.as_ref() } else { b"" };
    form_urlencoded::parse(query.as_bytes())
        .chain(form_urlencoded::parse(form))
        .take(MOST_PARAMETERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{CONTENT_TYPE, HeaderValue};

    #[test]
    fn query_and_form_are_read_together() {
        let mut request = Request::get("/rest/star?id=so1&id=so2&q=a+b%26%C3%A9");
        request.body = "id=so3&x".into();
        assert_eq!(parameters(&request).len(), 3);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
        request.headers.insert(CONTENT_TYPE, form);
        let expected = [("id", "so1"), ("id", "so2"), ("q", "a b&é"), ("id", "so3"), ("x", "")];
        let expected = expected.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(parameters(&request), expected);
    }
}
