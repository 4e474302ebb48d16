//! What the maker of a share may choose: a passphrase, a limit of plays, live or frozen; and how it
//! is counted, limited and ended.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER, SET_COOKIE, VARY,
    WWW_AUTHENTICATE,
};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use kinglet::account::{self, Change};
use kinglet::db::Db;
use kinglet::db::shares::{self, Defaults};
use kinglet::db::users::{self, Role};
use kinglet::http::body::Body;
use kinglet::http::request::Request;
use kinglet::route;
use support::{ADMIN, Answer, BEN, Server, form, ids, page_of, request};

/// Files of the library: `so2`, and `so4` to `so6` of the album `al2`.
const PLAIN: &str = "music/Ürsula & the Band/Echoes \"Live\"/02 Plain.flac";
const MORNING: &str = "music/Ürsula & the Band/Two Discs/1-01 Morning.mp3";
const NOON: &str = "music/Ürsula & the Band/Two Discs/1-02 Noon.mp3";

#[track_caller]
fn update(server: &Server, share: &Value, parameters: &str) {
    let id = share["id"].as_str().unwrap();
    server.ok(ADMIN, &format!("updateShare?id={id}&{parameters}"));
}

fn write(server: &Server, sql: &str) {
    server.app.db.write(|db| db.execute_batch(sql)).unwrap();
}

fn get(server: &Server, path: &str, from: u8) -> Answer {
    server.answer(&request(path, from, &[]))
}

fn status(server: &Server, path: &str, from: u8) -> u16 {
    get(server, path, from).status.as_u16()
}

/// The cookie that an answer sets, as a browser sends it back.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let field = answer.headers[SET_COOKIE].to_str().unwrap();
    field.split(';').next().unwrap().to_owned()
}

// Options on the wire.

#[test]
fn options_are_told_and_an_update_changes_what_is_given() {
    let server = Server::open();
    let made =
        server.share(ADMIN, "id=so2&downloadable=false&embed=true&maxPlays=7&passphrase=x y");
    let told = || server.told(ADMIN, &made).unwrap();
    let options = |share: &Value| {
        ["downloadable", "live", "embed", "passphraseRequired", "maxPlays"]
            .map(|name| share[name].clone())
    };
    let expected = [json!(false), json!(true), json!(true), json!(true), json!(7)];
    assert_eq!((options(&made), options(&told())), (expected.clone(), expected.clone()));
    assert!(!made.to_string().contains("x y") && !made.to_string().contains("argon2"));
    update(&server, &made, "description=another");
    assert_eq!(options(&told()), expected);
    update(&server, &made, "downloadable=true&maxPlays=0&passphrase=&embed=0&live=false");
    let expected = [json!(true), json!(false), json!(false), json!(false), Value::Null];
    assert_eq!(options(&told()), expected);
    assert_eq!(told()["description"], "another");
}

#[test]
fn bad_options_are_refused_by_their_names() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=so2");
    let id = made["id"].as_str().unwrap();
    for (name, value) in [
        ("maxBitRate", "128"),
        ("format", "mp3"),
        ("maxPlays", "-1"),
        ("maxPlays", "many"),
        ("maxPlays", "99999999999"),
        ("downloadable", "perhaps"),
        ("live", "2"),
        ("embed", "x"),
        ("passphrase", &"x".repeat(257)),
        ("passphrase", "a%0Ab"),
    ] {
        for call in ["createShare?id=so2".to_owned(), format!("updateShare?id={id}")] {
            let answer = server.json(ADMIN, &format!("{call}&{name}={value}"));
            assert_eq!(answer["error"]["code"], 10, "{call} {name}={value}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(&format!("'{name}'")), "{message}");
        }
    }
    assert_eq!(server.ok(ADMIN, "getShares")["shares"]["share"].as_array().unwrap().len(), 1);
    server.share(ADMIN, "id=so2&maxBitRate=0&format=raw&maxPlays=");
}

#[test]
fn what_is_not_said_is_as_the_user_has_it_else_the_server() {
    let server = Server::with(&[("KINGLET_SHARE_LIVE", "no"), ("KINGLET_SHARE_EXPIRY", "7d")]);
    let days = |share: &Value| {
        let row = server.app.db.read(|db| shares::by_id(db, id_of(share))).unwrap().unwrap();
        row.expires.map(|end| (end - row.created) / 86_400_000)
    };
    let made = server.share(ADMIN, "id=so2");
    assert_eq!(
        (&made["live"], &made["downloadable"], &made["embed"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(days(&made), Some(7));
    let chosen = Defaults {
        downloadable: Some(false),
        live: Some(true),
        embed: Some(true),
        expiry: Some(86_400_000),
    };
    server.app.db.write(|db| shares::set_defaults(db, 1, &chosen)).unwrap();
    let made = server.share(ADMIN, "id=so2");
    assert_eq!(
        (&made["live"], &made["downloadable"], &made["embed"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(days(&made), Some(1));
    // What is said wins, and 0 is never.
    let made = server.share(ADMIN, "id=so2&downloadable=true&live=false&embed=false&expires=0");
    assert_eq!(
        (&made["live"], &made["downloadable"], &made["embed"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(days(&made), None);
    let never = Defaults { expiry: Some(0), ..Defaults::default() };
    server.app.db.write(|db| shares::set_defaults(db, 1, &never)).unwrap();
    assert_eq!(days(&server.share(ADMIN, "id=so2")), None);
}

fn id_of(share: &Value) -> i64 {
    share["id"].as_str().unwrap().strip_prefix("sh").unwrap().parse().unwrap()
}

#[test]
fn downloads_need_the_switch_the_role_and_plays_without_a_limit() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=so2");
    let page = page_of(&made);
    let offers = || get(&server, &page, 1).text().contains("/get/so2.");
    assert!(offers());
    update(&server, &made, "downloadable=false");
    assert!(!offers());
    update(&server, &made, "downloadable=true&maxPlays=5");
    assert!(!offers());
    update(&server, &made, "maxPlays=0");
    assert!(offers());
    let change = Change { revoke: Role::Download as i64, ..Change::default() };
    account::change(&server.app, 1, &change).unwrap();
    assert!(!offers());
}

// Passphrases.

#[test]
fn a_passphrase_opens_a_share_by_a_form_without_javascript() {
    let server = Server::open();
    server.write_song(PLAIN, 100);
    let page = page_of(&server.share(ADMIN, "id=so2&passphrase=Sesam öffne dich"));
    let locked = get(&server, &page, 1);
    assert_eq!(locked.status, StatusCode::UNAUTHORIZED);
    assert!(!locked.text().contains("Plain"), "{}", locked.text());
    assert!(locked.text().contains("<form method=\"post\""));
    let policy = locked.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"));
    // A browser shows the form and no window of its own.
    assert!(locked.headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Passphrase "));

    let wrong = server.answer(&form(&page, 1, "passphrase=sesam"));
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(!wrong.headers.contains_key(SET_COOKIE));
    let entered = server.answer(&form(&page, 1, "passphrase=Sesam öffne dich"));
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_eq!(entered.headers[LOCATION], page.rsplit('/').next().unwrap());
    let field = entered.headers[SET_COOKIE].to_str().unwrap().to_owned();
    for part in [&format!("Path={page};"), "HttpOnly", "SameSite=Lax", "Max-Age="] {
        assert!(field.contains(part), "{field}");
    }
    assert!(!field.contains("Secure"));

    let cookie = cookie(&entered);
    for path in [page.clone(), format!("{page}/so2.flac"), format!("{page}/playlist.m3u8")] {
        assert_eq!(status(&server, &path, 1), 401, "{path}");
        let opened = server.answer(&request(&path, 1, &[("cookie", &cookie)]));
        assert_eq!(opened.status, StatusCode::OK, "{path}");
        assert!(opened.headers[CACHE_CONTROL].to_str().unwrap().starts_with("private"));
    }
    let song = server.answer(&request(&format!("{page}/so2.flac"), 1, &[("cookie", &cookie)]));
    assert_eq!(song.headers[VARY], "Cookie, Authorization");
    // A cookie among others, and one that is damaged.
    let among = format!("a=b; {cookie}; kinglet_share=x");
    assert_eq!(server.answer(&request(&page, 1, &[("cookie", &among)])).status, StatusCode::OK);
    let damaged = format!("{}00", &cookie[..cookie.len() - 2]);
    let damaged = server.answer(&request(&page, 1, &[("cookie", &damaged)]));
    assert_eq!(damaged.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_cookie_opens_its_share_alone_and_no_longer_than_its_passphrase() {
    let server = Server::open();
    let one = server.share(ADMIN, "id=so2&passphrase=one");
    let two = server.share(ADMIN, "id=so2&passphrase=one");
    let cookie = cookie(&server.answer(&form(&page_of(&one), 1, "passphrase=one")));
    let opened = |share: &Value| {
        server.answer(&request(&page_of(share), 1, &[("cookie", &cookie)])).status.as_u16()
    };
    assert_eq!((opened(&one), opened(&two)), (200, 401));
    // The same words anew lock those out, too, who had them before.
    update(&server, &one, "passphrase=one");
    assert_eq!(opened(&one), 401);
    update(&server, &one, "passphrase=");
    assert_eq!(opened(&one), 200);
}

#[test]
fn a_passphrase_locks_links_that_were_sent_already() {
    let server = Server::open();
    server.write_song(PLAIN, 100);
    let made = server.share(ADMIN, "id=so2");
    let song = format!("{}/so2.flac", page_of(&made));
    assert_eq!(get(&server, &song, 1).headers[CACHE_CONTROL], "public, max-age=60");
    update(&server, &made, "passphrase=later");
    assert_eq!(status(&server, &song, 1), 401);
    // Without one a form leads to the page.
    update(&server, &made, "passphrase=");
    let entered = server.answer(&form(&page_of(&made), 1, "passphrase=later"));
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert!(!entered.headers.contains_key(SET_COOKIE));
}

#[test]
fn players_and_podcast_apps_bring_the_passphrase_by_http_basic() {
    let server = Server::open();
    let page = page_of(&server.share(ADMIN, "id=so2&passphrase=sesame"));
    let list = format!("{page}/playlist.m3u8");
    let asked = get(&server, &list, 1);
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(asked.headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic realm="));
    // The parts of a page do not make a browser ask by a window.
    let part = server.answer(&request(&list, 1, &[("sec-fetch-dest", "audio")]));
    assert!(part.headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Passphrase "));
    let with = |credentials: &str| {
        let mut asked = request(&list, 1, &[]);
        asked.headers.insert(AUTHORIZATION, credentials.parse().unwrap());
        server.answer(&asked).status.as_u16()
    };
    // vlc:sesame, :sesame, vlc:wrong
    assert_eq!(with("Basic dmxjOnNlc2FtZQ=="), 200);
    assert_eq!(with("Basic OnNlc2FtZQ=="), 200);
    assert_eq!(with("Basic dmxjOndyb25n"), 401);
    assert_eq!(with("Bearer dmxjOnNlc2FtZQ=="), 401);
}

#[test]
fn wrong_passphrases_are_limited_and_cookies_are_not() {
    let server = Server::open();
    let page = page_of(&server.share(ADMIN, "id=so2&passphrase=sesame"));
    let cookie = cookie(&server.answer(&form(&page, 1, "passphrase=sesame")));
    let try_it =
        |from, words: &str| server.answer(&form(&page, from, &format!("passphrase={words}")));
    for _ in 0..10 {
        assert_eq!(try_it(1, "wrong").status, StatusCode::UNAUTHORIZED);
    }
    let refused = try_it(1, "wrong again");
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers[RETRY_AFTER], "600");
    assert_eq!(try_it(2, "sesame").status, StatusCode::SEE_OTHER);
    let opened = server.answer(&request(&page, 1, &[("cookie", &cookie)]));
    assert_eq!(opened.status, StatusCode::OK);
}

#[test]
fn behind_https_the_cookie_is_secure_and_lies_below_the_base_path() {
    let server = Server::at(Some("https://music.example/kinglet"), &[]);
    let made = server.share(ADMIN, "id=so2&passphrase=sesame&embed=true");
    let token = made["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let entered = server.answer(&form(&format!("/share/{token}"), 1, "passphrase=sesame"));
    let field = entered.headers[SET_COOKIE].to_str().unwrap();
    assert!(field.contains(&format!("Path=/kinglet/share/{token};")), "{field}");
    assert!(field.ends_with("HttpOnly; Secure; SameSite=Lax"), "{field}");
    // Within another site a cookie is kept for that place alone.
    let embedded = server.answer(&form(&format!("/share/{token}/embed"), 1, "passphrase=sesame"));
    assert_eq!(embedded.headers[LOCATION], "embed");
    let field = embedded.headers[SET_COOKIE].to_str().unwrap();
    assert!(field.ends_with("Secure; SameSite=None; Partitioned"), "{field}");
    let wrong = server.answer(&form(&format!("/share/{token}/embed"), 1, "passphrase=x"));
    let policy = wrong.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("frame-ancestors *"), "{policy}");
}

// Limits of plays.

#[test]
fn a_share_with_one_play_is_over_for_all_but_who_hears_it() {
    let server = Server::open();
    server.write_song(MORNING, 1000);
    server.write_song(NOON, 1000);
    let made = server.share(ADMIN, "id=al2&maxPlays=1");
    let page = page_of(&made);
    let (morning, noon) = (format!("{page}/so4.mp3"), format!("{page}/so5.mp3"));
    // To look, to probe and to ask for the head is no play.
    for method in [Method::HEAD, Method::GET] {
        let mut probe = request(&morning, 1, &[("range", "bytes=0-1")]);
        probe.method = method;
        assert_eq!(server.answer(&probe).status, StatusCode::PARTIAL_CONTENT);
    }
    assert_eq!(status(&server, &page, 2), 200);
    // Robots are neither counted nor served.
    let robot = request(&morning, 9, &[("user-agent", "WhatsApp/2")]);
    assert_eq!(server.answer(&robot).status, StatusCode::FORBIDDEN);
    let song = get(&server, &morning, 1);
    assert_eq!(song.status, StatusCode::OK);
    assert_eq!(song.headers[CACHE_CONTROL], "private, no-cache");
    assert_eq!(server.told(ADMIN, &made).unwrap()["playCount"], 1);
    // The listener goes on with the song, with no other one; for the rest it is over.
    let rest = request(&morning, 1, &[("range", "bytes=500-")]);
    assert_eq!(server.answer(&rest).status, StatusCode::PARTIAL_CONTENT);
    let mut head = request(&morning, 1, &[]);
    head.method = Method::HEAD;
    assert_eq!(server.answer(&head).status, StatusCode::OK);
    for (path, from) in [(&noon, 1), (&morning, 2), (&page, 1), (&page, 2)] {
        assert_eq!(status(&server, path, from), 410, "{path} {from}");
    }
    let over = get(&server, &morning, 2);
    assert_eq!(over.text(), "This share was played as often as it may be.\n");
    head.peer = std::net::Ipv4Addr::new(192, 0, 2, 2).into();
    assert_eq!(server.answer(&head).status, StatusCode::GONE);
    assert_eq!(server.told(ADMIN, &made).unwrap()["playCount"], 1);
    update(&server, &made, "maxPlays=2");
    assert_eq!(status(&server, &page, 2), 200);
}

#[test]
fn of_many_listeners_at_once_one_gets_the_only_play() {
    let server = Server::open();
    server.write_song(PLAIN, 1000);
    let made = server.share(ADMIN, "id=so2&maxPlays=1");
    let song = format!("{}/so2.flac", page_of(&made));
    let barrier = std::sync::Barrier::new(12);
    let (server, song, barrier) = (&server, song.as_str(), &barrier);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |from| {
            scope.spawn(move || {
                barrier.wait();
                status(server, song, from)
            })
        };
        let listeners: Vec<_> = (1..=12).map(ask).collect();
        listeners.into_iter().map(|listener| listener.join().unwrap()).collect()
    });
    let count = |of: &[u16]| statuses.iter().filter(|status| of.contains(status)).count();
    assert_eq!((count(&[200]), count(&[503, 410])), (1, 11), "{statuses:?}");
    assert_eq!(server.told(ADMIN, &made).unwrap()["playCount"], 1);
}

#[test]
fn a_used_up_share_stays_so_after_a_restart() {
    let server = Server::open();
    server.write_song(PLAIN, 1000);
    let page = page_of(&server.share(ADMIN, "id=so2&maxPlays=1"));
    assert_eq!(status(&server, &format!("{page}/so2.flac"), 1), 200);
    server.app.visits.flush(&server.app.db).unwrap();
    let app = kinglet::app::App::open(server.app.config.clone()).unwrap();
    let again = route::dispatch(&app, &Request::get(&page).into()).finish();
    assert_eq!(again.status(), StatusCode::GONE);
}

#[test]
fn plays_are_counted_per_song_and_written_together() {
    let server = Server::open();
    server.write_song(MORNING, 1000);
    server.write_song(NOON, 1000);
    let made = server.share(ADMIN, "id=al2");
    let page = page_of(&made);
    for (song, from, range) in [
        ("so4.mp3", 1, "bytes=0-"),
        // A restart, a probe and a glance.
        ("so4.mp3", 1, "bytes=300-"),
        ("so5.mp3", 1, "bytes=0-1"),
        ("so5.mp3", 2, "bytes=0-98"),
        ("so4.mp3", 3, "bytes=0-99"),
    ] {
        let answer = server.answer(&request(&format!("{page}/{song}"), from, &[("range", range)]));
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    }
    let robot = request(&format!("{page}/so5.mp3"), 4, &[("user-agent", "Googlebot/2.1")]);
    assert_eq!(server.answer(&robot).status, StatusCode::OK);
    let told = || {
        let share = server.told(ADMIN, &made).unwrap();
        [&share["playCount"], &share["listenerCount"], &share["play"]].map(Value::clone)
    };
    let expected = [json!(2), json!(2), json!([{"id": "so4", "playCount": 2}])];
    assert_eq!(told(), expected);
    server.app.visits.flush(&server.app.db).unwrap();
    assert_eq!(told(), expected);
    let row = server.app.db.read(|db| shares::by_id(db, id_of(&made))).unwrap().unwrap();
    assert_eq!((row.play_count, row.listener_count), (2, 2));
}

// Live and frozen.

#[test]
fn a_frozen_share_keeps_its_songs_and_its_name() {
    let server = Server::open();
    let list = server.ok(ADMIN, "createPlaylist?name=Mine&songId=so5&songId=so2&songId=so5");
    let list = list["playlist"]["id"].as_str().unwrap().to_owned();
    let frozen = server.share(ADMIN, &format!("id={list}&live=false"));
    let live = server.share(ADMIN, &format!("id={list}"));
    assert_eq!(ids(&frozen, "entry"), ["so5", "so2", "so5"]);
    server.ok(
        ADMIN,
        &format!("updatePlaylist?playlistId={list}&songIdToAdd=so7&songIndexToRemove=1&name=Other"),
    );
    let told = |share: &Value| ids(&server.told(ADMIN, share).unwrap(), "entry");
    assert_eq!(told(&frozen), ["so5", "so2", "so5"]);
    assert_eq!(told(&live), ["so5", "so5", "so7"]);
    let text = |share: &Value| get(&server, &page_of(share), 1).text().to_owned();
    assert!(text(&frozen).contains("Mine") && !text(&frozen).contains("Other"));
    assert!(text(&live).contains("Other"));
    let so7 = |share: &Value| status(&server, &format!("{}/al3-600.jpg", page_of(share)), 1);
    assert_eq!((so7(&frozen), so7(&live)), (404, 404));
    // To freeze a frozen one again changes nothing; to let it live again makes it follow.
    update(&server, &frozen, "live=false");
    assert_eq!(told(&frozen), ["so5", "so2", "so5"]);
    server.ok(ADMIN, &format!("deletePlaylist?id={list}"));
    assert_eq!(told(&frozen), ["so5", "so2", "so5"]);
    assert_eq!(told(&live), [""; 0]);
    update(&server, &frozen, "live=true");
    assert_eq!(told(&frozen), [""; 0]);
}

#[test]
fn what_comes_into_an_album_or_folder_is_in_live_shares_alone() {
    let server = Server::open();
    server.write_song(NOON, 10);
    write(
        &server,
        "UPDATE song SET missing = 1 WHERE id = 5; UPDATE song SET album_id = 3, folder_id = 7, track = 9 WHERE id = 5",
    );
    for of in ["al2", "fo5"] {
        let (live, frozen) = (
            server.share(ADMIN, &format!("id={of}")),
            server.share(ADMIN, &format!("id={of}&live=false")),
        );
        write(&server, "UPDATE song SET missing = NULL, album_id = 2, folder_id = 5 WHERE id = 5");
        let told = |share: &Value| ids(&server.told(ADMIN, share).unwrap(), "entry");
        assert!(told(&live).contains(&"so5".to_owned()), "{of}");
        assert!(!told(&frozen).contains(&"so5".to_owned()), "{of}");
        let song = |share: &Value| status(&server, &format!("{}/so5.mp3", page_of(share)), 1);
        assert_eq!((song(&live), song(&frozen)), (200, 404), "{of}");
        write(&server, "UPDATE song SET missing = 1, album_id = 3, folder_id = 7 WHERE id = 5");
    }
}

// Missing songs.

#[test]
fn a_song_that_is_gone_is_missing_and_comes_back_by_itself() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    for parameters in ["id=so2&id=so4", "id=so2&id=so4&live=false"] {
        let made = server.share(ADMIN, parameters);
        let row = || server.app.db.read(|db| shares::by_id(db, id_of(&made))).unwrap().unwrap();
        let held = || {
            server.app.db.read(|db| {
                let (row, entries) = (row(), shares::entries(db, &row())?);
                shares::held(db, &row, &entries, 0)
            })
        };
        let song = format!("{}/so2.flac", page_of(&made));
        assert_eq!(status(&server, &song, 1), 200);
        write(&server, "UPDATE song SET missing = 1 WHERE id = 2");
        let gone = held().unwrap();
        assert_eq!(gone.songs.iter().map(|song| song.id).collect::<Vec<_>>(), [4]);
        let missing = &gone.missing[0];
        assert_eq!((missing.place, missing.title.as_str()), (0, "Plain"));
        assert_eq!(missing.artist, "Ürsula & the Band");
        assert_eq!(status(&server, &song, 1), 404);
        assert_eq!(ids(&server.told(ADMIN, &made).unwrap(), "entry"), ["so4"]);
        write(&server, "UPDATE song SET missing = 1 WHERE id = 4");
        let gone = held().unwrap();
        assert_eq!((gone.songs.len(), gone.missing.len()), (0, 2));
        assert_eq!(status(&server, &page_of(&made), 1), 200);
        write(&server, "UPDATE song SET missing = NULL WHERE id IN (2, 4)");
        assert_eq!((held().unwrap().songs.len(), status(&server, &song, 1)), (2, 200));
    }
}

#[test]
fn a_song_that_was_replaced_is_not_missing() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=al2");
    let missing = || {
        server
            .app
            .db
            .read(|db| {
                let row = shares::by_id(db, id_of(&made))?.unwrap();
                let held = shares::held(db, &row, &shares::entries(db, &row)?, 0)?;
                Ok::<_, rusqlite::Error>(
                    held.missing
                        .into_iter()
                        .map(|song| (song.place, song.title))
                        .collect::<Vec<_>>(),
                )
            })
            .unwrap()
    };
    assert_eq!(missing(), [(3, "Gone".to_owned())]);
    // The same title in another format, or another title at its place.
    write(&server, "UPDATE song SET title_key = 'gone' WHERE id = 6");
    assert!(missing().is_empty());
    write(&server, "UPDATE song SET title_key = 'night', track = 2, disc = 2 WHERE id = 6");
    assert!(missing().is_empty());
}

// Ends.

/// Reads from a body that is being sent, until it ends or breaks off.
async fn read(body: &mut Body, most: usize) -> (usize, bool) {
    let mut bytes = 0;
    while bytes < most {
        match body.frame().await {
            None => return (bytes, true),
            Some(Ok(frame)) => bytes += frame.into_data().unwrap().len(),
            Some(Err(_)) => return (bytes, false),
        }
    }
    (bytes, true)
}

#[test]
fn what_is_being_sent_ends_with_its_share_at_the_next_window() {
    const LENGTH: usize = 4 << 20;
    type End = fn(&Server, &Value);
    let ends: [(&str, End); 5] = [
        ("deleted", |server, share| {
            server.ok(ADMIN, &format!("deleteShare?id={}", share["id"].as_str().unwrap()));
        }),
        ("ended", |server, _| write(server, "UPDATE share SET expires = 1000")),
        ("locked", |server, share| update(server, share, "passphrase=sesame")),
        ("without right", |server, _| {
            let change = Change { revoke: Role::Share as i64, ..Change::default() };
            account::change(&server.app, 1, &change).unwrap();
        }),
        ("without user", |server, _| {
            let ben = server.app.db.read(|db| users::by_name(db, BEN)).unwrap().unwrap();
            let change = Change { grant: Role::Admin as i64, ..Change::default() };
            account::change(&server.app, ben.id, &change).unwrap();
            account::remove(&server.app, 1).unwrap();
        }),
    ];
    for (how, end) in ends {
        let server = Server::open();
        server.write_song(PLAIN, LENGTH);
        let made = server.share(ADMIN, "id=so2");
        let song = request(&format!("{}/so2.flac", page_of(&made)), 1, &[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut body = route::dispatch(&server.app, &song.into()).finish().into_body();
        assert!(runtime.block_on(read(&mut body, 600_000)).1);
        // Another write does not end it.
        server.ok(ADMIN, "star?id=so2");
        assert!(runtime.block_on(read(&mut body, 600_000)).1);
        end(&server, &made);
        let (bytes, is_whole) = runtime.block_on(read(&mut body, LENGTH));
        assert!(!is_whole && bytes == 0, "{how}: {bytes}");
    }
}

#[test]
fn what_another_process_ends_is_ended_within_a_second() {
    let server = Server::open();
    server.write_song(PLAIN, 4 << 20);
    let made = server.share(ADMIN, "id=so2");
    let song = request(&format!("{}/so2.flac", page_of(&made)), 1, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut body = route::dispatch(&server.app, &song.into()).finish().into_body();
    assert!(runtime.block_on(read(&mut body, 300_000)).1);
    let other = Db::open(&server.app.config.data.join("kinglet.db")).unwrap();
    other.write(|db| shares::delete(db, id_of(&made))).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert!(!runtime.block_on(read(&mut body, 4 << 20)).1);
    assert_eq!(status(&server, &page_of(&made), 1), 404);
}

#[test]
fn one_revoke_ends_every_way_to_a_share() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    let made = server.share(ADMIN, "id=so2&embed=true");
    let page = page_of(&made);
    let ways = ["", "/", "/so2.flac", "/al1-600.jpg", "/playlist.m3u8", ".m3u8", "/embed"];
    server.ok(ADMIN, &format!("deleteShare?id={}", made["id"].as_str().unwrap()));
    for way in ways {
        assert_eq!(status(&server, &format!("{page}{way}"), 1), 404, "{way}");
    }
}

// Strangers.

#[test]
fn what_never_was_is_answered_alike() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=so2");
    let removed = page_of(&made);
    server.ok(ADMIN, &format!("deleteShare?id={}", made["id"].as_str().unwrap()));
    for way in ["", "/so2.flac", "/so2", "/al1-600.jpg", "/playlist.m3u8", "/nothing"] {
        let answers: Vec<_> =
            [removed.as_str(), "/share/0123456789abcdef", "/share/x", "/share/%2e%2e"]
                .map(|share| get(&server, &format!("{share}{way}"), 1))
                .into();
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            assert_eq!((&answer.headers, &answer.body), (&answers[0].headers, &answers[0].body));
            assert_eq!(answer.headers["x-robots-tag"], "noindex");
            assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        }
    }
}

#[test]
fn who_tries_links_is_told_nothing_for_a_while() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    let page = page_of(&server.share(ADMIN, "id=so2"));
    for number in 0..30 {
        assert_eq!(status(&server, &format!("/share/{number}"), 1), 404);
        // What a share does not hold is no miss of a link.
        assert_eq!(status(&server, &format!("{page}/so{number}.ogg"), 2), 404);
    }
    for path in ["/share/31", &page, &format!("{page}/so2.flac"), &format!("{page}/playlist.m3u8")]
    {
        let refused = get(&server, path, 1);
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(refused.headers[RETRY_AFTER], "60");
        assert_eq!(status(&server, path, 2), if path == "/share/31" { 404 } else { 200 }, "{path}");
    }
}

#[test]
fn behind_a_trusted_proxy_misses_count_by_client() {
    let server = Server::with(&[("KINGLET_TRUSTED_PROXIES", "192.0.2.200")]);
    let page = page_of(&server.share(ADMIN, "id=so2"));
    let from = |client: &str, path: &str| {
        server.answer(&request(path, 200, &[("x-forwarded-for", client)])).status.as_u16()
    };
    for _ in 0..30 {
        assert_eq!(from("198.51.100.7", "/share/x"), 404);
    }
    assert_eq!(from("198.51.100.7", &page), 429);
    assert_eq!(from("198.51.100.8", &page), 200);
}

#[test]
fn a_share_shows_no_path_and_no_folder_of_others() {
    let server = Server::open();
    let change = Change { grant: Role::Share as i64, ..Change::default() };
    let ben = server.app.db.read(|db| users::by_name(db, BEN)).unwrap().unwrap();
    account::change(&server.app, ben.id, &change).unwrap();
    server.write_song("kids/夜/夜.m4a", 10);
    // A playlist of everybody's with a song that its sharer may not see.
    let list = server.ok(ADMIN, "createPlaylist?name=All&songId=so9&songId=so2");
    let list = list["playlist"]["id"].as_str().unwrap().to_owned();
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={list}&public=true"));
    for live in ["true", "false"] {
        let made = server.share(BEN, &format!("id={list}&live={live}"));
        let page = page_of(&made);
        assert_eq!(ids(&made, "entry"), ["so2"]);
        assert_eq!(status(&server, &format!("{page}/so9.m4a"), 1), 404);
        for way in ["", "/playlist.m3u8"] {
            let answer = get(&server, &format!("{page}{way}"), 1);
            for hidden in
                ["夜", "Ürsula & the Band/", "02 Plain", server.folder.path().to_str().unwrap()]
            {
                assert!(!answer.text().contains(hidden), "{hidden} {way}");
            }
        }
    }
}
