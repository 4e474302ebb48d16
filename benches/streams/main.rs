//! What streams do to the running program: its memory under many slow readers, idle connections and
//! listeners of one link, its answers while a disk is slow, hangs, fails or is pulled out, what it
//! does in little memory, with large files and with many.
//!
//! `cargo bench --bench streams -- [readers] [listeners] [connections] [disks] [memory] [large]
//! [many]`; the disks take root, FUSE, a C compiler and libfuse3, little memory takes root and a
//! cgroup. Every byte of every stream is compared; a wrong one, a stream that should break and does
//! not, or a call that fails ends the program. Figures are only printed.
//!
//! `BENCH_PROGRAM` names another program than that of this build, such as one for 32 bits:
//! `BENCH_PROGRAM="qemu-arm-static kinglet-armv7" cargo bench --bench streams -- large many`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::cast_possible_truncation)]

mod disk;
mod disks;
mod figures;
mod large;
mod listeners;
mod many;
mod memory;
mod music;
#[path = "../program/mod.rs"]
mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use figures::{Times, tell};
use music::Stream;
use program::Server;
use rustix::process::{Resource, getrlimit, setrlimit};

/// What is mapped for a connection, at most.
const WINDOW: u64 = 256 << 10;
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    allow_files();
    let work = tempfile::tempdir().expect("a temporary folder");
    let folder = work.path().join("music");
    if ["readers", "listeners", "connections", "disks", "memory"].into_iter().any(wanted) {
        let files = music::make(&folder, music::FILES, music::LENGTH);
        if wanted("readers") {
            readers(work.path(), &folder, &files);
        }
        if wanted("listeners") {
            listeners::one_link(work.path(), &folder, &files);
        }
        if wanted("connections") {
            connections(work.path(), &folder);
        }
        if wanted("disks") {
            disks::all(work.path(), &folder, &files);
        }
        if wanted("memory") {
            memory::little(work.path(), &folder, &files);
        }
    }
    if wanted("large") {
        large::all(work.path());
    }
    if wanted("many") {
        many::all(work.path());
    }
}

/// Lets this program and the server have as many connections as the system allows.
fn allow_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("more open files");
}

/// Waits until something is so; where it never comes, the program ends.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "never came: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says that it is over, also where the program ends early: threads that ask on would be waited for.
pub struct Ends<'a>(pub &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Many clients that read slowly.
fn readers(work: &Path, folder: &Path, files: &[Vec<u8>]) {
    const READERS: usize = 500;
    const THREADS: usize = 4;
    const BLOCK: usize = 32 << 10;
    const EVERY: Duration = Duration::from_millis(250);
    const SPAN: Duration = Duration::from_secs(15);
    println!("{READERS} readers of 128 KiB/s");
    let data = work.join("data-readers");
    let server = Server::start(folder, &data, &music::settings(&[("KINGLET_CONNECTIONS", "1024")]));
    let ids = music::ids(&server, music::FILES);
    let (anon, file) = (server.memory("RssAnon"), server.memory("RssFile"));
    let (open, cpu) = (server.descriptors(), server.cpu());
    let over = AtomicBool::new(false);
    let mut most = (0.0, 0.0, 0, 0);
    let (ping, bytes) = thread::scope(|scope| {
        let _end = Ends(&over);
        let ping = scope.spawn(|| Times::of(&server, &music::call("ping", ""), &over));
        let readers = (0..THREADS).map(|thread| {
            let (server, ids, over) = (&server, &ids, &over);
            scope.spawn(move || {
                let mut streams: Vec<_> = (thread..READERS)
                    .step_by(THREADS)
                    .map(|number| number % files.len())
                    .map(|number| Stream::ask(server, &ids[number], &files[number]))
                    .collect();
                streams.iter_mut().for_each(Stream::begin);
                let mut turn = Instant::now();
                while !over.load(Ordering::SeqCst) {
                    for stream in &mut streams {
                        let goal = stream.at() + BLOCK;
                        while stream.at() < goal {
                            assert!(stream.read(), "a stream ends after {} bytes", stream.at());
                        }
                    }
                    turn += EVERY;
                    thread::sleep(turn.saturating_duration_since(Instant::now()));
                }
                streams.iter().map(Stream::at).sum::<usize>()
            })
        });
        let readers: Vec<_> = readers.collect();
        let end = Instant::now() + SPAN;
        while Instant::now() < end {
            let maps = server.maps(folder);
            assert!(maps.iter().all(|length| *length <= WINDOW), "a map longer than a window");
            assert!(maps.len() <= READERS, "{} maps", maps.len());
            let now = (server.memory("RssAnon"), server.memory("RssFile"));
            let mapped = maps.iter().sum::<u64>();
            most =
                (now.0.max(most.0), now.1.max(most.1), most.2.max(maps.len()), mapped.max(most.3));
            thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::SeqCst);
        let bytes: usize = readers.into_iter().map(|reader| reader.join().expect("bytes")).sum();
        (ping.join().expect("times"), bytes)
    });
    tell("RssAnon above idle", most.0 - anon, "MiB", 16.0);
    tell("mapped for each", most.3 as f64 / 1024.0 / READERS as f64, "KiB", 256.0);
    println!(
        "    RssFile {file:.1} -> {:.1} MiB, {} maps of {:.1} MiB",
        most.1,
        most.2,
        most.3 as f64 / MIB
    );
    let (read, cpu) = (bytes as f64 / MIB, (server.cpu() - cpu).as_secs_f64());
    println!("    {read:.0} MiB read, every byte right; {cpu:.1} s of CPU time");
    ping.tell("ping meanwhile", 50.0);
    let began = Instant::now();
    until("no map is left", || server.maps(folder).is_empty());
    until("no file is left open", || server.descriptors() <= open);
    tell("maps and files given back after", began.elapsed().as_secs_f64(), "s", 5.0);
}

/// Many connections that ask nothing, and some that never come to their point.
fn connections(work: &Path, folder: &Path) {
    const IDLE: usize = 2_000;
    const SLOW: usize = 200;
    const TIMEOUT: u64 = 5;
    println!("{IDLE} idle connections and {SLOW} that send a line of their head every half second");
    let data = work.join("data-connections");
    let settings =
        music::settings(&[("KINGLET_CONNECTIONS", "4096"), ("KINGLET_HEADER_TIMEOUT", "5s")]);
    let server = Server::start(folder, &data, &settings);
    music::ids(&server, music::FILES);
    let before = server.memory("RssAnon");
    let ping = music::call("ping", "");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let times = scope.spawn(|| Times::of(&server, &ping, &over));
        let _end = Ends(&over);
        let asked = || {
            let mut connection = server.connect();
            connection.get(&ping);
            connection
        };
        let idle: Vec<_> = (0..IDLE).map(|_| asked()).collect();
        let slow = scope.spawn(|| slow_heads(&server, SLOW));
        let mut most = server.memory("RssAnon");
        while !slow.is_finished() {
            most = server.memory("RssAnon").max(most);
            thread::sleep(Duration::from_millis(50));
        }
        drop(idle);
        over.store(true, Ordering::SeqCst);
        tell("RssAnon", most, "MiB", 32.0);
        println!("    {before:.1} MiB before");
        tell(
            "the last slow head is closed after",
            slow.join().expect("a time"),
            "s",
            TIMEOUT as f64 + 2.0,
        );
        times.join().expect("times").tell("ping meanwhile", 50.0);
    });
}

/// Sends heads slowly until the server has closed every connection; the longest time it took, in
/// seconds.
fn slow_heads(server: &Server, count: usize) -> f64 {
    let mut open: Vec<_> = (0..count)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\n").expect("sent");
            stream.set_nonblocking(true).expect("a connection that does not wait");
            (stream, Instant::now())
        })
        .collect();
    let (mut longest, mut line) = (0.0_f64, Instant::now());
    while !open.is_empty() {
        let send = line.elapsed() > Duration::from_millis(500);
        if send {
            line = Instant::now();
        }
        open.retain_mut(|(stream, since)| {
            let closed = match stream.read(&mut [0; 512]) {
                Ok(0) => true,
                Ok(_) => false,
                Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
            };
            if closed || send && stream.write_all(b"X-Slow: 1\r\n").is_err() {
                longest = longest.max(since.elapsed().as_secs_f64());
                return false;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "a slow head is never closed");
            true
        });
        thread::sleep(Duration::from_millis(10));
    }
    longest
}
