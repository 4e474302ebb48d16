//! Music folders in a temporary place, with small sound files made here, and a scanner for them.

#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use kinglet::config::{self, Config, Flags};
use kinglet::db::albums::Album;
use kinglet::db::artists::Artist;
use kinglet::db::search::{self, Page};
use kinglet::db::songs::Song;
use kinglet::db::{Db, Viewer};
use kinglet::scan::{self, Scanner, Summary};
use tempfile::TempDir;

/// Sees everything.
pub const EVERYBODY: Viewer = Viewer { user: 1, scope: -1 };
/// More than there is.
pub const ALL: Page = Page { count: 10_000, offset: 0 };

/// An MP3 of ten frames whose sound depends on `sound`, with ID3v2.4 text frames; a frame name of
/// more than four letters becomes a `TXXX`.
pub fn mp3(sound: u16, tags: &[(&str, &str)]) -> Vec<u8> {
    mp3_with(sound, tags, None)
}

/// The same with a picture.
pub fn mp3_with(sound: u16, tags: &[(&str, &str)], picture: Option<&[u8]>) -> Vec<u8> {
    let mut frames = Vec::new();
    for (name, value) in tags {
        match name.len() {
            4 => frame(&mut frames, name, &[b"\x03", value.as_bytes()].concat()),
            _ => {
                let body = [b"\x03", name.as_bytes(), b"\0", value.as_bytes()].concat();
                frame(&mut frames, "TXXX", &body);
            }
        }
    }
    if let Some(bytes) = picture {
        frame(&mut frames, "APIC", &[b"\x00image/jpeg\0\x03\0", bytes].concat());
    }
    let mut file = [&b"ID3\x04\0\0"[..], &syncsafe(frames.len()), &frames].concat();
    for _ in 0..10 {
        // MPEG 1 layer 3, 128 kbit/s, 44.1 kHz, stereo: 417 bytes, silent but for what follows
        // the side information, which no decoder listens to.
        let mut sound_frame = vec![0; 417];
        sound_frame[..4].copy_from_slice(b"\xff\xfb\x90\x00");
        sound_frame[100..102].copy_from_slice(&sound.to_be_bytes());
        file.extend(sound_frame);
    }
    file
}

fn frame(frames: &mut Vec<u8>, name: &str, body: &[u8]) {
    frames.extend([name.as_bytes(), &syncsafe(body.len()), b"\0\0", body].concat());
}

fn syncsafe(length: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from(length >> shift & 0x7f).unwrap())
}

/// Tags of a song: title, album, artist, track.
pub fn tags<'a>(
    title: &'a str,
    album: &'a str,
    artist: &'a str,
    track: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![("TIT2", title), ("TALB", album), ("TPE1", artist), ("TRCK", track)]
}

/// A library: a music folder, and a database of it.
pub struct Library {
    pub temp: TempDir,
    pub config: Config,
    pub db: Db,
    pub scanner: Scanner,
}

impl Library {
    pub fn new() -> Library {
        Library::of(&["music"])
    }

    /// A library of several music folders.
    pub fn of(folders: &[&str]) -> Library {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("data")).unwrap();
        for folder in folders {
            fs::create_dir(temp.path().join(folder)).unwrap();
        }
        let db = Db::open(&temp.path().join("data/kinglet.db")).unwrap();
        let config = config_of(temp.path(), folders);
        Library { temp, config, db, scanner: Scanner::new() }
    }

    /// Sets the music folders anew.
    pub fn configure(&mut self, folders: &[&str]) {
        self.config = config_of(self.temp.path(), folders);
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join("music").join(path)
    }

    /// Writes a file of the music folder, with the folders around it.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes a song: its sound, and title, album, artist and track.
    pub fn song(&self, path: &str, sound: u16, title: &str, album: &str, artist: &str) {
        self.put(path, &mp3(sound, &tags(title, album, artist, &sound.to_string())));
    }

    pub fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path(from), to).unwrap();
    }

    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }

    pub fn scan(&self) -> Summary {
        scan::run(&self.db, &self.config, &self.scanner).unwrap()
    }

    pub fn songs(&self) -> Vec<Song> {
        self.db.read(|db| search::songs(db, EVERYBODY, "", ALL)).unwrap()
    }

    /// The song of a path.
    pub fn song_at(&self, path: &str) -> Song {
        let songs = self.songs();
        let paths: Vec<_> = songs.iter().map(|song| song.path.clone()).collect();
        let song = songs.into_iter().find(|song| song.path == path);
        song.unwrap_or_else(|| panic!("no song {path} among {paths:?}"))
    }

    pub fn albums(&self) -> Vec<Album> {
        self.db.read(|db| search::albums(db, EVERYBODY, "", ALL)).unwrap()
    }

    pub fn artists(&self) -> Vec<Artist> {
        self.db.read(|db| search::artists(db, EVERYBODY, "", ALL)).unwrap()
    }

    /// Titles of the songs found by some words.
    pub fn found(&self, words: &str) -> Vec<String> {
        let songs = self.db.read(|db| search::songs(db, EVERYBODY, words, ALL)).unwrap();
        songs.into_iter().map(|song| song.title).collect()
    }

    /// Everything the database file and its log hold.
    pub fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let file = |name: &str| fs::read(self.temp.path().join("data").join(name)).unwrap();
        (file("kinglet.db"), file("kinglet.db-wal"))
    }

    /// What one query counts.
    pub fn count(&self, sql: &str) -> i64 {
        let path = self.temp.path().join("data/kinglet.db");
        let db = rusqlite::Connection::open(path).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn config_of(temp: &Path, folders: &[&str]) -> Config {
    let music = folders.iter().map(|name| temp.join(name).to_str().unwrap().to_owned()).collect();
    let data = Some(temp.join("data").to_str().unwrap().to_owned());
    config::load(&Flags { music, data, ..Flags::default() }, &[], None).unwrap()
}
