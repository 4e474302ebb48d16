//! Takes connections and answers the requests on them, within limits.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
use tokio::sync::Semaphore;

use super::body::{self, Response};
use super::connections::{Connection, Connections, Counts, Kept};
use super::stall::{Patience, Watched};

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

/// Serves until `stop` is done, then lets running responses end within the time of grace, or until
/// `hurry` is done.
///
/// `answer` makes the response to a request and the address of its peer; `counts` is where
/// connections are counted.
pub async fn serve<F, A>(
    listener: TcpListener,
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
    let mut told: Option<Instant> = None;
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            taken = accept(&listener) => taken,
            () = &mut stop => break,
        };
        if let Some(place) = connections.admit() {
            let (answer, counts) = (answer.clone(), Arc::clone(&counts));
            tokio::spawn(async move {
                let answer = move |request| answer(request, peer);
                let stream = TokioIo::new(stream);
                let ended = carry(stream, peer, limits, &place.connection, answer).await;
                if ended.is_err_and(|error| is_fault(&error)) {
                    counts.faulted.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%peer, "broke off: a file was cut off or its disk failed");
                }
            });
            continue;
        }
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            told = Some(Instant::now());
            tracing::warn!(connections = limits.connections, "as many connections as may be");
        }
        if let Ok(turn) = Arc::clone(&refusals).try_acquire_owned() {
            tokio::spawn(async move {
                refuse(stream, peer, limits).await;
                drop(turn);
            });
        }
    }
    drop(listener);
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
    let service = service_fn(move |request| {
        let busy = place.begin();
        // In a box of its own: hyper keeps room for this future as long as the connection lives.
        let response = Box::pin(answer(request));
        async move { Ok::<_, Infallible>(response.await.map(|body| Kept::new(body, busy))) }
    });
    let stream = Watched::new(stream, limits.patience, Arc::clone(place));
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

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written whole: waiting for more to send would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "TCP_NODELAY refused");
                }
                return (stream, peer);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}
