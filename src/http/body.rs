//! The one body type of every response.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, RETRY_AFTER,
};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::range::has_copy;
use super::request::Request;

/// A response with our body.
pub type Response = hyper::Response<Body>;

/// A body that makes its frames as they are asked for; an error ends the connection.
pub type Stream = Pin<Box<dyn HttpBody<Data = Bytes, Error = io::Error> + Send>>;

/// Everything a response can carry.
pub enum Body {
    /// Bytes that are there already; `None` once they were handed out.
    Full(Option<Bytes>),
    /// Bytes that come later.
    Stream(Stream),
}

impl Body {
    /// No bytes at all.
    pub fn empty() -> Self {
        Body::Full(None)
    }

    /// These bytes.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Body::Full((!bytes.is_empty()).then_some(bytes))
    }

    /// The frames of another body.
    pub fn stream(body: impl HttpBody<Data = Bytes, Error = io::Error> + Send + 'static) -> Self {
        Body::Stream(Box::pin(body))
    }
}

/// A response with bytes that are there already.
pub fn respond(
    status: StatusCode,
    content_type: &'static str,
    bytes: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(Body::full(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The answer to a request for bytes with this tag, given with its quotes: the bytes, or 304 where the
/// client has them already.
pub fn tagged(
    request: &Request,
    etag: &str,
    cache: &'static str,
    content_type: &'static str,
    bytes: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if has_copy(&request.headers, etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let bytes = bytes.into();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if request.method != Method::HEAD {
        *response.body_mut() = Body::full(bytes);
    }
    response
}

/// The strong tag of bytes that are known whole, with its quotes.
pub fn tag_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// A response of plain words.
pub fn text(status: StatusCode, words: &'static str) -> Response {
    respond(status, "text/plain; charset=utf-8", words)
}

/// A refusal of the method; `methods` are those that are taken.
pub fn method_not_allowed(words: &'static str, methods: &'static str) -> Response {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, words);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// A refusal of what may be had later: the client is asked to come back after so many seconds.
pub fn come_back(status: StatusCode, words: &'static str, seconds: &'static str) -> Response {
    let mut response = text(status, words);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    response
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Body::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Stream(stream) => stream.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Full(bytes) => bytes.is_none(),
            Body::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Body::Stream(stream) => stream.size_hint(),
        }
    }
}
