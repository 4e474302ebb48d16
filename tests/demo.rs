//! The demo as a newcomer meets it: the program itself, its page, its music.

#![allow(clippy::unwrap_used)]

#[path = "support/program.rs"]
mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

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

/// Starts the demo on an address, with a folder for what it makes.
fn start(address: &str, temporary: &Path) -> Running {
    let demo = program::program()
        .args(["demo", "--listen", address])
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running(demo)
}

fn signal(demo: &Running, signal: Signal) {
    kill_process(Pid::from_child(&demo.0), signal).unwrap();
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_demo_plays_by_its_link_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start("127.0.0.1:0", temporary.path());
    let output = BufReader::new(demo.0.stdout.take().unwrap());
    let line = output.lines().map(Result::unwrap).find(|line| line.contains("/share/")).unwrap();
    // The link has the real port, and whoever follows it at once is answered.
    let (_, link) = line.split_once("http://").unwrap();
    let (address, path) = link.trim().split_at(link.find('/').unwrap());

    let (head, page) = get(address, path);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("First Light") && page.contains("Mira Solberg"));
    let songs: Vec<&str> = page.split('"').filter(|text| text.ends_with(".flac")).collect();
    assert!(songs.len() >= 5, "{songs:?}");
    let (head, song) = get(address, &format!("/share/{}", songs[0]));
    assert!(head.contains(&format!("content-length: {}", song.len())), "{head}");
    assert!(song.starts_with(b"fLaC"));

    signal(&demo, Signal::TERM);
    assert!(demo.0.wait().unwrap().success());
    assert!(is_empty(temporary.path()));
}

#[test]
fn a_demo_that_is_stopped_while_it_composes_leaves_nothing_behind() {
    for stop in [Signal::TERM, Signal::INT] {
        let temporary = tempfile::tempdir().unwrap();
        let mut demo = start("127.0.0.1:0", temporary.path());
        let mut output = BufReader::new(demo.0.stdout.take().unwrap());
        let mut told = String::new();
        output.read_line(&mut told).unwrap();
        assert!(told.starts_with("Composing") && !is_empty(temporary.path()), "{told}");
        signal(&demo, stop);
        output.read_to_string(&mut told).unwrap();
        assert!(demo.0.wait().unwrap().success());
        assert!(is_empty(temporary.path()));
        assert!(!told.contains("/share/"), "{told}");
    }
}

#[test]
fn a_taken_address_is_told_before_anything_is_made() {
    let temporary = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut demo = start(&address, temporary.path());
    let (mut output, mut errors) = (String::new(), String::new());
    demo.0.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    demo.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(!demo.0.wait().unwrap().success());
    assert!(output.is_empty(), "{output}");
    assert!(errors.contains(&address) && errors.contains("--listen"), "{errors}");
    assert!(is_empty(temporary.path()));
}
