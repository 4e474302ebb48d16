//! Disks that are slow, hang or fail while files on them are sent.

use std::fs::{self, File};
use std::io;
use std::sync::{Arc, Condvar, Mutex};

use kinglet::media::send::{Mode, READS_AT_A_TIME};
use kinglet::media::source::{Identity, Source};
use kinglet::media::window::Mapped;

use super::client::Got;
use super::server::{DEADLINE, Server, content, until};
use super::{LEN, MODES};

/// A file whose reads wait, fail or cannot be maps, from one place on.
struct Odd {
    file: File,
    behaviour: Behaviour,
    from: u64,
    /// Whether waiting reads may go on, and how many wait.
    gate: Arc<(Mutex<(bool, usize)>, Condvar)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    Hangs,
    Fails(i32),
    CannotMap(i32),
}

impl Odd {
    fn new(server: &Server, behaviour: Behaviour, from: u64) -> Odd {
        let path = server.folder().join("odd");
        fs::write(&path, content(1, LEN)).unwrap();
        Odd { file: File::open(path).unwrap(), behaviour, from, gate: Arc::default() }
    }

    fn touch(&self, end: u64, maps: bool) -> io::Result<()> {
        match self.behaviour {
            _ if end <= self.from => Ok(()),
            Behaviour::Hangs => {
                let (state, bell) = &*self.gate;
                let mut state = state.lock().unwrap();
                state.1 += 1;
                drop(bell.wait_while(state, |state| !state.0).unwrap());
                Ok(())
            }
            Behaviour::Fails(code) => Err(io::Error::from_raw_os_error(code)),
            Behaviour::CannotMap(code) if maps => Err(io::Error::from_raw_os_error(code)),
            Behaviour::CannotMap(_) => Ok(()),
        }
    }
}

impl Source for Odd {
    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.touch(offset + buffer.len() as u64, false)?;
        // Short reads are no end of a file.
        let len = buffer.len().min(10_000);
        Source::read_at(&self.file, &mut buffer[..len], offset)
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
        server.put_source("bad", Odd::new(&server, Behaviour::Fails(EIO), 1_000_000));
        let file = content(1, LEN);
        let mut client = server.connect();
        let got = client.get("bad", &[]);
        assert!(!got.complete && client.is_closed());
        assert!(got.body.len() > 700_000 && file.starts_with(&got.body));
        // What is before the bad place can be had.
        assert!(server.connect().get("bad", &["Range: bytes=0-499999"]).complete);
        assert_eq!(server.shared.sender.figures().broken, 1);
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
        let gate = odd.gate.clone();
        server.put_source("odd", odd);
        let mut clients: Vec<_> = (0..STREAMS).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send("GET", "odd", &[]);
        }
        for client in &mut clients {
            assert_eq!(client.head().unwrap().status, 200);
        }
        until("as many reads hang as may", || gate.0.lock().unwrap().1 == READS_AT_A_TIME);
        let done = server.runtime().block_on(async {
            let job = tokio::task::spawn_blocking(|| 7);
            tokio::time::timeout(DEADLINE, job).await.unwrap().unwrap()
        });
        assert_eq!(done, 7);
        let mut other = server.connect();
        server.put("other", b"abc");
        other.send("HEAD", "other", &[]);
        assert_eq!(other.answer("HEAD").unwrap().field("content-length"), "3");
        assert_eq!(gate.0.lock().unwrap().1, READS_AT_A_TIME, "no further read hangs");
        // Some leave while they wait; the others get everything when the disk is back.
        clients.truncate(STREAMS / 2);
        gate.0.lock().unwrap().0 = true;
        gate.1.notify_all();
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
