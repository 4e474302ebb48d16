//! What a request costs the server: CPU time of the real program under 32 connections, on a
//! made-up library, with its memory and its start. `cargo bench --bench requests -- [SONGS]`.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod library;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kinglet::app::App;
use kinglet::config::{self, Flags};

/// Clients that ask at the same time.
const CONNECTIONS: usize = 32;
/// How long each call is asked for.
const SPAN: Duration = Duration::from_secs(2);
/// Songs of one page when a client fetches everything.
const PAGE: usize = 500;

const CALLS: [(&str, &str); 14] = [
    ("ping", ""),
    ("getAlbum", "id=al7"),
    ("getAlbumList2", "type=newest&size=50"),
    ("getAlbumList2", "type=random&size=50"),
    ("getAlbumList2", "type=byYear&fromYear=1960&toYear=2000&size=50"),
    ("getAlbumList2", "type=alphabeticalByName&size=50&offset=300"),
    ("getRandomSongs", "size=50"),
    ("search3", "query=lo"),
    ("search3", "query=of+the"),
    ("search3", "query=velvet&songCount=200&songOffset=20"),
    ("getArtists", ""),
    ("getIndexes", ""),
    ("getGenres", ""),
    ("getStarred2", ""),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let songs: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path(), songs);

    drop(Server::start(folder.path()));
    let server = Server::start(folder.path());
    println!("{songs} songs; start to first ping {:.0} ms", server.start.as_secs_f64() * 1e3);
    println!("anonymous memory after the start {:.1} MiB", server.memory());
    println!("{:>10} {:>10} {:>9}  call", "CPU/call", "calls/s", "bytes");
    for (name, query) in CALLS {
        for format in ["json", "xml"] {
            let path = path(name, format, query);
            let began = (Instant::now(), server.cpu());
            let (calls, bytes) = server.hammer(&path);
            let cpu = server.cpu() - began.1;
            println!(
                "{:>7.1} us {:>10.0} {:>9}  {format:<4} {name} {query}",
                cpu.as_secs_f64() * 1e6 / calls as f64,
                calls as f64 / began.0.elapsed().as_secs_f64(),
                bytes
            );
        }
    }
    let began = (Instant::now(), server.cpu());
    let pages = server.fetch_all(songs);
    println!(
        "everything in {pages} pages of {PAGE}: {:.2} s, CPU {:.2} s",
        began.0.elapsed().as_secs_f64(),
        (server.cpu() - began.1).as_secs_f64()
    );
    println!("anonymous memory at the end {:.1} MiB", server.memory());
}

fn fill(folder: &Path, songs: usize) {
    fs::create_dir(folder.join("music")).expect("a music folder");
    let environment = [("HOME".to_owned(), folder.display().to_string())];
    let data = Some(folder.join("data").display().to_string());
    let flags = Flags { data, ..Flags::default() };
    let config = config::load(&flags, &environment, None).expect("a configuration");
    let app = App::open(config).expect("a data folder");
    library::fill(&app, i64::try_from(songs).expect("a number of songs"));
}

fn path(name: &str, format: &str, query: &str) -> String {
    format!("/rest/{name}?{}&f={format}&{query}", library::sign_in())
}

/// The program, serving; killed when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
    /// From its start to the first answer.
    start: Duration,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let began = Instant::now();
        let process = Command::new(env!("CARGO_BIN_EXE_kinglet"))
            .args(["serve", "--listen", &address.to_string(), "--log-level", "error"])
            .args([Path::new("--music"), &folder.join("music")])
            .args([Path::new("--data"), &folder.join("data")])
            .env("KINGLET_SCAN_ON_START", "false")
            .stdout(Stdio::null())
            .spawn()
            .expect("a running server");
        let mut server = Server { process, address, start: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            assert!(server.process.try_wait().expect("a state").is_none(), "the server ended");
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not start");
            thread::sleep(Duration::from_millis(1));
        }
        server.connect().get(&path("ping", "json", ""));
        server.start = began.elapsed();
        server
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).expect("a connection");
        Connection(BufReader::new(stream))
    }

    /// Asks on all connections for the span; says how many answers came and the length of one.
    fn hammer(&self, path: &str) -> (u64, usize) {
        let (calls, end) = (AtomicU64::new(0), Instant::now() + SPAN);
        let bytes = self.connect().get(path);
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut connection = self.connect();
                    while Instant::now() < end {
                        connection.get(path);
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        (calls.into_inner(), bytes)
    }

    /// Fetches all songs as clients do that keep the whole library; says how many pages it took.
    fn fetch_all(&self, songs: usize) -> usize {
        let (mut connection, pages) = (self.connect(), songs.div_ceil(PAGE));
        for page in 0..pages {
            let counts = "artistCount=0&albumCount=0";
            let query = format!("query=&songCount={PAGE}&songOffset={}&{counts}", page * PAGE);
            connection.get(&path("search3", "json", &query));
        }
        pages
    }

    /// CPU time used until now, in the kernel too.
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let ticks: u64 = [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("ticks")).sum();
        // Linux counts them in hundredths of a second for programs.
        Duration::from_millis(ticks * 10)
    }

    /// Anonymous memory in MiB.
    fn memory(&self) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a status");
        let line = status.lines().find(|line| line.starts_with("RssAnon")).expect("a figure");
        let kib: f64 = line.split_whitespace().nth(1).expect("KiB").parse().expect("a number");
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection that is kept.
struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Fetches a path; says how long the body was.
    fn get(&mut self, path: &str) -> usize {
        let head = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes()).expect("sent");
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).expect("a status");
        assert!(line.starts_with("HTTP/1.1 200"), "{path}: {line}");
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        assert!(!body.windows(8).any(|part| part == b"\"failed\""), "{path} failed");
        length
    }
}
