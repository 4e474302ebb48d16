//! Disks that are slow, hang or fail while files on them are sent.

use std::fs::{self, File};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use kinglet::media::send::{Mode, READS_AT_A_TIME};
use kinglet::media::source::{Identity, Source};
use kinglet::media::turns::TURNS;
use kinglet::media::window::Mapped;

use super::client::{Got, begun};
use super::server::{DEADLINE, Server, content, until};
use super::{LEN, MODES};

/// A file on a disk that is not well, from one place on.
struct Odd {
    file: File,
    behaviour: Behaviour,
    from: u64,
    state: Arc<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// Each read takes so long.
    Slow(Duration),
    /// No read returns.
    Hangs,
    /// Every read fails with this error.
    Fails(i32),
    /// Nothing can be had of it at all, as of a disk that was pulled out.
    Gone,
    /// Every map fails with this error.
    CannotMap(i32),
}

/// Whether the disk is well again, and how many reads wait for it.
#[derive(Default)]
struct State {
    inner: Mutex<(bool, usize)>,
    bell: Condvar,
}

impl State {
    fn is_well(&self) -> bool {
        self.inner.lock().unwrap().0
    }

    fn waiting(&self) -> usize {
        self.inner.lock().unwrap().1
    }

    fn heal(&self) {
        self.inner.lock().unwrap().0 = true;
        self.bell.notify_all();
    }

    fn fall_ill(&self) {
        self.inner.lock().unwrap().0 = false;
    }

    fn wait(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.1 += 1;
        drop(self.bell.wait_while(inner, |inner| !inner.0).unwrap());
    }
}

/// What the system says of a file on a disk that is gone.
const NOT_CONNECTED: i32 = 107;

impl Odd {
    fn new(server: &Server, behaviour: Behaviour, from: u64) -> Odd {
        let path = server.folder().join("odd");
        fs::write(&path, content(1, LEN)).unwrap();
        Odd { file: File::open(path).unwrap(), behaviour, from, state: Arc::default() }
    }

    fn touch(&self, end: u64, maps: bool) -> io::Result<()> {
        let failed = |code| Err(io::Error::from_raw_os_error(code));
        match self.behaviour {
            _ if end <= self.from => Ok(()),
            Behaviour::Slow(time) => {
                thread::sleep(time);
                Ok(())
            }
            Behaviour::Hangs => {
                self.state.wait();
                Ok(())
            }
            Behaviour::CannotMap(code) if maps => failed(code),
            Behaviour::CannotMap(_) => Ok(()),
            _ if self.state.is_well() => Ok(()),
            Behaviour::Fails(code) => failed(code),
            Behaviour::Gone => failed(NOT_CONNECTED),
        }
    }
}

impl Source for Odd {
    fn identity(&self) -> io::Result<Identity> {
        match self.behaviour {
            Behaviour::Gone if !self.state.is_well() => {
                Err(io::Error::from_raw_os_error(NOT_CONNECTED))
            }
            _ => self.file.identity(),
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.touch(offset + buffer.len() as u64, false)?;
        // Short reads are no end of a file.
        let len = buffer.len().min(10_000);
        Source::read_at(&self.file, &mut buffer[..len], offset)
    }

    fn read_at_hand(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match offset + buffer.len() as u64 <= self.from {
            true => self.file.read_at_hand(buffer, offset),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn map(&self, offset: u64, len: usize) -> io::Result<Mapped> {
        self.touch(offset + len as u64, true)?;
        self.file.map(offset, len)
    }

    fn ahead(&self, offset: u64, len: u64) {
        self.file.ahead(offset, len);
    }
}

#[test]
fn an_error_of_the_disk_breaks_the_body() {
    const EIO: i32 = 5;
    for mode in MODES {
        let server = Server::start(mode);
        let odd = Odd::new(&server, Behaviour::Fails(EIO), 1_000_000);
        let state = odd.state.clone();
        server.put_source("bad", odd);
        let file = content(1, LEN);
        let mut client = server.connect();
        let got = client.get("bad", &[]);
        assert!(!got.complete && client.is_closed());
        assert!(got.body.len() > 700_000 && file.starts_with(&got.body));
        // What is before the bad place can be had.
        assert!(server.connect().get("bad", &["Range: bytes=0-499999"]).complete);
        assert_eq!(server.shared.sender.figures().broken, 1);
        state.heal();
        let got = server.connect().get("bad", &[]);
        assert!(got.complete && got.body == file, "all is well when the disk is");
    }
}

#[test]
fn a_disk_that_vanishes_breaks_what_is_sent_and_may_come_back() {
    for mode in MODES {
        let server = Server::start(mode);
        let odd = Odd::new(&server, Behaviour::Gone, 0);
        let state = odd.state.clone();
        server.put_source("song", odd);
        state.heal();
        let (mut client, mut got) = begun(&server, "song");
        state.fall_ill();
        client.body(&mut got);
        assert!(!got.complete && client.is_closed());
        assert!(content(1, LEN).starts_with(&got.body));
        let mut client = server.connect();
        assert_eq!(client.get("song", &[]).status, 404, "an answer that says so");
        state.heal();
        let got = client.get("song", &[]);
        assert!(got.complete && got.body == content(1, LEN));
        until("no body lives", || server.shared.sender.figures().live == 0);
    }
}

#[test]
fn others_are_answered_while_many_streams_wait_for_a_slow_disk() {
    const STREAMS: usize = 16;
    const END: usize = 500_000;
    for mode in MODES {
        let server = Server::start(mode);
        let odd = Odd::new(&server, Behaviour::Slow(Duration::from_millis(10)), 0);
        server.put_source("slow", odd);
        server.put("quick", b"abc");
        let file = content(1, END);
        let answered = AtomicUsize::new(0);
        thread::scope(|scope| {
            let streams = (0..STREAMS).map(|_| {
                scope.spawn(|| {
                    let got = server.connect().get("slow", &["Range: bytes=0-499999"]);
                    got.complete && got.body == file
                })
            });
            let streams: Vec<_> = streams.collect();
            let mut client = server.connect();
            while !streams.iter().all(|stream| stream.is_finished()) {
                assert_eq!(client.get("missing", &[]).status, 404);
                client.send("HEAD", "quick", &[]);
                assert_eq!(client.answer("HEAD").unwrap().status, 200);
                if server.shared.sender.figures().live == STREAMS as u64 {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                thread::sleep(Duration::from_millis(5));
            }
            assert!(streams.into_iter().all(|stream| stream.join().unwrap()), "{mode:?}");
        });
        assert!(answered.into_inner() > 0, "answers come while all streams wait");
    }
}

#[test]
fn what_cannot_be_mapped_is_read() {
    let (invalid, no_device, no_memory) = (22, 19, 12);
    for code in [invalid, no_device, no_memory] {
        let server = Server::start(Mode::Mapped);
        server.put_source("odd", Odd::new(&server, Behaviour::CannotMap(code), 1_000_000));
        let got = server.connect().get("odd", &[]);
        assert!(got.complete && got.body == content(1, LEN));
        assert!(server.shared.sender.figures().unmapped > 0);
    }
}

#[test]
fn a_disk_that_hangs_leaves_threads_for_other_work() {
    const STREAMS: usize = 24;
    for mode in MODES {
        let server = Server::start(mode);
        let odd = Odd::new(&server, Behaviour::Hangs, 0);
        let state = odd.state.clone();
        server.put_source("odd", odd);
        let mut clients: Vec<_> = (0..STREAMS).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send("GET", "odd", &[]);
        }
        for client in &mut clients {
            assert_eq!(client.head().unwrap().status, 200);
        }
        until("as many reads hang as may", || state.waiting() == READS_AT_A_TIME);
        let done = server.runtime().block_on(async {
            let job = tokio::task::spawn_blocking(|| 7);
            tokio::time::timeout(DEADLINE, job).await.unwrap().unwrap()
        });
        assert_eq!(done, 7);
        let mut other = server.connect();
        server.put("other", b"abc");
        other.send("HEAD", "other", &[]);
        assert_eq!(other.answer("HEAD").unwrap().field("content-length"), "3");
        assert_eq!(state.waiting(), READS_AT_A_TIME, "no further read hangs");
        // Some leave while they wait, and have their places back; the others get everything when
        // the disk is well again.
        clients.truncate(STREAMS / 2);
        let live = || server.shared.sender.figures().live;
        until("bodies of clients that left are gone", || live() == STREAMS as u64 / 2);
        state.heal();
        let file = content(1, LEN);
        for client in &mut clients {
            let mut got = Got::default();
            got.fields.insert("content-length".to_owned(), LEN.to_string());
            client.body(&mut got);
            assert!(got.complete && got.body == file);
        }
        until("no body lives", || server.shared.sender.figures().live == 0);
    }
}

#[test]
fn a_disk_that_hangs_after_it_was_quick_keeps_few_connections_waiting() {
    const STREAMS: usize = 24;
    for mode in MODES {
        let server = Server::start(mode);
        let odd = Odd::new(&server, Behaviour::Hangs, 1_000_000);
        let state = odd.state.clone();
        server.put_source("odd", odd);
        let file = content(1, LEN);
        thread::scope(|scope| {
            let streams: Vec<_> = (0..STREAMS)
                .map(|number| {
                    let stream = scope.spawn(|| {
                        let got = server.connect().get("odd", &[]);
                        got.complete && got.body == file
                    });
                    // The first ones have the disk to themselves, so that it is quick for them.
                    until("it hangs", || state.waiting() > number.min(TURNS));
                    stream
                })
                .collect();
            until("as many reads hang as may", || state.waiting() >= READS_AT_A_TIME);
            let mut other = server.connect();
            server.put("other", b"abc");
            for _ in 0..100 {
                other.send("HEAD", "other", &[]);
                assert_eq!(other.answer("HEAD").unwrap().field("content-length"), "3");
            }
            let waiting = state.waiting();
            assert!(waiting <= READS_AT_A_TIME + TURNS, "{waiting} reads hang");
            state.heal();
            assert!(streams.into_iter().all(|stream| stream.join().unwrap()), "{mode:?}");
        });
        until("no body lives", || server.shared.sender.figures().live == 0);
    }
}
