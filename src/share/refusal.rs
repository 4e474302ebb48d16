//! Why a request gets nothing of a share, and what it is told.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderMap, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE};

use super::document::{self, Document, Frames};
use super::notice::{self, Attempt};
use super::words::Words;
use crate::db::trouble::Trouble;
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
    /// The share was played as often as it may be.
    UsedUp,
    /// The same; answered with a page.
    UsedUpPage,
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
    /// The same as a page.
    TooManyTriesPage,
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
            Refusal::UsedUp => Refusal::UsedUpPage,
            Refusal::Locked { .. } => Refusal::LockedPage { wrong: false },
            Refusal::Wrong => Refusal::LockedPage { wrong: true },
            Refusal::TooManyTries => Refusal::TooManyTriesPage,
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

    /// What is answered to a client that sent these headers; pages speak its language.
    pub fn response_to(self, headers: &HeaderMap) -> Response {
        let words = Words::wanted(headers);
        match self {
            Refusal::NoPage => document(StatusCode::NOT_FOUND, notice::not_found(words), headers),
            Refusal::EndedPage => document(StatusCode::GONE, notice::ended(words), headers),
            Refusal::UsedUpPage => document(StatusCode::GONE, notice::used_up(words), headers),
            Refusal::LockedPage { wrong } => {
                let form = notice::locked(words, Attempt::of(wrong), Frames::Nowhere);
                locked(document(StatusCode::UNAUTHORIZED, form, headers), false)
            }
            Refusal::LockedEmbed { wrong } => {
                let form = notice::locked(words, Attempt::of(wrong), Frames::Everywhere);
                locked(document(StatusCode::UNAUTHORIZED, form, headers), false)
            }
            Refusal::TooManyTriesPage => {
                let form = notice::locked(words, Attempt::TooMany, Frames::Nowhere);
                let mut response = document(StatusCode::TOO_MANY_REQUESTS, form, headers);
                let wait = HeaderValue::from_static(TRY_AGAIN);
                response.headers_mut().insert(RETRY_AFTER, wait);
                response
            }
            other => other.response(),
        }
    }

    /// What is answered to a program.
    pub fn response(self) -> Response {
        match self {
            Refusal::NoFile | Refusal::NoPage => {
                text(StatusCode::NOT_FOUND, "There is nothing here.\n")
            }
            Refusal::EndedFile | Refusal::EndedPage => {
                text(StatusCode::GONE, "This share has ended.\n")
            }
            Refusal::UsedUp | Refusal::UsedUpPage => {
                text(StatusCode::GONE, "This share was played as often as it may be.\n")
            }
            Refusal::Locked { ask } => locked(text(StatusCode::UNAUTHORIZED, LOCKED), ask),
            Refusal::Wrong => locked(text(StatusCode::UNAUTHORIZED, LOCKED), true),
            Refusal::LockedPage { .. } | Refusal::LockedEmbed { .. } => {
                locked(text(StatusCode::UNAUTHORIZED, LOCKED), false)
            }
            Refusal::TooManyTries | Refusal::TooManyTriesPage => {
                let words = "Too many wrong passphrases were tried. Try again in ten minutes.\n";
                changing(body::come_back(StatusCode::TOO_MANY_REQUESTS, words, TRY_AGAIN))
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

/// How many seconds somebody waits who tried too many passphrases.
const TRY_AGAIN: &str = "600";

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

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match Trouble::of(&error) {
            Some(trouble) => trouble.log(&error),
            None => tracing::error!(%error, "the database failed"),
        }
        Refusal::Broken
    }
}

impl From<crate::error::Error> for Refusal {
    fn from(error: crate::error::Error) -> Self {
        tracing::error!(%error, "a share could not be answered");
        Refusal::Broken
    }
}

/// A page for a client that sent these headers.
pub fn document(status: StatusCode, document: Document, headers: &HeaderMap) -> Response {
    changing(document::respond(status, document, headers))
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
