//! Wires the server, listens, and stops in order.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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
    let app = Arc::new(app);
    let scan = scan_thread(&app)?;
    let served = runtime.block_on(listen(app.clone()));
    app.scanner.stop();
    // A scan on a disk that hangs is not waited for: what it has not written it finds again.
    let since = Instant::now();
    while !scan.is_finished() && since.elapsed() < GRACE {
        thread::sleep(Duration::from_millis(10));
    }
    served
}

/// Starts the thread that scans when it is asked to, and asks it where the settings say so.
fn scan_thread(app: &Arc<App>) -> Result<JoinHandle<()>> {
    if app.config.scan_on_start {
        app.scanner.request();
    }
    let app = app.clone();
    thread::Builder::new()
        .name("scan".to_owned())
        .spawn(move || app.scanner.serve(&app.db, &app.config))
        .map_err(|cause| Error::caused("cannot start the thread that scans", cause))
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
