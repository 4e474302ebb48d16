//! What the real program tells Prometheus, read by a strict parser, while it is called and played.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/program.rs"]
mod program;
#[path = "support/silence.rs"]
mod silence;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use silence::SOUND;
use tempfile::TempDir;

/// What never comes in this time is missing.
const DEADLINE: Duration = Duration::from_secs(20);
const SIGNED: &str = "u=admin&p=sesame&v=1.16.1&c=test&f=json";

/// The metrics of a text: of each the kind and its samples in their order.
type Metrics = BTreeMap<String, Metric>;

struct Metric {
    kind: String,
    /// Names with their labels as they are written, and values.
    samples: Vec<(String, f64)>,
}

/// Reads the text format of Prometheus, version 0.0.4, as we write it; whatever else is in it is
/// the end of the test.
fn parse(text: &str) -> Metrics {
    assert!(text.ends_with('\n'));
    let mut metrics = Metrics::new();
    let mut current = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect(line);
            assert!(is_name(name) && !help.is_empty(), "{line}");
            unescape(help, &['\\', 'n']);
            let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).expect(line);
            let kind = kind.strip_prefix(name).and_then(|kind| kind.strip_prefix(' ')).expect(line);
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}: {kind}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            let metric = Metric { kind: kind.to_owned(), samples: Vec::new() };
            assert!(metrics.insert(name.to_owned(), metric).is_none(), "{name} twice");
            current = name.to_owned();
            continue;
        }
        let metric = metrics.get_mut(&current).expect("a metric before its samples");
        let end = line.find(['{', ' ']).expect(line);
        let (name, rest) = line.split_at(end);
        let suffix = name.strip_prefix(&current).expect(line);
        let suffixes: &[&str] = match metric.kind.as_str() {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{line}");
        let value = rest.strip_prefix('{').map_or(rest, after_labels);
        let value: f64 = value.strip_prefix(' ').expect(line).parse().expect(line);
        assert!(value >= 0.0 && value.is_finite(), "{line}");
        let (series, _) = line.rsplit_once(' ').unwrap();
        assert!(!metric.samples.iter().any(|(known, _)| known == series), "{series} twice");
        metric.samples.push((series.to_owned(), value));
    }
    metrics.values().filter(|metric| metric.kind == "histogram").for_each(check_histogram);
    metrics
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && text.starts_with("kinglet_")
}

/// Fails where a backslash stands before anything but these.
fn unescape(text: &str, known: &[char]) {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        assert!(letter != '\\' || letters.next().is_some_and(|next| known.contains(&next)));
    }
}

/// What comes after the labels that a text begins with.
fn after_labels(mut text: &str) -> &str {
    let mut names = BTreeSet::new();
    loop {
        let (name, rest) = text.split_once("=\"").expect(text);
        let plain = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        assert!(plain && !name.is_empty() && names.insert(name), "{text}");
        let mut escaped = false;
        let end = rest.find(|letter| {
            let is_end = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        });
        let (value, rest) = rest.split_at(end.expect(text));
        unescape(value, &['\\', '"', 'n']);
        let rest = rest.strip_prefix('"').unwrap();
        match rest.strip_prefix(',') {
            Some(more) => text = more,
            None => return rest.strip_prefix('}').expect(text),
        }
    }
}

/// Fails where the steps of a histogram do not grow up to its count.
fn check_histogram(metric: &Metric) {
    let (mut end, mut count) = (0.0, 0.0);
    for (series, value) in &metric.samples {
        if let Some((_, step)) = series.split_once("le=\"") {
            let step: f64 = step.trim_end_matches("\"}").parse().unwrap();
            assert!(step > end && *value >= count, "{series}");
            (end, count) = (step, *value);
        } else if series.contains("_sum") {
            assert_eq!(end, f64::INFINITY, "{series}");
        } else {
            assert_eq!((*value, end), (count, f64::INFINITY), "{series}");
            (end, count) = (0.0, 0.0);
        }
    }
}

/// The real program with one long song.
struct Server {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: String,
    metrics: String,
    home: TempDir,
}

impl Server {
    fn start() -> Server {
        Server::with_rate("0")
    }

    /// With a cap on streams, whose windows are mapped however fast they are taken.
    fn with_rate(rate: &str) -> Server {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("Music")).unwrap();
        silence::write(&home.path().join("Music/silence.wav"));
        let mut process = kinglet(home.path(), "127.0.0.1:0", "127.0.0.1:0", rate);
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let (address, metrics) = (String::new(), String::new());
        let mut server = Server { process, log, address, metrics, home };
        server.metrics = server.logged("metrics on http://").trim_end_matches("/metrics").into();
        server.address = server.logged("serving on http://");
        server.logged("scanned: ");
        server
    }

    /// What the log says after these words.
    fn logged(&mut self, words: &str) -> String {
        let mut lines = self.log.by_ref().map(Result::unwrap);
        let line = lines.find(|line| line.contains(words)).expect(words);
        line.split(words).nth(1).unwrap().trim().to_owned()
    }

    /// Asks for a path; gives the connection.
    fn ask(&self, path: &str, header: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str, header: &str) -> String {
        let mut answer = Vec::new();
        self.ask(path, header).read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    fn call(&self, call: &str) -> String {
        self.get(&format!("/rest/{call}{}{SIGNED}", if call.contains('?') { '&' } else { '?' }), "")
    }

    /// Asks on the address for metrics; gives the head and the body.
    fn ask_metrics(&self, method: &str, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    fn metrics(&self) -> Metrics {
        let (head, body) = self.ask_metrics("GET", "/metrics");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
        parse(&body)
    }

    /// The value of a sample, by its name with its labels; 0 where there is none.
    fn value(&self, series: &str) -> f64 {
        let metrics = self.metrics();
        let mut samples = metrics.values().flat_map(|metric| &metric.samples);
        samples.find(|(name, _)| name == series).map_or(0.0, |(_, value)| *value)
    }

    /// How many requests went to a destination.
    fn requests(&self, door: &str, endpoint: &str) -> f64 {
        self.value(&format!(
            "kinglet_request_duration_seconds_count{{door=\"{door}\",endpoint=\"{endpoint}\"}}"
        ))
    }

    /// Waits until a sample has a value.
    fn until(&self, series: &str, wanted: f64) {
        let end = Instant::now() + DEADLINE;
        while self.value(series) != wanted {
            assert!(Instant::now() < end, "never came: {series} {wanted}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn kinglet(home: &Path, listen: &str, metrics: &str, rate: &str) -> Child {
    program::program()
        .args(["serve", "--music", "Music", "--data", "data", "--listen", listen])
        .env_clear()
        .env("HOME", home)
        .envs([("KINGLET_ADMIN_PASSWORD", "sesame"), ("KINGLET_METRICS_LISTEN", metrics)])
        .env("KINGLET_STREAM_RATE", rate)
        .current_dir(home)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn figures_follow_what_the_server_does() {
    let server = Server::start();
    for (series, value) in [
        ("kinglet_songs", 1.0),
        ("kinglet_videos", 0.0),
        ("kinglet_users", 1.0),
        ("kinglet_shares", 0.0),
        ("kinglet_database_up", 1.0),
        ("kinglet_scan_problems", 0.0),
        ("kinglet_streams_active", 0.0),
        ("kinglet_connections_admitted_total", 0.0),
        ("kinglet_subsonic_errors_total{code=\"40\"}", 0.0),
    ] {
        assert_eq!(server.value(series), value, "{series}");
    }
    server.until("kinglet_scan_running", 0.0);
    let (start, end) =
        (server.value("kinglet_start_time_seconds"), server.value("kinglet_scan_last_end_seconds"));
    assert!(start > 1.7e9 && end >= start, "{start} {end}");
    assert!(server.value("kinglet_database_bytes") > 10_000.0);

    // Calls, by their names and failures.
    assert!(server.call("ping").contains("\"ok\""));
    assert!(server.call("ping.view").contains("\"ok\""));
    assert!(server.get("/rest/ping?u=admin&p=wrong&v=1.16.1&c=test", "").contains("code=\"40\""));
    assert_eq!(server.requests("rest", "ping"), 3.0);
    let answered =
        "kinglet_responses_total{door=\"rest\",endpoint=\"ping\",status=\"2xx\"}".to_owned();
    assert_eq!(server.value(&answered), 3.0);
    assert_eq!(server.value("kinglet_subsonic_errors_total{code=\"40\"}"), 1.0);

    // What is made up by clients is counted and not named.
    for path in ["/rest/made_up_1", "/rest/made_up_2", "/share/a/made/up", "/made_up"] {
        server.get(path, "");
    }
    assert_eq!(server.requests("rest", "unknown"), 2.0);
    assert_eq!(server.requests("share", "unknown"), 1.0);
    assert_eq!(server.requests("none", "unknown"), 1.0);
    assert!(!server.ask_metrics("GET", "/metrics").1.contains("made_up"));

    // A part of a song, by the API and by a share.
    let part = "Range: bytes=1000000-1399999\r\n";
    assert!(server.get(&format!("/rest/stream?id=so1&{SIGNED}"), part).contains("206"));
    assert_eq!(server.value("kinglet_stream_bytes_total"), 400_000.0);
    let share = server.call("createShare?id=so1");
    let token = share.split("/share/").nth(1).unwrap().split('"').next().unwrap();
    assert!(server.get(&format!("/share/{token}"), "").contains("<audio"));
    assert!(server.get(&format!("/share/{token}/so1.wav"), part).contains("206"));
    assert_eq!(server.requests("share", "page"), 1.0);
    assert_eq!(server.requests("share", "song"), 1.0);
    assert_eq!(server.value("kinglet_shares"), 1.0);
    assert_eq!(server.value("kinglet_stream_bytes_total"), 800_000.0);
    server.until("kinglet_streams_active", 0.0);
    server.until("kinglet_windows_mapped", 0.0);
    server.until("kinglet_connections_open", 0.0);
    assert_eq!(server.value("kinglet_connections_admitted_total"), 11.0);
    assert_eq!(server.value("kinglet_connections_refused_total"), 0.0);
}

#[test]
fn a_song_that_is_cut_off_is_counted() {
    let server = Server::with_rate("1GiB");
    let mut listener = server.ask(&format!("/rest/stream?id=so1&{SIGNED}"), "");
    let mut head = [0; 12];
    listener.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    // The listener pauses: a window stays until there is room for it.
    server.until("kinglet_streams_active", 1.0);
    server.until("kinglet_windows_mapped", 1.0);
    server.until("kinglet_connections_open", 1.0);
    assert_eq!(server.value("kinglet_streams_broken_total"), 0.0);

    let song = File::options().write(true).open(server.home.path().join("Music/silence.wav"));
    song.unwrap().set_len(4096).unwrap();
    let mut rest = Vec::new();
    // The end may come as an error: what matters is that it comes before the song's.
    let _ = listener.read_to_end(&mut rest);
    assert!(rest.len() < SOUND as usize);
    server.until("kinglet_streams_broken_total", 1.0);
    for series in ["kinglet_streams_active", "kinglet_windows_mapped", "kinglet_connections_open"] {
        server.until(series, 0.0);
    }
}

#[test]
fn nothing_but_metrics_is_told_there() {
    let server = Server::start();
    let (head, body) = server.ask_metrics("HEAD", "/metrics");
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
    let (_, whole) = server.ask_metrics("GET", "/metrics");
    let len = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    // Two texts may differ by a digit.
    assert!(len.parse::<usize>().unwrap().abs_diff(whole.len()) < 100, "{head}");
    for (method, path, status) in [
        ("GET", "/", "404"),
        ("GET", "/rest/ping", "404"),
        ("GET", "/metrics/", "404"),
        ("POST", "/metrics", "405"),
    ] {
        let (head, _) = server.ask_metrics(method, path);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{method} {path}: {head}");
    }
    // And metrics are told nowhere else.
    assert!(server.get("/metrics", "").starts_with("HTTP/1.1 404"));
}

#[test]
fn the_readme_tells_every_metric_and_its_kind() {
    let metrics = Server::start().metrics();
    let told: BTreeSet<(String, String)> =
        metrics.iter().map(|(name, metric)| (name.clone(), metric.kind.clone())).collect();
    let rows = include_str!("../README.md").lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `kinglet_")?.split('|').map(str::trim);
        let name = cells.next()?.trim_end_matches('`');
        Some((format!("kinglet_{name}"), cells.next()?.to_owned()))
    });
    assert_eq!(told, rows.collect());
}

#[test]
fn an_address_that_is_taken_stops_the_start() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("Music")).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = kinglet(home.path(), "127.0.0.1:0", &address, "0").wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    let expected =
        format!("cannot listen on {address}; the setting metrics_listen takes another address: ");
    assert!(complaint.contains(&expected), "{complaint}");
}
