//! Why a request gets nothing of a share, and what it is told.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, VARY, WWW_AUTHENTICATE};

use super::page;
use crate::http::body::{self, Response};

/// A page changes with what it shows and must end with its share.
pub const CACHE_PAGE: &str = "private, no-cache";
/// What tells guests of a locked share apart, for `Vary`.
pub const FOR_ONE: &str = "Cookie, Authorization";

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
    /// It takes a passphrase that was not shown; programs are asked for it, where `ask` is.
    Locked {
        /// Whether this is by a way that a browser would ask by a window of its own.
        ask: bool,
    },
    /// The passphrase that was shown is not the one.
    Wrong,
    /// The same as a page with a form; after a wrong try it says so.
    LockedPage {
        /// Whether a wrong one was tried.
        wrong: bool,
    },
    /// The same within a page of another site.
    LockedEmbed {
        /// Whether a wrong one was tried.
        wrong: bool,
    },
    /// Too many wrong passphrases were tried of late.
    TooManyTries,
    /// Passphrases of others are looked at: nobody waits longer for it.
    Busy,
    /// Too many links that lead nowhere were tried of late.
    TooManyMisses,
    /// Plays are counted here, and robots are not.
    Robot,
    /// Others may be about to take the last plays.
    Reserved,
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
            Refusal::Locked { .. } => Refusal::LockedPage { wrong: false },
            Refusal::Wrong => Refusal::LockedPage { wrong: true },
            other => other,
        }
    }

    /// The same, for a page that is shown within another site.
    pub fn as_embed(self) -> Refusal {
        match self.as_page() {
            Refusal::LockedPage { wrong } => Refusal::LockedEmbed { wrong },
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
            Refusal::Locked { ask } => locked(text(StatusCode::UNAUTHORIZED, LOCKED), ask),
            Refusal::Wrong => locked(text(StatusCode::UNAUTHORIZED, LOCKED), true),
            Refusal::LockedPage { wrong } => locked_page(wrong, page::LOCKED_POLICY),
            Refusal::LockedEmbed { wrong } => locked_page(wrong, page::LOCKED_EMBED_POLICY),
            Refusal::TooManyTries => {
                let words = "Too many wrong passphrases were tried. Try again in ten minutes.\n";
                changing(body::come_back(StatusCode::TOO_MANY_REQUESTS, words, "600"))
            }
            Refusal::Busy => {
                let words = "Others try passphrases just now. Try again in a moment.\n";
                changing(body::come_back(StatusCode::SERVICE_UNAVAILABLE, words, "2"))
            }
            Refusal::TooManyMisses => {
                let words = "Too many links that lead nowhere were tried. Try again in a minute.\n";
                changing(body::come_back(StatusCode::TOO_MANY_REQUESTS, words, "60"))
            }
            Refusal::Robot => {
                text(StatusCode::FORBIDDEN, "Plays are counted here, so robots are not served.\n")
            }
            Refusal::Reserved => {
                let words = "Others listen who may take the last plays. Try again in a while.\n";
                changing(body::come_back(StatusCode::SERVICE_UNAVAILABLE, words, "30"))
            }
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

/// What programs are told of a locked share.
const LOCKED: &str = "This share takes a passphrase: send it as the password of HTTP Basic \
     authentication with any user name, or open the link in a browser.\n";

fn locked(mut response: Response, ask: bool) -> Response {
    // A browser answers the first with a window of its own; the second it leaves alone.
    let challenge = match ask {
        true => r#"Basic realm="Passphrase of the share", charset="UTF-8""#,
        false => r#"Passphrase realm="share""#,
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response.headers_mut().append(VARY, HeaderValue::from_static(FOR_ONE));
    response
}

fn locked_page(wrong: bool, policy: &'static str) -> Response {
    let mut response = locked(html(StatusCode::UNAUTHORIZED, page::locked(wrong)), false);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Refusal::Broken
    }
}

impl From<crate::error::Error> for Refusal {
    fn from(error: crate::error::Error) -> Self {
        tracing::error!(%error, "a share could not be answered");
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
