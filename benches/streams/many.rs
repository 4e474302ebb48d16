//! Many streams of long songs at a time, for machines whose addresses are few.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::tell;
use crate::music::{self, Stream};
use crate::program::Server;

const STREAMS: usize = 200;
const THREADS: usize = 8;
/// Length of each song.
const LENGTH: usize = 100 << 20;
/// How many songs there are.
const SONGS: usize = 2;
/// A stream is read so far before it is the turn of the next.
const BLOCK: usize = 256 << 10;
const MIB: f64 = 1024.0 * 1024.0;

/// Reads all streams in turns to their ends and looks at what is mapped meanwhile.
pub fn all(work: &Path) {
    println!("{STREAMS} streams of {} MiB at a time", LENGTH >> 20);
    let folder = work.join("many");
    let files = music::make(&folder, SONGS, LENGTH);
    let server = Server::start(&folder, &work.join("data-many"), &music::settings(&[]));
    let ids = music::ids(&server, SONGS);
    let (began, cpu) = (Instant::now(), server.cpu());
    let (all_begun, done) = (Barrier::new(THREADS), AtomicUsize::new(0));
    let mut most = (0, 0, 0.0_f64);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (server, ids, files) = (&server, &ids, &files);
            let (all_begun, done) = (&all_begun, &done);
            scope.spawn(move || {
                let mut streams: Vec<_> = (thread..STREAMS)
                    .step_by(THREADS)
                    .map(|number| number % SONGS)
                    .map(|song| Stream::ask(server, &ids[song], &files[song]))
                    .collect();
                streams.iter_mut().for_each(Stream::begin);
                all_begun.wait();
                while !streams.is_empty() {
                    for stream in &mut streams {
                        let goal = (stream.at() + BLOCK).min(LENGTH);
                        while stream.at() < goal {
                            assert!(
                                stream.read() || stream.is_whole(),
                                "a stream ends after {} bytes",
                                stream.at()
                            );
                        }
                    }
                    streams.retain(|stream| !stream.is_whole());
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while done.load(Ordering::SeqCst) < THREADS {
            let maps = server.maps(&folder);
            let mapped: u64 = maps.iter().sum();
            most =
                (most.0.max(maps.len()), most.1.max(mapped), most.2.max(server.memory("RssAnon")));
            thread::sleep(Duration::from_millis(50));
        }
    });
    let (took, cpu) = (began.elapsed().as_secs_f64(), (server.cpu() - cpu).as_secs_f64());
    tell("mapped at a time", most.1 as f64 / MIB, "MiB", 100.0);
    println!("    {} maps at most, RssAnon at most {:.1} MiB", most.0, most.2);
    let read = (STREAMS * LENGTH) as f64 / MIB;
    println!("    {read:.0} MiB in {took:.1} s, every byte right; {cpu:.1} s of CPU time");
}
