//! Takes connections and answers the requests on them, within limits.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::body::Response;
use super::stall::Watched;

/// Headers a request may have; hyper answers 431 to more.
const MOST_HEADERS: usize = 64;
/// The head of a request may be so long; hyper answers 431 to more. Old clients send a large
/// playlist in the query.
const MOST_HEAD_BYTES: usize = 256 * 1024;
/// After an error of accept (no descriptor left, most likely) so long is waited.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// The head of a request must be there within this time; also how long an idle connection is
    /// kept.
    pub header_timeout: Duration,
    /// A peer may take no byte of a response for so long, then its connection is ended.
    pub stall_timeout: Duration,
    /// When stopping, running responses may take so long to end.
    pub grace: Duration,
}

/// Serves until `stop` is done, then lets running responses end within the time of grace.
///
/// `answer` makes the response to a request and the address of its peer.
pub async fn serve<F, A>(
    listener: TcpListener,
    limits: Limits,
    answer: F,
    stop: impl Future<Output = ()>,
) where
    F: Fn(hyper::Request<Incoming>, SocketAddr) -> A + Clone + Send + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // The semaphore is never closed, so a place always comes.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        let (stream, peer) = tokio::select! {
            taken = accept(&listener) => taken,
            () = &mut stop => break,
        };
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let response = answer(request, peer);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_headers(MOST_HEADERS)
            .max_buf_size(MOST_HEAD_BYTES)
            .serve_connection(Watched::new(TokioIo::new(stream), limits.stall_timeout), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is the client's business: a closed lid is no error of ours.
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::info!("responses still running after {:?} were cut", limits.grace);
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
