//! From an open file to the response: 200, 206, 304, 412 or 416, the same for every door.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::sync::Semaphore;

use crate::http::body::{Body, Response};
use crate::http::range::{Answer, Validators, answer};
use crate::media::body::{Piece, Windows};
use crate::media::pace::Pace;
use crate::media::plan::Plan;
pub use crate::media::sending::Mode;
use crate::media::sending::{Counters, Held, Sending, Shared, Watch};
use crate::media::source::{Identity, Source, open_regular};
use crate::media::turns::Turns;
use crate::media::window::maps_work_on;

/// How many windows are brought into memory at a time in the whole server.
///
/// More do not make a disk faster, push each other's pages out where memory is short, and could
/// take every blocking thread when a disk hangs. The runtime must have more blocking threads.
pub const READS_AT_A_TIME: usize = 8;

/// Room for all fields of a response, so that it is made once; the doors add theirs.
const MOST_FIELDS: usize = 12;

/// Sends files; one for the server, cheap to clone.
#[derive(Clone)]
pub struct Sender {
    mode: Mode,
    /// Devices whose files are read although others are mapped.
    read_devices: Arc<RwLock<Vec<u64>>>,
    shared: Arc<Shared>,
}

/// What the bodies of a server do and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Bodies that are being sent.
    pub live: u64,
    /// Bodies that ended because their file changed or failed.
    pub broken: u64,
    /// Windows that were read because they could not be mapped.
    pub unmapped: u64,
    /// Windows that were read because that is quicker for their client.
    pub quick: u64,
    /// Windows whose pages could not be had: the disk failed, or the file was cut off.
    pub failed: u64,
    /// Windows that are mapped.
    pub mapped: u64,
    /// Bytes of files that were handed to connections; a window that a client left behind counts
    /// whole.
    pub sent: u64,
}

/// A file that was opened to be sent, and what it was then.
pub struct Opened {
    plan: Plan,
    source: Arc<dyn Source>,
    identity: Identity,
    held: Held,
    pace: Option<Arc<Pace>>,
    watch: Option<Arc<dyn Watch>>,
}

/// Opens the file of a plan; may wait for the disk.
///
/// Fails, and tells the log, where it is missing, may not be read or is no regular file.
pub fn open(plan: Plan) -> io::Result<Opened> {
    match open_regular(&plan.path) {
        Ok((file, metadata)) => Ok(Opened::of(plan, Arc::new(file), Identity::of(&metadata))),
        Err(error) => {
            tracing::warn!(path = %plan.path.display(), %error, "a song cannot be opened");
            Err(error)
        }
    }
}

impl Opened {
    /// A source that is sent as a plan says; fails where it does not tell what it is.
    pub fn new(plan: Plan, source: Arc<dyn Source>) -> io::Result<Opened> {
        let identity = source.identity()?;
        Ok(Opened::of(plan, source, identity))
    }

    fn of(plan: Plan, source: Arc<dyn Source>, identity: Identity) -> Opened {
        Opened { plan, source, identity, held: None, pace: None, watch: None }
    }

    /// Keeps a value (a [`Place`](super::places::Place)) until the last byte of the body was
    /// taken or the client left; no longer than the response where that has no body.
    pub fn holding(mut self, value: impl Send + Sync + 'static) -> Self {
        self.held = Some(Arc::new(value));
        self
    }

    /// Sends no faster than this; `None` is as fast as the client takes it.
    pub fn at_pace(mut self, pace: Option<Pace>) -> Self {
        self.pace = pace.map(Arc::new);
        self
    }

    /// Lets somebody watch over it, who may end it.
    pub fn watched_by(mut self, watch: impl Watch + 'static) -> Self {
        self.watch = Some(Arc::new(watch));
        self
    }

    /// What the file was when it was opened.
    pub fn identity(&self) -> Identity {
        self.identity
    }
}

impl Sender {
    /// A sender that maps files, or only reads them.
    pub fn new(mode: Mode) -> Self {
        Sender {
            mode,
            read_devices: Arc::default(),
            shared: Arc::new(Shared {
                permits: Arc::new(Semaphore::new(READS_AT_A_TIME)),
                turns: Arc::default(),
                buffers: Arc::default(),
                quick_buffers: Arc::default(),
                counters: Counters::default(),
            }),
        }
    }

    /// Tries whether maps work in a music folder, by a song in it, and remembers the file system
    /// where they do not. Says how its songs will be sent; may wait for the disk.
    ///
    /// Fails where the folder is not there; songs are sent without this test too, since a map
    /// that cannot be made is noticed when it is.
    pub fn check(&self, folder: &Path) -> io::Result<Mode> {
        let device = std::fs::metadata(folder)?.dev();
        if self.mode == Mode::Mapped && !maps_work_on(folder) {
            let mut devices = self.read_devices.write().unwrap_or_else(PoisonError::into_inner);
            devices.push(device);
        }
        Ok(self.mode_on(device))
    }

    fn mode_on(&self, device: u64) -> Mode {
        let devices = self.read_devices.read().unwrap_or_else(PoisonError::into_inner);
        if devices.contains(&device) { Mode::Read } else { self.mode }
    }

    /// What all bodies do and did.
    pub fn figures(&self) -> Figures {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            live: read(&counters.live),
            broken: read(&counters.broken),
            unmapped: read(&counters.unmapped),
            quick: read(&counters.quick),
            failed: read(&counters.failed),
            mapped: read(&counters.mapped),
            sent: read(&counters.sent),
        }
    }

    /// Turns to wait for a disk on a thread that carries connections; there are none until they are
    /// watched.
    pub fn turns(&self) -> &Arc<Turns> {
        &self.shared.turns
    }

    /// The response to a request for an open file; the file is held open until it is sent.
    ///
    /// Its body must be polled within the runtime, and written by a connection with vectored
    /// writes and without any layer that looks at the bytes (TLS, compression).
    pub fn respond(&self, opened: Opened, method: &Method, headers: &HeaderMap) -> Response {
        let (response, windows) = self.prepare(opened, method, headers);
        with_windows(response, windows)
    }

    /// The same with the beginning of the body in memory already, for which it may wait for the
    /// disk.
    ///
    /// # Errors
    /// The file changed or cannot be read, which the client can still be told.
    pub fn begin(
        &self,
        opened: Opened,
        method: &Method,
        headers: &HeaderMap,
    ) -> io::Result<Response> {
        let (response, mut windows) = self.prepare(opened, method, headers);
        if let Some(windows) = &mut windows {
            windows.begin()?;
        }
        Ok(with_windows(response, windows))
    }

    /// The head of a response and its body, where it has one.
    fn prepare(
        &self,
        opened: Opened,
        method: &Method,
        headers: &HeaderMap,
    ) -> (Response, Option<Windows>) {
        let etag = opened.identity.etag();
        let len = opened.identity.len;
        let modified = opened.identity.last_modified(SystemTime::now());
        let wanted = answer(method, headers, &Validators { len, etag: &etag, modified });

        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        *fields = HeaderMap::with_capacity(MOST_FIELDS);
        set(fields, header::ETAG, &etag);
        let failed = matches!(wanted, Answer::PreconditionFailed | Answer::Unsatisfiable);
        // What a cache may keep for the next one is the file, not a refusal.
        let cache = if failed { "no-store" } else { opened.plan.cache };
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(modified) = modified {
            set(fields, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        }
        let (status, pieces) = match wanted {
            Answer::NotModified => return (with(response, StatusCode::NOT_MODIFIED), None),
            Answer::PreconditionFailed => {
                fields.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
                return (with(response, StatusCode::PRECONDITION_FAILED), None);
            }
            Answer::Unsatisfiable => {
                set(fields, header::CONTENT_RANGE, &format!("bytes */{len}"));
                fields.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
                return (with(response, StatusCode::RANGE_NOT_SATISFIABLE), None);
            }
            Answer::Whole => {
                content_type(fields, &opened.plan.content_type);
                (StatusCode::OK, vec![Piece::File(0..len)])
            }
            Answer::Part(range) => {
                content_type(fields, &opened.plan.content_type);
                set(fields, header::CONTENT_RANGE, &content_range(&range, len));
                (StatusCode::PARTIAL_CONTENT, vec![Piece::File(range)])
            }
            Answer::Parts(ranges) => {
                let boundary = boundary();
                content_type(fields, &format!("multipart/byteranges; boundary={boundary}"));
                let pieces = multipart(ranges, &boundary, &opened.plan.content_type, len);
                (StatusCode::PARTIAL_CONTENT, pieces)
            }
        };
        if let Some(disposition) = &opened.plan.disposition {
            set(fields, header::CONTENT_DISPOSITION, disposition);
        }
        let total = pieces.iter().map(Piece::len).fold(0, u64::saturating_add);
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(total));
        let has_body = method != Method::HEAD && total > 0;
        let windows = has_body.then(|| {
            let Opened { plan, source, identity, held, pace, watch } = opened;
            Windows::new(self.sending(source, identity, plan.path, (held, pace), watch), pieces)
        });
        (with(response, status), windows)
    }

    /// Where those who wait for a disk take turns.
    pub(super) fn permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.permits)
    }

    /// What a body needs to send an open file.
    pub(super) fn sending(
        &self,
        source: Arc<dyn Source>,
        identity: Identity,
        path: PathBuf,
        (held, pace): (Held, Option<Arc<Pace>>),
        watch: Option<Arc<dyn Watch>>,
    ) -> Sending {
        Sending {
            mode: self.mode_on(identity.device),
            source,
            identity,
            path,
            held,
            pace,
            watch,
            shared: Arc::clone(&self.shared),
        }
    }
}

fn with_windows(mut response: Response, windows: Option<Windows>) -> Response {
    if let Some(windows) = windows {
        *response.body_mut() = Body::stream(windows);
    }
    response
}

fn with(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

/// Sets a field; a value that no header can hold is left out.
pub(super) fn set(fields: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

fn content_type(fields: &mut HeaderMap, value: &str) {
    let value = HeaderValue::from_str(value)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    fields.insert(header::CONTENT_TYPE, value);
}

/// The value of `Content-Range`.
pub(super) fn content_range(range: &Range<u64>, len: u64) -> String {
    format!("bytes {}-{}/{len}", range.start, range.end.saturating_sub(1))
}

/// A line that no file contains but by a chance of 2^-128.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", random(), random())
}

/// The body of `multipart/byteranges` (RFC 9110 14.6).
fn multipart(ranges: Vec<Range<u64>>, boundary: &str, content_type: &str, len: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut line_end = "";
    for range in ranges {
        let head = format!(
            "{line_end}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(&range, len)
        );
        pieces.push(Piece::Literal(Bytes::from(head)));
        pieces.push(Piece::File(range));
        line_end = "\r\n";
    }
    pieces.push(Piece::Literal(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    pieces
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::media::pace::Rates;
    use http_body_util::BodyExt;
    use hyper::body::Body as _;
    use std::borrow::Cow;
    use std::num::NonZeroU64;
    use std::time::Duration;

    fn opened(disposition: Option<&str>, content_type: &'static str) -> Opened {
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"0123456789", 0).unwrap();
        let plan = Plan {
            path: "song".into(),
            content_type: Cow::Borrowed(content_type),
            disposition: disposition.map(str::to_owned),
            cache: "public, max-age=60",
        };
        Opened::new(plan, Arc::new(file)).unwrap()
    }

    fn respond(opened: Opened, fields: &[(header::HeaderName, &str)]) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            set(&mut headers, name.clone(), value);
        }
        Sender::new(Mode::Read).respond(opened, &Method::GET, &headers)
    }

    #[test]
    fn a_refusal_is_not_kept_by_caches_nor_saved_as_a_file() {
        let cases = [(header::RANGE, "bytes=10-", 416), (header::IF_MATCH, "\"other\"", 412)];
        for (name, value, status) in cases {
            let response = respond(opened(Some("attachment"), "audio/flac"), &[(name, value)]);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
            for absent in [header::CONTENT_DISPOSITION, header::CONTENT_TYPE] {
                assert!(!response.headers().contains_key(absent));
            }
            assert!(response.body().is_end_stream());
        }
    }

    #[tokio::test]
    async fn what_begins_at_once_is_the_same_to_the_last_byte() {
        let content: Vec<u8> = (0..700_000_u32).flat_map(|number| number.to_le_bytes()).collect();
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &content, 0).unwrap();
        let (source, plan) = (Arc::new(file), opened(None, "audio/flac").plan);
        for mode in [Mode::Mapped, Mode::Read] {
            let sender = Sender::new(mode);
            for range in [0..1, 70_000..80_000, 0..65_536, 3..65_540, 100_000..1_000_000] {
                let opened = Opened::new(plan.clone(), source.clone()).unwrap();
                let mut headers = HeaderMap::new();
                let value = format!("bytes={}-{}", range.start, range.end - 1);
                set(&mut headers, header::RANGE, &value);
                let response = sender.begin(opened, &Method::GET, &headers).unwrap();
                let (mut body, mut bytes) = (response.into_body(), Vec::new());
                while let Some(frame) = body.frame().await {
                    bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
                }
                assert!(bytes == content.get(range.clone()).unwrap(), "{mode:?} {range:?}");
            }
            assert_eq!(sender.figures().live, 0);
        }
    }

    #[test]
    fn a_file_that_cannot_be_begun_is_told_before_the_head() {
        let (sender, headers) = (Sender::new(Mode::Mapped), HeaderMap::new());
        let mut cut = opened(None, "audio/flac");
        cut.identity.len = 1_000_000;
        assert!(sender.begin(cut, &Method::GET, &headers).is_err());
        let figures = sender.figures();
        assert_eq!((figures.live, figures.broken), (0, 1));
        let mut cut = opened(None, "audio/flac");
        cut.identity.len = 1_000_000;
        assert!(sender.begin(cut, &Method::HEAD, &headers).is_ok(), "nothing is read for HEAD");
    }

    #[test]
    fn what_is_not_modified_tells_how_long_to_keep_it() {
        let response = respond(opened(None, "audio/flac"), &[(header::IF_NONE_MATCH, "*")]);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        let fields = response.headers();
        assert_eq!(fields.get(header::CACHE_CONTROL).unwrap(), "public, max-age=60");
        assert!(fields.contains_key(header::ETAG));
        assert!(!fields.contains_key(header::CONTENT_LENGTH));
    }

    #[test]
    fn what_no_header_can_hold_breaks_no_response() {
        let response = respond(opened(Some("a\nb"), "audio/\nflac"), &[]);
        assert_eq!(response.status(), StatusCode::OK);
        let fields = response.headers();
        assert_eq!(fields.get(header::CONTENT_TYPE).unwrap(), "application/octet-stream");
        assert!(!fields.contains_key(header::CONTENT_DISPOSITION));
        assert_eq!(response.body().size_hint().exact(), Some(10));
    }

    #[test]
    fn a_file_from_the_future_has_no_date() {
        let file = tempfile::tempfile().unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
        let plan = opened(None, "audio/flac").plan;
        let response = respond(Opened::new(plan, Arc::new(file)).unwrap(), &[]);
        assert!(!response.headers().contains_key(header::LAST_MODIFIED));
        assert!(response.headers().contains_key(header::ETAG));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_under_a_cap_takes_its_time() {
        for mode in [Mode::Mapped, Mode::Read] {
            let file = tempfile::tempfile().unwrap();
            file.set_len(1280 << 10).unwrap();
            let pace = Rates::new(NonZeroU64::new(64 << 10), None).of_user();
            let plan = opened(None, "audio/flac").plan;
            let opened = Opened::new(plan, Arc::new(file)).unwrap().at_pace(pace);
            let response = Sender::new(mode).respond(opened, &Method::GET, &HeaderMap::new());
            let (began, mut body) = (tokio::time::Instant::now(), response.into_body());
            while let Some(frame) = body.frame().await {
                frame.unwrap();
            }
            // Half of it at once, which is ten seconds' worth, and half at the rate.
            assert_eq!(began.elapsed().as_secs(), 10, "{mode:?}");
        }
    }

    #[test]
    fn folders_are_tried_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.mp3"), b"abc").unwrap();
        let sender = Sender::new(Mode::Mapped);
        assert_eq!(sender.check(folder.path()).unwrap(), Mode::Mapped);
        assert!(sender.check(&folder.path().join("missing")).is_err());
        let device = std::fs::metadata(folder.path()).unwrap().dev();
        sender.clone().read_devices.write().unwrap().push(device);
        assert_eq!((sender.mode_on(device), sender.mode_on(!device)), (Mode::Read, Mode::Mapped));
        assert_eq!(Sender::new(Mode::Read).check(folder.path()).unwrap(), Mode::Read);
    }
}
