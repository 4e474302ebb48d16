//! What the clients people use do with shares, and what broke them elsewhere: a test for each.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use hyper::StatusCode;
use hyper::header::CONTENT_RANGE;
use serde_json::{Value, json};

use kinglet::clock::now;
use kinglet::http::request::Request;
use support::{ADMIN, BASE, Server, ids, page_of, request, signed};

const PLAIN: &str = "music/Ürsula & the Band/Echoes \"Live\"/02 Plain.flac";

/// Days until a share ends.
fn days(share: &Value) -> Option<i64> {
    let date = share["expires"].as_str()?;
    Some((milliseconds(date) - now() + 60_000) / 86_400_000)
}

/// A date as strict parsers read it: `yyyy-MM-dd'T'HH:mm:ss` and what may follow.
#[track_caller]
fn milliseconds(date: &str) -> i64 {
    let (form, rest) = ("dddd-dd-ddTdd:dd:dd", date.get(19..).unwrap());
    for (letter, form) in date.chars().zip(form.chars()) {
        assert!(if form == 'd' { letter.is_ascii_digit() } else { letter == form }, "{date}");
    }
    assert!(rest.ends_with('Z') && rest.len() <= 5, "{date}");
    let number = |from: usize, to: usize| date.get(from..to).unwrap().parse::<i64>().unwrap();
    let days = (0..200_000)
        .find(|days| kinglet::clock::civil(*days) == (number(0, 4), number(5, 7), number(8, 10)))
        .unwrap();
    (days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)) * 1000
}

#[test]
fn dsub_rewrites_every_link_to_the_server_and_its_last_segment() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    let made = server.share(ADMIN, "id=so2");
    let url = made["url"].as_str().unwrap();
    assert!(!url.contains(['?', '#']), "{url}");
    // What it makes of `<any address>/x/y/<token>?query`.
    let token = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let rewritten = format!("{BASE}/share/{token}");
    assert_eq!(rewritten, url);
    assert_eq!(server.get(&format!("/share/{token}")).status, StatusCode::OK);
    // The whole capability is one segment of letters and digits, 95 bits of them.
    assert!(token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
}

#[test]
fn dsub_reads_dates_to_the_second() {
    let server = Server::open();
    let end = now() + 86_400_000;
    let made = server.share(ADMIN, &format!("id=so2&expires={end}"));
    server.get(&page_of(&made));
    let told = server.told(ADMIN, &made).unwrap();
    assert_eq!(milliseconds(told["expires"].as_str().unwrap()), end / 1000 * 1000);
    for name in ["created", "lastVisited"] {
        let moment = milliseconds(told[name].as_str().unwrap());
        assert!((now() - moment).abs() < 60_000, "{name}");
    }
}

#[test]
fn dsub_and_substreamer_send_several_ids() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=so5&id=al1&id=so2");
    assert_eq!(ids(&made, "entry"), ["so5", "so1", "so2", "so3", "so2"]);
    // Supersonic sends long lists as a form.
    let many: String = (0..500).map(|_| "&id=so2").collect();
    let answer = server.post(ADMIN, &format!("createShare.view?f=json{many}"));
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let share = &document["subsonic-response"]["shares"]["share"][0];
    assert_eq!(share["entry"].as_array().unwrap().len(), 500);
}

#[test]
fn go_subsonic_takes_the_first_of_exactly_one_share() {
    let server = Server::open();
    server.share(ADMIN, "id=so1");
    // An answer holds the share that was made, not those before it.
    let answer = server.call(ADMIN, "createShare?id=so2");
    assert_eq!(answer.text().matches("<share ").count(), 1);
    assert!(answer.text().contains("<share id=\"sh2\""), "{}", answer.text());
    let document = server.ok(ADMIN, "createShare?id=so2");
    assert_eq!(document["shares"]["share"].as_array().unwrap().len(), 1);
}

#[test]
fn strict_parsers_get_lists_as_lists_and_numbers_as_numbers() {
    let server = Server::open();
    let none = server.ok(ADMIN, "getShares");
    assert_eq!(none["shares"], json!({"share": []}));
    let made = server.share(ADMIN, "id=so2&maxPlays=1000000000");
    for list in ["entry", "play"] {
        assert!(made[list].is_array(), "{list}");
    }
    for number in ["visitCount", "playCount", "listenerCount", "maxPlays"] {
        assert!(made[number].as_i64().unwrap() <= i64::from(i32::MAX), "{number}");
    }
    assert!(made["id"].is_string() && made["url"].is_string() && made["username"].is_string());
}

#[test]
fn tempus_asks_the_public_address_and_gets_links_to_it() {
    let ask = |server: &Server, headers: &[(&'static str, &str)]| {
        let call = signed(ADMIN, "createShare?id=so2&f=json");
        let answer = server.answer(&request(&call, 7, headers));
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        let url = &document["subsonic-response"]["shares"]["share"][0]["url"];
        url.as_str().unwrap().rsplit_once("/share/").unwrap().0.to_owned()
    };
    let forwarded = [
        ("host", "127.0.0.1:4040"),
        ("x-forwarded-host", "music.example.org"),
        ("x-forwarded-proto", "https"),
    ];
    let plain = Server::at(None, &[]);
    assert_eq!(ask(&plain, &[("host", "music.example.org:8443")]), "http://music.example.org:8443");
    // Headers of a proxy count from those that are trusted.
    assert_eq!(ask(&plain, &forwarded), "http://127.0.0.1:4040");
    let behind = Server::at(None, &[("KINGLET_TRUSTED_PROXIES", "192.0.2.7")]);
    assert_eq!(ask(&behind, &forwarded), "https://music.example.org");
    // A public address that is set wins, with its path.
    let set = Server::at(Some("https://a.example/kinglet/"), &[]);
    assert_eq!(ask(&set, &forwarded), "https://a.example/kinglet");
}

#[test]
fn substreamer_sends_nothing_for_never_and_presets_as_moments() {
    let server = Server::open();
    assert_eq!(days(&server.share(ADMIN, "id=so2")), Some(365));
    for preset in [1, 7, 30, 90, 365] {
        let end = now() + preset * 86_400_000;
        assert_eq!(days(&server.share(ADMIN, &format!("id=so2&expires={end}"))), Some(preset));
    }
    // Whose users want never has it as the default of the server, or sends 0.
    let server = Server::with(&[("KINGLET_SHARE_EXPIRY", "never")]);
    assert_eq!(days(&server.share(ADMIN, "id=so2")), None);
    assert_eq!(days(&Server::open().share(ADMIN, "id=so2&expires=0")), None);
}

#[test]
fn no_client_knows_the_options_and_none_wipes_them() {
    let server = Server::open();
    let made = server.share(
        ADMIN,
        "id=so2&description=hello&downloadable=false&embed=true&maxPlays=3&live=false",
    );
    let id = made["id"].as_str().unwrap();
    // Clients send the description, or the end, or both; others wipe what they leave out.
    for sent in ["description=other", "expires=4102444800000", "expires=0&description=hello"] {
        server.ok(ADMIN, &format!("updateShare?id={id}&{sent}"));
        let told = server.told(ADMIN, &made).unwrap();
        for option in ["downloadable", "embed", "maxPlays", "live", "passphraseRequired", "entry"] {
            assert_eq!(told[option], made[option], "{sent} {option}");
        }
    }
}

#[test]
fn a_link_that_was_sent_can_be_prolonged() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    let made = server.share(ADMIN, &format!("id=so2&expires={}", now() + 60_000));
    let (page, id) = (page_of(&made), made["id"].as_str().unwrap());
    server.app.db.write(|db| db.execute("UPDATE share SET expires = 1000", [])).unwrap();
    assert_eq!(server.get(&page).status, StatusCode::GONE);
    server.ok(ADMIN, &format!("updateShare?id={id}&expires={}", now() + 86_400_000));
    for path in [page.clone(), format!("{page}/so2.flac")] {
        assert_eq!(server.get(&path).status, StatusCode::OK, "{path}");
    }
}

#[test]
fn facebook_adds_parameters_to_links() {
    let server = Server::open();
    server.write_song(PLAIN, 10);
    let page = page_of(&server.share(ADMIN, "id=so2"));
    for way in ["", "/so2.flac", "/playlist.m3u8"] {
        for query in ["?fbclid=IwAR0x", "?utm_source=a&utm_medium=b", "?", "?id=so1&passphrase=x"] {
            let answer = server.get(&format!("{page}{way}{query}"));
            assert_eq!(answer.status, StatusCode::OK, "{way}{query}");
        }
    }
}

#[test]
fn ios_asks_for_two_bytes_first_and_that_is_no_play() {
    let server = Server::open();
    server.write_song(PLAIN, 1000);
    let made = server.share(ADMIN, "id=so2&maxPlays=1");
    let song = format!("{}/so2.flac", page_of(&made));
    let probe = server.answer(&request(&song, 1, &[("range", "bytes=0-1")]));
    assert_eq!(probe.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(probe.headers[CONTENT_RANGE], "bytes 0-1/1000");
    assert_eq!(server.told(ADMIN, &made).unwrap()["playCount"], 0);
    // Then it plays, though there is but one play.
    let rest = server.answer(&request(&song, 1, &[("range", "bytes=0-999")]));
    assert_eq!((rest.status, rest.body.len()), (StatusCode::PARTIAL_CONTENT, 1000));
    assert_eq!(server.told(ADMIN, &made).unwrap()["playCount"], 1);
}

#[test]
fn to_see_the_page_of_a_share_with_one_play_leaves_the_play() {
    let server = Server::open();
    server.write_song(PLAIN, 1000);
    let page = page_of(&server.share(ADMIN, "id=so2&maxPlays=1"));
    for _ in 0..3 {
        assert_eq!(server.get(&page).status, StatusCode::OK);
    }
    assert_eq!(server.get(&format!("{page}/so2.flac")).status, StatusCode::OK);
}

#[test]
fn a_share_whose_songs_are_all_gone_is_still_a_page() {
    let server = Server::open();
    let page = page_of(&server.share(ADMIN, "id=al1"));
    server.app.db.write(|db| db.execute("UPDATE song SET missing = 1", [])).unwrap();
    let answer = server.get(&page);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().contains("<h1") && !answer.text().contains("<audio"));
}

#[test]
fn several_songs_share_those_and_not_the_album_of_the_first() {
    let server = Server::open();
    server.write_song("music/Ürsula & the Band/Echoes \"Live\"/03 Rain.mp3", 10);
    let made = server.share(ADMIN, "id=so1&id=so2");
    assert_eq!(ids(&made, "entry"), ["so1", "so2"]);
    let other = server.get(&format!("{}/so3.mp3", page_of(&made)));
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[test]
fn pictures_end_with_their_share() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=al1");
    let cover = format!("{}/al1-600.jpg", page_of(&made));
    let album = server.folder.path().join("music/Ürsula & the Band/Echoes \"Live\"");
    std::fs::create_dir_all(&album).unwrap();
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
    picture.save(album.join("cover.jpg")).unwrap();
    assert_eq!(server.get(&cover).status, StatusCode::OK);
    server.ok(ADMIN, &format!("deleteShare?id={}", made["id"].as_str().unwrap()));
    assert_eq!(server.get(&cover).status, StatusCode::NOT_FOUND);
}

#[test]
fn programs_that_make_previews_are_no_visits() {
    let server = Server::open();
    let made = server.share(ADMIN, "id=so2");
    for robot in ["facebookexternalhit/1.1", "TelegramBot (like TwitterBot)", "WhatsApp/2.23"] {
        server.answer(&request(&page_of(&made), 1, &[("user-agent", robot)]));
    }
    server.get(&format!("{}/playlist.m3u8", page_of(&made)));
    assert_eq!(server.told(ADMIN, &made).unwrap()["visitCount"], 0);
}

#[test]
fn the_extension_tells_of_the_options_without_a_login() {
    let server = Server::open();
    let answer =
        server.answer(&Request::get("/rest/getOpenSubsonicExtensions?f=json&c=x&v=1.16.1"));
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let offered = document["subsonic-response"]["openSubsonicExtensions"].as_array().unwrap();
    assert!(offered.contains(&json!({"name": "kingletShare", "versions": [1]})));
}
