//! Random requests for ranges, against a model that knows what was meant and parses nothing.

use std::fs::File;
use std::ops::Range;
use std::thread;
use std::time::{Duration, SystemTime};

use kinglet::media::send::Mode;

use super::client::{Client, multipart};
use super::server::{Server, content};

/// Requests in each mode.
const REQUESTS: usize = 10_000;
/// Clients that send them.
const CLIENTS: usize = 4;
/// The most requests that are sent before their answers are read.
const AHEAD: u64 = 6;
/// Lengths of the files. The last ones have some windows: half as much, and twice and a bit.
const LENGTHS: [usize; 6] = [0, 1, 700, 10_000, 131_072, 600_001];
/// How often each of them is asked for.
const OFTEN: [u64; 6] = [1, 1, 4, 8, 1, 1];
/// As many ranges are sent; one more and they are ignored.
const MOST_RANGES: usize = 16;

/// The same numbers in every run (SplitMix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[usize::try_from(self.next() % things.len() as u64).unwrap()]
    }
}

/// A range as a client means it; wide enough for numbers that fit in no integer of the server.
#[derive(Clone, Copy)]
enum Wish {
    From(i128),
    Between(i128, i128),
    Last(i128),
}

impl Wish {
    fn draw(draw: &mut Draw, len: usize) -> Wish {
        let len = len as u64;
        let mut place = || match draw.below(12) {
            0 => i128::from(len) - 2 + i128::from(draw.below(5)),
            1 => i128::from(draw.below(3)),
            2 => (1 << 64) - 2 + i128::from(draw.below(4)),
            3 => 65_536 * i128::from(draw.below(9)),
            _ => i128::from(draw.below(len + 1)),
        };
        let (one, other) = (place().max(0), place().max(0));
        match draw.below(4) {
            0 => Wish::From(one),
            1 => Wish::Last(one),
            // In the right order but for a few.
            2 if !draw.one_in(20) => Wish::Between(one.min(other), one.max(other)),
            2 => Wish::Between(one, other),
            _ => Wish::Between(one, one + i128::from(draw.below(2_000))),
        }
    }

    fn text(self) -> String {
        match self {
            Wish::From(first) => format!("{first}-"),
            Wish::Between(first, last) => format!("{first}-{last}"),
            Wish::Last(count) => format!("-{count}"),
        }
    }

    /// What it means in a file of this length; `None` where it means nothing.
    fn within(self, len: usize) -> Option<Range<usize>> {
        let len = i128::try_from(len).unwrap();
        let (first, last) = match self {
            Wish::From(first) => (first, len - 1),
            Wish::Between(first, last) => (first, last),
            Wish::Last(count) => (len - count, len - 1),
        };
        let (first, last) = (first.max(0), last.min(len - 1));
        let place = |at: i128| usize::try_from(at).unwrap();
        (first <= last).then(|| place(first)..place(last + 1))
    }
}

/// A request and the answer it must get.
struct Ask {
    method: &'static str,
    file: usize,
    fields: Vec<String>,
    status: u16,
    /// The bytes of the file in the answer.
    ranges: Vec<Range<usize>>,
}

/// What the server says of a file.
struct Known {
    bytes: Vec<u8>,
    etag: String,
    date: String,
}

fn ask(draw: &mut Draw, files: &[Known]) -> Ask {
    let mut which = draw.below(OFTEN.iter().sum());
    let file = OFTEN
        .iter()
        .position(|often| {
            let found = which < *often;
            which = which.saturating_sub(*often);
            found
        })
        .unwrap();
    let Known { bytes, etag, date } = &files[file];
    let len = bytes.len();
    let method = draw.one_of(&["GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "POST"]);
    let mut fields = Vec::new();

    // What the ranges mean; `None` where they are to be ignored.
    let wishes: Vec<Wish> = match draw.below(10) {
        0..5 => vec![Wish::draw(draw, len)],
        5..8 => (0..2 + draw.below(4)).map(|_| Wish::draw(draw, len)).collect(),
        8 => {
            let short = |draw: &mut Draw| Wish::Between(draw.below(9).into(), 9);
            (0..10 + draw.below(12)).map(|_| short(draw)).collect()
        }
        _ => vec![],
    };
    let reversed = |wish: &Wish| matches!(wish, Wish::Between(first, last) if first > last);
    let within: Vec<_> = wishes.iter().filter_map(|wish| wish.within(len)).collect();
    let total: usize = within.iter().map(Range::len).sum();
    let mut meant = (!wishes.is_empty()
        && wishes.len() <= MOST_RANGES
        && !wishes.iter().any(reversed)
        && total <= len
        && len > 0)
        .then_some(within);
    if !wishes.is_empty() {
        let texts: Vec<_> = wishes.iter().map(|wish| wish.text()).collect();
        let list = texts.join(draw.one_of(&[",", ",", ", ", " ,\t", ",,"]));
        let unit = draw.one_of(&["bytes", "bytes", "bytes", "Bytes", "BYTES"]);
        fields.push(format!("Range: {unit}={list}"));
    }
    if draw.one_in(12) {
        let wrong =
            ["bytes=", "bytes", "bytes=a-b", "bytes=1-2-3", "bytes=--1", "items=0-5", "0-5"];
        let wrong = draw.one_of(&wrong);
        // Beside a good one it is the second, and two are none.
        fields.push(format!("Range: {wrong}"));
        meant = None;
    }
    match draw.below(16) {
        0 => fields.push(format!("If-Range: {etag}")),
        1 => fields.push(format!("If-Range: {date}")),
        2..5 => {
            let weak = format!("W/{etag}");
            let other = ["\"x\"", &weak, "W/\"x\"", "Mon, 01 Jan 2024 03:04:05 GMT", "x", ""];
            fields.push(format!("If-Range: {}", draw.one_of(&other)));
            meant = None;
        }
        _ => {}
    }
    let mut status = match &meant {
        None => 200,
        Some(ranges) if ranges.is_empty() => 416,
        Some(_) => 206,
    };
    match draw.below(30) {
        0 => {
            fields.push(format!("If-None-Match: \"x\", W/{etag}"));
            status = 304;
        }
        1 => {
            fields.push("If-Match: \"x\"".to_owned());
            status = 412;
        }
        2 => fields.push(format!("If-Match: {etag}")),
        3 => fields.push("If-None-Match: \"x\"".to_owned()),
        _ => {}
    }
    if method == "POST" {
        fields.push("Content-Length: 0".to_owned());
        (status, meant) = (200, None);
    }
    let ranges = meant.unwrap_or_else(|| vec![0..len]);
    Ask { method, file, fields, status, ranges }
}

fn check(client: &mut Client, ask: &Ask, file: &[u8]) {
    let Ask { method, fields, status, ranges, .. } = ask;
    let len = file.len();
    let asked = format!("{method} {len} bytes {fields:?}");
    let got = client.answer(method).expect(&asked);
    assert_eq!(got.status, *status, "{asked}");
    let content_range =
        |range: &Range<usize>| format!("bytes {}-{}/{len}", range.start, range.end - 1);
    let (body, range) = match (status, ranges.as_slice()) {
        (200, _) => (file.to_vec(), String::new()),
        (206, [range]) => (file[range.clone()].to_vec(), content_range(range)),
        (206, ranges) => (multipart(got.field("content-type"), file, ranges), String::new()),
        (416, _) => (vec![], format!("bytes */{len}")),
        _ => (vec![], String::new()),
    };
    assert_eq!(got.field("content-range"), range, "{asked}");
    if *status != 304 {
        assert_eq!(got.field("content-length"), body.len().to_string(), "{asked}");
    }
    let sent = if *method == "HEAD" { &[] } else { body.as_slice() };
    assert!(got.complete && got.body == sent, "{asked}: other bytes");
}

fn ask_at_random(mode: Mode) {
    let server = Server::start(mode);
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
    let known = |(number, len): (u64, usize)| {
        let (name, bytes) = (number.to_string(), content(number, len));
        server.put(&name, &bytes);
        let file = File::options().write(true).open(server.folder().join(&name)).unwrap();
        file.set_modified(date).unwrap();
        let etag = server.connect().get(&name, &[]).field("etag").to_owned();
        Known { bytes, etag, date: httpdate::fmt_http_date(date) }
    };
    let files: Vec<_> = (0..).zip(LENGTHS).map(known).collect();
    thread::scope(|scope| {
        for seed in 0..CLIENTS as u64 {
            let (server, files) = (&server, &files);
            scope.spawn(move || {
                let (mut draw, mut client) = (Draw(seed), server.connect());
                let mut left = REQUESTS / CLIENTS;
                while left > 0 {
                    let ahead = usize::try_from(1 + draw.below(AHEAD)).unwrap().min(left);
                    let asks: Vec<_> = (0..ahead).map(|_| ask(&mut draw, files)).collect();
                    for ask in &asks {
                        let fields: Vec<_> = ask.fields.iter().map(String::as_str).collect();
                        client.send(ask.method, &ask.file.to_string(), &fields);
                    }
                    for ask in &asks {
                        check(&mut client, ask, &files[ask.file].bytes);
                    }
                    left -= ahead;
                }
            });
        }
    });
    assert_eq!(server.shared.sender.figures().unmapped, 0);
    server.nothing_is_held();
}

#[test]
fn ten_thousand_random_requests_are_answered_from_maps_as_a_model_says() {
    ask_at_random(Mode::Mapped);
}

#[test]
fn ten_thousand_random_requests_are_answered_by_reading_as_a_model_says() {
    ask_at_random(Mode::Read);
}
