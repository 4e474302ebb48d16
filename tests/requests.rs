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
    assert_eq!(random(ADMIN, "size=500&genre=").len(), 10);
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

/// Makes a playlist and tells its id.
fn playlist(server: &Server, user: &str, parameters: &str) -> String {
    let made = server.ok(user, &format!("createPlaylist?{parameters}"));
    made["playlist"]["id"].as_str().unwrap().to_owned()
}

fn entries(server: &Server, user: &str, playlist: &str) -> Vec<String> {
    server.ids(user, &format!("getPlaylist?id={playlist}"), "playlist.entry")
}

#[test]
fn playlists_answer_as_recorded() {
    let server = Server::open();
    server.golden("playlists/getPlaylists.none", ADMIN, "getPlaylists");
    let id = playlist(&server, ADMIN, "name=One %26 <more>&songId=so3&songId=so9&songId=so3");
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={id}&comment=\"夜\"&public=true"));
    playlist(&server, ADMIN, "name=empty");
    server.golden("playlists/getPlaylists", ADMIN, "getPlaylists");
    server.golden("playlists/getPlaylists.ben", BEN, "getPlaylists");
    server.golden("playlists/getPlaylist", ADMIN, &format!("getPlaylist?id={id}"));
    server.golden("playlists/getPlaylist.ben", BEN, &format!("getPlaylist?id={id}"));
    let replaced = format!("createPlaylist?playlistId={id}&songId=so8");
    server.golden("playlists/createPlaylist", ADMIN, &replaced);
}

#[test]
fn songs_of_a_playlist_go_by_their_old_places_and_come_at_the_end() {
    let server = Server::open();
    let id = playlist(&server, ADMIN, "name=x&songId=so1&songId=so2&songId=so1&songId=so3");
    let change =
        |change: &str| server.ok(ADMIN, &format!("updatePlaylist?playlistId={id}&{change}"));
    change("songIdToAdd=so4&songIndexToRemove=0&songIndexToRemove=3&songIdToAdd=so2");
    assert_eq!(entries(&server, ADMIN, &id), ["so2", "so1", "so4", "so2"]);
    change("songIndexToRemove=1&songIndexToRemove=1&name=y");
    assert_eq!(entries(&server, ADMIN, &id), ["so2", "so4", "so2"]);
    let shown = server.ok(ADMIN, &format!("getPlaylist?id={id}"));
    assert_eq!(shown["playlist"]["name"], "y");
    assert_eq!(shown["playlist"]["songCount"], 3);
    assert_eq!(shown["playlist"]["duration"], 579);
    for wrong in [
        ("songIndexToRemove=3&name=z", 10),
        ("songIndexToRemove=-1", 10),
        ("songIdToAdd=so99&name=z", 70),
        ("songIdToAdd=so11", 70),
        ("songIdToAdd=al1", 70),
        ("public=perhaps", 10),
        ("name=", 10),
    ] {
        let call = format!("updatePlaylist?playlistId={id}&{}", wrong.0);
        assert_eq!(server.error(ADMIN, &call), wrong.1, "{call}");
    }
    let after = server.ok(ADMIN, &format!("getPlaylist?id={id}"));
    assert_eq!(after, shown, "a call that fails changes nothing");
    playlist(&server, ADMIN, &format!("playlistId={id}&name=w"));
    assert_eq!(entries(&server, ADMIN, &id), [""; 0]);
}

#[test]
fn hidden_songs_keep_their_place_in_a_playlist() {
    let server = Server::open();
    let id = playlist(&server, ADMIN, "name=x&songId=so1&songId=so9&songId=so2&songId=so3");
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={id}&public=true"));
    assert_eq!(entries(&server, BEN, &id), ["so1", "so2", "so3"]);
    let missing = |song: i64, when: Option<i64>| {
        let sql = "UPDATE song SET missing = ?2 WHERE id = ?1";
        server.app.db.write(|db| db.execute(sql, (song, when))).unwrap();
    };
    missing(1, Some(1));
    assert_eq!(entries(&server, ADMIN, &id), ["so9", "so2", "so3"]);
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={id}&songIndexToRemove=1"));
    assert_eq!(entries(&server, ADMIN, &id), ["so9", "so3"]);
    missing(1, None);
    assert_eq!(entries(&server, ADMIN, &id), ["so1", "so9", "so3"]);
}

#[test]
fn playlists_are_changed_by_their_owners_alone() {
    let server = Server::open();
    let open = playlist(&server, ADMIN, "name=open&songId=so1");
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={open}&public=1"));
    let secret = playlist(&server, ADMIN, "name=secret");
    let own = playlist(&server, BEN, "name=mine&songId=so2");
    let lists = |user: &str, call: &str| server.ids(user, call, "playlists.playlist");
    assert_eq!(lists(BEN, "getPlaylists"), [own.clone(), open.clone()]);
    assert_eq!(lists(BEN, "getPlaylists?username=Ben"), [own.clone(), open.clone()]);
    assert_eq!(lists(ADMIN, "getPlaylists"), [open.clone(), secret.clone()]);
    assert_eq!(lists(ADMIN, "getPlaylists?username=ben"), [own.clone(), open.clone()]);
    assert_eq!(server.error(ADMIN, "getPlaylists?username=nobody"), 70);
    assert_eq!(server.error(BEN, "getPlaylists?username=admin"), 50);
    for (user, call, code) in [
        (BEN, format!("updatePlaylist?playlistId={open}&name=x"), 50),
        (BEN, format!("createPlaylist?playlistId={open}&songId=so1"), 50),
        (BEN, format!("deletePlaylist?id={open}"), 50),
        (BEN, format!("getPlaylist?id={secret}"), 70),
        (BEN, format!("updatePlaylist?playlistId={secret}&name=x"), 70),
        (BEN, format!("deletePlaylist?id={secret}"), 70),
        (BEN, "createPlaylist?name=x&songId=so9".to_owned(), 70),
        (ADMIN, format!("updatePlaylist?playlistId={own}&name=x"), 50),
        (ADMIN, "getPlaylist?id=pl99".to_owned(), 70),
        (ADMIN, "getPlaylist?id=so1".to_owned(), 70),
        (ADMIN, "createPlaylist?playlistId=pl99".to_owned(), 70),
        (ADMIN, "getPlaylist".to_owned(), 10),
        (ADMIN, "createPlaylist".to_owned(), 10),
        (ADMIN, "createPlaylist?songId=so1".to_owned(), 10),
        (ADMIN, "updatePlaylist?name=x".to_owned(), 10),
        (ADMIN, "deletePlaylist".to_owned(), 10),
    ] {
        assert_eq!(server.error(user, &call), code, "{call}");
    }
    assert_eq!(lists(BEN, "getPlaylists"), [own.clone(), open.clone()]);
    server.ok(ADMIN, &format!("deletePlaylist?id={own}"));
    assert_eq!(lists(BEN, "getPlaylists"), [open]);
}

#[test]
fn a_playlist_has_an_end() {
    let server = Server::open();
    let id = playlist(&server, ADMIN, "name=x");
    let songs: String = (0..10_000).map(|_| "&songId=so1").collect();
    let many = |call: &str| {
        let answer = server.post(ADMIN, &format!("{call}&f=json"));
        answer.text().contains("\"status\":\"ok\"")
    };
    assert!(many(&format!("createPlaylist?playlistId={id}{songs}")));
    let songs = songs.replace("songId", "songIdToAdd");
    assert!(many(&format!("updatePlaylist?playlistId={id}{songs}")));
    assert!(!many(&format!("updatePlaylist?playlistId={id}&songIdToAdd=so1")));
    assert_eq!(entries(&server, ADMIN, &id).len(), 20_000);
}

#[test]
fn information_answers_as_recorded() {
    let server = Server::open();
    for (name, call) in [
        ("getArtistInfo", "getArtistInfo?id=at1"),
        ("getArtistInfo2", "getArtistInfo2?id=at1"),
        ("getArtistInfo2.bare", "getArtistInfo2?id=at5"),
        ("getAlbumInfo", "getAlbumInfo?id=fo4"),
        ("getAlbumInfo2", "getAlbumInfo2?id=al1"),
        ("getSimilarSongs", "getSimilarSongs?id=so8"),
        ("getSimilarSongs2", "getSimilarSongs2?id=at5&count=0"),
        ("getTopSongs", "getTopSongs?artist=kid <koala> \"jr\""),
    ] {
        server.golden(&format!("information/{name}"), ADMIN, call);
    }
}

#[test]
fn information_is_found_by_the_ids_of_both_views() {
    let server = Server::open();
    let of_artist = server.ok(ADMIN, "getArtistInfo?id=at1")["artistInfo"].take();
    for id in ["al1", "so1", "fo3", "fo4", "fo1"] {
        assert_eq!(server.ok(ADMIN, &format!("getArtistInfo?id={id}"))["artistInfo"], of_artist);
    }
    let of_album = server.ok(ADMIN, "getAlbumInfo?id=al1")["albumInfo"].take();
    for id in ["so1", "fo4"] {
        assert_eq!(server.ok(ADMIN, &format!("getAlbumInfo2?id={id}"))["albumInfo"], of_album);
    }
    assert!(server.ok(ADMIN, "getAlbumInfo?id=fo1")["albumInfo"].as_object().unwrap().is_empty());
    for name in [
        "getArtistInfo",
        "getArtistInfo2",
        "getAlbumInfo",
        "getAlbumInfo2",
        "getSimilarSongs",
        "getSimilarSongs2",
    ] {
        assert_eq!(server.error(ADMIN, name), 10, "{name}");
        for id in ["so99", "al99", "at99", "fo99", "so11", "pl1", "x"] {
            assert_eq!(server.error(ADMIN, &format!("{name}?id={id}")), 70, "{name} of {id}");
        }
        for id in ["so9", "al4", "fo8"] {
            assert_eq!(server.error(BEN, &format!("{name}?id={id}")), 70, "{name} of {id} as ben");
        }
    }
}

#[test]
fn similar_is_what_shares_genres() {
    let server = Server::open();
    let similar = |user: &str, id: &str| {
        let mut ids = server.ids(user, &format!("getSimilarSongs?id={id}"), "similarSongs.song");
        ids.sort();
        ids
    };
    assert_eq!(similar(ADMIN, "so2"), ["so1", "so10", "so3", "so4", "so5", "so6", "so9"]);
    assert_eq!(similar(BEN, "so2"), ["so1", "so3", "so4", "so5", "so6"]);
    assert_eq!(similar(ADMIN, "al3"), ["so7", "so8"]);
    assert_eq!(similar(ADMIN, "at2"), ["so1", "so7"], "an artist without albums of their own");
    let few = server.ids(ADMIN, "getSimilarSongs2?id=at1&count=2", "similarSongs2.song");
    assert_eq!(few.len(), 2);
    assert_eq!(server.ids(ADMIN, "getArtistInfo2?id=at1", "artistInfo2.similarArtist"), ["at3"]);
    assert_eq!(server.ids(BEN, "getArtistInfo2?id=at1", "artistInfo2.similarArtist"), [""; 0]);
}

#[test]
fn top_songs_are_those_played_most() {
    let server = Server::open();
    let top = |user: &str, query: &str| {
        server.ids(user, &format!("getTopSongs?{query}"), "topSongs.song")
    };
    assert_eq!(top(ADMIN, "artist=ÜRSULA %26 the band&count=2"), ["so1", "so4"]);
    assert_eq!(top(ADMIN, "id=at3&artist=ignored").len(), 2);
    assert_eq!(top(ADMIN, "artist=nobody"), [""; 0]);
    assert_eq!(top(BEN, "artist=夜"), [""; 0]);
    assert_eq!(server.error(ADMIN, "getTopSongs"), 10);
    assert_eq!(server.error(ADMIN, "getTopSongs?id=at99"), 70);
    assert_eq!(server.error(ADMIN, "getTopSongs?id=al1"), 70);
    assert_eq!(server.error(BEN, "getTopSongs?id=at3"), 70);
}

#[test]
fn every_way_of_calling_is_answered() {
    let server = Server::open();
    let plain = server.call(ADMIN, "getAlbum?id=al1");
    assert_eq!(plain.headers["content-type"], "text/xml; charset=utf-8");
    assert_eq!(plain.headers["cache-control"], "no-store");
    assert_eq!(server.call(ADMIN, "getAlbum.view?id=al1").body, plain.body);
    assert_eq!(server.post(ADMIN, "getAlbum?id=al1").body, plain.body);
    let jsonp = server.call(ADMIN, "ping?f=jsonp&callback=lib.got");
    assert_eq!(jsonp.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(jsonp.text().starts_with("lib.got({") && jsonp.text().ends_with("});"));
    for wrong in ["ping?f=jsonp", "ping?f=jsonp&callback=alert(1)", "ping?f=yaml"] {
        assert!(server.call(ADMIN, wrong).text().contains("code=\"10\""), "{wrong}");
    }
    assert!(server.call(ADMIN, "getNothing").text().contains("code=\"0\""));
}

#[test]
fn who_signs_in_wrongly_is_told_so() {
    let server = Server::open();
    let code = |query: &str| {
        let answer = server.get(&format!("/rest/ping?f=json&v=1.16.1&c=tests&{query}"));
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        document["subsonic-response"]["error"]["code"].as_i64()
    };
    // md5("sesame" and "c19b2d").
    let token = "t=26719a1196d2a940705a59634eb18eab&s=c19b2d";
    assert_eq!(code(&format!("u=admin&{token}")), None);
    assert_eq!(code("u=ADMIN&p=enc:736573616d65"), None);
    for (query, expected) in [
        ("", 10),
        ("u=admin", 10),
        ("u=admin&t=26719a1196d2a940705a59634eb18eab", 10),
        ("u=admin&p=wrong", 40),
        ("u=nobody&p=sesame", 40),
        ("u=admin&t=00000000000000000000000000000000&s=c19b2d", 40),
        ("u=admin&p=sesame&t=26719a1196d2a940705a59634eb18eab&s=c19b2d", 43),
        ("u=admin&apiKey=x", 43),
        ("apiKey=x", 44),
    ] {
        assert_eq!(code(query), Some(expected), "{query}");
    }
}
