//! A server of the files in a folder, over real connections.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kinglet::http::accept::{self, Limits};
use kinglet::http::body::{Body, Response};
use kinglet::http::stall::Patience;
use kinglet::media::pace::Rates;
use kinglet::media::plan::Plan;
use kinglet::media::send::{Mode, Opened, READS_AT_A_TIME, Sender, open};
use kinglet::media::source::Source;
use kinglet::media::turns::TURNS;
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

use super::client::Client;

/// Buffers of sockets: small, so that what is sent was in a window just before.
pub const SOCKET_BUFFER: u32 = 16 << 10;
/// Blocking threads of the test server: more than may wait for disks.
const BLOCKING_THREADS: usize = READS_AT_A_TIME + 8;
/// What never comes in this time is missing.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes that differ at every place and in every generation.
pub fn content(generation: u64, len: usize) -> Vec<u8> {
    let word = |index: u64| {
        let mixed = (index ^ (generation << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()
    };
    (1..).flat_map(word).take(len).collect()
}

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A server of the files in a folder and of sources that tests make.
pub struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    pub shared: Arc<Shared>,
}

pub struct Shared {
    folder: TempDir,
    pub sender: Sender,
    rates: Rates,
    sources: Mutex<HashMap<String, Arc<dyn Source>>>,
    /// Held once more by every response with a body.
    pub held: Arc<()>,
}

impl Server {
    pub fn start(mode: Mode) -> Server {
        Server::start_with(mode, Duration::from_secs(60), Rates::new(None, None))
    }

    /// A server that caps streams and shares at this many bytes a second.
    pub fn capped(mode: Mode, bytes: u64) -> Server {
        let rate = NonZeroU64::new(bytes);
        Server::start_with(mode, Duration::from_secs(60), Rates::new(rate, rate))
    }

    pub fn start_with(mode: Mode, stall_timeout: Duration, rates: Rates) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2 + TURNS)
            .max_blocking_threads(BLOCKING_THREADS)
            .enable_all()
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            folder: tempfile::tempdir().unwrap(),
            sender: Sender::new(mode),
            rates,
            sources: Mutex::default(),
            held: Arc::new(()),
        });
        shared.sender.turns().watch(runtime.handle().clone()).unwrap();
        let limits = limits(stall_timeout);
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_send_buffer_size(SOCKET_BUFFER).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(1024).unwrap()
        };
        let address = listener.local_addr().unwrap();
        let to_answer = shared.clone();
        let answer = move |request: hyper::Request<_>, _| answer(to_answer.clone(), request);
        let never = std::future::pending;
        runtime.spawn(accept::serve(listener, limits, Arc::default(), answer, never(), never()));
        Server { runtime: Some(runtime), address, shared }
    }

    pub fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.shared.folder.path()
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder().join(name), bytes).unwrap();
    }

    pub fn put_source(&self, name: &str, source: impl Source) {
        self.shared.sources.lock().unwrap().insert(name.to_owned(), Arc::new(source));
    }

    pub fn remove_source(&self, name: &str) {
        self.shared.sources.lock().unwrap().remove(name);
    }

    pub fn connect(&self) -> Client {
        self.connect_to(self.address)
    }

    pub fn connect_to(&self, address: SocketAddr) -> Client {
        let _inside = self.runtime().enter();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
        let stream = self.runtime().block_on(socket.connect(address)).unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Client { stream: BufReader::with_capacity(32 << 10, stream), pause: Duration::ZERO }
    }

    /// Maps and open descriptors of files in the folder, deleted ones too.
    pub fn held(&self) -> (usize, usize) {
        let folder = self.folder().to_str().unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let maps = maps.lines().filter(|line| line.contains(folder)).count();
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let paths = links.filter_map(|link| fs::read_link(link.path()).ok());
        (maps, paths.filter(|path| path.starts_with(folder)).count())
    }

    pub fn nothing_is_held(&self) {
        until("every map and file is given back", || self.held() == (0, 0));
        until("no body lives", || self.shared.sender.figures().live == 0);
        until("what bodies hold is given back", || Arc::strong_count(&self.shared.held) == 1);
    }
}

/// Limits that no test comes near, but for the one.
pub fn limits(stall_timeout: Duration) -> Limits {
    let minute = Duration::from_secs(60);
    Limits {
        connections: 1000,
        head_bytes: 64 << 10,
        patience: Patience { head: minute, idle: minute, stall: stall_timeout },
        grace: Duration::from_secs(1),
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

pub async fn answer<B>(shared: Arc<Shared>, request: hyper::Request<B>) -> Response {
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
        Ok(opened) => {
            let pace = shared.rates.of_share(Ipv4Addr::LOCALHOST.into());
            let opened = opened.holding(shared.held.clone()).at_pace(pace);
            shared.sender.respond(opened, request.method(), request.headers())
        }
        Err(_) => {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = hyper::StatusCode::NOT_FOUND;
            missing
        }
    }
}
