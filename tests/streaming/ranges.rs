//! Requests for whole files and parts, against what a file holds.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use kinglet::media::sending::WINDOW;

use super::client::multipart;
use super::server::{Server, content};
use super::{LEN, MODES};

#[test]
fn requests_get_the_bytes_they_ask_for() {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
    let [earlier, later] = [date - Duration::from_secs(9), date + Duration::from_secs(9)];
    let [date_text, old, new] = [date, earlier, later].map(httpdate::fmt_http_date);
    assert_eq!(date_text, "Tue, 02 Jan 2024 03:04:05 GMT");
    let many = ["0-"; 200].join(",");
    for mode in MODES {
        let server = Server::start(mode);
        let (long, empty) = (content(1, 10_000), Vec::new());
        server.put("long", &long);
        server.put("empty", &empty);
        for name in ["long", "empty"] {
            let file = File::options().write(true).open(server.folder().join(name)).unwrap();
            file.set_modified(date).unwrap();
        }
        let mut client = server.connect();
        let etag = client.get("long", &[]).field("etag").to_owned();
        let vectors = include_str!("../data/range-vectors.txt").lines();
        let vectors = vectors.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut tried = 0;
        for vector in vectors {
            let mut columns = vector.split('|').map(str::trim);
            let mut column = || columns.next().unwrap();
            let (request, fields, status, bytes) = (column(), column(), column(), column());
            let (method, name, file) = match request {
                "EMPTY" => ("GET", "empty", &empty),
                method => (method, "long", &long),
            };
            let fields = fields.replace("ETAG", &etag).replace("DATE", &date_text);
            let fields = fields.replace("OLD", &old).replace("NEW", &new).replace("MANY", &many);
            let mut fields: Vec<&str> =
                fields.split(';').map(str::trim).filter(|field| !field.is_empty()).collect();
            if method == "POST" {
                fields.push("Content-Length: 0");
            }
            client.send(method, name, &fields);
            let got = client.answer(method).expect(vector);
            assert_eq!(got.status.to_string(), status, "{vector}");
            let ranges = bytes.split(' ').filter_map(|range| range.split_once('-'));
            let ranges = ranges
                .map(|(first, last)| first.parse().unwrap()..last.parse::<usize>().unwrap() + 1);
            let ranges: Vec<Range<usize>> = ranges.collect();
            let (body, content_range) = match (bytes, ranges.as_slice()) {
                ("ALL", _) => (file.clone(), String::new()),
                ("NONE", _) if status == "416" => (Vec::new(), "bytes */10000".to_owned()),
                ("NONE", _) => (Vec::new(), String::new()),
                (_, [range]) => {
                    (file.get(range.clone()).unwrap().to_vec(), format!("bytes {bytes}/10000"))
                }
                _ => (multipart(got.field("content-type"), file, &ranges), String::new()),
            };
            assert_eq!(got.field("content-range"), content_range, "{vector}");
            assert_eq!(got.field("accept-ranges"), "bytes", "{vector}");
            assert!(got.field("etag").len() > 2, "{vector}");
            assert_eq!(got.field("last-modified"), date_text, "{vector}");
            if got.status != 304 {
                assert_eq!(got.field("content-length"), body.len().to_string(), "{vector}");
            }
            let sent = if method == "HEAD" { &[] } else { body.as_slice() };
            assert!(got.complete && got.body == sent, "{vector}: other bytes");
            tried += 1;
        }
        assert_eq!(tried, 53);
        drop(client);
        server.nothing_is_held();
    }
}

#[test]
fn long_files_are_sent_whole_and_in_parts() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LEN);
        server.put("song", &file);
        let mut client = server.connect();
        assert!(client.get("song", &[]).body == file);
        let window = usize::try_from(WINDOW).unwrap();
        for start in [0, 1, 4095, window - 1, window, 2 * window + 77] {
            for end in [start + 1, start + 4096, start + window, LEN - 1, LEN] {
                let range = format!("Range: bytes={start}-{}", end - 1);
                let got = client.get("song", &[&range]);
                assert_eq!(got.status, 206);
                assert!(got.body == file[start..end], "{start}-{end} {mode:?}");
            }
        }
        let got = client.get("song", &["Range: bytes=1000-999999,2000000-,5-5"]);
        let ranges = [1000..1_000_000, 2_000_000..LEN, 5..6];
        assert!(got.body == multipart(got.field("content-type"), &file, &ranges));
        // Further requests may be sent before the answers are read.
        client.send("GET", "song", &[]);
        client.send("HEAD", "song", &[]);
        client.send("GET", "missing", &[]);
        client.send("GET", "song", &["Range: bytes=-7"]);
        assert!(client.answer("GET").unwrap().body == file);
        assert_eq!(client.answer("HEAD").unwrap().field("content-length"), LEN.to_string());
        assert_eq!(client.answer("GET").unwrap().status, 404);
        assert_eq!(client.answer("GET").unwrap().body, file[LEN - 7..]);
        drop(client);
        server.nothing_is_held();
        let figures = server.shared.sender.figures();
        assert_eq!((figures.broken, figures.unmapped), (0, 0));
    }
}

#[test]
fn bytes_past_four_gibibytes_are_the_right_ones() {
    for mode in MODES {
        let server = Server::start(mode);
        let (start, bytes) = ((9_u64 << 29) + 12_345, content(1, 1_000_000));
        let file = File::create(server.folder().join("book")).unwrap();
        file.write_all_at(&bytes, start).unwrap();
        file.set_len(5 << 30).unwrap();
        let range = format!("Range: bytes={start}-{}", start + 999_999);
        let got = server.connect().get("book", &[&range]);
        assert_eq!(
            got.field("content-range"),
            format!("bytes {start}-{}/5368709120", start + 999_999)
        );
        assert!(got.body == bytes);
    }
}
