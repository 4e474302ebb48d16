//! A client that looks at what it gets.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use super::server::Server;

/// A client that knows what it reads.
pub struct Client {
    pub stream: BufReader<TcpStream>,
    /// How long it waits after each block of a body.
    pub pause: Duration,
}

/// What a client got; the body is shorter than `Content-Length` where the connection broke.
#[derive(Default)]
pub struct Got {
    pub status: u16,
    pub fields: HashMap<String, String>,
    pub body: Vec<u8>,
    pub complete: bool,
}

impl Got {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Client {
    pub fn send(&mut self, method: &str, name: &str, fields: &[&str]) {
        let mut text = format!("{method} /{name} HTTP/1.1\r\nHost: test\r\n");
        for field in fields {
            text += &format!("{field}\r\n");
        }
        // A server that has closed already is noticed when its answer is read.
        let _ = self.stream.get_mut().write_all((text + "\r\n").as_bytes());
    }

    /// Reads the head of an answer; `None` where the connection ended instead.
    pub fn head(&mut self) -> Option<Got> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let status = status.get(..3).unwrap().parse().unwrap();
        let fields = lines.iter().skip(1).map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        let got = Got { status, fields: fields.collect(), body: Vec::new(), complete: true };
        // We always know how much there is to send and say so: a body that breaks off is short.
        assert!(!got.fields.contains_key("transfer-encoding"));
        Some(got)
    }

    pub fn body(&mut self, got: &mut Got) {
        let len: usize = got.field("content-length").parse().unwrap();
        while got.body.len() < len {
            let block = match self.stream.fill_buf() {
                Ok([]) | Err(_) => break,
                Ok(block) => block.get(..len - got.body.len()).unwrap_or(block),
            };
            got.body.extend_from_slice(block);
            let taken = block.len();
            self.stream.consume(taken);
            thread::sleep(self.pause);
        }
        got.complete = got.body.len() == len;
    }

    pub fn answer(&mut self, method: &str) -> Option<Got> {
        let mut got = self.head()?;
        if method != "HEAD" && got.status != 304 {
            self.body(&mut got);
        }
        Some(got)
    }

    pub fn get(&mut self, name: &str, fields: &[&str]) -> Got {
        self.send("GET", name, fields);
        self.answer("GET").unwrap()
    }

    /// Nothing more comes: the server has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// The body of `multipart/byteranges` with these ranges.
pub fn multipart(content_type: &str, file: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let mut body = Vec::new();
    for Range { start, end } in ranges {
        if !body.is_empty() {
            body.extend_from_slice(b"\r\n");
        }
        let (last, len) = (end - 1, file.len());
        let head = format!(
            "--{boundary}\r\nContent-Type: audio/flac\r\nContent-Range: bytes {start}-{last}/{len}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file.get(*start..*end).unwrap());
    }
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

/// Begins a request and reads the start of its body, so that the rest is still with the server.
pub fn begun(server: &Server, name: &str) -> (Client, Got) {
    let mut client = server.connect();
    client.send("GET", name, &[]);
    let mut got = client.head().unwrap();
    let mut start = vec![0; 100_000];
    client.stream.read_exact(&mut start).unwrap();
    got.body = start;
    (client, got)
}
