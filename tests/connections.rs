//! Connections over real sockets: how long they may wait, how many there may be, how they end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Incoming;
use kinglet::http::accept::{self, Limits};
use kinglet::http::body::{Response, respond};
use kinglet::http::stall::Patience;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// More than the buffers of a connection hold, so that some stays with the server while the client
/// pauses, and less than a window.
const BODY: usize = 200_000;
/// Small buffers of sockets.
const SOCKET_BUFFER: u32 = 16 << 10;
/// What never comes in this time is missing.
const DEADLINE: Duration = Duration::from_secs(20);
/// A time that is over soon.
const SHORT: Duration = Duration::from_millis(150);
/// A time that is not over while a test runs.
const LONG: Duration = Duration::from_secs(300);

/// A server whose `/` answers at once, and whose `/wait` waits until it is told to.
struct Server {
    runtime: Runtime,
    address: SocketAddr,
    go: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    hurry: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<()>>,
}

impl Server {
    fn start(connections: usize, patience: Patience) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_send_buffer_size(SOCKET_BUFFER).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(64).unwrap()
        };
        let address = listener.local_addr().unwrap();
        let go = Arc::new(Notify::new());
        let (stop, stopped) = oneshot::channel();
        let (hurry, hurried) = oneshot::channel();
        let limits = Limits { connections, head_bytes: 8192, patience, grace: LONG };
        let told = go.clone();
        let answer = move |request, _| answer(told.clone(), request);
        let ended = runtime.spawn(accept::serve(
            listener,
            limits,
            Arc::default(),
            answer,
            async { stopped.await.unwrap_or(()) },
            async { hurried.await.unwrap_or(()) },
        ));
        let (stop, hurry, ended) = (Some(stop), Some(hurry), Some(ended));
        Server { runtime, address, go, stop, hurry, ended }
    }

    fn connect(&self) -> Client {
        let _inside = self.runtime.enter();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
        let stream = self.runtime.block_on(socket.connect(self.address)).unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Client(stream)
    }

    /// Waits until the server has ended.
    fn end(&mut self) {
        let ended = self.ended.take().unwrap();
        self.runtime
            .block_on(async { tokio::time::timeout(DEADLINE, ended).await })
            .unwrap()
            .unwrap();
    }
}

async fn answer(go: Arc<Notify>, request: hyper::Request<Incoming>) -> Response {
    if request.uri().path() == "/wait" {
        go.notified().await;
    }
    respond(StatusCode::OK, "text/plain", vec![b'x'; BODY])
}

struct Client(TcpStream);

impl Client {
    fn send(&mut self, bytes: &str) -> io::Result<()> {
        self.0.write_all(bytes.as_bytes())
    }

    fn ask(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).unwrap();
    }

    /// The head of a response in small letters, read byte by byte.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    }

    /// Asserts a whole response.
    fn takes_a_response(&mut self) {
        assert!(self.head().starts_with("http/1.1 200"));
        let mut body = vec![0; BODY];
        self.0.read_exact(&mut body).expect("a whole body");
    }

    /// Waits until the server has hung up.
    fn is_left(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{} bytes came", rest.len()),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
}

fn patience() -> Patience {
    Patience { head: LONG, idle: LONG, stall: LONG }
}

#[test]
fn a_listener_who_pauses_before_the_last_bytes_gets_them() {
    let server = Server::start(8, Patience { head: SHORT, idle: SHORT, ..patience() });
    let mut client = server.connect();
    client.ask("/");
    assert!(client.head().starts_with("http/1.1 200"));
    thread::sleep(SHORT * 4);
    let mut body = vec![0; BODY];
    client.0.read_exact(&mut body).expect("the rest after the pause");
    // It is waited for a request only from now on.
    client.ask("/");
    client.takes_a_response();
    client.is_left();
}

#[test]
fn who_asks_for_nothing_is_left() {
    let server = Server::start(8, Patience { idle: SHORT, ..patience() });
    server.connect().is_left();
    let mut client = server.connect();
    client.ask("/");
    client.takes_a_response();
    client.is_left();
}

#[test]
fn a_head_that_drips_in_does_not_come_to_its_end() {
    let server = Server::start(8, Patience { head: SHORT, ..patience() });
    let mut client = server.connect();
    // A request before does not count.
    client.ask("/");
    client.takes_a_response();
    client.send("GET / HTTP/1.1\r\nx: ").unwrap();
    let mut drops = 0;
    while client.send("y").is_ok() {
        thread::sleep(SHORT / 10);
        drops += 1;
        assert!(drops < 2000, "it may drip for ever");
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let server = Server::start(8, patience());
    let mut client = server.connect();
    client.send(&format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20_000))).unwrap();
    assert!(client.head().starts_with("http/1.1 431"));
}

#[test]
fn a_new_connection_takes_the_place_of_one_that_waits() {
    let server = Server::start(2, patience());
    let mut clients = [server.connect(), server.connect()];
    for client in &mut clients {
        client.ask("/");
        client.takes_a_response();
    }
    let mut third = server.connect();
    third.ask("/");
    third.takes_a_response();
    let [first, second] = &mut clients;
    first.is_left();
    second.ask("/");
    second.takes_a_response();
}

#[test]
fn where_all_are_busy_a_new_one_is_told_to_come_back() {
    let server = Server::start(2, patience());
    let mut waiting = server.connect();
    waiting.ask("/wait");
    let mut pausing = server.connect();
    pausing.ask("/");
    assert!(pausing.head().starts_with("http/1.1 200"));
    // The one that waits may not have been heard yet.
    let refused = (0..1000).find_map(|_| {
        let mut third = server.connect();
        third.ask("/");
        Some(third.head()).filter(|head| !head.starts_with("http/1.1 200"))
    });
    let refused = refused.expect("there is always one more place");
    assert!(refused.starts_with("http/1.1 503"), "{refused}");
    assert!(
        refused.contains("\r\nretry-after: 5\r\n") && refused.contains("\r\nconnection: close")
    );
    // Who was there is served all the same, the one that pauses too.
    server.go.notify_one();
    waiting.takes_a_response();
    let mut body = vec![0; BODY];
    pausing.0.read_exact(&mut body).unwrap();
    let mut fourth = server.connect();
    fourth.ask("/");
    fourth.takes_a_response();
}

#[test]
fn the_end_waits_for_what_is_being_sent() {
    let mut server = Server::start(8, patience());
    let mut idle = server.connect();
    idle.ask("/");
    idle.takes_a_response();
    let mut pausing = server.connect();
    pausing.ask("/");
    assert!(pausing.head().starts_with("http/1.1 200"));
    server.stop.take().unwrap().send(()).unwrap();
    idle.is_left();
    assert_eq!(
        TcpStream::connect(server.address).map_err(|error| error.kind()).err(),
        Some(io::ErrorKind::ConnectionRefused)
    );
    let mut body = vec![0; BODY];
    pausing.0.read_exact(&mut body).unwrap();
    server.end();
}

#[test]
fn the_end_can_be_hurried() {
    let mut server = Server::start(8, patience());
    let mut waiting = server.connect();
    waiting.ask("/wait");
    thread::sleep(SHORT);
    server.stop.take().unwrap().send(()).unwrap();
    server.hurry.take().unwrap().send(()).unwrap();
    server.end();
}
