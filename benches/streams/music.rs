//! Files with music whose every byte is known, and streams of them.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Connection, Server};

/// How many files there are.
pub const FILES: usize = 32;
/// Length of each: more than all buffers between the server and a client that does not read.
pub const LENGTH: usize = 24 << 20;
/// Bytes that are read from a connection at a time.
const BLOCK: usize = 32 << 10;
const PASSWORD: &str = "sesame";

/// The head of a sound file of this length; what it cannot tell is too long to be told.
pub fn head(length: u64) -> Vec<u8> {
    let number = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut head = [b"RIFF", &number(length - 8)[..], b"WAVEfmt "].concat();
    // PCM, two channels, 44,100 samples a second of 16 bits.
    head.extend([16, 0, 0, 0, 1, 0, 2, 0, 0x44, 0xac, 0, 0, 0x10, 0xb1, 2, 0, 4, 0, 16, 0]);
    head.extend([b"data", &number(length - 44)[..]].concat());
    head
}

/// Sound that no ear would like: other bytes at each place and in each file.
pub fn noise(number: usize, length: usize) -> impl Iterator<Item = u8> {
    let word = move |index: u64| {
        let mixed = (index ^ ((number as u64) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()
    };
    (1..).flat_map(word).take(length)
}

fn content(number: usize, length: usize) -> Vec<u8> {
    let mut file = head(length as u64);
    file.extend(noise(number, length - file.len()));
    file
}

/// Writes so many files of this length into a folder and gives what is in them.
pub fn make(folder: &Path, count: usize, length: usize) -> Vec<Vec<u8>> {
    fs::create_dir_all(folder).expect("a folder");
    let files: Vec<_> = (0..count).map(|number| content(number, length)).collect();
    for (number, file) in files.iter().enumerate() {
        fs::write(folder.join(format!("{number:03}.wav")), file).expect("a file");
    }
    files
}

/// Settings of a server with a password that is known.
pub fn settings<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("KINGLET_ADMIN_PASSWORD", PASSWORD), ("KINGLET_STREAMS_PER_USER", "4096")], more].concat()
}

/// The path of a call.
pub fn call(name: &str, query: &str) -> String {
    format!("/rest/{name}?u=admin&p={PASSWORD}&v=1.16.1&c=bench&f=json&{query}")
}

/// Waits for the scan of so many files; the id of each.
pub fn ids(server: &Server, count: usize) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(120);
    let mut connection = server.connect();
    loop {
        let (_, body) = connection.fetch(&call("search3", "query=&songCount=500"));
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        let songs = &answer["subsonic-response"]["searchResult3"]["song"];
        let songs = songs.as_array().map_or(&[][..], Vec::as_slice);
        if songs.len() == count {
            let mut named: Vec<_> = songs
                .iter()
                .map(|song| (song["path"].as_str().expect("a path"), song["id"].as_str()))
                .collect();
            named.sort_unstable();
            return named.into_iter().map(|(_, id)| id.expect("an id").to_owned()).collect();
        }
        assert!(Instant::now() < end, "the scan does not end: {answer}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A stream of a file, and how far it has come.
pub struct Stream<'a> {
    connection: Connection,
    file: &'a [u8],
    at: usize,
}

impl<'a> Stream<'a> {
    /// Asks for a file, without waiting for the answer.
    pub fn ask(server: &Server, id: &str, file: &'a [u8]) -> Stream<'a> {
        Stream::of(server, &call("stream", &format!("id={id}")), file)
    }

    /// Asks for a file by its path on the server, without waiting for the answer.
    pub fn of(server: &Server, path: &str, file: &'a [u8]) -> Stream<'a> {
        let mut connection = server.connect();
        connection.send(path);
        Stream { connection, file, at: 0 }
    }

    /// Reads the head of the answer, which must be the one of the whole file.
    pub fn begin(&mut self) {
        assert_eq!(self.connection.head(), (200, self.file.len()));
    }

    /// Reads some bytes and compares them; `false` at the end, whole or broken.
    pub fn read(&mut self) -> bool {
        let mut block = [0; BLOCK];
        match self.connection.0.read(&mut block) {
            Ok(0) => false,
            Ok(count) => {
                let expected = self.file.get(self.at..self.at + count);
                assert!(expected == block.get(..count), "other bytes after {}", self.at);
                self.at += count;
                !self.is_whole()
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("after {} bytes: {error}", self.at),
        }
    }

    /// Whether all of the file has come.
    pub fn is_whole(&self) -> bool {
        self.at == self.file.len()
    }

    /// How many bytes have come.
    pub fn at(&self) -> usize {
        self.at
    }
}
