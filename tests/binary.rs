//! The real program, as people call it: help, mistakes on the command line and in settings, check,
//! shares.

#![allow(clippy::unwrap_used)]

#[path = "support/program.rs"]
mod program;
#[path = "support/silence.rs"]
mod silence;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use kinglet::db::shares::{self, Counts, NewShare, Options};
use kinglet::id::Id;
use tempfile::TempDir;

/// Runs the program with these words, with nothing of our environment but a home folder.
fn kinglet(home: &Path, words: &[&str]) -> Output {
    with_variables(home, words, &[])
}

fn with_variables(home: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    program::program()
        .args(words)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied())
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn help_tells_what_there_is() {
    let home = home();
    for words in [&["--help"][..], &["help"], &[]] {
        let output = kinglet(home.path(), words);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("kinglet demo"));
        assert!(complaint(&output).is_empty());
    }
    let output = kinglet(home.path(), &["user", "--help"]);
    assert!(out(&output).contains("kinglet user add NAME"));
}

#[test]
fn help_ends_quietly_where_nobody_reads_it() {
    let home = home();
    let mut child = program::program()
        .arg("help")
        .env_clear()
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(complaint(&child.wait_with_output().unwrap()).is_empty());
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = kinglet(home().path(), &["--version"]);
    let version = out(&output);
    assert!(version.starts_with(concat!("kinglet ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert_eq!(version.lines().count(), 1);
}

#[test]
fn a_mistyped_command_names_the_nearest_and_has_a_code_of_its_own() {
    let output = kinglet(home().path(), &["srve"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(complaint(&output), "kinglet: there is no command `srve`; did you mean `serve`?\n");
}

#[test]
fn a_mistake_in_the_settings_names_file_line_and_remedy() {
    let home = home();
    let file = home.path().join("my.toml");
    fs::write(&file, "music = '/m'\nlissen = '0.0.0.0:1'\ncover_workers = 99\n").unwrap();
    let config = ["serve", "--config", file.to_str().unwrap()];
    let output = with_variables(home.path(), &config, &[("KINGLET_LOG_LEVEL", "loud")]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = complaint(&output);
    for part in [
        "my.toml, line 2: there is no setting `lissen`; did you mean `listen`?",
        "cover_workers in ",
        "my.toml, line 3: `99` is no whole number from 1 to 8",
        "KINGLET_LOG_LEVEL: `loud` is none of error, warn, info, debug and trace",
    ] {
        assert!(complaint.contains(part), "{part}\n{complaint}");
    }
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    let output = kinglet(home().path(), &["check", "--config", "/no/such/file"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("--config /no/such/file"));
}

#[test]
fn the_settings_file_in_the_data_folder_is_found() {
    let home = home();
    let data = home.path().join(".local/share/kinglet");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("kinglet.toml"), "listen = 4040").unwrap();
    let output = kinglet(home.path(), &["check"]);
    assert!(complaint(&output).contains(".local/share/kinglet/kinglet.toml, line 1"));
}

#[test]
fn serve_stops_where_a_music_folder_is_missing() {
    let output = kinglet(home().path(), &["serve", "--music", "/no/such/music"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = complaint(&output);
    assert!(complaint.contains("`/no/such/music` cannot be listed"), "{complaint}");
    assert!(complaint.contains("is its disk mounted"), "{complaint}");
}

#[test]
fn check_names_everything_that_is_broken() {
    let home = home();
    fs::write(home.path().join("file"), "").unwrap();
    let words = ["check", "--music", "gone", "--data", "file/data", "--listen", "203.0.113.1:4040"];
    let output = kinglet(home.path(), &words);
    assert_eq!(output.status.code(), Some(1));
    let found = out(&output);
    for part in ["FAIL  music: ", "FAIL  data: ", "FAIL  listen: ", "3 to mend"] {
        assert!(found.contains(part), "{part}\n{found}");
    }
}

#[test]
fn check_is_content_with_a_good_set_up() {
    let home = home();
    fs::create_dir_all(home.path().join("Music/Album")).unwrap();
    let words = ["check", "--music", "Music", "--listen", "127.0.0.1:0"];
    let output = kinglet(home.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("A server can start"));
}

/// Kills the server should a test fail.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn the_first_signal_lets_a_song_play_on_and_the_second_does_not() {
    let home = home();
    fs::create_dir(home.path().join("Music")).unwrap();
    silence::write(&home.path().join("Music/silence.wav"));
    let server = program::program()
        .args(["serve", "--music", "Music", "--data", "data", "--listen", "127.0.0.1:0"])
        .env("HOME", home.path())
        .envs([("KINGLET_ADMIN_PASSWORD", "sesame"), ("KINGLET_STOP_TIMEOUT", "300s")])
        .current_dir(home.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Running(server);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = log.find(|line| line.contains("serving on http://")).unwrap();
    let address = line.split("http://").nth(1).unwrap().trim().to_owned();
    assert!(log.any(|line| line.contains("scanned: ")));

    let mut listener = TcpStream::connect(address).unwrap();
    listener
        .write_all(
            b"GET /rest/stream?id=so1&u=admin&p=sesame&v=1.16.1&c=test HTTP/1.1\r\nhost: x\r\n\r\n",
        )
        .unwrap();
    let mut head = [0; 12];
    listener.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");

    let pid = Pid::from_child(&server.0);
    kill_process(pid, Signal::TERM).unwrap();
    assert!(log.any(|line| line.contains("stopping")));
    thread::sleep(Duration::from_millis(300));
    assert!(server.0.try_wait().unwrap().is_none());
    kill_process(pid, Signal::TERM).unwrap();
    assert!(log.any(|line| line.contains("responses were cut") && line.contains("responses=1")));
    assert!(server.0.wait().unwrap().success());
}

#[test]
fn shares_are_listed_shown_and_ended() {
    let home = home();
    fs::create_dir(home.path().join("Music")).unwrap();
    silence::write(&home.path().join("Music/sil\u{1b}ence.wav"));
    let run = |words: &[&str]| {
        let output =
            kinglet(home.path(), &[words, &["--music", "Music", "--data", "data"]].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", complaint(&output));
        out(&output)
    };
    run(&["scan"]);
    run(&["user", "add", "anna"]);
    assert_eq!(run(&["share", "list"]), "");
    let db = kinglet::db::Db::open(&home.path().join("data/kinglet.db")).unwrap();
    let new = NewShare {
        token: "abcdefgh12345678",
        user: 1,
        description: Some("two\nlines"),
        created: 0,
        expires: None,
        entries: &[Id::Song(1)],
        options: Options { max_plays: Some(9), ..Options::OPEN },
    };
    db.write(|db| shares::create(db, &new)).unwrap();
    let counts = Counts { visits: 7, plays: vec![(Id::Song(1), 3)], ..Counts::default() };
    db.write(|db| shares::add_counts(db, 1, &counts)).unwrap();
    for words in [&["share", "list"][..], &["share", "list", "anna"]] {
        let list = run(words);
        assert!(
            list.contains("sh1     /share/abcdefgh12345678  by anna, open: 7 visits"),
            "{list}"
        );
    }
    for share in ["sh1", "abcdefgh12345678", "https://a.b/share/abcdefgh12345678/"] {
        let shown = run(&["share", "show", share]);
        for part in ["max plays     9\n", "two lines\n", "passphrase    no\n", "  so1        3  "] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert!(!shown.contains('\u{1b}'));
    }
    assert!(run(&["share", "revoke", "sh1"]).contains("Ended sh1"));
    let output = kinglet(home.path(), &["share", "show", "sh1", "--data", "data"]);
    assert!(complaint(&output).contains("there is no share `sh1`"), "{}", complaint(&output));
    let output = kinglet(home.path(), &["share", "list", "bob", "--data", "data"]);
    assert!(complaint(&output).contains("there is no user `bob`"), "{}", complaint(&output));
}

#[test]
fn the_defaults_of_a_users_shares_are_shown_and_changed() {
    let home = home();
    let run = |words: &[&str]| {
        let words = [&["user", "share-defaults"], words, &["--data", "data"]].concat();
        kinglet(home.path(), &words)
    };
    kinglet(home.path(), &["user", "add", "anna", "--data", "data"]);
    let shown = out(&run(&["anna"]));
    for line in ["downloadable=yes  (as the server has it)", "expiry=365d  (as the server has it)"]
    {
        assert!(shown.contains(line), "{shown}");
    }
    let shown = out(&run(&["anna", "downloadable=no", "live=no", "expiry=30d"]));
    assert!(shown.contains("downloadable=no\n  live=no\n  embed=no  (as"), "{shown}");
    assert!(shown.contains("expiry=30d\n"), "{shown}");
    let shown = out(&run(&["anna", "expiry=never", "live=default"]));
    assert!(shown.contains("expiry=never\n") && shown.contains("live=yes  (as"), "{shown}");
    for (word, why) in [
        ("live", "is not like live=no"),
        ("live=perhaps", "neither yes, no nor default"),
        ("colour=red", "names none of"),
        ("expiry=soon", "or `never`"),
    ] {
        let refused = run(&["anna", word]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(complaint(&refused).contains(why), "{}", complaint(&refused));
    }
}
