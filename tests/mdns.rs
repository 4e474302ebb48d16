//! The name at home, over real multicast: found, told on asking, and gone with the server. Skipped,
//! with a word, where the machine has no network with multicast.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kinglet::mdns::Message;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use rustix::process::{Pid, Signal, kill_process};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const DEADLINE: Duration = Duration::from_secs(30);

/// The program; killed should a test fail.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Hears what all are told, beside others who do.
fn ear() -> Option<UdpSocket> {
    let socket =
        socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5353))).ok()?;
    let socket = UdpSocket::from(socket);
    socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED).ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    // Whether what is sent there comes around at all.
    let probe = b"\0\x2a\0\0\0\0\0\0\0\0\0\0";
    UdpSocket::bind("0.0.0.0:0").unwrap().send_to(probe, (GROUP, 5353)).ok()?;
    let mut block = [0; 9000];
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        if socket.recv(&mut block).is_ok_and(|count| block.get(..count) == Some(probe)) {
            return Some(socket);
        }
    }
    None
}

/// A question for pointers to a name.
fn question(name: &[u8], kind: u8) -> Vec<u8> {
    [b"\x12\x34\0\0\0\x01\0\0\0\0\0\0", name, &[0, kind, 0, 1]].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

#[test]
fn a_server_is_found_by_its_name_and_says_goodbye() {
    let Some(ear) = ear() else {
        println!("skipped: no multicast here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("music")).unwrap();
    let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    let name = format!("kinglet-{}", std::process::id());
    let child = Command::new(env!("CARGO_BIN_EXE_kinglet"))
        .args(["serve", "--music", "music", "--data", "data", "--log-level", "warn"])
        .args(["--listen", &format!("0.0.0.0:{port}")])
        .current_dir(folder.path())
        .env("KINGLET_ADMIN_PASSWORD", "sesame")
        .env("KINGLET_MDNS", &name)
        .env("KINGLET_BASE_PATH", "/music")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let program = Program(child);

    let asker = UdpSocket::bind("0.0.0.0:0").unwrap();
    asker.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let ask = |question: &[u8]| {
        let mut block = [0; 9000];
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < DEADLINE, "nobody answers");
            asker.send_to(question, (GROUP, 5353)).unwrap();
            // Others on the network may answer as well.
            while let Ok(count) = asker.recv(&mut block) {
                let answer = block[..count].to_vec();
                if contains(&answer, name.as_bytes()) {
                    return answer;
                }
            }
        }
    };
    let answer = ask(&question(b"\x09_subsonic\x04_tcp\x05local\0", 12));
    assert_eq!(&answer[..2], b"\x12\x34");
    assert!(contains(&answer, b"path=/music/rest") && contains(&answer, b"proto=http"));
    assert!(contains(&answer, &port.to_be_bytes()));
    assert!(Message::read(&answer).unwrap().more.len() >= 3);
    let host = [&[u8::try_from(name.len()).unwrap()], name.as_bytes(), b"\x05local\0"].concat();
    let answer = Message::read(&ask(&question(&host, 1))).unwrap();
    assert_eq!(answer.answers[0].data.len(), 4);

    // What was told to all until now is read over.
    let mut block = [0; 9000];
    ear.set_nonblocking(true).unwrap();
    while ear.recv(&mut block).is_ok() {}
    ear.set_nonblocking(false).unwrap();
    kill_process(Pid::from_child(&program.0), Signal::TERM).unwrap();
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < DEADLINE, "no goodbye");
        let Ok(count) = ear.recv(&mut block) else { continue };
        let Some(message) = Message::read(&block[..count]) else { continue };
        let ended = message.answers.iter().all(|record| record.ttl == 0);
        if contains(&block[..count], name.as_bytes()) && message.response && ended {
            break;
        }
    }
}

#[test]
fn who_listens_for_this_machine_alone_tells_nobody() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("music")).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_kinglet"))
        .args(["serve", "--music", "music", "--data", "data", "--log-level", "warn"])
        .args(["--listen", &address.to_string()])
        .current_dir(folder.path())
        .env("KINGLET_ADMIN_PASSWORD", "sesame")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let program = Program(child);
    let began = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < DEADLINE, "the server does not start");
        thread::sleep(Duration::from_millis(10));
    }
    let sockets = fs::read_to_string(format!("/proc/{}/net/udp", program.0.id())).unwrap();
    let own: Vec<String> = fs::read_dir(format!("/proc/{}/fd", program.0.id()))
        .unwrap()
        .filter_map(|file| fs::read_link(file.unwrap().path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    for line in sockets.lines().skip(1) {
        let inode = line.split_whitespace().nth(9).unwrap();
        assert!(!own.contains(&format!("socket:[{inode}]")), "a socket of UDP: {line}");
    }
}
