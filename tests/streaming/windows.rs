//! What of a file is in memory while it is sent.

use std::fs;
use std::io::Read;
use std::time::Duration;

use kinglet::media::pace::Rates;
use kinglet::media::send::Mode;
use kinglet::media::sending::WINDOW;

use super::client::begun;
use super::server::{Server, content, until};
use super::{LONG, MODES};

#[test]
fn slow_clients_have_one_window_each() {
    const SLOW: usize = 40;
    let server = Server::start(Mode::Mapped);
    let file = content(1, LONG);
    server.put("song", &file);
    let mut clients: Vec<_> = (0..SLOW).map(|_| begun(&server, "song")).collect();
    until("the clients' windows are mapped", || server.held().0 > SLOW / 2);
    for (client, got) in &mut clients {
        let mut more = vec![0; 300_000];
        client.stream.read_exact(&mut more).unwrap();
        got.body.extend(more);
        assert!(server.held().0 <= SLOW);
    }
    // Each window is a map of its own at a multiple of its length, so none is longer.
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let folder = server.folder().to_str().unwrap();
    for map in maps.lines().filter(|line| line.contains(folder)) {
        let (start, end) = map.split_once(' ').unwrap().0.split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        assert_eq!((address(end) - address(start)) % WINDOW, 0, "{map}");
    }
    for (client, got) in clients.iter_mut().take(3) {
        client.body(got);
        assert!(got.complete && got.body == file);
    }
    drop(clients);
    server.nothing_is_held();
}

#[test]
fn a_peer_that_takes_nothing_loses_its_connection() {
    for mode in MODES {
        let server = Server::start_with(mode, Duration::from_millis(200), Rates::new(None, None));
        server.put("song", &content(1, LONG));
        let (mut client, mut got) = begun(&server, "song");
        assert!(server.held().1 > 0);
        server.nothing_is_held();
        client.body(&mut got);
        assert!(!got.complete);
    }
}
