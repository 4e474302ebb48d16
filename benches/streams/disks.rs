//! The program while its music lies on a disk that is slow, hangs, fails or is pulled out.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::disk::Disk;
use crate::figures::{Times, tell};
use crate::music::{self, Stream};
use crate::program::Server;
use crate::{Ends, until};

/// How long each state of the disk lasts.
const SPAN: Duration = Duration::from_secs(6);

/// All of them, one after another, or why not.
pub fn all(work: &Path, folder: &Path, files: &[Vec<u8>]) {
    let mut disk = match Disk::mount(work, folder) {
        Ok(disk) => disk,
        Err(reason) => {
            println!("disks skipped: {reason}");
            return;
        }
    };
    let data = work.join("data-disks");
    let mut server = Server::start(disk.path(), &data, &music::settings(&[]));
    let ids = music::ids(&server, music::FILES);
    slow(&server, &disk, &ids, files);
    hung(&server, &disk, &ids, files);
    failing(&server, &mut disk, &ids, files);
    assert!(server.is_running());
    until("no map is left", || server.maps(disk.path()).is_empty());
}

/// Times of a call for a span.
fn times_for(server: &Server, path: &str, span: Duration) -> Times {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = Ends(&over);
        let times = scope.spawn(|| Times::of(server, path, &over));
        thread::sleep(span);
        over.store(true, Ordering::SeqCst);
        times.join().expect("times")
    })
}

fn slow(server: &Server, disk: &Disk, ids: &[String], files: &[Vec<u8>]) {
    const STREAMS: usize = 16;
    println!("a disk that takes 30 ms a read, {STREAMS} streams of it");
    disk.be("slow 30");
    let over = AtomicBool::new(false);
    let bytes = AtomicUsize::new(0);
    let ping = thread::scope(|scope| {
        let _end = Ends(&over);
        for number in 0..STREAMS {
            let (over, bytes) = (&over, &bytes);
            scope.spawn(move || {
                let mut stream = Stream::ask(server, &ids[number], &files[number]);
                stream.begin();
                while !over.load(Ordering::SeqCst) && stream.read() {}
                bytes.fetch_add(stream.at(), Ordering::Relaxed);
            });
        }
        let ping = times_for(server, &music::call("ping", ""), SPAN);
        over.store(true, Ordering::SeqCst);
        ping
    });
    disk.be("well");
    ping.tell("ping", 20.0);
    let rate = bytes.into_inner() as f64 / SPAN.as_secs_f64() / 1e6;
    println!("    {rate:.1} MB/s in all, every byte right");
}

/// A disk that hangs: under streams, and for those that ask for more.
fn hung(server: &Server, disk: &Disk, ids: &[String], files: &[Vec<u8>]) {
    const STREAMS: usize = 24;
    println!("a disk that hangs, {STREAMS} streams of it and as many more that are asked for");
    disk.be("slow 10");
    let well = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut streams = Vec::new();
        for number in 0..STREAMS {
            let mut stream = Stream::ask(server, &ids[number], &files[number]);
            stream.begin();
            streams.push(scope.spawn(move || {
                while stream.read() {}
                stream.is_whole()
            }));
        }
        disk.be("hang");
        // These hang where their files are opened.
        for number in 0..STREAMS {
            let number = number % files.len();
            let mut stream = Stream::ask(server, &ids[number], &files[number]);
            let well = &well;
            streams.push(scope.spawn(move || {
                stream.begin();
                assert!(well.load(Ordering::SeqCst), "a file is opened on a disk that hangs");
                while stream.read() {}
                stream.is_whole()
            }));
        }
        // Pictures hang too, and leave the rest alone.
        for id in ids.iter().take(STREAMS) {
            let path = music::call("getCoverArt", &format!("id={id}"));
            let mut connection = server.connect();
            scope.spawn(move || connection.fetch(&path));
        }
        thread::sleep(Duration::from_millis(500));
        for (name, query) in [("ping", ""), ("getAlbumList2", "type=newest&size=50")] {
            times_for(server, &music::call(name, query), SPAN).tell(name, 50.0);
        }
        well.store(true, Ordering::SeqCst);
        disk.be("well");
        let since = Instant::now();
        let mut whole = streams.into_iter().map(|stream| stream.join().expect("a stream"));
        assert!(whole.all(|whole| whole), "a stream broke on a disk that only hung");
        let took = since.elapsed().as_secs_f64();
        println!("    all streams whole and right {took:.1} s after the disk was well again");
    });
}

/// A disk that fails and one that is pulled out: streams break, calls say so, and all is well when
/// the disk is.
fn failing(server: &Server, disk: &mut Disk, ids: &[String], files: &[Vec<u8>]) {
    for pulled in [false, true] {
        println!("a disk that {}", if pulled { "is pulled out" } else { "fails (EIO)" });
        disk.be("slow 30");
        let streams: Vec<_> =
            (0..8).map(|number| begun(server, &ids[number], &files[number])).collect();
        let ended = thread::scope(|scope| {
            let streams = streams.into_iter().map(|mut stream| {
                scope.spawn(move || {
                    while stream.read() {}
                    (Instant::now(), stream.is_whole())
                })
            });
            let streams: Vec<_> = streams.collect();
            thread::sleep(Duration::from_secs(1));
            let since = Instant::now();
            match pulled {
                true => disk.vanish(),
                false => disk.be("fail"),
            }
            let ended = streams.into_iter().map(|stream| stream.join().expect("a stream"));
            ended
                .map(|(end, whole)| (end.saturating_duration_since(since), whole))
                .collect::<Vec<_>>()
        });
        assert!(ended.iter().all(|(_, whole)| !whole), "a stream of an ill disk is whole");
        let last = ended.iter().map(|(time, _)| *time).max().unwrap_or_default();
        tell("the last of 8 streams breaks after", last.as_secs_f64(), "s", 1.0);
        println!("    asked for a song, the server says: {}", refusal(server, &ids[0]));
        times_for(server, &music::call("ping", ""), Duration::from_secs(2)).tell("ping", 50.0);
        disk.be("well");
        if pulled {
            disk.come_back();
        }
        let mut stream = begun(server, &ids[0], &files[0]);
        while stream.read() {}
        assert!(stream.is_whole(), "all is well when the disk is");
    }
}

fn begun<'a>(server: &Server, id: &str, file: &'a [u8]) -> Stream<'a> {
    let mut stream = Stream::ask(server, id, file);
    stream.begin();
    stream
}

/// What the server says where a song cannot be had.
fn refusal(server: &Server, id: &str) -> String {
    let (status, body) = server.connect().fetch(&music::call("stream", &format!("id={id}")));
    let answer: Value = serde_json::from_slice(&body).expect("an answer of the API");
    let error = &answer["subsonic-response"]["error"];
    let (code, message) = (error["code"].as_i64(), error["message"].as_str());
    format!("{status}, code {}, {}", code.expect("a code"), message.expect("words"))
}
