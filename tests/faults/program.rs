//! The real program on a data folder that lives through faults, and what its users made, as they see it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{disk, program_file as program};

/// The administrator's password.
pub const PASSWORD: &str = "sesame";

/// A machine with music and a data folder.
pub struct Home {
    pub temp: TempDir,
    pub data: PathBuf,
    /// A program to start ours with, and variables for it.
    pub wrapper: Vec<String>,
}

impl Home {
    /// With some songs of two albums.
    pub fn new() -> Home {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("data");
        let home = Home { temp, data, wrapper: Vec::new() };
        for number in 1..=12 {
            home.song(number);
        }
        home
    }

    pub fn music(&self) -> PathBuf {
        self.temp.path().join("music")
    }

    /// Adds a song with a picture.
    pub fn song(&self, number: u16) {
        let picture = fs::read("tests/media/pictures/baseline.jpg").unwrap();
        self.song_of(number, &format!("Album {}", number % 3), Some(&picture));
    }

    /// Adds songs without pictures, as many as are missing.
    pub fn fill(&self, songs: u16) {
        for number in 13..=songs {
            self.song_of(number, &format!("Album {}", 3 + number / 12), None);
        }
    }

    fn song_of(&self, number: u16, album: &str, picture: Option<&[u8]>) {
        let folder = self.music().join(album);
        fs::create_dir_all(&folder).unwrap();
        let (title, track) = (format!("Song {number}"), (number % 100).to_string());
        let tags = disk::tags(&title, album, "Anna", &track);
        let bytes = disk::mp3_with(number, &tags, picture);
        fs::write(folder.join(format!("{number}.mp3")), bytes).unwrap();
    }

    fn command(&self) -> Command {
        let program = program::program();
        let mut command = match self.wrapper.split_first() {
            None => program,
            Some((wrapper, words)) => {
                let mut command = Command::new(wrapper);
                command.args(words).arg(program.get_program()).args(program.get_args());
                command
            }
        };
        command.env("HOME", self.temp.path());
        command
    }

    fn folders(&self, command: &mut Command) {
        command.args(["--music".as_ref(), self.music().as_os_str()]);
        command.args(["--data".as_ref(), self.data.as_os_str()]);
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = self.command();
        command.args(words).stdin(Stdio::null());
        self.folders(&mut command);
        command.output().unwrap()
    }

    /// What a command prints; it succeeds.
    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{words:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// Starts the server; `None` where it ends before it answers.
    pub fn try_start(&self, variables: &[(&str, &str)]) -> Result<Server, String> {
        let mut command = self.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        self.folders(&mut command);
        let mut process = command
            .env("KINGLET_ADMIN_PASSWORD", PASSWORD)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Arc<Mutex<String>> = Arc::default();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let mut address = None;
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("serving on http://") {
                address = Some(rest.trim().parse().unwrap());
            }
            log.lock().unwrap().push_str(&line);
            line.clear();
            if address.is_some() {
                break;
            }
        }
        let Some(address) = address else {
            process.wait().unwrap();
            return Err(log.lock().unwrap().clone());
        };
        let more = log.clone();
        thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                more.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Ok(Server { process, address, log })
    }

    #[track_caller]
    pub fn start(&self) -> Server {
        self.try_start(&[]).unwrap_or_else(|log| panic!("no server: {log}"))
    }

    /// Starts the server as systemd does, again where it ends by itself, until it has scanned. Gives
    /// also the logs of those that ended.
    #[track_caller]
    pub fn start_again(&self) -> (Server, String) {
        let mut logs = String::new();
        // Once because the database is damaged; the next start has mended it.
        for _ in 0..2 {
            let mut server = self.start();
            if server.scans() {
                return (server, logs);
            }
            logs.push_str(&server.log());
        }
        panic!("the server ends again and again: {logs}");
    }

    /// What `kinglet check` says.
    pub fn check(&self) -> String {
        let output = self.run(&["check", "--listen", "127.0.0.1:0"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn database(&self) -> PathBuf {
        self.data.join("kinglet.db")
    }
}

/// A server that runs; killed when dropped.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Answers a GET with its status and body; `None` where the connection broke.
    pub fn get(&self, path: &str) -> Option<(u16, Vec<u8>)> {
        get(self.address, path)
    }

    /// What is in the answer to a call; `None` where there is no whole answer.
    pub fn try_call(&self, call: &str) -> Option<Value> {
        call_to(self.address, call)
    }

    /// What is in the answer to a call that succeeds.
    #[track_caller]
    pub fn call(&self, call: &str) -> Value {
        let answer =
            self.try_call(call).unwrap_or_else(|| panic!("no answer to {call}: {}", self.log()));
        assert_eq!(answer["status"], "ok", "{call}: {answer} {}", self.log());
        answer
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log says something.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "no `{text}` in {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has scanned and looked through the database; false where it ends before.
    #[track_caller]
    fn scans(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(60);
        let done = ["scanned: ", "the whole database was looked through"];
        while !done.iter().all(|line| self.log().contains(line)) {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < end, "neither a scan nor an end: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Kills it at once.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        assert_eq!(self.process.wait().unwrap().signal(), Some(9));
    }

    /// Ends it as systemd does; gives its log.
    #[track_caller]
    pub fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success(), "{}", self.log());
        self.log()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is in the answer to a call; `None` where there is no whole answer.
pub fn call_to(address: SocketAddr, call: &str) -> Option<Value> {
    let more = if call.contains('?') { '&' } else { '?' };
    let call = call.replace(' ', "%20").replace('"', "%22");
    let path = format!("/rest/{call}{more}u=admin&p={PASSWORD}&v=1.16.1&c=faults&f=json");
    let (status, body) = get(address, &path)?;
    assert_eq!(status, 200, "{call}");
    let mut document: Value = serde_json::from_slice(&body).ok()?;
    Some(document["subsonic-response"].take())
}

fn get(address: SocketAddr, path: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(answer.get(..end)?).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    })?;
    let body = answer.get(end + 4..)?.to_vec();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (body.len() == length).then_some((status, body))
}

/// Makes something of every kind.
pub fn furnish(server: &Server) {
    server.wait_for("scanned: ");
    for user in ["ben", "carla"] {
        server.call(&format!(
            "createUser?username={user}&password=secret-{user}&email={user}@example.org"
        ));
    }
    for number in 1..=8 {
        server.call(&format!(
            "createPlaylist?name=List {number}&songId=so{number}&songId=so{}",
            number + 1
        ));
        server.call(&format!("star?id=so{number}&albumId=al1"));
        server.call(&format!("setRating?id=so{number}&rating={}", number % 5 + 1));
        server.call(&format!("scrobble?id=so{number}&submission=true"));
        server.call(&format!("createShare?id=so{number}&description=Share {number}"));
        server.call(&format!(
            "createBookmark?id=so{number}&position={number}000&comment=Mark {number}"
        ));
        server.call(&format!(
            "createInternetRadioStation?name=Radio {number}&streamUrl=http://example.org/{number}"
        ));
        server.call(&format!("addChatMessage?message=Word {number}"));
    }
    server.call("savePlayQueue?id=so1&id=so2&id=so3&current=so2&position=5000");
}

/// Everything that users made and can see, and the library.
pub fn everything(server: &Server) -> Value {
    let mut playlists = Vec::new();
    let list = server.call("getPlaylists");
    for playlist in list["playlists"]["playlist"].as_array().into_iter().flatten() {
        let id = playlist["id"].as_str().unwrap();
        playlists.push(server.call(&format!("getPlaylist?id={id}"))["playlist"].take());
    }
    let mut all = json!({ "playlists": playlists });
    for (call, name) in [
        ("getUsers", "users"),
        ("getStarred2", "starred2"),
        ("getShares", "shares"),
        ("getBookmarks", "bookmarks"),
        ("getPlayQueue", "playQueue"),
        ("getInternetRadioStations", "internetRadioStations"),
        ("getChatMessages", "chatMessages"),
        ("getAlbumList2?type=alphabeticalByName&size=500", "albumList2"),
        ("search3?query=\"\"&songCount=500&albumCount=500&artistCount=500", "searchResult3"),
        ("search3?query=song&songCount=500", "searchResult3"),
    ] {
        all[call] = server.call(call)[name].take();
    }
    // Looking at the page of a share is no change.
    for share in all["getShares"]["share"].as_array_mut().into_iter().flatten() {
        for counted in ["visitCount", "lastVisited"] {
            share.as_object_mut().unwrap().remove(counted);
        }
    }
    all
}

/// The same without what a restored or rebuilt library may date anew.
pub fn made_by_users(server: &Server) -> Value {
    let mut all = everything(server);
    for call in [
        "getAlbumList2?type=alphabeticalByName&size=500",
        "search3?query=\"\"&songCount=500&albumCount=500&artistCount=500",
        "search3?query=song&songCount=500",
    ] {
        all.as_object_mut().unwrap().remove(call);
    }
    all
}

/// The names of things in a list.
pub fn names(answer: &Value, list: &str, name: &str) -> BTreeSet<String> {
    let list = list.split('.').fold(answer, |at, part| &at[part]);
    let things = list.as_array().into_iter().flatten();
    things.filter_map(|thing| thing[name].as_str().map(String::from)).collect()
}

/// Changes bytes of a file; an offset beyond its end counts from its start again.
pub fn flip(file: &Path, changes: &[(usize, u8)]) {
    let mut bytes = fs::read(file).unwrap();
    let length = bytes.len();
    for (at, change) in changes {
        bytes[at % length] ^= change;
    }
    fs::write(file, bytes).unwrap();
}
