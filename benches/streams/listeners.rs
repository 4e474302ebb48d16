//! Many listeners of one link.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Ends;
use crate::figures::{Times, tell};
use crate::music::{self, Stream};
use crate::program::Server;

const LISTENERS: usize = 200;
const THREADS: usize = 4;
/// A listener thinks for so long, then takes what was played meanwhile.
const THINKS: Duration = Duration::from_millis(100);
/// What a listener plays in a second.
const RATE: usize = 128 << 10;
const SPAN: Duration = Duration::from_secs(20);

/// Each opens the page and plays the song, at its pace and no faster.
pub fn one_link(work: &Path, folder: &Path, files: &[Vec<u8>]) {
    println!("{LISTENERS} listeners of one link, 128 KiB/s each");
    let server = Server::start(folder, &work.join("data-listeners"), &music::settings(&[]));
    let ids = music::ids(&server, music::FILES);
    let (_, answer) =
        server.connect().fetch(&music::call("createShare", &format!("id={}", ids[0])));
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let url = answer["subsonic-response"]["shares"]["share"][0]["url"].as_str().expect("a link");
    let page = &url[url.find("/share/").expect("a path")..];
    let song = format!("{page}/{}.wav", ids[0]);
    let idle = server.memory("RssAnon");
    let over = AtomicBool::new(false);
    let (mut most, mut slowest) = (0.0_f64, f64::INFINITY);
    let ping = thread::scope(|scope| {
        let _end = Ends(&over);
        let ping = scope.spawn(|| Times::of(&server, &music::call("ping", ""), &over));
        let listeners: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| listen(&server, page, &song, &files[0]))).collect();
        while !listeners.iter().all(thread::ScopedJoinHandle::is_finished) {
            most = most.max(server.memory("RssAnon"));
            thread::sleep(Duration::from_millis(100));
        }
        for listener in listeners {
            slowest = slowest.min(listener.join().expect("a rate"));
        }
        over.store(true, Ordering::SeqCst);
        ping.join().expect("times")
    });
    tell("the slowest is behind its rate by", 100.0 * (1.0 - slowest).max(0.0), "%", 5.0);
    tell("RssAnon above idle", most - idle, "MiB", 16.0);
    ping.tell("ping meanwhile", 50.0);
}

/// Lets a thread's part of the listeners listen; the slowest one's rate, as a part of what it should
/// be.
fn listen(server: &Server, page: &str, song: &str, file: &[u8]) -> f64 {
    let mut streams: Vec<_> = (0..LISTENERS / THREADS)
        .map(|_| {
            server.connect().get(page);
            Stream::of(server, song, file)
        })
        .collect();
    streams.iter_mut().for_each(Stream::begin);
    let (began, mut turn) = (Instant::now(), Instant::now());
    while began.elapsed() < SPAN {
        turn += THINKS;
        thread::sleep(turn.saturating_duration_since(Instant::now()));
        let played = RATE as f64 * began.elapsed().as_secs_f64();
        for stream in &mut streams {
            while (stream.at() as f64) < played {
                assert!(stream.read(), "a stream ends after {} bytes", stream.at());
            }
        }
    }
    let should = RATE as f64 * began.elapsed().as_secs_f64();
    streams.iter().map(|stream| stream.at() as f64 / should).fold(f64::INFINITY, f64::min)
}
