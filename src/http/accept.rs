//! Takes connections and answers the requests on them, within limits.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::body::{self, Response};
use super::connections::{Connection, Connections, Counts, Kept};
use super::stall::{Patience, Watched};
use super::tls::{self, Tls};
use crate::seldom::Seldom;

/// Headers a request may have; hyper answers 431 to more.
const MOST_HEADERS: usize = 64;
/// After an error of accept (no descriptor left, most likely) so long is waited.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
/// Clients that are told at a time that the server is full; further ones are hung up on.
const REFUSALS_AT_A_TIME: usize = 64;
/// How long a client may take to be told so.
const PATIENCE_OF_REFUSAL: Duration = Duration::from_secs(2);
/// The log tells so seldom that the server is full.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. For a further one the one that waits longest for a request has to
    /// leave; where all are busy, it is answered 503.
    pub connections: usize,
    /// The head of a request may be so long, at least 8192 bytes; hyper answers 431 to more.
    pub head_bytes: usize,
    /// How long a peer may take.
    pub patience: Patience,
    /// When stopping, running responses may take so long to end.
    pub grace: Duration,
}

/// Where connections come in: one or several sockets, and the pulse of what takes from them.
pub struct Listeners {
    sockets: Vec<TcpListener>,
    /// What encrypts the connections, if anything does.
    tls: Option<Arc<Tls>>,
    pulse: Arc<Pulse>,
    /// The socket that is asked first: after each connection the next one, so that none is left
    /// waiting behind a busy one.
    first: usize,
}

impl Listeners {
    /// All of these sockets.
    pub fn new(sockets: Vec<TcpListener>) -> Listeners {
        Listeners { sockets, tls: None, pulse: Arc::default(), first: 0 }
    }

    /// The same with connections encrypted.
    pub fn encrypted(self, tls: Option<Arc<Tls>>) -> Listeners {
        Listeners { tls, ..self }
    }

    /// By which it is felt whether connections are taken.
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// The next connection of any socket; nothing is lost where this is dropped before its end.
    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let accepted = poll_fn(|context| self.poll_accept(context)).await;
            let failed = accepted.as_ref().is_err_and(|error| !is_of_the_client(error));
            self.pulse.failing.store(failed, Ordering::Relaxed);
            match accepted {
                Ok((stream, peer)) => {
                    // Answers are written whole: waiting for more to send would only delay them.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%peer, %error, "TCP_NODELAY refused");
                    }
                    return (stream, peer);
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (before, after) = self.sockets.split_at(self.first.min(self.sockets.len()));
        for (nth, socket) in after.iter().chain(before).enumerate() {
            if let Poll::Ready(accepted) = socket.poll_accept(context) {
                self.first = (self.first + nth + 1) % self.sockets.len();
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl From<TcpListener> for Listeners {
    fn from(socket: TcpListener) -> Listeners {
        Listeners::new(vec![socket])
    }
}

/// Whether a connection could not be taken because its client is gone already.
fn is_of_the_client(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionAborted
}

/// By which it is felt that connections are taken: it beats when it is asked to, unless no
/// connection can be taken (where no descriptor is left, most likely) or the loop that takes them
/// hangs.
#[derive(Debug, Default)]
pub struct Pulse {
    asked: Notify,
    beat: Notify,
    failing: AtomicBool,
}

impl Pulse {
    /// Comes back with the next beat: at once where connections are taken, else never.
    pub async fn felt(&self) {
        let mut beat = pin!(self.beat.notified());
        // From here on no beat is missed.
        beat.as_mut().enable();
        self.asked.notify_one();
        beat.await;
    }

    fn beat(&self) {
        if !self.failing.load(Ordering::Relaxed) {
            self.beat.notify_waiters();
        }
    }
}

/// Serves until `stop` is done, then lets running responses end within the time of grace, or until
/// `hurry` is done.
///
/// `answer` makes the response to a request and the address of its peer; `counts` is where
/// connections are counted.
pub async fn serve<F, A>(
    listeners: impl Into<Listeners>,
    limits: Limits,
    counts: Arc<Counts>,
    answer: F,
    stop: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
) where
    F: Fn(hyper::Request<Incoming>, SocketAddr) -> A + Clone + Send + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let connections = Connections::new(limits.connections, Arc::clone(&counts));
    let refusals = Arc::new(Semaphore::new(REFUSALS_AT_A_TIME));
    let told = Seldom::new(TOLD_EVERY);
    let mut listeners = listeners.into();
    let tls = listeners.tls.take();
    let pulse = listeners.pulse();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            taken = listeners.accept() => taken,
            () = pulse.asked.notified() => {
                pulse.beat();
                continue;
            }
            () = &mut stop => break,
        };
        if let Some(place) = connections.admit() {
            let (answer, counts, tls) = (answer.clone(), Arc::clone(&counts), tls.clone());
            tokio::spawn(async move {
                let answer = move |request| answer(request, peer);
                let connection = &place.connection;
                let ended = match &tls {
                    None => carry(TokioIo::new(stream), peer, limits, connection, answer).await,
                    // Apart: what a handshake needs would be kept for plain connections too.
                    Some(tls) => {
                        Box::pin(tls::carry(tls, stream, peer, limits, connection, answer)).await
                    }
                };
                if ended.is_err_and(|error| is_fault(&error)) {
                    counts.faulted.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%peer, "broke off: a file was cut off or its disk failed");
                }
            });
            continue;
        }
        if told.is_due(Instant::now()) {
            tracing::warn!(connections = limits.connections, "as many connections as may be");
        }
        if let Ok(turn) = Arc::clone(&refusals).try_acquire_owned() {
            tokio::spawn(async move {
                refuse(stream, peer, limits).await;
                drop(turn);
            });
        }
    }
    drop(listeners);
    connections.dismiss();
    tokio::select! {
        () = connections.all_gone() => {}
        () = tokio::time::sleep(limits.grace) => cut(&connections),
        () = hurry => cut(&connections),
    }
}

/// Answers the requests of a connection until it ends or has to leave; an error where it broke.
pub async fn carry<S, F, A>(
    stream: S,
    peer: SocketAddr,
    limits: Limits,
    place: &Arc<Connection>,
    answer: F,
) -> hyper::Result<()>
where
    S: Read + Write + Unpin,
    F: Fn(hyper::Request<Incoming>) -> A,
    A: Future<Output = Response>,
{
    let stream = Watched::new(stream, limits.patience, Arc::clone(place));
    converse(stream, peer, limits, place, answer).await
}

/// The same for a connection that is watched already.
pub async fn converse<S, F, A>(
    stream: S,
    peer: SocketAddr,
    limits: Limits,
    place: &Arc<Connection>,
    answer: F,
) -> hyper::Result<()>
where
    S: Read + Write + Unpin,
    F: Fn(hyper::Request<Incoming>) -> A,
    A: Future<Output = Response>,
{
    let service = service_fn(move |request| {
        let busy = place.begin();
        // In a box of its own: hyper keeps room for this future as long as the connection lives.
        let response = Box::pin(answer(request));
        async move { Ok::<_, Infallible>(response.await.map(|body| Kept::new(body, busy))) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .max_headers(MOST_HEADERS)
            .max_buf_size(limits.head_bytes)
            .serve_connection(stream, service)
    );
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = place.dismissed() => connection.as_mut().graceful_shutdown(),
        }
    };
    // How a connection ends is the client's business: a closed lid is no error of ours.
    ended.inspect_err(|error| tracing::debug!(%peer, %error, "a connection broke"))
}

/// Whether a connection broke because bytes that were to be written are gone: a file was cut off, or
/// its disk failed, while it was mapped.
fn is_fault(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.and_then(io::Error::raw_os_error) == Some(Errno::FAULT.raw_os_error())
}

/// Tells a client that there is no place for it.
async fn refuse(stream: TcpStream, peer: SocketAddr, limits: Limits) {
    let time = PATIENCE_OF_REFUSAL;
    let patience = Patience { head: time, idle: time, stall: time };
    let place = Arc::new(Connection::new(Instant::now()));
    let answer = |_| async {
        let words = "The server has as many connections as it may. Try again in a while.\n";
        let mut response = body::come_back(StatusCode::SERVICE_UNAVAILABLE, words, "5");
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    };
    // Whoever does not wait for it has found out.
    let _ = carry(TokioIo::new(stream), peer, Limits { patience, ..limits }, &place, answer).await;
}

fn cut(connections: &Connections) {
    let responses = connections.busy();
    if responses > 0 {
        tracing::warn!(responses, "responses were cut that had not ended in time");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::future::pending;
    use std::io::{Read, Write};

    fn limits() -> Limits {
        let time = Duration::from_secs(60);
        let patience = Patience { head: time, idle: time, stall: time };
        Limits { connections: 8, head_bytes: 8192, patience, grace: Duration::ZERO }
    }

    async fn sockets(count: usize) -> (Vec<TcpListener>, Vec<SocketAddr>) {
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let addresses = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        (sockets, addresses)
    }

    async fn serve_hello(listeners: Listeners) {
        let answer = |_, _| async { body::text(StatusCode::OK, "hello") };
        serve(listeners, limits(), Arc::default(), answer, pending(), pending()).await;
    }

    async fn felt(pulse: &Pulse) -> bool {
        tokio::time::timeout(Duration::from_secs(5), pulse.felt()).await.is_ok()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_socket_is_heard() {
        let (sockets, addresses) = sockets(3).await;
        tokio::spawn(serve_hello(Listeners::new(sockets)));
        for address in addresses.iter().cycle().take(9) {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.ends_with("hello"), "{answer}");
        }
    }

    #[tokio::test]
    async fn no_socket_is_left_waiting_behind_a_busy_one() {
        let (sockets, addresses) = sockets(2).await;
        let mut listeners = Listeners::new(sockets);
        let mut waiting = Vec::new();
        for address in [addresses[0], addresses[0], addresses[0], addresses[1]] {
            waiting.push(TcpStream::connect(address).await.unwrap());
        }
        // Until the system has told of both.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut taken_of = Vec::new();
        for _ in 0..2 {
            taken_of.push(listeners.accept().await.0.local_addr().unwrap());
        }
        taken_of.sort();
        let mut both = addresses.clone();
        both.sort();
        assert_eq!(taken_of, both);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pulse_is_felt_while_connections_are_taken_and_not_else() {
        let (sockets, _) = sockets(1).await;
        let listeners = Listeners::new(sockets);
        let pulse = listeners.pulse();
        assert!(!felt(&pulse).await, "nobody takes connections yet");
        let serving = tokio::spawn(serve_hello(listeners));
        assert!(felt(&pulse).await);
        pulse.failing.store(true, Ordering::Relaxed);
        assert!(!felt(&pulse).await, "none can be taken");
        pulse.failing.store(false, Ordering::Relaxed);
        assert!(felt(&pulse).await);
        serving.abort();
        assert!(serving.await.is_err());
        assert!(!felt(&pulse).await, "the loop is gone");
    }
}
