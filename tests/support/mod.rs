//! A server for tests: the library of `tests/data/library.sql` in a folder of its own, called
//! without sockets, its answers held against golden files.
//!
//! `KINGLET_REGEN=1 cargo test` writes the golden files anew.

// Each test file uses what it needs of this module.
#![allow(dead_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use http_body_util::BodyExt;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use kinglet::app::App;
use kinglet::clock::now;
use kinglet::config::{self, Flags};
use kinglet::db::users::{self, ALL_MUSIC_FOLDERS, ALL_ROLES, Role, User};
use kinglet::http::request::Request;
use kinglet::route;
use kinglet::secret;
use kinglet::subsonic::types::time::Time;

/// Has every right and sees all music folders.
pub const ADMIN: &str = "admin";
/// May stream and change the own settings, and sees the first music folder alone.
pub const BEN: &str = "ben";
/// The password of both.
pub const PASSWORD: &str = "sesame";
/// What links to the server begin with.
pub const BASE: &str = "http://nas:4040";

/// What a call can hold as it is; all else is encoded, so that tests can be read.
const NOT_IN_URIS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'#');

/// A server with a library.
pub struct Server {
    /// Its state.
    pub app: App,
    /// Its folder; `music` and `kids` in it are the two music folders, empty.
    pub folder: TempDir,
    began: i64,
}

/// An answer with its body read.
pub struct Answer {
    /// The status of HTTP.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Server {
    /// A server with the library, the users `ADMIN` (1) and `BEN` (2), and nothing else.
    pub fn open() -> Server {
        Server::with(&[])
    }

    /// The same with these variables of the environment, such as `KINGLET_STREAM_RATE`.
    pub fn with(variables: &[(&str, &str)]) -> Server {
        Server::at(Some(BASE), variables)
    }

    /// The same with this public address, or with none.
    pub fn at(public_url: Option<&str>, variables: &[(&str, &str)]) -> Server {
        let began = now();
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            folder.path().join(name).to_str().unwrap().to_owned()
        };
        let music = vec![inside("music"), inside("kids")];
        let flags = Flags {
            music: music.clone(),
            data: Some(inside("data")),
            public_url: public_url.map(str::to_owned),
            ..Flags::default()
        };
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, text)| (String::from(*name), String::from(*text)))
            .collect();
        let app = App::open(config::load(&flags, &variables, None).unwrap()).unwrap();
        let user = |name: &str, roles, music_folders| User {
            name: name.to_owned(),
            password: app.vault.seal(name, PASSWORD).unwrap(),
            email: format!("{name}@example.org"),
            roles,
            music_folders,
            created: 1_500_000_000_000,
            ..User::nobody()
        };
        app.db
            .write(|db| {
                users::create(db, &user(ADMIN, ALL_ROLES, ALL_MUSIC_FOLDERS))?;
                users::create(db, &user(BEN, Role::Stream as i64 | Role::Settings as i64, 1 << 1))?;
                db.execute_batch(include_str!("../data/library.sql"))?;
                for (path, id) in music.iter().zip(1..) {
                    let path = path.as_bytes();
                    db.execute("UPDATE music_folder SET path = ?1 WHERE id = ?2", (path, id))?;
                }
                Ok::<_, rusqlite::Error>(())
            })
            .unwrap();
        Server { app, folder, began }
    }

    /// Answers any request.
    pub fn answer(&self, request: &Request) -> Answer {
        let response = route::dispatch(&self.app, &request.clone().into()).finish();
        let (head, mut stream) = response.into_parts();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut body = Vec::new();
        // As a connection does: a part of a file is let go before the next one is asked for.
        while let Some(frame) = runtime.block_on(stream.frame()) {
            body.extend_from_slice(&frame.unwrap().into_data().unwrap());
        }
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Answers a GET of a path such as `/share/x`; what does not belong into a URI is encoded.
    pub fn get(&self, path: &str) -> Answer {
        self.answer(&Request::get(&encoded(path)))
    }

    /// Answers a call such as `getAlbum?id=al1`, in XML if it names no format.
    pub fn call(&self, user: &str, call: &str) -> Answer {
        self.get(&signed(user, call))
    }

    /// Answers a call that comes as a form in a POST.
    pub fn post(&self, user: &str, call: &str) -> Answer {
        let signed = encoded(&signed(user, call));
        let (path, form) = signed.split_once('?').unwrap();
        let mut request = Request::get(path);
        request.method = Method::POST;
        request.body = form.to_owned().into();
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.answer(&request)
    }

    /// Makes a share and gives it.
    #[track_caller]
    pub fn share(&self, user: &str, parameters: &str) -> Value {
        let made = self.ok(user, &format!("createShare?{parameters}"));
        let shares = made["shares"]["share"].as_array().unwrap();
        assert_eq!(shares.len(), 1);
        shares[0].clone()
    }

    /// The share of an id as `getShares` tells it.
    pub fn told(&self, user: &str, share: &Value) -> Option<Value> {
        let all = self.ok(user, "getShares");
        let all = all["shares"]["share"].as_array().unwrap().clone();
        all.into_iter().find(|other| other["id"] == share["id"])
    }

    /// Writes a song of the library that is there, as so many bytes.
    pub fn write_song(&self, path: &str, bytes: usize) {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, vec![7; bytes]).unwrap();
    }

    /// Gives a share a link of this word, so that it can be recorded.
    pub fn set_link(&self, share: &str, token: &str) {
        let id: i64 = share.strip_prefix("sh").unwrap().parse().unwrap();
        let sql = "UPDATE share SET token = ?2, token_hash = ?3 WHERE id = ?1";
        let row = (id, token, secret::token_hash(token));
        assert_eq!(self.app.db.write(|db| db.execute(sql, row)).unwrap(), 1);
    }

    /// What is in `subsonic-response`.
    pub fn json(&self, user: &str, call: &str) -> Value {
        let answer = self.call(user, &with(call, "f=json"));
        let mut document: Value = serde_json::from_slice(&answer.body).unwrap();
        document["subsonic-response"].take()
    }

    /// What is in `subsonic-response` of a call that succeeds.
    #[track_caller]
    pub fn ok(&self, user: &str, call: &str) -> Value {
        let document = self.json(user, call);
        assert_eq!(document["status"], "ok", "{call} as {user}: {document}");
        document
    }

    /// The code of a call that fails.
    #[track_caller]
    pub fn error(&self, user: &str, call: &str) -> i64 {
        let document = self.json(user, call);
        assert_eq!(document["status"], "failed", "{call} as {user}: {document}");
        assert!(!document["error"]["message"].as_str().unwrap().is_empty());
        document["error"]["code"].as_i64().unwrap()
    }

    /// The ids of the things in a list of an answer, by the way to it: `"album.song"`.
    #[track_caller]
    pub fn ids(&self, user: &str, call: &str, list: &str) -> Vec<String> {
        ids(&self.ok(user, call), list)
    }

    /// Holds the answer in both formats against `tests/golden/NAME.xml` and `NAME.json`.
    ///
    /// Times after the start of the test are written as `NOW`, the server's version as `VERSION`.
    #[track_caller]
    pub fn golden(&self, name: &str, user: &str, call: &str) {
        let xml = self.call(user, call);
        compare(&format!("{name}.xml"), &self.stable(&xml.text().replace("><", ">\n<")));
        let json = self.call(user, &with(call, "f=json"));
        serde_json::from_slice::<Value>(&json.body).unwrap();
        compare(&format!("{name}.json"), &self.stable(&in_lines(json.text())));
    }

    /// A text without what differs from run to run.
    fn stable(&self, text: &str) -> String {
        let began = [Time(self.began).to_string(), self.began.to_string()];
        let text = text.replace(kinglet::VERSION, "VERSION");
        let (mut stable, mut rest) = (String::new(), text.as_str());
        while let Some(letter) = rest.chars().next() {
            let now = began.iter().find(|began| is_later(rest, began));
            stable.push_str(if now.is_some() {
                "NOW"
            } else {
                rest.get(..letter.len_utf8()).unwrap()
            });
            rest = rest.get(now.map_or(letter.len_utf8(), String::len)..).unwrap();
        }
        stable
    }
}

/// The path of the page of a share as the API tells it.
pub fn page_of(share: &Value) -> String {
    share["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
}

/// A request for a path from an address, with headers.
pub fn request(path: &str, from: u8, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::get(&encoded(path));
    request.peer = std::net::Ipv4Addr::new(192, 0, 2, from).into();
    for (name, value) in headers {
        request.headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// The same with a form.
pub fn form(path: &str, from: u8, fields: &str) -> Request {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = request(path, from, &kind);
    request.method = Method::POST;
    request.body = encoded(fields).into();
    request
}

/// Whether a text begins with a time of the form of this one that is not before it.
fn is_later(text: &str, than: &str) -> bool {
    text.get(..than.len()).is_some_and(|time| {
        let alike = |(a, b): (u8, u8)| a == b || a.is_ascii_digit() && b.is_ascii_digit();
        time >= than && time.bytes().zip(than.bytes()).all(alike)
    })
}

/// The ids of the things in a list of a document, by the way to it: `"album.song"`.
#[track_caller]
pub fn ids(document: &Value, list: &str) -> Vec<String> {
    let list = list.split('.').fold(document, |at, name| &at[name]);
    let things = list.as_array().unwrap_or_else(|| panic!("no list in {document}"));
    things.iter().map(|thing| thing["id"].as_str().unwrap().to_owned()).collect()
}

/// A call with one more parameter.
pub fn with(call: &str, parameter: &str) -> String {
    format!("{call}{}{parameter}", if call.contains('?') { '&' } else { '?' })
}

/// The path of a call by this user.
pub fn signed(user: &str, call: &str) -> String {
    with(&format!("/rest/{call}"), &format!("u={user}&p={PASSWORD}&v=1.16.1&c=tests"))
}

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_URIS).to_string()
}

/// JSON with a line for each value, its order kept.
fn in_lines(json: &str) -> String {
    let (mut lines, mut depth, mut in_text, mut escaped) = (String::new(), 0_usize, false, false);
    for letter in json.chars() {
        let outside = !in_text && !escaped;
        match letter {
            '{' | '[' if outside => depth += 1,
            '}' | ']' if outside => {
                depth -= 1;
                lines.push_str(&format!("\n{}", "  ".repeat(depth)));
            }
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && letter == '\\' && !escaped;
        lines.push(letter);
        if outside && "{[,".contains(letter) {
            lines.push_str(&format!("\n{}", "  ".repeat(depth)));
        }
    }
    lines + "\n"
}

/// Holds a text against a golden file, or makes the file where `KINGLET_REGEN` is set.
#[track_caller]
pub fn compare(name: &str, text: &str) {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("KINGLET_REGEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    for (line, (expected, found)) in (1..).zip(golden.lines().zip(text.lines())) {
        assert_eq!(found, expected, "{} differs in line {line}", file.display());
    }
    assert_eq!(text, golden, "{} is not of the same length", file.display());
}
