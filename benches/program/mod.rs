//! The real program, serving, and what the system says of it.

// Each bench uses what it needs of this module.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used)]

pub mod proxy;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program; killed when dropped.
pub struct Server {
    process: Child,
    address: SocketAddr,
    /// From its start to the first answer.
    pub start: Duration,
}

impl Server {
    /// Starts it for a folder with music and one with data, and waits until it answers.
    pub fn start(music: &Path, data: &Path, settings: &[(&str, &str)]) -> Server {
        let address = free();
        let began = Instant::now();
        let process = command()
            .args(["serve", "--listen", &address.to_string(), "--log-level", "error"])
            .args([Path::new("--music"), music, Path::new("--data"), data])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("a running server");
        let mut server = Server { process, address, start: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            assert!(server.is_running(), "the server ended");
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not start");
            thread::sleep(Duration::from_millis(1));
        }
        server.connect().get("/rest/getOpenSubsonicExtensions?f=json");
        server.start = began.elapsed();
        server
    }

    /// Ends it as systemd does, and waits until it has.
    pub fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("a signal");
        self.process.wait().expect("an end");
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("a state").is_none()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).expect("a connection");
        Connection(BufReader::new(stream))
    }

    /// CPU time used until now, in the kernel too.
    pub fn cpu(&self) -> Duration {
        cpu(self.process.id())
    }

    /// A figure of its memory in MiB: `RssAnon`, `RssFile`.
    pub fn memory(&self, name: &str) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a figure");
        let kib: f64 = line.split_whitespace().nth(1).expect("KiB").parse().expect("a number");
        kib / 1024.0
    }

    /// Lengths in bytes of the maps of files below a folder.
    pub fn maps(&self, folder: &Path) -> Vec<u64> {
        let folder = folder.to_str().expect("a path of text");
        let length = |line: &str| {
            let (start, end) = line.split_once(' ')?.0.split_once('-')?;
            let hex = |text| u64::from_str_radix(text, 16).expect("an address");
            Some(hex(end) - hex(start))
        };
        self.proc("maps").lines().filter(|line| line.contains(folder)).filter_map(length).collect()
    }

    /// How many files and sockets it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("a list").count()
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).expect(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address that nothing listens on.
pub fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// The program: the one of this build, or the words of `BENCH_PROGRAM`, such as an emulator and a
/// program of another machine.
pub fn command() -> Command {
    let given = std::env::var("BENCH_PROGRAM").unwrap_or_default();
    let mut words = given.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(env!("CARGO_BIN_EXE_kinglet")));
    command.args(words);
    command
}

/// CPU time that a process has used until now, in the kernel too.
pub fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("stat");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks: u64 = [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("ticks")).sum();
    // Linux counts them in hundredths of a second for programs.
    Duration::from_millis(ticks * 10)
}

/// A connection that is kept.
pub struct Connection(pub BufReader<TcpStream>);

impl Connection {
    /// Sends a request for a path.
    pub fn send(&mut self, path: &str) {
        self.send_with(path, "");
    }

    /// Sends a request for a path with further lines in its head, each with its end.
    pub fn send_with(&mut self, path: &str, lines: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n");
        self.0.get_mut().write_all(head.as_bytes()).expect("sent");
    }

    /// Reads the head of an answer: its status and the length of its body.
    pub fn head(&mut self) -> (u16, usize) {
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).expect("a status");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(&line);
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            if line == "\r\n" {
                return (status, length);
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
    }

    /// Fetches a path, whatever the answer is: its status and its body.
    pub fn fetch(&mut self, path: &str) -> (u16, Vec<u8>) {
        self.send(path);
        let (status, length) = self.head();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        (status, body)
    }

    /// Fetches a path; says how long the body was.
    pub fn get(&mut self, path: &str) -> usize {
        let (status, body) = self.fetch(path);
        assert_eq!(status, 200, "{path}");
        assert!(!body.windows(8).any(|part| part == b"\"failed\""), "{path} failed");
        body.len()
    }
}
