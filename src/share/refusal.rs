//! Why a request gets nothing of a share, and what it is told.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};

use super::page;
use crate::http::body::{self, Response};

/// A page changes with what it shows and must end with its share.
pub const CACHE_PAGE: &str = "private, no-cache";

/// Why a request gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such share; answered with a page.
    NoPage,
    /// The share has ended; answered with a page.
    EndedPage,
    /// There is no such thing in the share, or no such share.
    NoFile,
    /// The share has ended.
    EndedFile,
    /// As many listen as may at a time.
    Full,
    /// The file is there and cannot be read.
    Unreadable,
    /// Ours is the fault.
    Broken,
}

impl Refusal {
    /// The same, for a person who opened the link itself.
    pub fn as_page(self) -> Refusal {
        match self {
            Refusal::NoFile => Refusal::NoPage,
            Refusal::EndedFile => Refusal::EndedPage,
            other => other,
        }
    }

    /// What is answered.
    pub fn response(self) -> Response {
        match self {
            Refusal::NoPage => html(StatusCode::NOT_FOUND, page::not_found()),
            Refusal::EndedPage => html(StatusCode::GONE, page::gone()),
            Refusal::NoFile => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
            Refusal::EndedFile => text(StatusCode::GONE, "This share has ended.\n"),
            Refusal::Full => {
                let words = "As many are listening as may at a time. Try again in a while.\n";
                changing(body::come_back(StatusCode::SERVICE_UNAVAILABLE, words, "30"))
            }
            Refusal::Unreadable => {
                text(StatusCode::SERVICE_UNAVAILABLE, "The file cannot be read now.\n")
            }
            Refusal::Broken => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server failed to answer; its log tells why.\n",
            ),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Refusal::Broken
    }
}

/// A page.
pub fn html(status: StatusCode, body: String) -> Response {
    let mut response = changing(body::respond(status, "text/html; charset=utf-8", body));
    let policy = HeaderValue::from_static(page::CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// A few words.
pub fn text(status: StatusCode, words: &'static str) -> Response {
    changing(body::text(status, words))
}

/// What changes with its share, so that a copy is good only while the server says so.
pub fn changing(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(CACHE_PAGE));
    response
}
