//! The program as a service: what it tells systemd, the sockets and the key it is given, and reading
//! its settings again.

#![allow(clippy::unwrap_used)]

#[path = "support/program.rs"]
mod program;
#[path = "support/silence.rs"]
mod silence;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What never comes in this time is missing.
const DEADLINE: Duration = Duration::from_secs(60);

/// A home with one song and the settings of a server.
fn home(settings: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("Music")).unwrap();
    silence::write(&home.path().join("Music/silence.wav"));
    write_settings(home.path(), settings);
    home
}

fn write_settings(home: &Path, settings: &str) {
    let always = "music = 'Music'\ndata = 'data'\nlisten = '127.0.0.1:0'\n";
    fs::write(home.join("kinglet.toml"), format!("{always}{settings}")).unwrap();
}

/// `kinglet serve`, not started yet.
fn serve(home: &Path) -> Command {
    in_home(program::program(), home, &["serve"])
}

fn in_home(mut command: Command, home: &Path, words: &[&str]) -> Command {
    command
        .args(words)
        .args(["--config", "kinglet.toml"])
        .env_clear()
        .env("HOME", home)
        .env("KINGLET_ADMIN_PASSWORD", "sesame")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A running server and the lines of its log; killed should a test fail.
struct Server {
    process: Child,
    log: Receiver<String>,
}

impl Server {
    fn start(mut command: Command) -> Server {
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (tell, log) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Server { process, log }
    }

    /// The next line of the log in which this stands.
    fn line(&self, part: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.log.recv_timeout(DEADLINE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with `{part}` among:\n{}", seen.join("\n")),
            }
        }
    }

    fn address(&self) -> SocketAddr {
        let line = self.line("serving on http://");
        line.split("http://").nth(1).unwrap().trim().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn end(mut self) {
        self.signal(Signal::TERM);
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls the API; gives the answer with its head.
fn call(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let sign = if path.contains('?') { '&' } else { '?' };
    let signed = format!("{path}{sign}u=admin&p=sesame&v=1.16.1&c=test&f=json");
    write!(stream, "GET {signed} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn answers(address: SocketAddr) -> bool {
    call(address, "/rest/ping").contains("\"status\":\"ok\"")
}

/// Where a service tells systemd how it is.
struct Notices {
    socket: UnixDatagram,
    /// What came before something else that was waited for.
    seen: Vec<String>,
}

impl Notices {
    fn at(path: &Path) -> Notices {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Notices { socket, seen: Vec::new() }
    }

    /// The next one that begins so; others are kept for later, since jobs tell things in any order.
    fn next(&mut self, start: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.seen.iter().position(|text| text.starts_with(start)) {
                return self.seen.remove(at);
            }
            assert!(Instant::now() < end, "no `{start}` among {:?}", self.seen);
            let mut buffer = [0; 4096];
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| {
                panic!("{error}: no `{start}` among {:?}", self.seen);
            });
            self.seen.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
    }
}

#[test]
fn systemd_is_told_of_start_scan_life_reload_and_end() {
    let home = home("");
    let mut notices = Notices::at(&home.path().join("notify"));
    let mut command = serve(home.path());
    command.env("NOTIFY_SOCKET", home.path().join("notify")).env("WATCHDOG_USEC", "400000");
    let server = Server::start(command);
    notices.next("READY=1");
    notices.next("WATCHDOG=1");
    assert_eq!(notices.next("STATUS=serving"), "STATUS=serving 1 files");
    notices.next("WATCHDOG=1");
    server.signal(Signal::HUP);
    let reloading = notices.next("RELOADING=1");
    let microseconds = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(microseconds.parse::<u64>().unwrap() > 0);
    notices.next("READY=1");
    server.signal(Signal::TERM);
    notices.next("STOPPING=1");
    server.end();
}

#[test]
fn sockets_of_systemd_are_heard_beside_the_address_of_the_settings() {
    let home = home("");
    let (door, metrics) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (door_at, metrics_at) = (door.local_addr().unwrap(), metrics.local_addr().unwrap());
    // A shell puts them where systemd does: from the third descriptor on.
    let mut shell = Command::new("/bin/sh");
    let program = program::program();
    shell
        .args(["-c", "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_PID=$$ exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(program.get_args());
    let mut command = in_home(shell, home.path(), &["serve"]);
    command
        .env("LISTEN_FDS", "2")
        .env("LISTEN_FDNAMES", "kinglet.socket:metrics")
        .stdin(OwnedFd::from(door))
        .stdout(OwnedFd::from(metrics));
    let server = Server::start(command);
    assert_eq!(server.address(), door_at);
    let own = server.address();
    assert!(own != door_at && answers(own) && answers(door_at));
    assert!(call(metrics_at, "/metrics").contains("kinglet_songs"));
    server.end();
}

#[test]
fn what_is_no_socket_is_refused() {
    let home = home("");
    let mut shell = Command::new("/bin/sh");
    let program = program::program();
    shell
        .args(["-c", "exec 3</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(program.get_args());
    let output = in_home(shell, home.path(), &["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("a socket of systemd cannot be used"), "{complaint}");
}

#[test]
fn a_reload_changes_what_can_change_and_names_the_rest() {
    let home = home("public_url = 'https://one.example.org'");
    let server = Server::start(serve(home.path()));
    let address = server.address();
    server.line("scanned: ");
    let shared = |expected: &str| {
        let answer = call(address, "/rest/createShare?id=so1");
        assert!(answer.contains(expected), "{expected}: {answer}");
    };
    shared("https://one.example.org/share/");

    let changed = "public_url = 'https://two.example.org'\nlog_level = 'debug'\nconnections = 99";
    write_settings(home.path(), changed);
    server.signal(Signal::HUP);
    server.line("read the settings again: changed public_url, log_level");
    server.line("changed in the settings, but not before the next start: connections");
    shared("https://two.example.org/share/");
    server.line("answered");

    write_settings(home.path(), "public_url = 'two.example.org'");
    server.signal(Signal::HUP);
    let line = server.line("the settings stay as they are");
    assert!(line.contains("kinglet.toml, line 4"), "{line}");
    shared("https://two.example.org/share/");
    server.end();
}

#[test]
fn the_key_can_be_a_credential_of_the_service() {
    let home = home("");
    let credentials = home.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("kinglet.key"), [7; 32]).unwrap();
    let mut command = serve(home.path());
    command.env("CREDENTIALS_DIRECTORY", &credentials);
    let server = Server::start(command);
    assert!(answers(server.address()));
    server.end();
    assert!(!home.path().join("data/kinglet.key").exists());
    // Without it nobody's password is encrypted by another one.
    let change = in_home(program::program(), home.path(), &["user", "passwd", "admin"]).output();
    let change = change.unwrap();
    assert_eq!(change.status.code(), Some(1));
    let complaint = String::from_utf8(change.stderr).unwrap();
    assert!(complaint.contains("CREDENTIALS_DIRECTORY names the folder"), "{complaint}");
    assert!(!home.path().join("data/kinglet.key").exists());
}

#[test]
fn caches_lie_where_systemd_keeps_them() {
    let home = home("");
    image::RgbImage::new(200, 200).save(home.path().join("Music/cover.png")).unwrap();
    let mut command = serve(home.path());
    command.env("CACHE_DIRECTORY", home.path().join("cache"));
    let server = Server::start(command);
    let address = server.address();
    server.line("scanned: ");
    let mut stream = TcpStream::connect(address).unwrap();
    let path = "/rest/getCoverArt?id=so1&size=64&u=admin&p=sesame&v=1.16.1&c=test";
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut picture = Vec::new();
    stream.read_to_end(&mut picture).unwrap();
    server.end();
    assert!(home.path().join("cache/covers").exists(), "{}", String::from_utf8_lossy(&picture));
    assert!(!home.path().join("data/covers").exists());
}

#[test]
fn the_first_password_is_not_kept_in_the_journal() {
    let home = home("");
    let out = home.path().join("out");
    let journal = File::create(&out).unwrap();
    let metadata = journal.metadata().unwrap();
    let mut command = serve(home.path());
    command
        .env_remove("KINGLET_ADMIN_PASSWORD")
        .env("JOURNAL_STREAM", format!("{}:{}", metadata.dev(), metadata.ino()))
        .stdout(journal);
    let server = Server::start(command);
    server.line("`kinglet user passwd admin` gives it a password");
    server.end();
    assert_eq!(fs::read_to_string(&out).unwrap(), "");
}
