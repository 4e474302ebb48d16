//! The API as clients meet it: answers held against golden files, errors, roles, what who sees.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{ADMIN, BEN, Server};

#[test]
fn the_system_answers_as_recorded() {
    let server = Server::open();
    for name in ["ping", "getLicense", "getOpenSubsonicExtensions"] {
        server.golden(&format!("system/{name}"), ADMIN, name);
    }
}

#[test]
fn browsing_answers_as_recorded() {
    let server = Server::open();
    for (name, call) in [
        ("getMusicFolders", "getMusicFolders"),
        ("getIndexes", "getIndexes"),
        ("getIndexes.unchanged", "getIndexes?ifModifiedSince=1600000000000"),
        ("getMusicDirectory.folder", "getMusicDirectory?id=fo3"),
        ("getMusicDirectory.album", "getMusicDirectory?id=al2"),
        ("getMusicDirectory.artist", "getMusicDirectory?id=at3"),
        ("getGenres", "getGenres"),
        ("getArtists", "getArtists"),
        ("getArtist", "getArtist?id=at1"),
        ("getAlbum", "getAlbum?id=al1"),
        ("getSong", "getSong?id=so1"),
    ] {
        server.golden(&format!("browsing/{name}"), ADMIN, call);
    }
    server.golden("browsing/getArtists.ben", BEN, "getArtists");
}
