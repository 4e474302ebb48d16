//! A request as a plain value, its body read: what the doors are given, in tests without a socket.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Uri};

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// Who is at the other end of the connection: the client, or a proxy.
    pub peer: IpAddr,
    /// The body; empty unless it is a form.
    pub body: Bytes,
}

impl Request {
    /// A GET of a path from this machine, as tests make it.
    pub fn get(uri: &str) -> Request {
        Request {
            method: Method::GET,
            uri: uri.parse().unwrap_or_default(),
            headers: HeaderMap::new(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            body: Bytes::new(),
        }
    }

    /// A header as text; `None` where it is absent or no text.
    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.headers.get(name.into())?.to_str().ok()
    }

    /// Whether the body is a form.
    pub fn has_form(&self) -> bool {
        self.header(hyper::header::CONTENT_TYPE).is_some_and(|content_type| {
            let kind = content_type.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }
}
