//! Files sent over real connections: ranges, files that change or fail meanwhile, peers that stall.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use kinglet::http::accept::{self, Limits};
use kinglet::http::body::{Body, Response};
use kinglet::media::body::WINDOW;
use kinglet::media::plan::Plan;
use kinglet::media::send::{Mode, Opened, READS_AT_A_TIME, Sender, open};
use kinglet::media::source::{Identity, Source};
use kinglet::media::window::Mapped;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

/// Both ways in which bytes can leave.
const MODES: [Mode; 2] = [Mode::Mapped, Mode::Read];
/// Length of the files that change while they are sent.
const LEN: usize = 3_000_000;
/// Long enough for a response to be under way while nobody reads it.
const LONG: usize = 16 << 20;
/// Receive buffers of clients, so that a response cannot hide in them.
const RECEIVE_BUFFER: u32 = 16 << 10;
/// How often the file changes in the ordinary run, in each mode; it has 6 ways to change.
const ROUNDS: u64 = 36;
/// How many clients read it meanwhile.
const CLIENTS: u64 = 12;
/// Blocking threads of the test server: more than may wait for disks.
const BLOCKING_THREADS: usize = READS_AT_A_TIME + 8;
/// What never comes in this time is missing.
const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes that differ at every place and in every generation.
fn content(generation: u64, len: usize) -> Vec<u8> {
    let word = |index: u64| {
        let mixed = (index ^ (generation << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()
    };
    (1..).flat_map(word).take(len).collect()
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A server of the files in a folder and of sources that tests make.
struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    folder: TempDir,
    sender: Sender,
    sources: Mutex<HashMap<String, Arc<dyn Source>>>,
}

impl Server {
    fn start(mode: Mode) -> Server {
        Server::start_with(mode, Duration::from_secs(60))
    }

    fn start_with(mode: Mode, stall_timeout: Duration) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(BLOCKING_THREADS)
            .enable_all()
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            folder: tempfile::tempdir().unwrap(),
            sender: Sender::new(mode),
            sources: Mutex::default(),
        });
        let limits = Limits {
            connections: 1000,
            header_timeout: Duration::from_secs(60),
            stall_timeout,
            grace: Duration::from_secs(1),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let to_answer = shared.clone();
        let answer = move |request: hyper::Request<_>, _| answer(to_answer.clone(), request);
        runtime.spawn(accept::serve(listener, limits, answer, std::future::pending()));
        Server { runtime: Some(runtime), address, shared }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder().join(name), bytes).unwrap();
    }

    fn put_source(&self, name: &str, source: impl Source) {
        self.shared.sources.lock().unwrap().insert(name.to_owned(), Arc::new(source));
    }

    fn connect(&self) -> Client {
        let _inside = self.runtime().enter();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
        let stream = self.runtime().block_on(socket.connect(self.address)).unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Client { stream: BufReader::with_capacity(32 << 10, stream), pause: Duration::ZERO }
    }

    /// Maps and open descriptors of files in the folder, deleted ones too.
    fn held(&self) -> (usize, usize) {
        let folder = self.folder().to_str().unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let maps = maps.lines().filter(|line| line.contains(folder)).count();
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let paths = links.filter_map(|link| fs::read_link(link.path()).ok());
        (maps, paths.filter(|path| path.starts_with(folder)).count())
    }

    fn nothing_is_held(&self) {
        until("every map and file is given back", || self.held() == (0, 0));
        until("no body lives", || self.shared.sender.figures().live == 0);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A source that hangs must not keep a failed test from ending.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer<B>(shared: Arc<Shared>, request: hyper::Request<B>) -> Response {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let plan = Plan {
        path: shared.folder.path().join(&name),
        content_type: Cow::Borrowed("audio/flac"),
        disposition: None,
        cache: "private",
    };
    let source = shared.sources.lock().unwrap().get(&name).cloned();
    let opened = tokio::task::spawn_blocking(move || match source {
        Some(source) => Opened::new(plan, source),
        None => open(plan),
    });
    match opened.await.unwrap() {
        Ok(opened) => shared.sender.respond(opened, request.method(), request.headers()),
        Err(_) => {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = hyper::StatusCode::NOT_FOUND;
            missing
        }
    }
}

/// A client that knows what it reads.
struct Client {
    stream: BufReader<TcpStream>,
    /// How long it waits after each block of a body.
    pause: Duration,
}

/// What a client got; the body is shorter than `Content-Length` where the connection broke.
struct Got {
    status: u16,
    fields: HashMap<String, String>,
    body: Vec<u8>,
    complete: bool,
}

impl Got {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Client {
    fn send(&mut self, method: &str, name: &str, fields: &[&str]) {
        let mut text = format!("{method} /{name} HTTP/1.1\r\nHost: test\r\n");
        for field in fields {
            text += &format!("{field}\r\n");
        }
        // A server that has closed already is noticed when its answer is read.
        let _ = self.stream.get_mut().write_all((text + "\r\n").as_bytes());
    }

    /// Reads the head of an answer; `None` where the connection ended instead.
    fn head(&mut self) -> Option<Got> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let status = status.get(..3).unwrap().parse().unwrap();
        let fields = lines.iter().skip(1).map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Some(Got { status, fields: fields.collect(), body: Vec::new(), complete: true })
    }

    fn body(&mut self, got: &mut Got) {
        let len: usize = got.field("content-length").parse().unwrap();
        while got.body.len() < len {
            let block = match self.stream.fill_buf() {
                Ok([]) | Err(_) => break,
                Ok(block) => block.get(..len - got.body.len()).unwrap_or(block),
            };
            got.body.extend_from_slice(block);
            let taken = block.len();
            self.stream.consume(taken);
            thread::sleep(self.pause);
        }
        got.complete = got.body.len() == len;
    }

    fn answer(&mut self, method: &str) -> Option<Got> {
        let mut got = self.head()?;
        if method != "HEAD" && got.status != 304 {
            self.body(&mut got);
        }
        Some(got)
    }

    fn get(&mut self, name: &str, fields: &[&str]) -> Got {
        self.send("GET", name, fields);
        self.answer("GET").unwrap()
    }

    /// Nothing more comes: the server has closed the connection.
    fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// The body of `multipart/byteranges` with these ranges.
fn multipart(content_type: &str, file: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let mut body = Vec::new();
    for Range { start, end } in ranges {
        if !body.is_empty() {
            body.extend_from_slice(b"\r\n");
        }
        let (last, len) = (end - 1, file.len());
        let head = format!(
            "--{boundary}\r\nContent-Type: audio/flac\r\nContent-Range: bytes {start}-{last}/{len}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file.get(*start..*end).unwrap());
    }
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

#[test]
fn requests_get_the_bytes_they_ask_for() {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
    let [earlier, later] = [date - Duration::from_secs(9), date + Duration::from_secs(9)];
    let [date_text, old, new] = [date, earlier, later].map(httpdate::fmt_http_date);
    assert_eq!(date_text, "Tue, 02 Jan 2024 03:04:05 GMT");
    for mode in MODES {
        let server = Server::start(mode);
        let (long, empty) = (content(1, 10_000), Vec::new());
        server.put("long", &long);
        server.put("empty", &empty);
        for name in ["long", "empty"] {
            let file = File::options().write(true).open(server.folder().join(name)).unwrap();
            file.set_modified(date).unwrap();
        }
        let mut client = server.connect();
        let etag = client.get("long", &[]).field("etag").to_owned();
        let vectors = include_str!("data/range-vectors.txt").lines();
        let vectors = vectors.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut tried = 0;
        for vector in vectors {
            let mut columns = vector.split('|').map(str::trim);
            let mut column = || columns.next().unwrap();
            let (request, fields, status, bytes) = (column(), column(), column(), column());
            let (method, name, file) = match request {
                "EMPTY" => ("GET", "empty", &empty),
                method => (method, "long", &long),
            };
            let fields = fields.replace("ETAG", &etag).replace("DATE", &date_text);
            let fields = fields.replace("OLD", &old).replace("NEW", &new);
            let mut fields: Vec<&str> =
                fields.split(';').map(str::trim).filter(|field| !field.is_empty()).collect();
            if method == "POST" {
                fields.push("Content-Length: 0");
            }
            client.send(method, name, &fields);
            let got = client.answer(method).expect(vector);
            assert_eq!(got.status.to_string(), status, "{vector}");
            let ranges = bytes.split(' ').filter_map(|range| range.split_once('-'));
            let ranges = ranges
                .map(|(first, last)| first.parse().unwrap()..last.parse::<usize>().unwrap() + 1);
            let ranges: Vec<Range<usize>> = ranges.collect();
            let (body, content_range) = match (bytes, ranges.as_slice()) {
                ("ALL", _) => (file.clone(), String::new()),
                ("NONE", _) if status == "416" => (Vec::new(), "bytes */10000".to_owned()),
                ("NONE", _) => (Vec::new(), String::new()),
                (_, [range]) => {
                    (file.get(range.clone()).unwrap().to_vec(), format!("bytes {bytes}/10000"))
                }
                _ => (multipart(got.field("content-type"), file, &ranges), String::new()),
            };
            assert_eq!(got.field("content-range"), content_range, "{vector}");
            assert_eq!(got.field("accept-ranges"), "bytes", "{vector}");
            assert!(got.field("etag").len() > 2, "{vector}");
            assert_eq!(got.field("last-modified"), date_text, "{vector}");
            if got.status != 304 {
                assert_eq!(got.field("content-length"), body.len().to_string(), "{vector}");
            }
            let sent = if method == "HEAD" { &[] } else { body.as_slice() };
            assert!(got.complete && got.body == sent, "{vector}: other bytes");
            tried += 1;
        }
        assert_eq!(tried, 53);
        drop(client);
        server.nothing_is_held();
    }
}

#[test]
fn long_files_are_sent_whole_and_in_parts() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LEN);
        server.put("song", &file);
        let mut client = server.connect();
        assert!(client.get("song", &[]).body == file);
        let window = usize::try_from(WINDOW).unwrap();
        for start in [0, 1, 4095, window - 1, window, 2 * window + 77] {
            for end in [start + 1, start + 4096, start + window, LEN - 1, LEN] {
                let range = format!("Range: bytes={start}-{}", end - 1);
                let got = client.get("song", &[&range]);
                assert_eq!(got.status, 206);
                assert!(got.body == file[start..end], "{start}-{end} {mode:?}");
            }
        }
        let got = client.get("song", &["Range: bytes=1000-999999,2000000-,5-5"]);
        let ranges = [1000..1_000_000, 2_000_000..LEN, 5..6];
        assert!(got.body == multipart(got.field("content-type"), &file, &ranges));
        // Further requests may be sent before the answers are read.
        client.send("GET", "song", &[]);
        client.send("HEAD", "song", &[]);
        client.send("GET", "missing", &[]);
        client.send("GET", "song", &["Range: bytes=-7"]);
        assert!(client.answer("GET").unwrap().body == file);
        assert_eq!(client.answer("HEAD").unwrap().field("content-length"), LEN.to_string());
        assert_eq!(client.answer("GET").unwrap().status, 404);
        assert_eq!(client.answer("GET").unwrap().body, file[LEN - 7..]);
        drop(client);
        server.nothing_is_held();
        let figures = server.shared.sender.figures();
        assert_eq!((figures.broken, figures.unmapped), (0, 0));
    }
}

#[test]
fn bytes_past_four_gibibytes_are_the_right_ones() {
    for mode in MODES {
        let server = Server::start(mode);
        let (start, bytes) = ((9_u64 << 29) + 12_345, content(1, 1_000_000));
        let file = File::create(server.folder().join("book")).unwrap();
        file.write_all_at(&bytes, start).unwrap();
        file.set_len(5 << 30).unwrap();
        let range = format!("Range: bytes={start}-{}", start + 999_999);
        let got = server.connect().get("book", &[&range]);
        assert_eq!(
            got.field("content-range"),
            format!("bytes {start}-{}/5368709120", start + 999_999)
        );
        assert!(got.body == bytes);
    }
}
