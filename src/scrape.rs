//! What Prometheus is told when it asks: every figure of the server, on an address of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::db::{scanned, shares, users};
use crate::error::{Error, Result};
use crate::http::body::{self, Body, Response, text};
use crate::metrics::text::{CONTENT_TYPE, Kind, Text};
use crate::route::{Threads, destinations};
use crate::subsonic::fail::CODES;

/// Connections of those who ask: one Prometheus has one, and a person may look too.
pub const MOST_CONNECTIONS: usize = 4;
/// Most bytes of the head of a question, the least that hyper can do with.
pub const MOST_HEAD_BYTES: usize = 8 << 10;
/// How long one who asks may take no byte of the answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long the database is waited for; Prometheus waits twice as long for us.
const PATIENCE_WITH_DATABASE: Duration = Duration::from_secs(5);

/// Answers those who ask.
#[derive(Clone)]
pub struct Scrape {
    app: Arc<App>,
    threads: Threads,
    /// Held by who reads the database: while that hangs, nobody takes another thread for it.
    turn: Arc<Semaphore>,
}

/// What stands in the database.
struct Library {
    songs: i64,
    videos: i64,
    users: i64,
    shares: i64,
    bytes: u64,
}

impl Scrape {
    /// Tells of this server; what has to be read is read on these threads.
    pub fn new(app: Arc<App>, threads: Threads) -> Scrape {
        Scrape { app, threads, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Answers a request for `/metrics`, and no other. What is counted in memory is told even
    /// where the database does not answer.
    pub async fn answer<B>(self, request: hyper::Request<B>) -> Response {
        if request.uri().path() != "/metrics" {
            return text(StatusCode::NOT_FOUND, "There is nothing here but /metrics.\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return body::method_not_allowed("Use GET or HEAD.\n", "GET, HEAD");
        }
        let library = self.library().await;
        if let Err(error) = &library {
            tracing::warn!(%error, "metrics without the library");
        }
        let figures = figures(&self.app, library.ok());
        let len = HeaderValue::from(figures.len());
        let mut response = body::respond(StatusCode::OK, CONTENT_TYPE, figures);
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response.headers_mut().insert(CONTENT_LENGTH, len);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn library(&self) -> Result<Library> {
        let app = Arc::clone(&self.app);
        let read = async {
            let turn = Arc::clone(&self.turn).acquire_owned().await;
            let read = self.threads.run(move || {
                let _turn = turn;
                library(&app)
            });
            read.await.map_err(|panic| Error::caused("the look at the library stumbled", panic))?
        };
        tokio::time::timeout(PATIENCE_WITH_DATABASE, read)
            .await
            .map_err(|late| Error::caused("the database does not answer", late))?
    }
}

fn library(app: &App) -> Result<Library> {
    let (songs, videos) =
        app.db.read(|db| Ok::<_, Error>((scanned::song_count(db)?, scanned::video_count(db)?)))?;
    let (users, shares) =
        app.db.read(|db| Ok::<_, Error>((users::count(db)?, shares::count(db)?)))?;
    let bytes = app.db.bytes();
    let bytes = bytes.map_err(|cause| Error::caused("the database file cannot be found", cause))?;
    Ok(Library { songs, videos, users, shares, bytes })
}

/// All figures in the format of Prometheus; those of the library where it could be read.
fn figures(app: &App, library: Option<Library>) -> String {
    let mut text = Text::default();
    text.metric("kinglet_build_info", Kind::Gauge, "The version that is running.")
        .sample(&[("version", crate::VERSION)], 1);
    text.gauge(
        "kinglet_start_time_seconds",
        "When the server started, in seconds since 1970.",
        seconds(app.metrics.started),
    );
    connections(app, &mut text);
    songs(app, &mut text);
    requests(app, &mut text);
    scan(app, &mut text);
    text.gauge(
        "kinglet_database_up",
        "Whether the database answers; without it the metrics below are missing.",
        u8::from(library.is_some()),
    );
    if let Some(Library { songs, videos, users, shares, bytes }) = library {
        text.gauge("kinglet_songs", "Songs that are there.", songs);
        text.gauge("kinglet_videos", "Videos that are there.", videos);
        text.gauge("kinglet_users", "Users.", users);
        text.gauge("kinglet_shares", "Shares, ended ones too.", shares);
        text.gauge(
            "kinglet_database_bytes",
            "Size of the database file and its write-ahead log.",
            bytes,
        );
    }
    text.finish()
}

fn connections(app: &App, text: &mut Text) {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = &app.metrics.connections;
    text.gauge("kinglet_connections_open", "Connections that are open.", read(&counts.open));
    text.counter(
        "kinglet_connections_admitted_total",
        "Connections that were given a place.",
        read(&counts.admitted),
    );
    text.counter(
        "kinglet_connections_refused_total",
        "Connections for which there was no place.",
        read(&counts.refused),
    );
}

fn songs(app: &App, text: &mut Text) {
    let figures = app.sender.figures();
    text.gauge("kinglet_streams_active", "Songs that are being sent.", figures.live);
    text.counter(
        "kinglet_streams_broken_total",
        "Songs that were broken off because their file changed or failed.",
        figures.broken + app.metrics.connections.faulted.load(Ordering::Relaxed),
    );
    text.counter(
        "kinglet_stream_bytes_total",
        "Bytes of songs that were handed to connections.",
        figures.sent,
    );
    text.gauge(
        "kinglet_windows_mapped",
        "Windows of songs that are mapped into memory.",
        figures.mapped,
    );
    text.counter(
        "kinglet_windows_unmapped_total",
        "Windows that were read because they could not be mapped.",
        figures.unmapped,
    );
    text.counter(
        "kinglet_windows_quick_total",
        "Windows that were read and not mapped, since their listener takes them as fast as they come.",
        figures.quick,
    );
    text.counter(
        "kinglet_windows_failed_total",
        "Windows whose pages could not be had: the disk failed or the file was cut off.",
        figures.failed,
    );
}

fn requests(app: &App, text: &mut Text) {
    let mut took = text.metric(
        "kinglet_request_duration_seconds",
        Kind::Histogram,
        "Time from the head of a request to its response, without sending that.",
    );
    for (place, (door, endpoint)) in destinations().enumerate() {
        if let Some(snapshot) = app.metrics.took(place) {
            took.histogram(&[("door", door), ("endpoint", endpoint)], &snapshot);
        }
    }
    let mut responses = text.metric(
        "kinglet_responses_total",
        Kind::Counter,
        "Responses by the class of their status.",
    );
    for (place, (door, endpoint)) in destinations().enumerate() {
        for (class, count) in app.metrics.classes(place) {
            let labels = [("door", door), ("endpoint", endpoint), ("status", class)];
            responses.sample(&labels, count);
        }
    }
    let mut failures = text.metric(
        "kinglet_subsonic_errors_total",
        Kind::Counter,
        "Calls that failed, by the code of the Subsonic API.",
    );
    for code in CODES {
        failures.sample(&[("code", &code.to_string())], app.metrics.failures(code));
    }
}

fn scan(app: &App, text: &mut Text) {
    let status = app.scanner.status();
    text.gauge(
        "kinglet_scan_running",
        "Whether a scan runs or is asked for.",
        u8::from(status.scanning),
    );
    text.gauge(
        "kinglet_scan_problems",
        "Music folders that the scan had to leave as they were, and errors that ended it.",
        status.problems.len(),
    );
    if let Some(finished) = status.finished {
        text.gauge(
            "kinglet_scan_last_end_seconds",
            "When the last scan ended, in seconds since 1970.",
            seconds(finished),
        );
    }
    if let Some(took) = status.took {
        text.gauge(
            "kinglet_scan_last_duration_seconds",
            "How long the last scan took.",
            took.as_secs_f64(),
        );
    }
}

/// Seconds of milliseconds.
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1e3
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{self, Flags};

    #[test]
    fn what_is_counted_in_memory_is_told_without_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let data = Some(folder.path().join("data").to_str().unwrap().to_owned());
        let flags = Flags { data, ..Flags::default() };
        let app = App::open(config::load(&flags, &[], None).unwrap()).unwrap();
        app.metrics.failed(70);
        let has = |text: &str, line: &str| text.lines().any(|found| found == line);
        let whole = figures(&app, Some(library(&app).unwrap()));
        assert!(has(&whole, "kinglet_database_up 1") && has(&whole, "kinglet_users 0"), "{whole}");
        let rest = figures(&app, None);
        assert!(has(&rest, "kinglet_database_up 0"), "{rest}");
        assert!(has(&rest, "kinglet_subsonic_errors_total{code=\"70\"} 1"), "{rest}");
        for name in [
            "kinglet_songs",
            "kinglet_videos",
            "kinglet_users",
            "kinglet_shares",
            "kinglet_database_bytes",
        ] {
            assert!(whole.contains(name) && !rest.contains(name), "{name}");
        }
    }
}
