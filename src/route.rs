//! Sends each request to its door: /rest to `subsonic`, /share to `share`.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
};
use hyper::{Method, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::http::body::{Response, come_back, method_not_allowed, text};
use crate::http::client::{self, Site};
use crate::http::request::Request;
use crate::http::work::{Queue, Work};
use crate::media::turns::Turns;
use crate::metrics::MOST_DESTINATIONS;
use crate::share;
use crate::subsonic;
use crate::subsonic::fail::Code;

/// How long a client may take to send the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Songs that are opened at a time on threads for requests. To go on to another thread takes longer
/// than to open a song that is in memory; where a disk hangs, it takes so many of these threads and
/// no more.
pub const SONGS_AT_ONCE: usize = 2;
/// Further songs that are opened at a time: more only where a disk sleeps or hangs.
pub const SONGS_AT_A_TIME: usize = 8;
/// Pictures that are read or wait to be scaled at a time.
pub const PICTURES_AT_A_TIME: usize = 6;
/// Captions that are looked for at a time: much of a large file may be read for them.
pub const CAPTIONS_AT_A_TIME: usize = 2;

/// How long a client waits for a disk before it is told to come back: longer than a disk takes to
/// spin up.
pub const PATIENCE_WITH_DISKS: Duration = Duration::from_secs(30);

/// The name of what is not in a list.
const UNKNOWN: &str = "unknown";
/// How many destinations there are.
const DESTINATIONS: usize = subsonic::ENDPOINTS + 1 + share::KINDS.len() + 1;
const _: () = assert!(DESTINATIONS <= MOST_DESTINATIONS);

/// Where requests can go: the door, and what is behind it. It is a fixed list, whatever clients ask
/// for; metrics go by the places in it.
pub fn destinations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rest = subsonic::endpoints().chain([UNKNOWN]).map(|endpoint| ("rest", endpoint));
    let share = share::KINDS.into_iter().map(|kind| ("share", kind));
    rest.chain(share).chain([("none", UNKNOWN)])
}

/// The place in [`destinations`] of a path.
fn destination(path: &str) -> usize {
    let share = subsonic::ENDPOINTS + 1;
    if path.starts_with("/rest/") {
        subsonic::endpoint_of(path).unwrap_or(subsonic::ENDPOINTS)
    } else if path.starts_with("/share/") {
        share + share::kind_of(path)
    } else {
        share + share::KINDS.len()
    }
}

/// Whether the bytes of a song are asked for, as far as the path tells.
fn sends_song(path: &str) -> bool {
    subsonic::sends_song(path) || path.starts_with("/share/") && share::sends_song(path)
}

/// The threads on which requests are answered, apart from those that carry connections.
#[derive(Clone)]
pub struct Threads {
    requests: Handle,
    at_once: Arc<Semaphore>,
    songs: Arc<Semaphore>,
    pictures: Arc<Semaphore>,
    captions: Arc<Semaphore>,
    turns: Arc<Turns>,
    patience: Duration,
}

impl Threads {
    /// Requests are answered on the blocking threads of this runtime, which nothing else has; what
    /// waits for a disk, for so long, is done on those of the runtime that carries the connections.
    /// With a turn a song is opened where it is asked for, on a thread that carries connections.
    pub fn new(requests: Handle, turns: Arc<Turns>, patience: Duration) -> Threads {
        Threads {
            requests,
            at_once: Arc::new(Semaphore::new(SONGS_AT_ONCE)),
            songs: Arc::new(Semaphore::new(SONGS_AT_A_TIME)),
            pictures: Arc::new(Semaphore::new(PICTURES_AT_A_TIME)),
            captions: Arc::new(Semaphore::new(CAPTIONS_AT_A_TIME)),
            turns,
            patience,
        }
    }

    /// Runs what blocks on the database.
    ///
    /// # Errors
    /// A panic of the work.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.requests.spawn_blocking(work).await.map_err(panicked)
    }

    /// Answers a request for a song: on this thread where there is a turn, else on one thread for
    /// requests, unless as many as may do so already wait for a disk.
    async fn song(&self, work: impl FnOnce() -> Work + Send + 'static) -> Result<Response, Error> {
        if let Some(turn) = self.turns.take() {
            let here = || match work() {
                Work::OnDisk(Queue::Songs, work) => Work::Done(work()),
                work => work,
            };
            let work = catch_unwind(AssertUnwindSafe(here));
            drop(turn);
            return self.finish(work.map_err(|_| Error::new("its thread panicked"))?).await;
        }
        let (at_once, turns) = (Arc::clone(&self.at_once), Arc::clone(&self.turns));
        let all = move || {
            let began = Instant::now();
            let work = match (work(), at_once.try_acquire()) {
                (work @ Work::OnDisk(Queue::Songs, _), Ok(_turn)) => Work::Done(work.finish()),
                (work, _) => work,
            };
            turns.took(began.elapsed());
            work
        };
        let answered = async { self.finish(self.run(all).await?).await };
        tokio::time::timeout(self.patience, answered).await.unwrap_or_else(|_| Ok(disk_is_late()))
    }

    /// Does what is left of an answer: what waits for a disk waits for its turn first. A disk that
    /// hangs keeps the thread, and the turn with it, but not the client.
    async fn finish(&self, work: Work) -> Result<Response, Error> {
        let Work::OnDisk(queue, work) = work else { return Ok(work.finish()) };
        let turns = match queue {
            Queue::Songs => &self.songs,
            Queue::Pictures => &self.pictures,
            Queue::Captions => &self.captions,
        };
        let answered = async {
            // Nobody closes the queue.
            let turn = Arc::clone(turns).acquire_owned().await;
            let waiting = move || {
                let _turn = turn;
                work()
            };
            tokio::task::spawn_blocking(waiting).await.map_err(panicked)
        };
        tokio::time::timeout(self.patience, answered).await.unwrap_or_else(|_| Ok(disk_is_late()))
    }
}

/// Answers a request from a connection: reads its form, then leaves the async world for a thread
/// that may block on the database, and for another one where a disk is to be waited for.
pub async fn answer(
    app: Arc<App>,
    threads: Threads,
    mut incoming: hyper::Request<Incoming>,
    peer: SocketAddr,
) -> Response {
    let began = Instant::now();
    site(&app.current()).without_base_path(incoming.uri_mut());
    let destination = destination(incoming.uri().path());
    let response = match read(&app, incoming, peer.ip()).await {
        Ok(request) => respond(Arc::clone(&app), threads, request).await,
        Err(response) => response,
    };
    app.metrics.answered(destination, response.status().as_u16(), began.elapsed());
    if let Some(Code(code)) = response.extensions().get() {
        app.metrics.failed(*code);
    }
    response
}

async fn respond(app: Arc<App>, threads: Threads, request: Request) -> Response {
    let began = Instant::now();
    // Shared: after a panic the client is still told in the format it asked for.
    let request = Arc::new(request);
    let given = Arc::clone(&request);
    let path = request.uri.path();
    let work = move || dispatch(&app, &given);
    let answered = if sends_song(path) {
        threads.song(work).await
    } else {
        match threads.run(work).await {
            Ok(work) => threads.finish(work).await,
            Err(panic) => Err(panic),
        }
    };
    let response = answered.unwrap_or_else(|panic| {
        let path = loggable(path);
        tracing::error!(%path, %panic, "a request made the server stumble");
        broken(&request)
    });
    let (status, took) = (response.status().as_u16(), began.elapsed());
    tracing::debug!(method = %request.method, path = %loggable(path), status, ?took, "answered");
    response
}

/// A path as the log may tell it: whoever reads the log must not get in by it, so the word of a link
/// is left out.
fn loggable(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("/share/") else { return Cow::Borrowed(path) };
    if rest.starts_with("assets/") {
        return Cow::Borrowed(path);
    }
    match rest.split_once('/') {
        Some((_, file)) => Cow::Owned(format!("/share/…/{file}")),
        None => Cow::Borrowed("/share/…"),
    }
}

/// What is known of the server's addresses whatever a request says.
fn site(config: &Config) -> Site<'_> {
    Site {
        public_url: config.public_url.as_deref(),
        base_path: &config.base_path,
        https: config.tls.is_some(),
    }
}

/// Answers a request whose body is read; blocks on the database.
pub fn dispatch(app: &App, request: &Arc<Request>) -> Work {
    let path = request.uri.path();
    match request.method {
        Method::GET | Method::HEAD | Method::POST => {}
        Method::OPTIONS => return Work::Done(preflight()),
        _ => {
            let methods = "GET, HEAD, POST, OPTIONS";
            return Work::Done(method_not_allowed("Use GET, HEAD or POST.\n", methods));
        }
    }
    let config = app.current();
    let trusted = |peer: IpAddr| config.trusted_proxies.iter().any(|proxy| proxy.contains(peer));
    let origin = client::origin(request, site(&config), trusted);
    if path.starts_with("/rest/") {
        subsonic::handle(app, request, &origin)
    } else if path.starts_with("/share/") {
        share::handle(app, request, &origin)
    } else {
        Work::Done(text(
            StatusCode::NOT_FOUND,
            "There is nothing here. Subsonic clients find this server at its address without a path.\n",
        ))
    }
}

async fn read(
    app: &App,
    incoming: hyper::Request<Incoming>,
    peer: IpAddr,
) -> Result<Request, Response> {
    let (head, body) = incoming.into_parts();
    let mut request = Request {
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        peer,
        body: Bytes::new(),
    };
    if request.method == Method::POST && request.has_form() {
        let limited = Limited::new(body, app.config.request_body).collect();
        let collected = tokio::time::timeout(BODY_TIMEOUT, limited).await;
        request.body = collected
            .map_err(|_| {
                text(StatusCode::REQUEST_TIMEOUT, "The body of the request came too slowly.\n")
            })?
            .map_err(|_| {
                text(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The body of the request is too long or broke off.\n",
                )
            })?
            .to_bytes();
    }
    Ok(request)
}

fn broken(request: &Request) -> Response {
    if request.uri.path().starts_with("/rest/") {
        subsonic::broken(request)
    } else {
        text(StatusCode::INTERNAL_SERVER_ERROR, "The server failed to answer; its log tells why.\n")
    }
}

fn panicked(cause: JoinError) -> Error {
    Error::caused("its thread panicked", cause)
}

fn disk_is_late() -> Response {
    tracing::warn!("a disk with music does not answer");
    let words = "The disk with the music does not answer. Try again in a while.\n";
    come_back(StatusCode::SERVICE_UNAVAILABLE, words, "30")
}

/// Web players on other origins ask first.
fn preflight() -> Response {
    let mut response = text(StatusCode::NO_CONTENT, "");
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use hyper::header::RETRY_AFTER;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc;

    fn late_work(queue: Queue, go: mpsc::Receiver<()>) -> Work {
        Work::on_disk(queue, move || {
            let _ = go.recv();
            text(StatusCode::OK, "here it is")
        })
    }

    #[tokio::test]
    async fn a_disk_that_hangs_keeps_neither_clients_nor_pictures_waiting() {
        let threads = Threads::new(Handle::current(), Arc::default(), Duration::from_millis(50));
        let (goes, works): (Vec<_>, Vec<_>) = (0..=SONGS_AT_A_TIME)
            .map(|_| {
                let (go, waits) = mpsc::channel();
                (go, late_work(Queue::Songs, waits))
            })
            .unzip();
        for work in works {
            let response = threads.finish(work).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(RETRY_AFTER));
        }
        let (go, waits) = mpsc::channel();
        go.send(()).unwrap();
        let response = threads.finish(late_work(Queue::Pictures, waits)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);

        // When the disk is back, so are the songs.
        drop(goes);
        let patient = Threads { patience: Duration::from_secs(20), ..threads };
        let (go, waits) = mpsc::channel();
        go.send(()).unwrap();
        let response = patient.finish(late_work(Queue::Songs, waits)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn disks_that_hang_leave_threads_for_requests() {
        let pool = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(SONGS_AT_ONCE + 1)
            .build()
            .unwrap();
        let threads =
            Threads::new(pool.handle().clone(), Arc::default(), Duration::from_millis(50));
        let (end, hangs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..SONGS_AT_ONCE + SONGS_AT_A_TIME + 3 {
            let (end, hangs) = (Arc::clone(&end), Arc::clone(&hangs));
            let song = move || {
                Work::on_disk(Queue::Songs, move || {
                    hangs.fetch_add(1, Ordering::SeqCst);
                    while !end.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    text(StatusCode::OK, "here it is")
                })
            };
            let response = threads.song(song).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        assert_eq!(hangs.load(Ordering::SeqCst), SONGS_AT_ONCE + SONGS_AT_A_TIME);
        assert_eq!(threads.run(|| 7).await.unwrap(), 7);
        end.store(true, Ordering::SeqCst);
        pool.shutdown_background();
    }

    #[test]
    fn only_songs_are_answered_on_one_thread() {
        for path in ["/rest/stream", "/rest/stream.view", "/rest/download", "/share/Ab1/so7.mp3"] {
            assert!(sends_song(path), "{path}");
        }
        for path in ["/rest/ping", "/stream", "/share/Ab1", "/share/Ab1/al3-600.jpg", "/share/x/"] {
            assert!(!sends_song(path), "{path}");
        }
    }

    #[tokio::test]
    async fn a_panic_at_a_disk_is_an_error_and_frees_the_turn() {
        let threads = Threads::new(Handle::current(), Arc::default(), Duration::from_secs(20));
        for _ in 0..=SONGS_AT_A_TIME {
            let work = Work::on_disk(Queue::Songs, || panic!("a damaged file"));
            assert!(threads.finish(work).await.is_err());
        }
    }

    #[test]
    fn every_path_goes_to_one_place_of_the_list() {
        assert_eq!(destinations().count(), DESTINATIONS);
        for (path, expected) in [
            ("/rest/ping", ("rest", "ping")),
            ("/rest/ping.view", ("rest", "ping")),
            ("/rest/startScan", ("rest", "startScan")),
            ("/rest/nothing", ("rest", UNKNOWN)),
            ("/rest/", ("rest", UNKNOWN)),
            ("/share/abc", ("share", "page")),
            ("/share/a/b/c", ("share", UNKNOWN)),
            ("/", ("none", UNKNOWN)),
            ("/restless", ("none", UNKNOWN)),
        ] {
            assert_eq!(destinations().nth(destination(path)).unwrap(), expected, "{path}");
        }
    }
}
