//! An answer in the format the client asked for; nothing else knows the formats.

mod json;
pub mod xml;

use std::fmt::{self, Display};

use serde::ser::{self, Serialize};

use super::fail::Fail;

/// The version of the Subsonic protocol we speak.
pub const PROTOCOL: &str = "1.16.1";
/// Our name for `type`; some clients go by it, so it is nobody else's.
const SERVER: &str = "kinglet";
const NAMESPACE: &str = "http://subsonic.org/restapi";

/// What `f` and `callback` ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// `f=xml`, and where nothing is asked for.
    Xml,
    /// `f=json`.
    Json,
    /// `f=jsonp`: JSON as the argument of this function.
    Jsonp(String),
}

/// An encoded answer.
#[derive(Debug)]
pub struct Document {
    /// The content type.
    pub content_type: &'static str,
    /// The bytes.
    pub body: Vec<u8>,
}

/// Why a value cannot be written; serde wants a type of our own here.
#[derive(Debug)]
struct Error(String);

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Error(message.to_string())
    }
}

/// An answer that says nothing but "ok".
pub fn empty(format: &Format) -> Document {
    envelope(format, "ok", |_| Ok(()))
}

/// An answer with one payload.
pub fn payload<T: Serialize + ?Sized>(format: &Format, name: &str, value: &T) -> Document {
    envelope(format, "ok", |out| member(format, out, name, value))
}

/// The answer to a call that failed.
pub fn failure(format: &Format, fail: &Fail) -> Document {
    envelope(format, "failed", |out| member(format, out, "error", fail))
}

fn member<T: Serialize + ?Sized>(
    format: &Format,
    out: &mut Vec<u8>,
    name: &str,
    value: &T,
) -> Result<(), Error> {
    if *format == Format::Xml {
        return xml::write(out, name, value);
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    json::write(out, value)
}

/// Our types always encode; should one not, that is our fault, and the client is told so.
fn envelope(
    format: &Format,
    status: &str,
    content: impl Fn(&mut Vec<u8>) -> Result<(), Error>,
) -> Document {
    match try_envelope(format, status, content) {
        Ok(document) => document,
        Err(error) => {
            tracing::error!(%error, "an answer could not be encoded");
            let fail = Fail::internal();
            try_envelope(format, "failed", |out| member(format, out, "error", &fail))
                .unwrap_or_else(|_| Document {
                    content_type: content_type(format),
                    body: Vec::new(),
                })
        }
    }
}

fn try_envelope(
    format: &Format,
    status: &str,
    content: impl Fn(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<Document, Error> {
    let version = crate::VERSION;
    let mut body = Vec::with_capacity(1024);
    if *format == Format::Xml {
        body.extend_from_slice(
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<subsonic-response xmlns=\"{NAMESPACE}\" status=\"{status}\" \
                 version=\"{PROTOCOL}\" type=\"{SERVER}\" serverVersion=\"{version}\" openSubsonic=\"true\">"
            )
            .as_bytes(),
        );
        content(&mut body)?;
        body.extend_from_slice(b"</subsonic-response>\n");
    } else {
        if let Format::Jsonp(callback) = format {
            body.extend_from_slice(callback.as_bytes());
            body.push(b'(');
        }
        body.extend_from_slice(
            format!(
                "{{\"subsonic-response\":{{\"status\":\"{status}\",\"version\":\"{PROTOCOL}\",\"type\":\"{SERVER}\",\
                 \"serverVersion\":\"{version}\",\"openSubsonic\":true"
            )
            .as_bytes(),
        );
        content(&mut body)?;
        body.extend_from_slice(b"}}");
        if matches!(format, Format::Jsonp(_)) {
            body.extend_from_slice(b");");
        }
    }
    Ok(Document { content_type: content_type(format), body })
}

fn content_type(format: &Format) -> &'static str {
    match format {
        Format::Xml => "text/xml; charset=utf-8",
        Format::Json => "application/json",
        Format::Jsonp(_) => "text/javascript; charset=utf-8",
    }
}
