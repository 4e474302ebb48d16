//! What a request costs the server: CPU time of the real program under 32 connections, on a
//! made-up library, with its memory and its start. `cargo bench --bench requests -- [SONGS]`.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod library;
mod program;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kinglet::app::App;
use kinglet::config::{self, Flags};
use program::Server;

/// Clients that ask at the same time.
const CONNECTIONS: usize = 32;
/// How long each call is asked for.
const SPAN: Duration = Duration::from_secs(2);
/// Songs of one page when a client fetches everything.
const PAGE: usize = 500;

const CALLS: [(&str, &str); 14] = [
    ("ping", ""),
    ("getAlbum", "id=al7"),
    ("getAlbumList2", "type=newest&size=50"),
    ("getAlbumList2", "type=random&size=50"),
    ("getAlbumList2", "type=byYear&fromYear=1960&toYear=2000&size=50"),
    ("getAlbumList2", "type=alphabeticalByName&size=50&offset=300"),
    ("getRandomSongs", "size=50"),
    ("search3", "query=lo"),
    ("search3", "query=of+the"),
    ("search3", "query=velvet&songCount=200&songOffset=20"),
    ("getArtists", ""),
    ("getIndexes", ""),
    ("getGenres", ""),
    ("getStarred2", ""),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let songs: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path(), songs);

    drop(start(folder.path()));
    let after_kill = start(folder.path());
    let looked = after_kill.start.as_secs_f64() * 1e3;
    after_kill.stop();
    let server = start(folder.path());
    println!(
        "{songs} songs; start to first ping {:.0} ms, after a kill {looked:.0} ms",
        server.start.as_secs_f64() * 1e3
    );
    println!("anonymous memory after the start {:.1} MiB", server.memory("RssAnon"));
    println!("{:>10} {:>10} {:>9}  call", "CPU/call", "calls/s", "bytes");
    for (name, query) in CALLS {
        for format in ["json", "xml"] {
            let path = path(name, format, query);
            let began = (Instant::now(), server.cpu());
            let (calls, bytes) = hammer(&server, &path);
            let cpu = server.cpu() - began.1;
            println!(
                "{:>7.1} us {:>10.0} {:>9}  {format:<4} {name} {query}",
                cpu.as_secs_f64() * 1e6 / calls as f64,
                calls as f64 / began.0.elapsed().as_secs_f64(),
                bytes
            );
        }
    }
    let began = (Instant::now(), server.cpu());
    let pages = fetch_all(&server, songs);
    println!(
        "everything in {pages} pages of {PAGE}: {:.2} s, CPU {:.2} s",
        began.0.elapsed().as_secs_f64(),
        (server.cpu() - began.1).as_secs_f64()
    );
    println!("anonymous memory at the end {:.1} MiB", server.memory("RssAnon"));
}

fn fill(folder: &Path, songs: usize) {
    fs::create_dir(folder.join("music")).expect("a music folder");
    let environment = [("HOME".to_owned(), folder.display().to_string())];
    let data = Some(folder.join("data").display().to_string());
    let flags = Flags { data, ..Flags::default() };
    let config = config::load(&flags, &environment, None).expect("a configuration");
    let app = App::open(config).expect("a data folder");
    library::fill(&app, i64::try_from(songs).expect("a number of songs"));
}

fn path(name: &str, format: &str, query: &str) -> String {
    format!("/rest/{name}?{}&f={format}&{query}", library::sign_in())
}

/// The program on the made-up library.
fn start(folder: &Path) -> Server {
    let settings = [("KINGLET_SCAN_ON_START", "false")];
    let mut server = Server::start(&folder.join("music"), &folder.join("data"), &settings);
    let began = Instant::now();
    server.connect().get(&path("ping", "json", ""));
    server.start += began.elapsed();
    server
}

/// Asks on all connections for the span; says how many answers came and the length of one.
fn hammer(server: &Server, path: &str) -> (u64, usize) {
    let (calls, end) = (AtomicU64::new(0), Instant::now() + SPAN);
    let bytes = server.connect().get(path);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = server.connect();
                while Instant::now() < end {
                    connection.get(path);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    (calls.into_inner(), bytes)
}

/// Fetches all songs as clients do that keep the whole library; says how many pages it took.
fn fetch_all(server: &Server, songs: usize) -> usize {
    let (mut connection, pages) = (server.connect(), songs.div_ceil(PAGE));
    for page in 0..pages {
        let counts = "artistCount=0&albumCount=0";
        let query = format!("query=&songCount={PAGE}&songOffset={}&{counts}", page * PAGE);
        connection.get(&path("search3", "json", &query));
    }
    pages
}
