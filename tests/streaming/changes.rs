//! Files that change while they are sent.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use kinglet::media::send::Mode;

use super::client::begun;
use super::server::{Server, content};
use super::{LEN, LONG, MODES};

#[test]
fn a_file_that_is_deleted_or_replaced_is_sent_to_its_end() {
    for mode in MODES {
        let server = Server::start(mode);
        let (old, new) = (content(1, LONG), content(2, LONG));
        server.put("deleted", &old);
        server.put("replaced", &old);
        server.put("new", &new);
        let mut running = [begun(&server, "deleted"), begun(&server, "replaced")];
        assert_eq!(server.held().1, 2, "both files are open");
        assert_eq!(Arc::strong_count(&server.shared.held), 3);
        fs::remove_file(server.folder().join("deleted")).unwrap();
        fs::rename(server.folder().join("new"), server.folder().join("replaced")).unwrap();
        for (client, got) in &mut running {
            client.body(got);
            assert!(got.complete && got.body == old);
        }
        let [(client, _), (other, before)] = &mut running;
        assert_eq!(client.get("deleted", &[]).status, 404);
        // Who resumes the old file gets the new one from its beginning.
        let condition = format!("If-Range: {}", before.field("etag"));
        let got = other.get("replaced", &["Range: bytes=1000-1999", &condition]);
        assert_eq!(got.status, 200);
        assert!(got.body == new);
        drop(running);
        server.nothing_is_held();
    }
}

#[test]
fn a_truncated_file_breaks_the_body_and_nothing_follows_it() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LONG);
        for new_len in [0, 4096, LONG as u64 / 2 + 77, LONG as u64 - 1] {
            server.put("song", &file);
            let (mut client, mut got) = begun(&server, "song");
            // A second request waits in the connection, as players send it.
            client.send("GET", "song", &["Range: bytes=0-9"]);
            let song = File::options().write(true).open(server.folder().join("song")).unwrap();
            song.set_len(new_len).unwrap();
            drop(song);
            client.body(&mut got);
            assert!(!got.complete, "cut to {new_len} in mode {mode:?}");
            assert!(client.is_closed());
            let answers = got.body.windows(8).filter(|bytes| bytes == b"HTTP/1.1").count();
            assert_eq!(answers, 0, "an answer in the middle of a body");
            drop(client);
            server.nothing_is_held();
        }
    }
}

#[test]
fn bytes_cut_off_at_the_end_are_not_sent_as_zeros() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LONG);
        for left in [250_000, 200_000, 150_000, 120_000, 100_000, 80_000] {
            server.put("song", &file);
            let (mut client, mut got) = begun(&server, "song");
            let mut most = vec![0; LONG - left - got.body.len()];
            client.stream.read_exact(&mut most).unwrap();
            got.body.append(&mut most);
            // Only the last page changes, and a map shows zeros there and no error.
            let song = File::options().write(true).open(server.folder().join("song")).unwrap();
            song.set_len(LONG as u64 - 100).unwrap();
            client.body(&mut got);
            assert!(!got.complete || got.body == file, "{left} {mode:?}");
        }
    }
}

#[test]
fn a_file_that_is_written_again_breaks_the_body() {
    for mode in MODES {
        let server = Server::start(mode);
        server.put("song", &content(1, LONG));
        let (mut client, mut got) = begun(&server, "song");
        let song = File::options().write(true).open(server.folder().join("song")).unwrap();
        let modified = song.metadata().unwrap().modified().unwrap();
        song.write_all_at(b"title", LONG as u64 - 128).unwrap();
        // As taggers do that keep the time.
        song.set_modified(modified).unwrap();
        client.body(&mut got);
        assert!(!got.complete && client.is_closed());
    }
}

/// How often the file changes in the ordinary run, in each mode; it has 6 ways to change.
const ROUNDS: u64 = 36;
/// How many clients read it meanwhile.
const CLIENTS: u64 = 12;

/// What came of the requests for a file that changed all the time.
#[derive(Default, Debug)]
struct Tally {
    complete: AtomicU64,
    broken: AtomicU64,
    wrong: AtomicU64,
    missing: AtomicU64,
}

/// The files that are there in turn, and whether one is being written over just now (odd).
struct Changing {
    contents: [Vec<u8>; 2],
    writing: AtomicU64,
    over: AtomicBool,
}

impl Changing {
    /// Whether these bytes are those of one of the files; or, for a file that was being written
    /// over when it was opened, at each place those of one of them.
    fn is_right(&self, start: usize, body: &[u8], mixed: bool) -> bool {
        let parts = self.contents.each_ref().map(|file| &file[start..start + body.len()]);
        let bytes = || body.iter().zip(parts[0].iter().zip(parts[1]));
        parts.contains(&body)
            || mixed && bytes().all(|(byte, (one, other))| byte == one || byte == other)
    }

    /// Asks for the file again and again until it no longer changes.
    fn read(&self, server: &Server, number: u64, tally: &Tally) {
        let mut requests = number;
        while !self.over.load(Ordering::SeqCst) {
            let mut client = server.connect();
            client.pause = Duration::from_millis(2);
            loop {
                requests += 1;
                let start = usize::try_from(requests * 7_919).unwrap() % (LEN / 2);
                let range = match requests % 3 {
                    0 => vec![],
                    1 => vec![format!("Range: bytes={start}-")],
                    _ => vec![format!("Range: bytes={start}-{}", start + LEN / 2)],
                };
                let fields: Vec<&str> = range.iter().map(String::as_str).collect();
                let before = self.writing.load(Ordering::SeqCst);
                client.send("GET", "song", &fields);
                let Some(mut got) = client.head() else { break };
                let mixed = before % 2 == 1 || before != self.writing.load(Ordering::SeqCst);
                client.body(&mut got);
                let start = got.field("content-range").strip_prefix("bytes ");
                let start = start.and_then(|range| range.split('-').next()?.parse().ok());
                let count = match got.status {
                    200 | 206 if !got.complete => &tally.broken,
                    200 | 206 if self.is_right(start.unwrap_or(0), &got.body, mixed) => {
                        &tally.complete
                    }
                    404 | 416 => &tally.missing,
                    _ => &tally.wrong,
                };
                count.fetch_add(1, Ordering::Relaxed);
                if !got.complete || self.over.load(Ordering::SeqCst) {
                    break;
                }
            }
        }
    }

    /// Changes the file in one of many ways, and makes it whole again.
    fn change(&self, server: &Server, round: u64) {
        let (song, new) = (server.folder().join("song"), server.folder().join("new"));
        let content = &self.contents[usize::try_from(round / 6 % 2).unwrap()];
        let open = || File::options().write(true).open(&song).unwrap();
        let place = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let len = LEN as u64;
        match round % 6 {
            0 => open().set_len(place % len).unwrap(),
            1 => open().set_len(0).unwrap(),
            2 => open().set_len(len - 1 - place % 3_000).unwrap(),
            3 => open().set_len(place % len / 4_096 * 4_096).unwrap(),
            4 => fs::remove_file(&song).unwrap(),
            _ => {
                self.writing.fetch_add(1, Ordering::SeqCst);
                let (file, content) =
                    (open(), &self.contents[usize::try_from((round / 6 + 1) % 2).unwrap()]);
                for (block, offset) in content.chunks(4_096).zip((0..).step_by(4_096)) {
                    file.write_all_at(block, offset).unwrap();
                }
                // The system sets the time before it copies: only now nobody sees it too early.
                file.set_modified(SystemTime::now()).unwrap();
                self.writing.fetch_add(1, Ordering::SeqCst);
            }
        }
        thread::sleep(Duration::from_millis(10 + place % 20));
        fs::write(&new, content).unwrap();
        fs::rename(&new, &song).unwrap();
        thread::sleep(Duration::from_millis(10 + place % 30));
    }
}

fn change_while_it_is_sent(mode: Mode, clients: u64, rounds: u64) {
    let server = Server::start(mode);
    let contents = [content(1, LEN), content(2, LEN)];
    server.put("song", &contents[0]);
    let changing = Changing { contents, writing: AtomicU64::new(0), over: AtomicBool::new(false) };
    let tally = Tally::default();
    thread::scope(|scope| {
        for number in 0..clients {
            let (changing, server, tally) = (&changing, &server, &tally);
            scope.spawn(move || changing.read(server, number, tally));
        }
        let changes = || (0..rounds).for_each(|round| changing.change(&server, round));
        let changes = catch_unwind(AssertUnwindSafe(changes));
        changing.over.store(true, Ordering::SeqCst);
        changes.unwrap();
    });
    println!("{mode:?}, {clients} clients, {rounds} changes: {tally:?}");
    server.nothing_is_held();
    assert_eq!(tally.wrong.load(Ordering::Relaxed), 0, "complete answers with wrong bytes");
    assert!(tally.complete.load(Ordering::Relaxed) > 0);
    assert!(tally.broken.load(Ordering::Relaxed) > 0);
    let song = &changing.contents;
    let got = server.connect().get("song", &[]);
    assert!(got.complete && song.contains(&got.body), "the server serves on");
}

#[test]
fn no_complete_answer_holds_a_byte_of_a_changed_file() {
    for mode in MODES {
        change_while_it_is_sent(mode, CLIENTS, ROUNDS);
    }
}

#[test]
#[ignore = "takes minutes"]
fn no_complete_answer_holds_a_byte_of_a_file_that_changed_a_thousand_times() {
    for mode in MODES {
        change_while_it_is_sent(mode, 60, 1_000);
    }
}
