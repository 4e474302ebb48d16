//! A file that changes all the time, in every way there is, while many clients read it and look at
//! every byte they get.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use kinglet::media::send::Mode;

use super::client::{Client, Got, multipart};
use super::server::{Server, content};
use super::{LEN, LONG, MODES};

/// The ways to change it.
const WAYS: u64 = 8;
/// How often it changes in the ordinary run, in each mode.
const ROUNDS: u64 = 5 * WAYS;
/// How many clients read it meanwhile.
const CLIENTS: u64 = 12;

/// What came of the requests.
#[derive(Default, Debug)]
struct Tally {
    complete: AtomicU64,
    /// Answers that were shorter than they said.
    broken: AtomicU64,
    /// Those of them with other bytes than the file had: zeros, most likely.
    broken_with_others: AtomicU64,
    /// Complete answers with other bytes than the file had.
    wrong: AtomicU64,
    missing: AtomicU64,
    /// Requests that stood behind one that broke and got no answer.
    unanswered: AtomicU64,
}

impl Tally {
    fn count(figure: &AtomicU64) {
        figure.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a storm is made of.
#[derive(Clone, Copy)]
struct Weather {
    mode: Mode,
    clients: u64,
    /// How long a client waits after each block.
    pause: Duration,
    /// Length of the files.
    len: usize,
    /// How often they change.
    rounds: u64,
}

/// The files that are there in turn, and whether one is being written over just now (odd).
struct Storm {
    weather: Weather,
    contents: [Vec<u8>; 2],
    writing: AtomicU64,
    over: AtomicBool,
}

/// A request and how often the file had been written over before it was sent.
struct Sent {
    method: &'static str,
    ranges: Vec<Range<usize>>,
    before: u64,
}

impl Storm {
    /// Asks for the file again and again until it no longer changes; every other client sends some
    /// requests before it reads their answers.
    fn read(&self, server: &Server, number: u64, tally: &Tally) {
        let mut requests = number * 1_000;
        let ahead = if number.is_multiple_of(2) { 1 } else { 4 };
        while !self.over.load(Ordering::SeqCst) {
            let mut client = server.connect();
            client.pause = self.weather.pause;
            let mut whole = true;
            while whole && !self.over.load(Ordering::SeqCst) {
                let sent: Vec<_> = (0..ahead)
                    .map(|_| {
                        requests += 1;
                        self.send(&mut client, requests)
                    })
                    .collect();
                for sent in sent {
                    whole = whole && self.take(&mut client, &sent, tally);
                    if !whole {
                        Tally::count(&tally.unanswered);
                    }
                }
            }
        }
    }

    fn send(&self, client: &mut Client, number: u64) -> Sent {
        let len = self.weather.len;
        let start = usize::try_from(number * 7_919).unwrap() % (len / 2);
        let (method, ranges) = match number % 5 {
            0 => ("GET", vec![]),
            1 => ("GET", vec![start..len]),
            2 => ("GET", vec![start..start + len / 2]),
            3 => ("GET", vec![len - 500_000..len, start..start + 400_000, 7..8]),
            _ => ("HEAD", vec![]),
        };
        let text: Vec<_> = ranges.iter().map(|r| format!("{}-{}", r.start, r.end - 1)).collect();
        let field = format!("Range: bytes={}", text.join(","));
        let before = self.writing.load(Ordering::SeqCst);
        let fields = [field.as_str()];
        client.send(method, "song", &fields[..usize::from(!ranges.is_empty())]);
        Sent { method, ranges, before }
    }

    /// Reads an answer; whether another one can follow.
    fn take(&self, client: &mut Client, sent: &Sent, tally: &Tally) -> bool {
        let Some(mut got) = client.head() else { return false };
        if sent.method == "HEAD" {
            assert!(matches!(got.status, 200 | 404));
            return true;
        }
        let now = self.writing.load(Ordering::SeqCst);
        let mixed = sent.before % 2 == 1 || sent.before != now;
        client.body(&mut got);
        match got.status {
            200 | 206 if !got.complete => {
                let answers = got.body.windows(8).filter(|bytes| bytes == b"HTTP/1.1").count();
                assert_eq!(answers, 0, "an answer in the middle of a body");
                Tally::count(&tally.broken);
                if !self.is_right(&got, &sent.ranges, mixed) {
                    Tally::count(&tally.broken_with_others);
                }
            }
            200 | 206 if self.is_right(&got, &sent.ranges, mixed) => Tally::count(&tally.complete),
            404 | 416 => Tally::count(&tally.missing),
            _ => Tally::count(&tally.wrong),
        }
        got.complete
    }

    /// Whether the bytes that came are those of one of the files; or, for a file that was being
    /// written over when it was opened, at each place those of one of them.
    fn is_right(&self, got: &Got, ranges: &[Range<usize>], mixed: bool) -> bool {
        let [one, other] = self.contents.each_ref().map(|file| {
            let mut body = expected(got, file, ranges);
            body.truncate(got.body.len());
            body
        });
        let whole = one.len() == got.body.len();
        let bytes = || got.body.iter().zip(one.iter().zip(&other));
        one == got.body
            || other == got.body
            || whole && mixed && bytes().all(|(byte, (one, other))| byte == one || byte == other)
    }

    /// Changes the file in one of the ways, and makes it whole again.
    fn change(&self, server: &Server, round: u64) {
        let (song, new) = (server.folder().join("song"), server.folder().join("new"));
        let turn = usize::try_from(round / WAYS % 2).unwrap();
        let [content, other] = [&self.contents[turn], &self.contents[1 - turn]];
        let open = || File::options().write(true).open(&song).unwrap();
        let put = |content: &Vec<u8>| {
            fs::write(&new, content).unwrap();
            fs::rename(&new, &song).unwrap();
        };
        let place = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let len = self.weather.len as u64;
        let mut writing = false;
        match round % WAYS {
            0 => open().set_len(place % len).unwrap(),
            1 => open().set_len(0).unwrap(),
            2 => open().set_len(len - 1 - place % 3_000).unwrap(),
            3 => open().set_len(place % len / 4_096 * 4_096).unwrap(),
            4 => fs::remove_file(&song).unwrap(),
            5 => put(other),
            way => {
                self.writing.fetch_add(1, Ordering::SeqCst);
                writing = true;
                let file = open();
                // All of it, or the end as taggers do, which is then of another file than the rest.
                let from = if way == 6 { 0 } else { self.weather.len - 128 };
                let blocks = other[from..].chunks(4_096).zip((from as u64..).step_by(4_096));
                for (block, offset) in blocks {
                    file.write_all_at(block, offset).unwrap();
                }
                // The system sets the time before it copies: only now nobody sees it too early.
                file.set_modified(SystemTime::now()).unwrap();
            }
        }
        if writing && round % WAYS == 6 {
            self.writing.fetch_add(1, Ordering::SeqCst);
            writing = false;
        }
        thread::sleep(Duration::from_millis(10 + place % 20));
        put(content);
        if writing {
            self.writing.fetch_add(1, Ordering::SeqCst);
        }
        thread::sleep(Duration::from_millis(10 + place % 30));
    }
}

/// The body of this answer, were it from this file, cut where the file was cut when it was opened.
fn expected(got: &Got, file: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let number = |text: &str| text.parse::<usize>().unwrap();
    if got.status == 200 {
        return file[..number(got.field("content-length"))].to_vec();
    }
    if let Some(range) = got.field("content-range").strip_prefix("bytes ") {
        let (first, last) = range.split('/').next().unwrap().split_once('-').unwrap();
        return file[number(first)..=number(last)].to_vec();
    }
    // The length of the file stands in the head of the first part, if that has come.
    let head = String::from_utf8_lossy(got.body.get(..300).unwrap_or(&got.body)).into_owned();
    let Some(len) = head.split('/').nth(2).and_then(|rest| rest.split_once("\r\n")) else {
        return got.body.clone();
    };
    let len = number(len.0);
    let within = |range: &Range<usize>| range.start..range.end.min(len);
    let ranges: Vec<_> = ranges.iter().map(within).filter(|range| !range.is_empty()).collect();
    multipart(got.field("content-type"), &file[..len], &ranges)
}

fn storm(weather: Weather) {
    let Weather { mode, clients, len, rounds, .. } = weather;
    let server = Server::start(mode);
    let contents = [content(1, len), content(2, len)];
    server.put("song", &contents[0]);
    let storm =
        Storm { weather, contents, writing: AtomicU64::new(0), over: AtomicBool::new(false) };
    let tally = Tally::default();
    thread::scope(|scope| {
        for number in 0..clients {
            let (storm, server, tally) = (&storm, &server, &tally);
            scope.spawn(move || storm.read(server, number, tally));
        }
        let changes = || (0..rounds).for_each(|round| storm.change(&server, round));
        let changes = catch_unwind(AssertUnwindSafe(changes));
        storm.over.store(true, Ordering::SeqCst);
        changes.unwrap();
    });
    let end = Instant::now();
    server.nothing_is_held();
    println!("{mode:?}, {clients} clients, {rounds} changes: {tally:?}");
    println!("{} windows read for quick clients", server.shared.sender.figures().quick);
    println!("every map and file given back {:?} after the last client", end.elapsed());
    assert_eq!(tally.wrong.load(Ordering::Relaxed), 0, "complete answers with wrong bytes");
    assert!(tally.complete.load(Ordering::Relaxed) > 0);
    assert!(tally.broken.load(Ordering::Relaxed) > 0);
    let got = server.connect().get("song", &[]);
    assert!(got.complete && storm.contents.contains(&got.body), "the server serves on");
}

/// Clients that take their time, in both modes, and some that do not.
fn storms(clients: u64, quick_clients: u64, rounds: u64) {
    let pause = Duration::from_millis(2);
    for mode in MODES {
        storm(Weather { mode, clients, pause, len: LEN, rounds });
    }
    let (mode, clients, pause) = (Mode::Mapped, quick_clients, Duration::ZERO);
    storm(Weather { mode, clients, pause, len: 3 * LONG, rounds });
}

#[test]
fn no_complete_answer_holds_a_byte_of_a_changed_file() {
    storms(CLIENTS, 3, ROUNDS);
}

#[test]
#[ignore = "takes minutes"]
fn no_complete_answer_holds_a_byte_of_a_file_that_changed_a_thousand_times() {
    storms(60, 4, 1_000);
}
