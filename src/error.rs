//! What start-up, commands and background jobs fail with: a message for a person, and its cause.

use std::error::Error as StdError;
use std::fmt;

/// A message that names the thing and the way out, with the error that led to it.
#[derive(Debug)]
pub struct Error {
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything that is not answering a request.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of our own finding.
    pub fn new(message: impl Into<String>) -> Self {
        Error { message: message.into(), cause: None }
    }

    /// An error that another one led to; both are printed, the message first.
    pub fn caused(
        message: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Error { message: message.into(), cause: Some(cause.into()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn StdError + 'static))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Self {
        Error::caused("database", cause)
    }
}
