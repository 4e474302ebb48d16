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

#[test]
fn lyrics_answer_as_recorded() {
    let server = Server::open();
    for (name, call) in [
        ("getLyrics", "getLyrics?artist=ursula&title=Plain"),
        ("getLyrics.none", "getLyrics?artist=nobody&title=Nothing"),
        ("getLyricsBySongId", "getLyricsBySongId?id=so1"),
    ] {
        server.golden(&format!("lyrics/{name}"), ADMIN, call);
    }
}

#[test]
fn lists_answer_as_recorded() {
    let server = Server::open();
    for (name, call) in [
        ("getAlbumList", "getAlbumList?type=alphabeticalByName"),
        ("getAlbumList2", "getAlbumList2?type=alphabeticalByName"),
        ("getRandomSongs", "getRandomSongs?genre=folk %26 roll"),
        ("getSongsByGenre", "getSongsByGenre?genre=Jazz"),
        ("getStarred", "getStarred"),
        ("getStarred2", "getStarred2"),
    ] {
        server.golden(&format!("lists/{name}"), ADMIN, call);
    }
}

#[test]
fn albums_are_listed_in_every_order() {
    let server = Server::open();
    for (order, expected) in [
        ("newest", vec!["al4", "al3", "al2", "al1"]),
        ("highest", vec!["al1", "al4"]),
        ("frequent", vec!["al4", "al1"]),
        ("recent", vec!["al1", "al4"]),
        ("alphabeticalByName", vec!["al1", "al3", "al2", "al4"]),
        ("alphabeticalByArtist", vec!["al1", "al2", "al3", "al4"]),
        ("starred", vec!["al1"]),
        ("byYear&fromYear=1999&toYear=2004", vec!["al1", "al2"]),
        ("byYear&fromYear=2100&toYear=1900", vec!["al3", "al2", "al1"]),
        ("byGenre&genre=ROCK", vec!["al1", "al2", "al4"]),
        ("newest&size=1&offset=2", vec!["al2"]),
        ("newest&size=0", vec!["al4"]),
        ("newest&musicFolderId=2", vec!["al4"]),
        ("newest&offset=9223372036854775807", vec![]),
    ] {
        for (call, list) in [("getAlbumList", "albumList"), ("getAlbumList2", "albumList2")] {
            let call = format!("{call}?type={order}");
            assert_eq!(server.ids(ADMIN, &call, &format!("{list}.album")), expected, "{call}");
        }
    }
    let random = server.ids(ADMIN, "getAlbumList2?type=random", "albumList2.album");
    assert_eq!(random.len(), 4, "{random:?}");
}

#[test]
fn lists_tell_what_is_wrong_with_a_call() {
    let server = Server::open();
    for (call, code) in [
        ("getAlbumList", 10),
        ("getAlbumList2?type=loudest", 10),
        ("getAlbumList2?type=byYear", 10),
        ("getAlbumList2?type=byYear&fromYear=1999", 10),
        ("getAlbumList2?type=byGenre", 10),
        ("getAlbumList2?type=newest&size=many", 10),
        ("getAlbumList2?type=newest&musicFolderId=99", 70),
        ("getSongsByGenre", 10),
        ("getRandomSongs?fromYear=x", 10),
    ] {
        assert_eq!(server.error(ADMIN, call), code, "{call}");
    }
    assert_eq!(server.error(BEN, "getAlbumList2?type=newest&musicFolderId=2"), 70);
}

#[test]
fn random_songs_are_of_the_years_and_the_genre_asked_for() {
    let server = Server::open();
    let random = |user: &str, query: &str| {
        let mut ids = server.ids(user, &format!("getRandomSongs?{query}"), "randomSongs.song");
        ids.sort();
        ids
    };
    assert_eq!(random(ADMIN, "size=500").len(), 10);
    assert_eq!(random(ADMIN, "size=3").len(), 3);
    assert_eq!(random(ADMIN, "size=0").len(), 0);
    assert_eq!(random(ADMIN, "fromYear=2010"), ["so7", "so8"]);
    assert_eq!(random(ADMIN, "fromYear=2004&toYear=2010&genre=rock"), ["so4", "so5", "so6"]);
    assert_eq!(random(BEN, "size=500").len(), 8);
}

#[test]
fn starred_folders_show_in_the_folder_view() {
    let server = Server::open();
    assert_eq!(server.ids(ADMIN, "getStarred", "starred.artist"), ["at1", "fo3"]);
    assert_eq!(server.ids(ADMIN, "getStarred", "starred.song"), ["so9", "so1"]);
    assert_eq!(server.ids(ADMIN, "getStarred?musicFolderId=1", "starred.song"), ["so1"]);
    assert_eq!(server.ids(ADMIN, "getStarred2", "starred2.artist"), ["at1"]);
    assert_eq!(server.ids(BEN, "getStarred", "starred.artist"), [""; 0]);
}

#[test]
fn searching_answers_as_recorded() {
    let server = Server::open();
    for (name, call) in [
        ("search", "search?any=again"),
        ("search2", "search2?query=ursula&songCount=1"),
        ("search3", "search3?query=ursula&songCount=1"),
        ("search3.nothing", "search3?query=!!"),
    ] {
        server.golden(&format!("searching/{name}"), ADMIN, call);
    }
}

#[test]
fn an_empty_query_pages_through_everything() {
    let server = Server::open();
    for query in ["", "\"\""] {
        let found = server.ok(ADMIN, &format!("search3?query={query}"));
        assert_eq!(support::ids(&found, "searchResult3.song").len(), 10);
        assert_eq!(support::ids(&found, "searchResult3.album").len(), 4);
        assert_eq!(support::ids(&found, "searchResult3.artist").len(), 5);
        let page = format!("search3?query={query}&songCount=2&songOffset=8");
        assert_eq!(server.ids(ADMIN, &page, "searchResult3.song"), ["so9", "so10"]);
        assert_eq!(server.ids(BEN, &page, "searchResult3.song"), [""; 0]);
    }
}

#[test]
fn searches_find_words_however_they_are_spelt() {
    let server = Server::open();
    let songs =
        |query: &str| server.ids(ADMIN, &format!("search3?query={query}"), "searchResult3.song");
    assert_eq!(songs("UBER ag"), ["so1"]);
    assert_eq!(songs("夜"), ["so9", "so10"]);
    assert_eq!(songs("gone"), [""; 0], "a missing song");
    assert_eq!(songs("noon&songOffset=9223372036854775807"), [""; 0]);
    assert_eq!(server.error(ADMIN, "search2"), 10);
    assert_eq!(server.error(ADMIN, "search3"), 10);
    let nothing = server.ok(ADMIN, "search3?query=ursula&songCount=0&albumCount=0&artistCount=0");
    for list in ["song", "album", "artist"] {
        assert_eq!(nothing["searchResult3"][list].as_array().unwrap().len(), 0);
    }
}

#[test]
fn the_old_search_wants_every_field_to_fit() {
    let server = Server::open();
    let found = |query: &str| server.ids(ADMIN, &format!("search?{query}"), "searchResult.match");
    assert_eq!(found("artist=koala"), ["so1", "so7"]);
    assert_eq!(found("artist=koala&album=summer"), ["so7"]);
    assert_eq!(found("title=koala"), [""; 0]);
    assert_eq!(found("any=koala sun"), ["so7"]);
    assert_eq!(found("any=koala&newerThan=1500000010000"), ["so7"]);
    assert_eq!(found("any=!"), [""; 0]);
    assert_eq!(found("").len(), 10);
    let page = server.ok(ADMIN, "search?album=discs&count=1&offset=1");
    assert_eq!(support::ids(&page, "searchResult.match"), ["so5"]);
    assert_eq!(page["searchResult"]["totalHits"], 3);
    assert_eq!(page["searchResult"]["offset"], 1);
}
