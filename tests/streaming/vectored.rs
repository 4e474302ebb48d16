//! The connection gets the bytes of a file where they are mapped, or where they were read for a quick
//! client: nothing of ours copies them.

use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::mem;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use kinglet::http::accept;
use kinglet::http::connections::Connection;
use kinglet::media::send::Mode;
use kinglet::media::sending::{BUFFER, WINDOW};
use kinglet::media::source::{Identity, Source};
use kinglet::media::window::Mapped;
use tokio::net::{TcpListener, TcpStream};

use super::client::{Got, multipart};
use super::server::{DEADLINE, Server, answer, content, limits, until};
use super::{LEN, LONG, MODES};

/// Bytes that were taken by the system, and the place in the file at which they are mapped.
struct Written {
    len: u64,
    at: Option<u64>,
}

/// What was written to a connection: how often without a list of slices, and the slices.
#[derive(Default)]
struct Record {
    plain: usize,
    slices: Vec<Written>,
}

/// A connection that remembers which memory it was given.
struct Recorder {
    inner: TokioIo<TcpStream>,
    /// The file in question.
    path: String,
    record: Arc<Mutex<Record>>,
}

/// Where in memory a file is mapped, and from which place of it on.
fn maps(path: &str) -> Vec<(Range<usize>, u64)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let hex = |text: &str| usize::from_str_radix(text, 16).unwrap();
    let map = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (start, end) = words[0].split_once('-').unwrap();
        (hex(start)..hex(end), u64::from_str_radix(words[2], 16).unwrap())
    };
    maps.lines().filter(|line| line.ends_with(path)).map(map).collect()
}

impl Write for Recorder {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.record.lock().unwrap().plain += 1;
        Pin::new(&mut self.inner).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let maps = maps(&self.path);
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        if let Poll::Ready(Ok(mut left)) = written {
            let mut record = self.record.lock().unwrap();
            for slice in slices {
                let start = slice.as_ptr() as usize;
                let map = maps.iter().find(|(memory, _)| memory.contains(&start));
                let at = map.map(|(memory, offset)| offset + (start - memory.start) as u64);
                let len = slice.len().min(left);
                left -= len;
                record.slices.push(Written { len: len as u64, at });
            }
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl Read for Recorder {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

/// A file whose bytes are in memory already, or never.
struct Known(File, bool);

impl Source for Known {
    fn identity(&self) -> io::Result<Identity> {
        self.0.identity()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Source::read_at(&self.0, buffer, offset)
    }

    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.1 {
            true => self.read_at(buffer, offset),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn map(&self, offset: u64, len: usize) -> io::Result<Mapped> {
        self.0.map(offset, len)
    }

    fn ahead(&self, offset: u64, len: u64) {
        self.0.ahead(offset, len);
    }
}

/// A server of a song whose bytes are in memory already, or never.
fn start(mode: Mode, file: &[u8], known: bool) -> Server {
    let server = Server::start(mode);
    server.put("song", file);
    server.put_source("song", Known(File::open(server.folder().join("song")).unwrap(), known));
    server
}

/// Serves one connection as the server does.
async fn serve(listener: TcpListener, server: &Server, record: Arc<Mutex<Record>>) {
    let path = server.folder().join("song").to_str().unwrap().to_owned();
    let (stream, peer) = listener.accept().await.unwrap();
    let stream = Recorder { inner: TokioIo::new(stream), path, record };
    let answer = |request| answer(server.shared.clone(), request);
    let place = Arc::new(Connection::new(Instant::now()));
    accept::carry(stream, peer, limits(DEADLINE), &place, answer).await.unwrap();
}

/// What a client gets that asks for the song with this field, and what was written to it.
fn fetch(server: &Server, field: &str) -> (Got, Record) {
    let listener = server.runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let mut client = server.connect_to(listener.local_addr().unwrap());
    let record = Arc::new(Mutex::new(Record::default()));
    let field = field.to_owned();
    let client = std::thread::spawn(move || {
        let fields: Vec<_> =
            [field.as_str()].into_iter().filter(|field| !field.is_empty()).collect();
        client.get("song", &fields)
    });
    server.runtime().block_on(serve(listener, server, record.clone()));
    let got = client.join().unwrap();
    let record = mem::take(&mut *record.lock().unwrap());
    (got, record)
}

#[test]
fn every_write_has_the_windows_as_they_are_mapped() {
    let file = content(1, LEN);
    let window = usize::try_from(WINDOW).unwrap();
    let part = (window / 2, LEN - 1_000);
    let parts = [1_000..900_000, 40..80, 4 * window..LEN];
    let cases = [
        ("".to_owned(), vec![0..LEN]),
        (format!("Range: bytes={}-{}", part.0, part.1 - 1), vec![part.0..part.1]),
        (format!("Range: bytes=1000-899999,40-79,{}-", 4 * window), parts.to_vec()),
    ];
    for mode in MODES {
        let server = start(mode, &file, false);
        for (field, ranges) in &cases {
            let (got, record) = fetch(&server, field);
            let body = match ranges.as_slice() {
                [range] => file[range.clone()].to_vec(),
                ranges => multipart(got.field("content-type"), &file, ranges),
            };
            assert!(got.complete && got.body == body, "{mode:?} {field}");
            check(&record, mode, ranges, body.len(), field);
        }
        server.remove_source("song");
        server.nothing_is_held();
    }
}

#[test]
fn what_was_read_for_a_quick_client_is_written_as_it_is() {
    let file = content(1, 3 * LONG);
    let server = start(Mode::Mapped, &file, true);
    until("the client was quick", || {
        let (got, record) = fetch(&server, "");
        assert!(got.complete && got.body == file);
        assert_eq!(record.plain, 0, "written without a list of slices");
        server.shared.sender.figures().quick > 0
    });
}

/// Holds what was written against the ranges of the file that were asked for.
fn check(record: &Record, mode: Mode, ranges: &[Range<usize>], body: usize, field: &str) {
    assert_eq!(record.plain, 0, "{mode:?} {field}: written without a list of slices");
    let total: u64 = record.slices.iter().map(|written| written.len).sum();
    let head = total - body as u64;
    assert!(head < 1_000, "{mode:?} {field}: {head} bytes besides the body");
    let mapped: Vec<_> = record.slices.iter().filter_map(|w| Some((w.at?, w.len))).collect();
    if mode == Mode::Read {
        assert!(mapped.is_empty());
        return;
    }
    // In each range every byte but those at its end, in order and each once.
    let mut mapped = mapped.into_iter().filter(|(_, len)| *len > 0).peekable();
    for range in ranges {
        let (mut at, end) = (range.start as u64, range.end as u64);
        while let Some((_, len)) = mapped.next_if(|(offset, _)| *offset == at && at < end) {
            at += len;
        }
        let read = end - at;
        assert!((1..=BUFFER).contains(&read), "{field}: {read} bytes of {range:?} were copied");
    }
    assert_eq!(mapped.next(), None, "{field}: a window that belongs to no range");
}
