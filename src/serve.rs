//! Wires the server, listens, and stops in order.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::accept::{self, Limits};
use crate::route;

/// Threads that carry connections; what blocks has threads of its own.
const WORKERS: usize = 2;
/// Threads that may block at once: requests on the database and on files, and windows of files
/// being mapped, of which there are fewer, so that a hung disk leaves some for the others.
const BLOCKING_THREADS: usize = 24;
/// How long a thread without work is kept.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long running responses may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the server until SIGTERM or SIGINT.
pub fn run(app: App) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .enable_all()
        .build()
        .map_err(|cause| Error::caused("cannot start the server's threads", cause))?;
    runtime.block_on(listen(Arc::new(app)))
}

async fn listen(app: Arc<App>) -> Result<()> {
    let address = app.config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|cause| Error::caused(format!("cannot listen on {address}"), cause))?;
    let limits = Limits {
        connections: app.config.connections,
        header_timeout: app.config.header_timeout,
        grace: GRACE,
    };
    let stop = stopped()?;
    tracing::info!("serving on http://{address}");
    let answer = move |request, peer| route::answer(app.clone(), request, peer);
    accept::serve(listener, limits, answer, stop).await;
    Ok(())
}

/// Done when the process is told to end.
fn stopped() -> Result<impl Future<Output = ()>> {
    let listen_to =
        |kind| signal(kind).map_err(|cause| Error::caused("cannot listen to signals", cause));
    let (mut terminate, mut interrupt) =
        (listen_to(SignalKind::terminate())?, listen_to(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}
