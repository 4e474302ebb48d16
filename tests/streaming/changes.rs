//! Files that change while they are sent.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::client::begun;
use super::server::{Server, content};
use super::{LONG, MODES};

#[test]
fn a_file_that_is_deleted_or_replaced_is_sent_to_its_end() {
    for mode in MODES {
        let server = Server::start(mode);
        let (old, new) = (content(1, LONG), content(2, LONG));
        server.put("deleted", &old);
        server.put("replaced", &old);
        server.put("new", &new);
        let mut running = [begun(&server, "deleted"), begun(&server, "replaced")];
        assert_eq!(server.held().1, 2, "both files are open");
        assert_eq!(Arc::strong_count(&server.shared.held), 3);
        fs::remove_file(server.folder().join("deleted")).unwrap();
        fs::rename(server.folder().join("new"), server.folder().join("replaced")).unwrap();
        for (client, got) in &mut running {
            client.body(got);
            assert!(got.complete && got.body == old);
        }
        let [(client, _), (other, before)] = &mut running;
        assert_eq!(client.get("deleted", &[]).status, 404);
        // Who resumes the old file gets the new one from its beginning.
        let condition = format!("If-Range: {}", before.field("etag"));
        let got = other.get("replaced", &["Range: bytes=1000-1999", &condition]);
        assert_eq!(got.status, 200);
        assert!(got.body == new);
        drop(running);
        server.nothing_is_held();
    }
}

#[test]
fn a_truncated_file_breaks_the_body_and_nothing_follows_it() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LONG);
        for new_len in [0, 4096, LONG as u64 / 2 + 77, LONG as u64 - 1] {
            server.put("song", &file);
            let (mut client, mut got) = begun(&server, "song");
            // A second request waits in the connection, as players send it.
            client.send("GET", "song", &["Range: bytes=0-9"]);
            let song = File::options().write(true).open(server.folder().join("song")).unwrap();
            song.set_len(new_len).unwrap();
            drop(song);
            client.body(&mut got);
            assert!(!got.complete, "cut to {new_len} in mode {mode:?}");
            assert!(client.is_closed());
            let answers = got.body.windows(8).filter(|bytes| bytes == b"HTTP/1.1").count();
            assert_eq!(answers, 0, "an answer in the middle of a body");
            drop(client);
            server.nothing_is_held();
        }
    }
}

#[test]
fn bytes_cut_off_at_the_end_are_not_sent_as_zeros() {
    for mode in MODES {
        let server = Server::start(mode);
        let file = content(1, LONG);
        for left in [250_000, 200_000, 150_000, 120_000, 100_000, 80_000] {
            server.put("song", &file);
            let (mut client, mut got) = begun(&server, "song");
            let mut most = vec![0; LONG - left - got.body.len()];
            client.stream.read_exact(&mut most).unwrap();
            got.body.append(&mut most);
            // Only the last page changes, and a map shows zeros there and no error.
            let song = File::options().write(true).open(server.folder().join("song")).unwrap();
            song.set_len(LONG as u64 - 100).unwrap();
            client.body(&mut got);
            assert!(!got.complete || got.body == file, "{left} {mode:?}");
        }
    }
}

#[test]
fn a_file_that_is_written_again_breaks_the_body() {
    for mode in MODES {
        let server = Server::start(mode);
        server.put("song", &content(1, LONG));
        let (mut client, mut got) = begun(&server, "song");
        let song = File::options().write(true).open(server.folder().join("song")).unwrap();
        let modified = song.metadata().unwrap().modified().unwrap();
        song.write_all_at(b"title", LONG as u64 - 128).unwrap();
        // As taggers do that keep the time.
        song.set_modified(modified).unwrap();
        client.body(&mut got);
        assert!(!got.complete && client.is_closed());
    }
}
