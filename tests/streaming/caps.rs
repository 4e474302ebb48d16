//! Files sent under caps of bandwidth.

use std::io::Read;
use std::thread;

use super::client::{begun, multipart};
use super::server::{Server, content};
use super::{LEN, MODES};

#[test]
fn caps_change_no_byte() {
    for mode in MODES {
        let server = Server::capped(mode, 8 << 20);
        let file = content(1, LEN);
        server.put("song", &file);
        // Who takes nothing more keeps nobody waiting.
        let stalled = begun(&server, "song");
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut client = server.connect();
                    assert!(client.get("song", &[]).body == file);
                    for (start, end) in [(0, 1), (4095, 140_000), (131_072, 131_073), (1, LEN)] {
                        let range = format!("Range: bytes={start}-{}", end - 1);
                        assert!(client.get("song", &[&range]).body == file[start..end]);
                    }
                    let got = client.get("song", &["Range: bytes=1000-999999,2000000-,5-5"]);
                    let ranges = [1000..1_000_000, 2_000_000..LEN, 5..6];
                    assert!(got.body == multipart(got.field("content-type"), &file, &ranges));
                });
            }
        });
        drop(stalled);
        server.nothing_is_held();
        assert_eq!(server.shared.sender.figures().broken, 0);
    }
}

#[test]
fn who_leaves_while_a_cap_holds_the_next_bytes_back_is_noticed() {
    for mode in MODES {
        // Ten seconds' worth come at once; the rest of the file would take minutes.
        let server = Server::capped(mode, 16 << 10);
        server.put("song", &content(1, LEN));
        let (mut client, _) = begun(&server, "song");
        client.stream.read_exact(&mut [0; 60_000]).unwrap();
        assert!(server.held().1 > 0);
        drop(client);
        server.nothing_is_held();
    }
}
