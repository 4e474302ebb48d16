//! Against those who guess, and those who read the log: wrong passwords, revoked keys, hostile names,
//! and no secret in the log.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use kinglet::account;
use kinglet::db::api_keys;
use kinglet::db::users;
use kinglet::http::request::Request;
use proptest::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use support::{ADMIN, BEN, PASSWORD, Server};

/// A call from an address that a trusted proxy tells.
fn from(address: &str, call: &str) -> Request {
    let mut request = Request::get(&format!("/rest/{call}&v=1.16.1&c=test&f=json"));
    request.headers.insert("x-forwarded-for", HeaderValue::from_str(address).unwrap());
    request
}

fn behind_proxy() -> Server {
    Server::with(&[("KINGLET_TRUSTED_PROXIES", "127.0.0.1")])
}

#[test]
fn whoever_guesses_has_to_wait_and_the_user_at_home_has_not() {
    let server = behind_proxy();
    let right = format!("ping?u={BEN}&p={PASSWORD}");
    let ok = |address: &str| {
        let answer = server.answer(&from(address, &right));
        answer.text().contains("\"status\":\"ok\"")
    };
    assert!(ok("192.168.1.7"));
    let mut refused = 0;
    for number in 0..300 {
        let address = format!("203.0.{}.{}", number / 100, number % 100);
        let answer = server.answer(&from(&address, &format!("ping?u={BEN}&p=guess{number}")));
        match answer.status {
            StatusCode::OK => assert!(answer.text().contains("\"code\":40"), "{}", answer.text()),
            status => {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                let wait: u64 =
                    answer.headers.get(RETRY_AFTER).unwrap().to_str().unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait), "{wait}");
                assert!(answer.text().contains("\"status\":\"failed\""), "{}", answer.text());
                refused += 1;
            }
        }
    }
    assert!(refused >= 190, "only {refused} of 300 guesses were refused");
    // From elsewhere the right password has to wait as well, and tells nobody that it is right.
    let answer = server.answer(&from("198.51.100.1", &right));
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(ok("192.168.1.7"));
    // Another user is no matter of this.
    let admin = server.answer(&from("198.51.100.1", &format!("ping?u={ADMIN}&p={PASSWORD}")));
    assert!(admin.text().contains("\"status\":\"ok\""));
}

#[test]
fn tokens_and_keys_that_are_wrong_count_and_right_keys_always_open() {
    let server = behind_proxy();
    let user = server.app.db.read(|db| users::by_name(db, BEN)).unwrap().unwrap();
    let key = account::new_api_key(&server.app, &user, "phone").unwrap();
    let status = |call: &str| server.answer(&from("203.0.113.9", call)).status;
    let refused = (0..40)
        .filter(|n| status(&format!("ping?u={ADMIN}&t=00{n}&s=salt")) != StatusCode::OK)
        .count();
    assert!(refused >= 29, "{refused}");
    let refused =
        (0..100).filter(|n| status(&format!("ping?apiKey=guess{n}")) != StatusCode::OK).count();
    assert!((49..=61).contains(&refused), "{refused}");
    assert_eq!(status(&format!("ping?apiKey={key}")), StatusCode::OK);
}

#[test]
fn keys_are_listed_with_their_day_and_end_when_they_are_revoked() {
    let server = Server::open();
    let app = &server.app;
    let user = app.db.read(|db| users::by_name(db, BEN)).unwrap().unwrap();
    let key = account::new_api_key(app, &user, "phone").unwrap();
    let other = account::new_api_key(app, &user, "").unwrap();
    let works = |key: &str| {
        server.get(&format!("/rest/ping?apiKey={key}&f=json")).text().contains("\"status\":\"ok\"")
    };
    assert!(works(&key) && works(&other));
    app.key_uses.flush(&app.db).unwrap();
    let keys = app.db.read(|db| api_keys::of(db, user.id)).unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.last_used.is_some_and(|day| day % 86_400_000 == 0)));
    let phone = keys.iter().find(|key| key.name == "phone").unwrap();
    assert_eq!(phone.id().len(), 8);
    assert!(account::revoke_api_key(app, &user, "nonsense").unwrap().is_none());
    let admin = app.db.read(|db| users::by_name(db, ADMIN)).unwrap().unwrap();
    assert!(account::revoke_api_key(app, &admin, &phone.id()).unwrap().is_none());
    assert!(account::revoke_api_key(app, &user, &phone.id()).unwrap().is_some());
    assert!(!works(&key) && works(&other));
    assert!(account::new_api_key(app, &user, "a\nb").is_err());
}

/// What a file outside holds, which nobody may see.
const OUTSIDE: &str = "root of all evil";

/// Names by which somebody might try to leave the music folders.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("..".to_owned()),
        Just("%2e%2e".to_owned()),
        Just("%252e%252e".to_owned()),
        Just("..%2f".to_owned()),
        Just("..%5c".to_owned()),
        Just("%00".to_owned()),
        Just("data".to_owned()),
        Just("kinglet.db".to_owned()),
        Just("kinglet.key".to_owned()),
        Just("outside.txt".to_owned()),
        Just("etc".to_owned()),
        Just("passwd".to_owned()),
        Just("so1.flac".to_owned()),
        "[a-z0-9.%-]{0,6}",
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("/"))
}

#[test]
fn no_name_leads_out_of_the_music_folders() {
    let server = Server::open();
    for folder in ["music", "data", "."] {
        fs::write(server.folder.path().join(folder).join("outside.txt"), OUTSIDE).unwrap();
    }
    let secrets =
        [OUTSIDE.as_bytes().to_vec(), b"SQLite format 3".to_vec(), b"root:x:0:0".to_vec()];
    let leaks = |bytes: &[u8]| {
        secrets
            .iter()
            .any(|secret| bytes.windows(secret.len()).any(|part| part == secret.as_slice()))
    };
    let share = server.ok(ADMIN, "createShare?id=so1&id=al1");
    let url = share["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let link = url.strip_prefix(support::BASE).unwrap().to_owned();
    proptest!(ProptestConfig::with_cases(300), |(name in hostile())| {
        for path in [
            format!("/{name}"),
            format!("/share/{name}"),
            format!("{link}/{name}"),
            format!("/share/assets/{name}"),
            format!("/rest/{name}"),
        ] {
            let Ok(uri) = path.parse::<hyper::Uri>() else { continue };
            let mut request = Request::get("/");
            request.uri = uri;
            let answer = server.answer(&request);
            prop_assert!(!leaks(&answer.body), "{}", path);
            prop_assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{}", path);
        }
        for call in ["stream", "download", "getCoverArt", "getLyrics", "getMusicDirectory", "getSong",
                     "getAvatar", "getCaptions", "hls"] {
            for parameter in ["id", "path", "artist", "username", "size", "musicFolderId"] {
                let answer = server.call(ADMIN, &format!("{call}?{parameter}={name}"));
                prop_assert!(!leaks(&answer.body), "{} {} {}", call, parameter, name);
            }
        }
    });
}

/// The program, its log in a file; ended when dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(folder: &Path, password: &str) -> Program {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kinglet"))
            .args(["serve", "--music", "music", "--data", "data"])
            .args(["--listen", &address.to_string(), "--log-level", "trace"])
            .current_dir(folder)
            .env("KINGLET_ADMIN_PASSWORD", password)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let program = Program { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not start");
            thread::sleep(Duration::from_millis(10));
        }
        // It answers when all is made, the administrator too.
        program.get("/rest/ping");
        program
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

fn kinglet(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kinglet"))
        .args(words)
        .args(["--data", "data"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_log_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("music")).unwrap();
    silence::write(&folder.path().join("music/silence.wav"));
    let (password, wrong, passphrase) = ("Secret-Word-1", "Wrong-Word-2", "Pass-Phrase-3");
    let (token, salt) = ("0123456789abcdef0123456789abcdef", "Salt-Word-4");
    let program = Program::start(folder.path(), password);
    let made = kinglet(folder.path(), &["user", "key", "admin", "--label", "phone"]);
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert_eq!(key.len(), 40);

    let signed = format!("u=admin&p={password}&v=1.16.1&c=t&f=json");
    let began = Instant::now();
    while !program.get(&format!("/rest/getSong?id=so1&{signed}")).contains("silence") {
        assert!(began.elapsed() < Duration::from_secs(20), "no song");
        thread::sleep(Duration::from_millis(50));
    }
    let hex: String = password.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(program.get(&format!("/rest/ping?u=admin&p=enc:{hex}&f=json")).contains("\"ok\""));
    assert!(program.get(&format!("/rest/ping?apiKey={key}&f=json")).contains("\"ok\""));
    program.get(&format!("/rest/ping?u=admin&t={token}&s={salt}"));
    for _ in 0..80 {
        program.get(&format!("/rest/ping?u=nobody&p={wrong}"));
    }
    program.get(&format!("/rest/ping?u={wrong}&p={wrong}"));
    let form = format!("id=so1&passphrase={passphrase}&{signed}");
    let shared = program.ask(&format!(
        "POST /rest/createShare HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    let link =
        shared.split("/share/").nth(1).expect("a link").split('"').next().unwrap().to_owned();
    assert_eq!(link.len(), 16, "{shared}");
    for path in ["", "/", "/so1.wav", "/playlist.m3u8", "/so1-600.jpg", "/nothing"] {
        program.get(&format!("/share/{link}{path}"));
    }
    program.get(&format!("/share/{link}.m3u8"));
    let form = format!("passphrase={passphrase}");
    let opened = program.ask(&format!(
        "POST /share/{link} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    let cookie =
        opened.split("kinglet_share=").nth(1).expect("a cookie").split(';').next().unwrap();
    let page = program.ask(&format!(
        "GET /share/{link} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: \
         kinglet_share={cookie}\r\n\r\n"
    ));
    assert!(page.contains("silence"), "{page}");
    // What is no HTTP at all, with a secret in it.
    program.ask(&format!("GET /rest/ping?p={password} HTTP/9\r\n\r\n"));
    kinglet(folder.path(), &["user", "key", "list", "admin"]);
    drop(program);

    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("answered"), "it is a log of every answer: {log}");
    assert!(log.contains("too many failed sign-ins"), "{log}");
    for secret in [password, wrong, passphrase, token, salt, &hex, &key, &link, cookie] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
}

#[path = "support/silence.rs"]
mod silence;

#[test]
fn keys_are_managed_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let run = |words: &[&str]| kinglet(folder.path(), words);
    assert!(run(&["user", "add", "anna", "--admin"]).status.success());
    // Whoever else has an account on the machine sees nothing of it.
    for (name, mode) in [("", 0o700), ("kinglet.db", 0o600), ("kinglet.key", 0o600)] {
        let path = folder.path().join("data").join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let key = text(&run(&["user", "key", "anna", "--label", "Anna's phone"]));
    let list = text(&run(&["user", "key", "list", "anna"]));
    assert!(list.contains("never used") && list.contains("Anna's phone"), "{list}");
    assert!(!list.contains(key.trim()));
    let id = list.split_whitespace().next().unwrap();
    let revoked = run(&["user", "key", "revoke", "anna", id]);
    assert!(text(&revoked).contains(id), "{revoked:?}");
    assert_eq!(text(&run(&["user", "key", "list", "anna"])), "");
    let again = run(&["user", "key", "revoke", "anna", id]);
    assert!(!again.status.success());
    assert!(String::from_utf8(again.stderr).unwrap().contains("user key list anna"));
}
