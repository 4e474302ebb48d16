//! The demo as a newcomer meets it: the program itself, its page, its music.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a slow machine and a build without optimisation.
const PATIENCE: Duration = Duration::from_secs(120);

/// Fetches a path; gives the head and the body.
fn get(address: &str, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..end]).to_lowercase(), answer[end + 4..].to_vec())
}

/// Ends the program, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_demo_plays_by_its_link_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let mut demo = Running(
        Command::new(env!("CARGO_BIN_EXE_kinglet"))
            .args(["demo", "--listen", &address])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let output = BufReader::new(demo.0.stdout.take().unwrap());
    let line = output.lines().map(Result::unwrap).find(|line| line.contains("/share/")).unwrap();
    let path = line.split(&address).nth(1).unwrap().trim().to_owned();
    let since = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(since.elapsed() < PATIENCE, "the demo does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }

    let (head, page) = get(&address, &path);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("First Light") && page.contains("Mira Solberg"));
    let songs: Vec<&str> = page.split('"').filter(|text| text.ends_with(".flac")).collect();
    assert!(songs.len() >= 5, "{songs:?}");
    let (head, song) = get(&address, &format!("/share/{}", songs[0]));
    assert!(head.contains(&format!("content-length: {}", song.len())), "{head}");
    assert!(song.starts_with(b"fLaC"));

    let pid = rustix::process::Pid::from_child(&demo.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(demo.0.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
