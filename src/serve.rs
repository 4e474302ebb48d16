//! Wires the server, listens, and stops in order.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

use crate::account::{self, FirstAdministrator};
use crate::app::App;
use crate::config::{Config, TlsFiles};
use crate::error::{Error, Result};
use crate::health::{self, log};
use crate::http::accept::{self, Limits, Listeners};
use crate::http::listen::take;
use crate::http::stall::Patience;
use crate::http::tls::{self, Tls};
use crate::jobs;
use crate::keeping::lock::State;
use crate::keeping::nightly;
use crate::log::is_journal;
use crate::mdns::{self, Service};
use crate::media::send::READS_AT_A_TIME;
use crate::media::turns::TURNS;
use crate::reload::Reload;
use crate::route::{
    self, PATIENCE_WITH_DISKS, PICTURES_AT_A_TIME, SONGS_AT_A_TIME, SONGS_AT_ONCE, Threads,
};
use crate::scrape::{self, Scrape};
use crate::systemd;

/// Threads that carry connections. What blocks has threads of its own, but for what is short: for
/// that, [`TURNS`] of these may be used.
const WORKERS: usize = 2 + TURNS;
/// Threads that answer requests: as many as may read the database at once, some that may wait for
/// their turn to write, and those that may open songs. More would only be woken to wait.
const REQUEST_THREADS: usize = 6 + SONGS_AT_ONCE;
/// Threads that may wait for a disk. There are more than may do so for windows, songs and pictures
/// together, so that a hung disk leaves some for the rest.
const DISK_THREADS: usize = 24;
const _: () = assert!(DISK_THREADS > READS_AT_A_TIME + SONGS_AT_A_TIME + PICTURES_AT_A_TIME);
/// The address of a server that listens nowhere.
const UNSPECIFIED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// How long a thread without work is kept.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long a scan and what blocks may take to end after the running responses.
const GRACE_OF_THREADS: Duration = Duration::from_secs(2);

/// What signals have told the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    /// To end when what is running has ended.
    ToEnd,
    /// To end at once: the second signal.
    ToHurry,
}

/// A server that has its place: the address is taken, and signals to end are heard, though nobody
/// is answered yet.
pub struct Server {
    /// Carries connections and waits for disks.
    runtime: Runtime,
    /// Answers requests.
    requests: Runtime,
    listeners: Vec<TcpListener>,
    /// What encrypts connections, if anything does.
    tls: Option<Arc<Tls>>,
    address: SocketAddr,
    /// Where metrics are told, if anywhere.
    metrics: Vec<TcpListener>,
    told: watch::Receiver<Told>,
    /// Reads the settings again whenever it is asked to.
    reload: Option<(Reload, Arc<Notify>)>,
}

/// The name of a socket of systemd on which metrics are told.
const METRICS_SOCKET: &str = "metrics";

impl Server {
    /// Takes the addresses of the settings, port 0 is any free one, and the sockets of systemd. With
    /// `reload`, SIGHUP has the settings read again; without, it ends the server.
    ///
    /// # Errors
    /// An address is in use or not of this machine, a socket of systemd is no TCP socket, or the
    /// system gives no threads.
    pub fn bind(config: &Config, reload: Option<Reload>) -> Result<Server> {
        // Before there are threads.
        let given = systemd::sockets()
            .map_err(|cause| Error::caused("a socket of systemd cannot be used", cause))?;
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
        let inside = runtime.enter();
        let (metrics, doors): (Vec<_>, Vec<_>) =
            given.into_iter().partition(|socket| socket.name == METRICS_SOCKET);
        let remedy = "--listen takes another address";
        let (listeners, address) = listen(Some(config.listen), doors, remedy)?;
        let remedy = "the setting metrics_listen takes another address";
        let (metrics, _) = listen(config.metrics_listen, metrics, remedy)?;
        for listener in &metrics {
            tracing::info!("metrics on http://{}/metrics", address_of(listener)?);
        }
        let open = |files: &TlsFiles| Tls::open(&files.certificate, &files.key, tls::LOOK_EVERY);
        let tls = config.tls.as_ref().map(open).transpose()?.map(Arc::new);
        let (tell, told) = watch::channel(Told::Nothing);
        let reload = reload.map(|reload| (reload, Arc::new(Notify::new())));
        runtime.spawn(signals(tell, reload.as_ref().map(|(_, asked)| Arc::clone(asked)))?);
        drop(inside);
        Ok(Server { runtime, requests, listeners, tls, address, metrics, told, reload })
    }

    /// The address it listens on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the process was told to end.
    pub fn is_stopping(&self) -> bool {
        *self.told.borrow() != Told::Nothing
    }

    /// Answers until SIGTERM or SIGINT, then lets running responses end for the time of the
    /// settings, or until the second signal. Where there is no user yet, the first administrator
    /// is made before. `left` is how the database was left, where it is yet to be looked through.
    ///
    /// # Errors
    /// Something cannot be started, the database fails, or it is found to be damaged.
    pub fn run(self, app: App, left: Option<State>) -> Result<()> {
        let Server { runtime, requests, listeners, tls, address, metrics, told, reload } = self;
        if let Some(administrator) = account::first_administrator(&app)? {
            welcome(&administrator);
        }
        let app = Arc::new(app);
        let damaged = jobs::look_through(&app, left)?;
        let scan = jobs::scan(&app)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        for listener in &listeners {
            tracing::info!("serving on {scheme}://{}", address_of(listener)?);
        }
        if let Some((reload, asked)) = reload {
            runtime.spawn(jobs::reload(reload, asked, app.clone(), tls.clone()));
        }
        let listeners = Listeners::new(listeners).encrypted(tls);
        let ends = Ends { told: told.clone(), damaged: damaged.clone() };
        let answering = answer(app.clone(), requests.handle(), listeners, address, metrics, ends);
        let served = runtime.block_on(answering);
        app.scanner.stop();
        // A scan on a disk that hangs is not waited for: what it has not written it finds again.
        // Nor is a thread that waits for such a disk.
        let end = Instant::now() + GRACE_OF_THREADS;
        let is_damaged = damaged.borrow().is_some();
        let left = || match *told.borrow() {
            Told::ToHurry => Duration::ZERO,
            // Nobody may write any more, and some wait for it.
            _ if is_damaged => Duration::ZERO,
            _ => end.saturating_duration_since(Instant::now()),
        };
        while !scan.is_finished() && !left().is_zero() {
            thread::sleep(Duration::from_millis(10));
        }
        requests.shutdown_timeout(left());
        runtime.shutdown_timeout(left());
        served
    }
}

/// What ends a server.
#[derive(Clone)]
struct Ends {
    told: watch::Receiver<Told>,
    /// What is the matter with the database.
    damaged: watch::Receiver<Option<String>>,
}

impl Ends {
    /// Waits until this was told, or the database is found to be damaged. Who tells is there as long
    /// as the runtime is.
    async fn come(mut self, what: Told) {
        let damaged = async {
            if self.damaged.wait_for(Option::is_some).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.told.wait_for(|told| *told >= what) => {}
            () = damaged => {}
        }
    }
}

async fn answer(
    app: Arc<App>,
    requests: &Handle,
    listeners: Listeners,
    address: SocketAddr,
    metrics: Vec<TcpListener>,
    ends: Ends,
) -> Result<()> {
    let limits = Limits {
        connections: allow_files(&app.config),
        head_bytes: app.config.header_size,
        patience: Patience {
            head: app.config.header_timeout,
            idle: app.config.idle_timeout,
            stall: app.config.stall_timeout,
        },
        grace: app.config.stop_timeout,
    };
    tokio::task::spawn_blocking({
        let app = app.clone();
        move || jobs::try_maps(&app)
    });
    log(systemd::ready());
    let turns = app.sender.turns().clone();
    turns
        .watch(Handle::current())
        .map_err(|cause| Error::caused("cannot start the thread that watches turns", cause))?;
    let threads = Threads::new(requests.clone(), turns, PATIENCE_WITH_DISKS);
    let visits = tokio::spawn(jobs::write_counts(app.clone(), threads.clone()));
    let nightly = tokio::spawn(jobs::back_up(app.clone(), threads.clone()));
    let alive = systemd::watchdog_interval().map(|every| {
        tokio::spawn(health::live(app.clone(), threads.clone(), listeners.pulse(), every))
    });
    let status = systemd::listens().then(|| tokio::spawn(health::tell_status(app.clone())));
    let is_told = |what: Told| ends.clone().come(what);
    let metrics = (!metrics.is_empty()).then(|| {
        let scrape = Scrape::new(app.clone(), threads.clone());
        let answer = move |request, _| scrape.clone().answer(request);
        let limits = Limits {
            connections: scrape::MOST_CONNECTIONS,
            head_bytes: scrape::MOST_HEAD_BYTES,
            patience: Patience { stall: scrape::PATIENCE, ..limits.patience },
            grace: Duration::ZERO,
        };
        let (stop, hurry) = (is_told(Told::ToEnd), is_told(Told::ToHurry));
        let listeners = Listeners::new(metrics);
        tokio::spawn(accept::serve(listeners, limits, Arc::default(), answer, stop, hurry))
    });
    let announced = announced(&app, address).map(|(service, only)| {
        let stop = is_told(Told::ToEnd);
        tokio::spawn(async move {
            if let Err(error) = mdns::announce(service, only, stop).await {
                tracing::warn!(%error, "the server cannot be announced (mdns)");
            }
        })
    });
    let kept = app.clone();
    let counts = app.metrics.connections.clone();
    let answer = move |request, peer| route::answer(app.clone(), threads.clone(), request, peer);
    let (stop, hurry) = (is_told(Told::ToEnd), is_told(Told::ToHurry));
    accept::serve(listeners, limits, counts, answer, stop, hurry).await;
    if let Some(announced) = announced {
        // It says goodbye meanwhile.
        let _ = announced.await;
    }
    visits.abort();
    nightly.abort();
    for job in [metrics, alive, status].into_iter().flatten() {
        job.abort();
    }
    if let Some(damage) = ends.damaged.borrow().clone() {
        return Err(Error::new(damage));
    }
    kept.visits.flush(&kept.db)?;
    kept.key_uses.flush(&kept.db)?;
    nightly::close(&kept.db)
}

/// What is announced at home, and at which address alone; nothing where the settings want nothing
/// or the server is for this machine alone.
fn announced(app: &App, address: SocketAddr) -> Option<(Service, Option<IpAddr>)> {
    let ip = address.ip();
    let name = app.config.mdns.clone().filter(|_| !ip.is_loopback())?;
    let service = Service {
        name,
        port: address.port(),
        path: format!("{}/rest", app.current().base_path),
        https: app.config.tls.is_some(),
    };
    Some((service, (!ip.is_unspecified()).then_some(ip)))
}

/// Listens on an address, unless one of the sockets that were given does so already, and on these.
/// Tells one address of them all: the first, where there is one.
fn listen(
    address: Option<SocketAddr>,
    given: Vec<systemd::Socket>,
    remedy: &str,
) -> Result<(Vec<TcpListener>, SocketAddr)> {
    let mut listeners = Vec::new();
    for socket in given {
        let listener = TcpListener::from_std(socket.listener).map_err(|cause| {
            Error::caused(format!("the socket `{}` of systemd cannot be used", socket.name), cause)
        })?;
        listeners.push(listener);
    }
    let given = listeners.iter().map(address_of).collect::<Result<Vec<SocketAddr>>>()?;
    if let Some(address) = address
        && !given.iter().any(|given| covers(*given, address))
    {
        let failed = |cause| Error::caused(format!("cannot listen on {address}; {remedy}"), cause);
        let (listener, unborn) = take(address).map_err(failed)?;
        if unborn {
            tracing::warn!(
                "{address} is no address of this machine yet: nobody is answered until it is"
            );
        }
        let made = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        listeners.push(made.map_err(failed)?);
    }
    let first = listeners.first().map_or(Ok(UNSPECIFIED), address_of)?;
    Ok((listeners, first))
}

/// Whether who connects to the second address reaches a socket that listens on the first.
fn covers(listening: SocketAddr, address: SocketAddr) -> bool {
    // A socket of systemd for all of IPv6 is one for IPv4 too.
    let all = listening.ip().is_unspecified() && (listening.is_ipv6() || address.is_ipv4());
    listening.port() == address.port() && (listening.ip() == address.ip() || all)
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr> {
    listener
        .local_addr()
        .map_err(|cause| Error::caused("the address of a socket cannot be told", cause))
}

/// Tells whoever started the server for the first time how to sign in. A password that was made
/// goes to standard output alone, since logs are kept.
fn welcome(administrator: &FirstAdministrator) {
    let name = administrator.name;
    tracing::info!("there was no user yet: made the administrator `{name}`");
    let Some(password) = &administrator.password else { return };
    // The journal is a log too.
    if is_journal(io::stdout()) {
        tracing::info!("`kinglet user passwd {name}` gives it a password to sign in with");
    } else {
        let _ = writeln!(
            io::stdout(),
            "\n  This is the first start. Sign in with\n\n    user      {name}\n    password  {password}\n\n  \
             The password is shown this once; `kinglet user passwd {name}` gives another.\n"
        );
    }
}

/// Lets the process open as many files as its connections need, and gives the most connections for
/// which the files are enough.
fn allow_files(config: &Config) -> usize {
    let needed = config.open_files();
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let allowed = match current {
        Some(current) if current < needed => {
            let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
            let limit = Rlimit { current: Some(raised), maximum };
            match setrlimit(Resource::Nofile, limit) {
                Ok(()) => raised,
                Err(error) => {
                    tracing::warn!(%error, "the limit of open files cannot be raised");
                    current
                }
            }
        }
        _ => return config.connections,
    };
    let connections = config.connections_with(allowed);
    if connections < config.connections {
        tracing::warn!(
            "{allowed} open files are allowed (LimitNOFILE in the unit, `ulimit -n` in a shell), \
             enough for {connections} connections, not for {}",
            config.connections
        );
    }
    connections
}

/// Tells what SIGTERM and SIGINT want, one after another, and asks for a reload at SIGHUP; where
/// nothing can be reloaded, that ends the server too.
fn signals(
    tell: watch::Sender<Told>,
    reload: Option<Arc<Notify>>,
) -> Result<impl Future<Output = ()>> {
    let listen_to =
        |kind| signal(kind).map_err(|cause| Error::caused("cannot listen to signals", cause));
    let (mut terminate, mut interrupt, mut hang_up) = (
        listen_to(SignalKind::terminate())?,
        listen_to(SignalKind::interrupt())?,
        listen_to(SignalKind::hangup())?,
    );
    Ok(async move {
        let mut next = [Told::ToEnd, Told::ToHurry].into_iter();
        loop {
            let hung_up = tokio::select! {
                _ = terminate.recv() => false,
                _ = interrupt.recv() => false,
                _ = hang_up.recv() => true,
            };
            if let Some(reload) = reload.as_ref().filter(|_| hung_up) {
                reload.notify_one();
                continue;
            }
            let Some(what) = next.next() else { return };
            tell.send_replace(what);
            if what == Told::ToEnd {
                tracing::info!("stopping; a second signal stops at once");
                log(systemd::stopping());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn a_socket_that_hears_an_address_is_not_made_twice() {
        let covers =
            |one: &str, other: &str| super::covers(one.parse().unwrap(), other.parse().unwrap());
        for (listening, address) in [
            ("0.0.0.0:4040", "0.0.0.0:4040"),
            ("[::]:4040", "0.0.0.0:4040"),
            ("[::]:4040", "[::1]:4040"),
            ("0.0.0.0:4040", "127.0.0.1:4040"),
        ] {
            assert!(covers(listening, address), "{listening} {address}");
        }
        for (listening, address) in [
            ("[::]:80", "0.0.0.0:4040"),
            ("127.0.0.1:4040", "0.0.0.0:4040"),
            ("0.0.0.0:4040", "[::1]:4040"),
            ("127.0.0.1:4040", "127.0.0.2:4040"),
        ] {
            assert!(!covers(listening, address), "{listening} {address}");
        }
    }
}
