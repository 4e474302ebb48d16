//! The /rest door: parameters, table, role, blocking thread, endpoint, encoding.

mod auth;
pub mod encode;
mod endpoint;
pub mod fail;
mod params;
mod table;
pub mod types;

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use rusqlite::Connection;
use serde::Serialize;

use self::encode::{Document, Format};
use self::fail::{Code, Fail, Result};
use self::params::Params;
use self::table::Access;
use crate::app::App;
use crate::db::users::User;
use crate::db::{Viewer, songs};
use crate::http::body::{self, Response};
use crate::http::client::Origin;
use crate::http::request::Request;
use crate::http::work::{Queue, Work};
use crate::id::Id;

/// Letters of a client's name at most.
const LONGEST_CLIENT: usize = 100;

/// One call of an endpoint.
pub struct Call<'a> {
    /// The server.
    pub app: &'a App,
    /// Who calls; `User::nobody` where the endpoint is open to all.
    pub user: User,
    /// The parameters.
    pub params: Params<'a>,
    /// The format of the answer.
    pub format: Format,
    /// The request, for its headers.
    pub request: &'a Arc<Request>,
    /// Where it comes from, and what links begin with.
    pub origin: &'a Origin,
}

/// What an endpoint answers.
pub enum Reply {
    /// A document in the format asked for.
    Document(Document),
    /// A response of its own: a picture that was drawn, a status of HTTP.
    Response(Response),
    /// Bytes of music or pictures, which a disk is waited for.
    OnDisk(Queue, Box<dyn FnOnce() -> Result<Response> + Send>),
}

impl Call<'_> {
    /// For whom things are read.
    pub fn viewer(&self) -> Viewer {
        self.user.viewer()
    }

    /// An answer that says nothing but "ok".
    pub fn ok(&self) -> Result<Reply> {
        Ok(Reply::Document(encode::empty(&self.format)))
    }

    /// An answer with a payload of this name.
    pub fn answer<T: Serialize + ?Sized>(&self, name: &str, payload: &T) -> Result<Reply> {
        Ok(Reply::Document(encode::payload(&self.format, name, payload)))
    }

    /// Fails where one of the songs is not there for the user to see.
    pub fn check_songs(&self, db: &Connection, ids: &[i64]) -> Result<()> {
        match songs::first_unknown(db, self.viewer(), ids)? {
            None => Ok(()),
            Some(unknown) => Err(Fail::not_found(&format!("Song {}", Id::Song(unknown)))),
        }
    }

    /// The name the client gives itself, cut where it is too long to be one.
    pub fn client(&self) -> String {
        self.params.text("c").unwrap_or_default().chars().take(LONGEST_CLIENT).collect()
    }

    /// The viewer of the one music folder that `musicFolderId` names, if it names one.
    pub fn viewer_of_folder(&self) -> Result<Viewer> {
        let Viewer { user, scope } = self.viewer();
        match self.params.int("musicFolderId")? {
            None => Ok(Viewer { user, scope }),
            Some(folder @ 0..=62) if (scope >> folder) & 1 == 1 => {
                Ok(Viewer { user, scope: 1 << folder })
            }
            Some(_) => Err(Fail::not_found("Music folder")),
        }
    }
}

/// How many endpoints there are.
pub const ENDPOINTS: usize = table::COUNT;

/// The names of all endpoints.
pub fn endpoints() -> impl Iterator<Item = &'static str> {
    table::names()
}

/// The place of the endpoint of a path in that list; `None` where there is no such endpoint.
pub fn endpoint_of(path: &str) -> Option<usize> {
    table::position(name_in(path))
}

/// Whether a path is that of a call for the bytes of a song.
pub fn sends_song(path: &str) -> bool {
    path.starts_with("/rest/") && matches!(name_in(path), "stream" | "download")
}

/// The name of the endpoint in a path.
fn name_in(path: &str) -> &str {
    let name = path.strip_prefix("/rest/").unwrap_or_default();
    name.strip_suffix(".view").unwrap_or(name)
}

/// Answers a request below /rest; blocks on the database.
pub fn handle(app: &App, request: &Arc<Request>, origin: &Origin) -> Work {
    let params = Params::of(request);
    let name = name_in(request.uri.path());
    let (format, called) = match format_of(&params) {
        Ok(format) => (format.clone(), call(app, request, origin, name, params, format)),
        Err(fail) => (Format::Xml, Err(fail)),
    };
    let work = match called {
        Ok(Reply::Document(document)) => Work::Done(respond(document)),
        Ok(Reply::Response(response)) => Work::Done(response),
        Ok(Reply::OnDisk(queue, work)) => {
            Work::on_disk(queue, move || work().unwrap_or_else(|fail| failed(&format, &fail)))
        }
        Err(fail) => Work::Done(failed(&format, &fail)),
    };
    work.map(for_any_origin)
}

/// The answer to a call whose endpoint broke down.
pub fn broken(request: &Request) -> Response {
    let format = format_of(&Params::of(request)).unwrap_or(Format::Xml);
    for_any_origin(failed(&format, &Fail::internal()))
}

fn failed(format: &Format, fail: &Fail) -> Response {
    let mut response = respond(encode::failure(format, fail));
    response.extensions_mut().insert(Code(fail.code));
    if let Some(seconds) = fail.wait {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn call(
    app: &App,
    request: &Arc<Request>,
    origin: &Origin,
    name: &str,
    params: Params,
    format: Format,
) -> Result<Reply> {
    let endpoint = table::find(name)
        .ok_or_else(|| Fail::generic(format!("Not implemented: no such endpoint '{name}'")))?;
    let user = match endpoint.access {
        Access::Open => User::nobody(),
        Access::SignedIn | Access::Role(..) => auth::sign_in(app, &params, origin.address)?,
    };
    if let Access::Role(role, what) = endpoint.access
        && !user.has(role)
    {
        return Err(Fail::forbidden(what));
    }
    (endpoint.run)(&Call { app, user, params, format, request, origin })
}

fn format_of(params: &Params) -> Result<Format> {
    match params.text("f").unwrap_or("xml") {
        "xml" | "" => Ok(Format::Xml),
        "json" => Ok(Format::Json),
        "jsonp" => {
            let callback = params.need_text("callback")?;
            let is_name = !callback.is_empty()
                && callback.len() <= 128
                && callback
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte));
            match is_name {
                true => Ok(Format::Jsonp(callback.to_owned())),
                false => {
                    Err(Fail::parameter("Parameter 'callback' must be the name of a function"))
                }
            }
        }
        other => {
            Err(Fail::parameter(format!("Format '{other}' is unknown: use xml, json or jsonp")))
        }
    }
}

fn respond(document: Document) -> Response {
    let mut response = body::respond(StatusCode::OK, document.content_type, document.body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Web players live on other origins; they sign in with each call, so no cookie is at stake.
fn for_any_origin(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
