//! Wires the server, listens, and stops in order.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::account::{self, FirstAdministrator};
use crate::app::App;
use crate::db::users;
use crate::error::{Error, Result};
use crate::http::accept::{self, Limits};
use crate::media::send::{Mode, READS_AT_A_TIME};
use crate::route::{self, PICTURES_AT_A_TIME, SONGS_AT_A_TIME, Threads};
use crate::{systemd, visits};

/// Threads that carry connections; what blocks has threads of its own.
const WORKERS: usize = 2;
/// Threads that answer requests: as many as may read the database at once, and some that may wait
/// for their turn to write. More would only be woken to wait.
const REQUEST_THREADS: usize = 6;
/// Threads that may wait for a disk. There are more than may do so for windows, songs and pictures
/// together, so that a hung disk leaves some for the rest.
const DISK_THREADS: usize = 24;
const _: () = assert!(DISK_THREADS > READS_AT_A_TIME + SONGS_AT_A_TIME + PICTURES_AT_A_TIME);
/// How long a thread without work is kept.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long running responses may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// How long what blocks may take after that.
const GRACE_OF_THREADS: Duration = Duration::from_secs(2);

/// A server that has its place: the address is taken, and signals to end are heard, though nobody
/// is answered yet.
pub struct Server {
    /// Carries connections and waits for disks.
    runtime: Runtime,
    /// Answers requests.
    requests: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    stop: watch::Receiver<bool>,
}

impl Server {
    /// Takes an address; port 0 is any free one.
    ///
    /// # Errors
    /// The address is in use or not of this machine, or the system gives no threads.
    pub fn bind(address: SocketAddr) -> Result<Server> {
        let failed = |cause| Error::caused("cannot start the server's threads", cause);
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(DISK_THREADS)
            .thread_keep_alive(THREAD_KEEP_ALIVE)
            .enable_all()
            .build()
            .map_err(failed)?;
        // Of this one nothing is used but its blocking threads.
        let requests = Builder::new_current_thread()
            .max_blocking_threads(REQUEST_THREADS)
            .thread_keep_alive(THREAD_KEEP_ALIVE)
            .build()
            .map_err(failed)?;
        let message = || format!("cannot listen on {address}; --listen takes another address");
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|cause| Error::caused(message(), cause))?;
        let address = listener.local_addr().map_err(|cause| Error::caused(message(), cause))?;
        let (told, stop) = watch::channel(false);
        let stopped = {
            let _inside = runtime.enter();
            stopped()?
        };
        runtime.spawn(async move {
            stopped.await;
            told.send_replace(true);
        });
        Ok(Server { runtime, requests, listener, address, stop })
    }

    /// The address it listens on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the process was told to end.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Answers until SIGTERM or SIGINT. Where there is no user yet, the first administrator is
    /// made before.
    pub fn run(self, app: App) -> Result<()> {
        let Server { runtime, requests, listener, address, stop } = self;
        if let Some(administrator) = account::first_administrator(&app)? {
            welcome(&administrator);
        }
        let app = Arc::new(app);
        let scan = scan_thread(&app)?;
        tracing::info!("serving on http://{address}");
        let served = runtime.block_on(answer(app.clone(), requests.handle(), listener, stop));
        app.scanner.stop();
        // A scan on a disk that hangs is not waited for: what it has not written it finds again.
        let since = Instant::now();
        while !scan.is_finished() && since.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(10));
        }
        // Nor is a thread that waits for such a disk.
        runtime.shutdown_timeout(GRACE_OF_THREADS);
        requests.shutdown_timeout(GRACE_OF_THREADS);
        served
    }
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

async fn answer(
    app: Arc<App>,
    requests: &Handle,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let limits = Limits {
        connections: app.config.connections,
        header_timeout: app.config.header_timeout,
        stall_timeout: app.config.stall_timeout,
        grace: GRACE,
    };
    tokio::task::spawn_blocking({
        let app = app.clone();
        move || try_maps(&app)
    });
    told(systemd::ready());
    let threads = Threads::new(requests.clone());
    let visits = tokio::spawn(write_visits(app.clone(), threads.clone()));
    let alive = systemd::watchdog_interval()
        .map(|every| tokio::spawn(live(app.clone(), threads.clone(), every)));
    let kept = app.clone();
    let answer = move |request, peer| route::answer(app.clone(), threads.clone(), request, peer);
    // The sender is gone only after it has sent.
    let stop = async move { drop(stop.wait_for(|stop| *stop).await) };
    accept::serve(listener, limits, answer, stop).await;
    visits.abort();
    if let Some(alive) = alive {
        alive.abort();
    }
    kept.visits.flush(&kept.db)
}

/// Tells systemd that the server lives, as long as a request could be answered: a thread is free
/// for it and the database reads.
async fn live(app: Arc<App>, threads: Threads, every: Duration) {
    let mut clock = tokio::time::interval(every);
    loop {
        clock.tick().await;
        let app = app.clone();
        let read = threads.run(move || app.db.read(users::none)).await;
        match read {
            Ok(Ok(_)) => told(systemd::watchdog()),
            Ok(Err(error)) => tracing::error!(%error, "the database does not answer"),
            Err(panic) => tracing::error!(%panic, "the look at the database stumbled"),
        }
    }
}

/// What systemd is told is of use to systemd alone: the server goes on without.
fn told(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Writes the visits of shares down, again and again.
async fn write_visits(app: Arc<App>, threads: Threads) {
    let mut clock = tokio::time::interval(visits::WRITE_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let app = app.clone();
        let written = threads.run(move || app.visits.flush(&app.db)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "visits of shares could not be written; trying again");
        }
    }
}

/// Tells whoever started the server for the first time how to sign in. A password that was made
/// goes to standard output alone, since logs are kept.
fn welcome(administrator: &FirstAdministrator) {
    let name = administrator.name;
    tracing::info!("there was no user yet: made the administrator `{name}`");
    if let Some(password) = &administrator.password {
        let _ = writeln!(
            io::stdout(),
            "\n  This is the first start. Sign in with\n\n    user      {name}\n    password  {password}\n\n  \
             The password is shown this once; `kinglet user passwd {name}` gives another.\n"
        );
    }
}

/// Tries in each music folder whether its songs can be sent from memory maps.
///
/// It runs beside the first requests, since a disk may have to spin up for it.
fn try_maps(app: &App) {
    for folder in &app.config.music {
        match app.sender.check(folder) {
            Ok(Mode::Mapped) => {
                tracing::info!(folder = %folder.display(), "songs are sent from memory maps");
            }
            Ok(Mode::Read) => {
                tracing::warn!(
                    folder = %folder.display(),
                    "memory maps do not work here: songs are read, which takes more memory",
                );
            }
            Err(error) => tracing::warn!(folder = %folder.display(), %error, "cannot be read"),
        }
    }
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
        told(systemd::stopping());
    })
}
