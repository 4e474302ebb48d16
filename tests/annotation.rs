//! What users make of the library: stars, ratings, plays, bookmarks, queues, stations, messages.

#![allow(clippy::unwrap_used)]

mod support;

use kinglet::clock::now;
use kinglet::playing::{Report, State};
use serde_json::json;
use support::{ADMIN, BEN, Server, ids};

#[test]
fn stars_come_and_go_on_any_mix_of_things() {
    let server = Server::open();
    server.ok(BEN, "star?id=so1&id=so2&albumId=al1&artistId=at1&id=fo1");
    assert_eq!(server.ids(BEN, "getStarred2", "starred2.song").len(), 2);
    assert_eq!(server.ids(BEN, "getStarred2", "starred2.album"), ["al1"]);
    assert_eq!(server.ids(BEN, "getStarred2", "starred2.artist"), ["at1"]);
    server.ok(BEN, "unstar?id=so1&id=so2&albumId=al1&artistId=at1&id=fo1");
    let starred = server.json(BEN, "getStarred2");
    assert_eq!(ids(&starred, "starred2.song").len(), 0);
}

#[test]
fn a_second_star_keeps_the_first_time() {
    let server = Server::open();
    let when = || server.json(BEN, "getSong?id=so1")["song"]["starred"].clone();
    server.ok(BEN, "star?id=so1");
    let first = when();
    std::thread::sleep(std::time::Duration::from_millis(5));
    server.ok(BEN, "star?id=so1");
    assert!(first.is_string());
    assert_eq!(when(), first);
}

#[test]
fn an_unknown_thing_among_others_changes_nothing() {
    let server = Server::open();
    assert_eq!(server.error(BEN, "star?id=so1&id=so999"), 70);
    assert_eq!(server.error(BEN, "star?id=so1&id=pl1"), 70);
    assert_eq!(server.error(BEN, "star"), 10);
    assert!(server.json(BEN, "getSong?id=so1")["song"]["starred"].is_null());
}

#[test]
fn the_mean_of_ratings_is_that_of_all_users() {
    let server = Server::open();
    let rated = |user, field: &str| server.json(user, "getAlbum?id=al1")["album"][field].clone();
    server.ok(ADMIN, "setRating?id=al1&rating=5");
    server.ok(BEN, "setRating?id=al1&rating=2");
    assert_eq!((rated(ADMIN, "userRating"), rated(BEN, "userRating")), (json!(5), json!(2)));
    let mean = || server.json(BEN, "getSong?id=so1")["song"]["averageRating"].clone();
    server.ok(ADMIN, "setRating?id=so1&rating=5");
    server.ok(BEN, "setRating?id=so1&rating=2");
    assert_eq!(mean(), json!(3.5));
    server.ok(ADMIN, "setRating?id=so1&rating=0");
    assert_eq!(mean(), json!(2.0));
    server.ok(ADMIN, "setRating?id=so1&rating=4");
    server.ok(ADMIN, "deleteUser?username=ben");
    let mean = server.json(ADMIN, "getSong?id=so1")["song"]["averageRating"].clone();
    assert_eq!(mean, json!(4.0));
}

#[test]
fn a_rating_is_0_to_5_and_of_something_that_is_there() {
    let server = Server::open();
    assert_eq!(server.error(BEN, "setRating?id=so1&rating=6"), 10);
    assert_eq!(server.error(BEN, "setRating?id=so1&rating=good"), 10);
    assert_eq!(server.error(BEN, "setRating?id=al999&rating=1"), 70);
}

#[test]
fn plays_count_for_songs_albums_and_artists() {
    let server = Server::open();
    let plays =
        |call: &str, kind: &str| server.json(BEN, call)[kind]["playCount"].as_i64().unwrap();
    server.ok(BEN, "scrobble?id=so1&id=so1&time=1700000000000&time=1600000000000");
    assert_eq!(plays("getSong?id=so1", "song"), 2);
    let album = server.json(BEN, "getSong?id=so1")["song"]["albumId"].as_str().unwrap().to_owned();
    assert_eq!(plays(&format!("getAlbum?id={album}"), "album"), 2);
    let played = server.json(BEN, "getSong?id=so1")["song"]["played"].clone();
    assert_eq!(played, "2023-11-14T22:13:20.000Z");
    assert_eq!(server.error(BEN, "scrobble"), 10);
    assert_eq!(server.error(BEN, "scrobble?id=so1&time=-1"), 10);
    assert_eq!(server.error(BEN, "scrobble?id=so1&id=so999"), 70);
    assert_eq!(server.error(BEN, "scrobble?id=so999&id=so1&submission=false"), 70);
    let artist =
        server.json(BEN, "getSong?id=so1")["song"]["artistId"].as_str().unwrap().to_owned();
    let heard = "SELECT play_count FROM annotation WHERE user_id = 2 AND kind = 3 AND item_id = ?1";
    let id: i64 = artist.trim_start_matches("at").parse().unwrap();
    let count: i64 = server.app.db.read(|db| db.query_row(heard, [id], |row| row.get(0))).unwrap();
    assert_eq!(count, 2);
    assert_eq!(plays("getSong?id=so1", "song"), 2);
}

#[test]
fn what_plays_now_is_shown_and_not_counted() {
    let server = Server::open();
    server.ok(BEN, "scrobble?id=so1&submission=false");
    let playing = server.json(ADMIN, "getNowPlaying");
    let entry = &playing["nowPlaying"]["entry"][0];
    assert_eq!((&entry["id"], &entry["username"]), (&json!("so1"), &json!(BEN)));
    assert_eq!(server.json(BEN, "getSong?id=so1")["song"]["playCount"], 0);
}

#[test]
fn a_report_tells_where_a_player_is() {
    let server = Server::open();
    let report = "reportPlayback?mediaId=so1&mediaType=song&playbackRate=1.5";
    server.ok(BEN, &format!("{report}&positionMs=2000&state=paused"));
    server.golden("annotation/now_playing", BEN, "getNowPlaying");
    server.ok(BEN, &format!("{report}&positionMs=2000&state=stopped"));
    assert_eq!(server.json(BEN, "getNowPlaying")["nowPlaying"]["entry"], json!([]));
    for wrong in [
        "&positionMs=-1&state=paused",
        "&positionMs=2147483648&state=paused",
        "&positionMs=1&state=dancing",
        "&positionMs=1",
        "&state=paused",
    ] {
        assert_eq!(server.error(BEN, &format!("{report}{wrong}")), 10, "{wrong}");
    }
    assert_eq!(
        server.error(BEN, "reportPlayback?mediaId=so999&mediaType=song&positionMs=1&state=playing"),
        70
    );
}

#[test]
fn a_report_that_ends_a_play_counts_it_once_unless_it_is_to_be_ignored() {
    let server = Server::open();
    let plays = || server.json(BEN, "getSong?id=so1")["song"]["playCount"].clone();
    let play_since = |ms: i64| {
        let report = Report {
            user: (2, BEN.to_owned()),
            client: "tests".to_owned(),
            song: (1, 200_400),
            state: Some(State::Playing),
            position: 0,
            rate: 1.0,
            uncounted: false,
        };
        server.app.playing.report(report, now() - ms);
    };
    let stop = "reportPlayback?mediaId=so1&mediaType=song&positionMs=150000&state=stopped";
    play_since(50_000);
    server.ok(BEN, stop);
    assert_eq!(plays(), 0);
    play_since(150_000);
    server.ok(BEN, stop);
    server.ok(BEN, stop);
    assert_eq!(plays(), 1);
    play_since(150_000);
    server.ok(BEN, &format!("{stop}&ignoreScrobble=true"));
    assert_eq!(plays(), 1);
}

#[test]
fn who_is_removed_plays_nothing() {
    let server = Server::open();
    server.ok(BEN, "reportPlayback?mediaId=so1&mediaType=song&positionMs=0&state=paused");
    assert_eq!(server.ids(ADMIN, "getNowPlaying", "nowPlaying.entry"), ["so1"]);
    server.ok(ADMIN, "deleteUser?username=ben");
    assert_eq!(server.json(ADMIN, "getNowPlaying")["nowPlaying"]["entry"], json!([]));
}

#[test]
fn what_a_user_does_not_see_cannot_be_annotated() {
    let server = Server::open();
    // so9, al4 and fo8 lie in the second music folder, so11 is missing.
    for call in [
        "star?id=so9",
        "star?albumId=al4",
        "star?id=fo8",
        "star?id=so11",
        "unstar?id=so9",
        "setRating?id=so9&rating=1",
        "setRating?id=al4&rating=1",
        "setRating?id=fo8&rating=1",
        "scrobble?id=so9",
        "scrobble?id=so1&id=so11",
        "scrobble?id=so9&submission=false",
        "reportPlayback?mediaId=so9&mediaType=song&positionMs=1&state=playing",
        "createBookmark?id=so9&position=1",
        "deleteBookmark?id=so9",
        "savePlayQueue?id=so1&id=so9&current=so1",
        "savePlayQueueByIndex?id=so1&id=so9&currentIndex=0",
    ] {
        assert_eq!(server.error(BEN, call), 70, "{call}");
    }
    let written = "SELECT (SELECT count(*) FROM annotation WHERE user_id = 2)
        + (SELECT count(*) FROM bookmark WHERE user_id = 2)
        + (SELECT count(*) FROM play_queue WHERE user_id = 2)";
    let written: i64 =
        server.app.db.read(|db| db.query_row(written, [], |row| row.get(0))).unwrap();
    assert_eq!(written, 0);
    server.ok(ADMIN, "scrobble?id=so9&submission=false");
    assert_eq!(server.json(BEN, "getNowPlaying")["nowPlaying"]["entry"], json!([]));
    assert_eq!(server.ids(ADMIN, "getNowPlaying", "nowPlaying.entry"), ["so9"]);
}

#[test]
fn a_song_has_one_bookmark_of_each_user() {
    let server = Server::open();
    server.ok(BEN, "createBookmark?id=so2&position=1000&comment=a <b> %26 c");
    server.ok(BEN, "createBookmark?id=so2&position=2000&comment=a <b> %26 c");
    server.golden("annotation/bookmarks", BEN, "getBookmarks");
    assert_eq!(server.json(BEN, "getSong?id=so2")["song"]["bookmarkPosition"], 2000);
    server.ok(BEN, "deleteBookmark?id=so2");
    server.ok(BEN, "deleteBookmark?id=so2");
    assert_eq!(server.json(BEN, "getBookmarks")["bookmarks"]["bookmark"], json!([]));
    assert_eq!(server.error(BEN, "createBookmark?id=so999&position=1"), 70);
    assert_eq!(server.error(BEN, "createBookmark?id=so2"), 10);
}

#[test]
fn a_queue_comes_back_as_it_was_saved() {
    let server = Server::open();
    server.golden("annotation/play_queue_empty", BEN, "getPlayQueue");
    server
        .ok(BEN, "savePlayQueueByIndex?id=so1&id=so2&id=so1&currentIndex=2&position=1500&c=phone");
    server.golden("annotation/play_queue_by_index", BEN, "getPlayQueueByIndex");
    server.ok(BEN, "savePlayQueue?id=so1&id=so2&current=so2&position=1500&c=phone");
    server.golden("annotation/play_queue", BEN, "getPlayQueue");
    assert_eq!(server.error(BEN, "savePlayQueue?id=so1"), 10);
    assert_eq!(server.error(BEN, "savePlayQueue?id=so1&current=so2"), 10);
    assert_eq!(server.error(BEN, "savePlayQueueByIndex?id=so1&currentIndex=1"), 10);
    assert_eq!(server.error(BEN, "savePlayQueueByIndex?id=so1"), 10);
    assert_eq!(server.error(BEN, "savePlayQueue?id=so999&current=so999"), 70);
    server.ok(BEN, "savePlayQueue");
    assert_eq!(server.json(BEN, "getPlayQueue")["playQueue"]["entry"], json!([]));
}

#[test]
fn a_queue_hides_what_is_gone_and_keeps_its_place() {
    let server = Server::open();
    server.ok(BEN, "savePlayQueueByIndex?id=so1&id=so2&id=so3&currentIndex=2&position=1500");
    let missing = |id: i64| {
        let sql = "UPDATE song SET missing = 1 WHERE id = ?1";
        server.app.db.write(|db| db.execute(sql, [id])).unwrap();
    };
    missing(1);
    let queue = server.json(BEN, "getPlayQueueByIndex")["playQueueByIndex"].clone();
    assert_eq!((&queue["currentIndex"], &queue["position"]), (&json!(1), &json!(1500)));
    missing(3);
    let queue = server.json(BEN, "getPlayQueueByIndex")["playQueueByIndex"].clone();
    assert_eq!((&queue["currentIndex"], &queue["position"]), (&json!(0), &json!(0)));
}

#[test]
fn administrators_change_the_radio_stations() {
    let server = Server::open();
    let made =
        "createInternetRadioStation?name=R %26 B <live>&streamUrl=https://radio.example/live";
    server.ok(ADMIN, &format!("{made}&homepageUrl=https://radio.example/"));
    server.golden("annotation/radio", BEN, "getInternetRadioStations");
    let id =
        server.ids(BEN, "getInternetRadioStations", "internetRadioStations.internetRadioStation");
    let id = id.first().unwrap();
    server.ok(
        ADMIN,
        &format!("updateInternetRadioStation?id={id}&name=B&streamUrl=http://b.example/"),
    );
    let station = server.json(BEN, "getInternetRadioStations")["internetRadioStations"]["internetRadioStation"][0].clone();
    assert_eq!(
        (&station["name"], &station["homePageUrl"]),
        (&json!("B"), &json!("https://radio.example/"))
    );
    assert_eq!(server.error(BEN, made), 50);
    assert_eq!(
        server.error(ADMIN, "createInternetRadioStation?name=x&streamUrl=file:///etc/passwd"),
        10
    );
    assert_eq!(server.error(ADMIN, "createInternetRadioStation?streamUrl=http://b.example/"), 10);
    server.ok(ADMIN, &format!("deleteInternetRadioStation?id={id}"));
    assert_eq!(server.error(ADMIN, &format!("deleteInternetRadioStation?id={id}")), 70);
}

#[test]
fn messages_are_kept_in_order_and_the_oldest_go() {
    let server = Server::open();
    server.ok(BEN, "addChatMessage?message=hello <all>");
    server.golden("annotation/chat", ADMIN, "getChatMessages");
    server
        .app
        .db
        .write(|db| (0..1_200).try_for_each(|time| kinglet::db::chat::add(db, 1, "x", time)))
        .unwrap();
    let count = |call: &str| {
        server.json(BEN, call)["chatMessages"]["chatMessage"].as_array().unwrap().len()
    };
    assert_eq!(count("getChatMessages"), 1_000);
    assert_eq!(count("getChatMessages?since=1198"), 1);
    assert_eq!(server.error(BEN, "addChatMessage?message= "), 10);
    assert_eq!(server.error(BEN, "addChatMessage"), 10);
}
