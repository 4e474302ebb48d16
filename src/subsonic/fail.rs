//! Why a call fails, in the codes of the spec.

use std::time::Duration;

use serde::Serialize;

use crate::db::trouble::Trouble;

/// A failed call: a code of the spec and a message for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fail {
    /// The code.
    pub code: u8,
    /// What is wrong and how to mend it.
    pub message: String,
    /// For how many seconds it is in vain to try again; the status of HTTP is 429 then.
    #[serde(skip)]
    pub wait: Option<u64>,
}

/// The code of a failed call, as an extension of its response: in HTTP such a call succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u8);

/// Every code that we answer with.
pub const CODES: [u8; 7] = [0, 10, 40, 43, 44, 50, 70];

/// The result of an endpoint.
pub type Result<T> = std::result::Result<T, Fail>;

impl Fail {
    fn new(code: u8, message: impl Into<String>) -> Self {
        debug_assert!(CODES.contains(&code), "{code} is not in the list");
        Fail { code, message: message.into(), wait: None }
    }

    /// 0: what has no code of its own.
    pub fn generic(message: impl Into<String>) -> Self {
        Fail::new(0, message)
    }

    /// 0, where the fault is ours; the log tells more.
    pub fn internal() -> Self {
        Fail::new(0, "The server failed to answer; its log tells why")
    }

    /// 0, where the disk is the reason.
    fn trouble(trouble: Trouble, error: &dyn std::fmt::Display) -> Self {
        trouble.log(error);
        Fail::new(0, trouble.text())
    }

    /// 10: a parameter is absent or not what it must be.
    pub fn parameter(message: impl Into<String>) -> Self {
        Fail::new(10, message)
    }

    /// 10: a required parameter is absent.
    pub fn missing(name: &str) -> Self {
        Fail::new(10, format!("Required parameter '{name}' is missing"))
    }

    /// 40: no such user, or another password.
    pub fn credentials() -> Self {
        Fail::new(40, "Wrong username or password")
    }

    /// 0, since the spec has no code for it: too many sign-ins failed, and this one was not looked at.
    pub fn too_many_sign_ins(wait: Duration) -> Self {
        // Rounded up: whoever comes back then is not too early.
        let seconds = wait.as_secs() + 1;
        let message = format!("Too many sign-ins failed. Try again in {seconds} seconds");
        Fail { wait: Some(seconds), ..Fail::new(0, message) }
    }

    /// 43: more than one way of signing in at once.
    pub fn conflicting_auth() -> Self {
        Fail::new(
            43,
            "Several ways of signing in at once: send 'apiKey' alone, or 'u' with either 'p' or 't' and 's'",
        )
    }

    /// 44: the API key is unknown or was revoked.
    pub fn api_key() -> Self {
        Fail::new(44, "Invalid API key")
    }

    /// 50: the user may not do this.
    pub fn forbidden(what: &str) -> Self {
        Fail::new(50, format!("The user is not allowed to {what}"))
    }

    /// 70: there is no such thing.
    pub fn not_found(what: &str) -> Self {
        Fail::new(70, format!("{what} not found"))
    }
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        if let Some(trouble) = Trouble::of(&error) {
            return Fail::trouble(trouble, &error);
        }
        tracing::error!(%error, "the database failed");
        Fail::internal()
    }
}

impl From<crate::error::Error> for Fail {
    fn from(error: crate::error::Error) -> Self {
        if let Some(trouble) = Trouble::behind(&error) {
            return Fail::trouble(trouble, &error);
        }
        tracing::error!(%error, "a call failed");
        Fail::internal()
    }
}
