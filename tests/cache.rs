//! The settings for proxies that the README shows, word for word: nginx as a cache that carries the
//! load of a link, nginx and Caddy with a path. Skipped, with a word, where there is no such proxy.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../benches/streams/music.rs"]
#[allow(dead_code)]
mod music;
#[path = "../benches/program/mod.rs"]
mod program;

use std::io::{BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use program::proxy::{self, Proxy};
use program::{Connection, Server, free};
use serde_json::Value;

const README: &str = include_str!("../README.md");
/// Some slices and a rest.
const LENGTH: usize = (3 << 20) + 12_345;
/// How long the cache may give what it has without asking, with time to spare.
const KEPT_FOR: Duration = Duration::from_secs(62);

/// A server with one song, its link, and nginx in front of it.
struct Set {
    nginx: Proxy,
    server: Server,
    metrics: SocketAddr,
    song: Vec<u8>,
    id: String,
    work: tempfile::TempDir,
}

impl Set {
    fn new() -> Option<Set> {
        if !proxy::is_there("nginx") {
            println!("skipped: no nginx");
            return None;
        }
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("music");
        let song = music::make(&folder, 1, LENGTH).remove(0);
        let picture = image::RgbImage::from_pixel(800, 800, image::Rgb([200, 80, 40]));
        picture.save(folder.join("cover.png")).unwrap();
        let metrics = free();
        let server = Server::start(
            &folder,
            &work.path().join("data"),
            &music::settings(&[
                ("KINGLET_METRICS_LISTEN", &metrics.to_string()),
                ("KINGLET_TRUSTED_PROXIES", "127.0.0.1"),
            ]),
        );
        let id = music::ids(&server, 1).remove(0);
        let nginx = start_nginx(work.path(), server.address());
        Some(Set { nginx, server, metrics, song, id, work })
    }

    /// Makes a link through nginx; its path.
    fn share(&self, more: &str) -> String {
        let call = music::call("createShare", &format!("id={}&{more}", self.id));
        let (_, answer) = self.nginx.connect().fetch(&call);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let url = answer["subsonic-response"]["shares"]["share"][0]["url"].as_str().unwrap();
        // The name that our connections give.
        url.strip_prefix("http://bench").expect("a link to nginx").to_owned()
    }

    /// A metric's value, summed over the lines that begin so.
    fn metric(&self, begins: &str) -> usize {
        let mut connection = connect(self.metrics);
        let (status, text) = connection.fetch("/metrics");
        assert_eq!(status, 200);
        let text = String::from_utf8(text).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(begins));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }

    fn bytes_read(&self) -> usize {
        self.metric("kinglet_stream_bytes_total ")
    }
}

/// nginx with the settings of the README, in front of a server.
fn start_nginx(work: &Path, server: SocketAddr) -> Proxy {
    let own = work.join("nginx");
    Proxy::nginx(&own, |address| {
        let mut shown = shown("```nginx\n", "proxy_cache_path");
        for (example, here) in [
            ("/var/cache/nginx/kinglet", own.join("cache").to_str().unwrap()),
            ("listen 80;", &format!("listen {address};")),
            ("server_name music.example.org;", ""),
            ("http://127.0.0.1:4040", &format!("http://{server}")),
        ] {
            assert!(shown.contains(example), "no {example} in the README");
            shown = shown.replace(example, here);
        }
        shown
    })
}

/// What the README shows behind this line and its next one.
fn shown(kind: &str, begins: &str) -> String {
    let (_, after) = README.split_once(&format!("{kind}{begins}")).expect("settings");
    format!("{begins}{}", after.split_once("```").unwrap().0)
}

fn connect(address: SocketAddr) -> Connection {
    Connection(BufReader::new(TcpStream::connect(address).unwrap()))
}

/// Fetches a part of a song and compares every byte.
fn listen(mut connection: Connection, path: &str, song: &[u8], from: usize) {
    let range = if from > 0 { format!("Range: bytes={from}-\r\n") } else { String::new() };
    connection.send_with(&format!("{path}?listener"), &range);
    let (status, length) = connection.head();
    assert_eq!((status, length), (if from > 0 { 206 } else { 200 }, song.len() - from));
    let (mut at, mut block) = (from, vec![0; 64 << 10]);
    while at < song.len() {
        let count = connection.0.read(&mut block).unwrap();
        assert!(count > 0, "it ends after {at} bytes");
        assert!(song.get(at..at + count) == block.get(..count), "other bytes at {at}");
        at += count;
    }
}

#[test]
fn a_thousand_listeners_cost_the_server_one_read_of_each_byte() {
    const LISTENERS: usize = 1_000;
    let Some(set) = Set::new() else { return };
    let link = set.share("");
    let (song, cover) = (format!("{link}/{}.wav", set.id), format!("{link}/{}-600.jpg", set.id));
    let begin = Arc::new(Barrier::new(LISTENERS));
    thread::scope(|scope| {
        for number in 0..LISTENERS {
            let (begin, song, cover, set) = (Arc::clone(&begin), &song, &cover, &set);
            let listener = move || {
                let mut connection = set.nginx.connect();
                begin.wait();
                assert_eq!(connection.fetch(cover).0, 200);
                // Some begin anywhere, as players do that go on where they were.
                let from = if number % 3 == 0 { number * set.song.len() / LISTENERS } else { 0 };
                listen(connection, song, &set.song, from);
            };
            thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, listener).unwrap();
        }
    });
    assert_eq!(set.bytes_read(), LENGTH);
    let covers = "kinglet_responses_total{door=\"share\",endpoint=\"cover\"";
    assert_eq!(set.metric(covers), 1, "times that the cover was read");
}

/// A server below a path, and its one song.
struct Below {
    server: Server,
    song: Vec<u8>,
    id: String,
    work: tempfile::TempDir,
}

impl Below {
    fn new() -> Below {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("music");
        let song = music::make(&folder, 1, LENGTH).remove(0);
        let settings = [("KINGLET_BASE_PATH", "/music"), ("KINGLET_TRUSTED_PROXIES", "127.0.0.1")];
        let server = Server::start(&folder, &work.path().join("data"), &music::settings(&settings));
        let id = music::ids(&server, 1).remove(0);
        Below { server, song, id, work }
    }

    /// Makes a link by way of a proxy and opens it there.
    fn opens_by(&self, proxy: &Proxy) {
        let call = music::call("createShare", &format!("id={}", self.id));
        let (status, answer) = proxy.connect().fetch(&format!("/music{call}"));
        assert_eq!(status, 200);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let url = answer["subsonic-response"]["shares"]["share"][0]["url"].as_str().unwrap();
        let link = url.strip_prefix("http://bench").expect("a link to the proxy");
        assert!(link.starts_with("/music/share/"), "{link}");
        let mut connection = proxy.connect();
        // Caddy would ask for gzip itself, and give the page without its length.
        connection.send_with(link, "Accept-Encoding: identity\r\n");
        let (status, length) = connection.head();
        assert_eq!(status, 200);
        let mut page = vec![0; length];
        connection.0.read_exact(&mut page).unwrap();
        // The page's own addresses are relative to it.
        let page = String::from_utf8(page).unwrap();
        let style = page.split("href=\"assets/").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(proxy.connect().fetch(&format!("/music/share/assets/{style}")).0, 200);
        listen(proxy.connect(), &format!("{link}/{}.wav", self.id), &self.song, 0);
        listen(proxy.connect(), &format!("{link}/{}.wav", self.id), &self.song, 1_234_567);
    }
}

#[test]
fn below_a_path_nginx_may_leave_it_or_take_it_away() {
    if !proxy::is_there("nginx") {
        println!("skipped: no nginx");
        return;
    }
    let below = Below::new();
    let here = format!("http://{}", below.server.address());
    let location = shown("```nginx\n", "location /music/").replace("http://127.0.0.1:4040", &here);
    let without = location.replace(&format!("{here};"), &format!("{here}/;"));
    assert_ne!(location, without);
    for (name, location) in [("with", location), ("without", without)] {
        let nginx = Proxy::nginx(&below.work.path().join(name), |address| {
            format!("server {{ listen {address};\n{location} }}")
        });
        below.opens_by(&nginx);
    }
}

#[test]
fn below_a_path_caddy_needs_one_line() {
    if !proxy::is_there("caddy") {
        println!("skipped: no caddy");
        return;
    }
    let below = Below::new();
    let site = shown("```caddy\n", "music.example.org");
    let line = "reverse_proxy 127.0.0.1:4040";
    assert!(site.contains(line) && README.contains("`reverse_proxy /music/* 127.0.0.1:4040`"));
    let caddy = Proxy::caddy(&below.work.path().join("caddy"), |address| {
        site.replace("music.example.org", &format!("http://:{}", address.port()))
            .replace(line, &format!("reverse_proxy /music/* {}", below.server.address()))
    });
    below.opens_by(&caddy);
}

#[test]
#[ignore = "waits two minutes"]
fn a_cache_asks_again_after_a_minute_and_hears_of_an_end() {
    let Some(set) = Set::new() else { return };
    let link = set.share("");
    let song = format!("{link}/{}.wav", set.id);
    listen(set.nginx.connect(), &song, &set.song, 0);
    thread::sleep(KEPT_FOR);
    listen(set.nginx.connect(), &song, &set.song, 0);
    assert_eq!(set.bytes_read(), LENGTH, "asked again, it need not be sent again");
    let asked = "kinglet_responses_total{door=\"share\",endpoint=\"song\",status=\"3xx\"}";
    assert!(set.metric(asked) > 0);

    let (_, shares) = set.server.connect().fetch(&music::call("getShares", ""));
    let shares: Value = serde_json::from_slice(&shares).unwrap();
    let id = shares["subsonic-response"]["shares"]["share"][0]["id"].as_str().unwrap();
    set.server.connect().get(&music::call("deleteShare", &format!("id={id}")));
    thread::sleep(KEPT_FOR);
    assert_eq!(set.nginx.connect().fetch(&song).0, 404);
    drop(set.work);
}
