//! Users and shares: the calls, and the door for those with a link.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::io::Read as _;

use http_body_util::BodyExt;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    LOCATION,
};
use hyper::{Method, StatusCode};
use serde_json::Value;

use kinglet::account::{self, Change};
use kinglet::clock::now;
use kinglet::db::users::{self, Role};
use kinglet::http::request::Request;
use kinglet::id::Id;
use kinglet::route;
use support::{ADMIN, Answer, BASE, BEN, Server, ids, signed};

/// A file of the library, `so2`.
const PLAIN: &str = "music/Ürsula & the Band/Echoes \"Live\"/02 Plain.flac";

/// Makes a share and gives it.
#[track_caller]
fn share(server: &Server, user: &str, parameters: &str) -> Value {
    let made = server.ok(user, &format!("createShare?{parameters}"));
    let shares = made["shares"]["share"].as_array().unwrap();
    assert_eq!(shares.len(), 1);
    shares[0].clone()
}

/// The path of a share's page.
fn path(share: &Value) -> String {
    share["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned()
}

fn ask(
    server: &Server,
    method: Method,
    path: &str,
    header: (&'static str, &'static str),
) -> Answer {
    let mut request = Request::get(path);
    request.method = method;
    request.headers.insert(HeaderName::from_static(header.0), HeaderValue::from_static(header.1));
    server.answer(&request)
}

#[track_caller]
fn status(server: &Server, path: &str) -> u16 {
    server.get(path).status.as_u16()
}

/// The share of an id as `getShares` tells it.
fn listed(server: &Server, user: &str, share: &Value) -> Option<Value> {
    let all = server.ok(user, "getShares");
    let all = all["shares"]["share"].as_array().unwrap().clone();
    all.into_iter().find(|other| other["id"] == share["id"])
}

fn change(server: &Server, name: &str, change: &Change) {
    let user = server.app.db.read(|db| users::by_name(db, name)).unwrap().unwrap();
    account::change(&server.app, user.id, change).unwrap();
}

fn let_ben_share(server: &Server) {
    change(server, BEN, &Change { grant: Role::Share as i64, ..Change::default() });
}

fn write_plain(server: &Server) {
    let file = server.folder.path().join(PLAIN);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, "0123456789").unwrap();
}

#[test]
fn users_answer_as_recorded() {
    let server = Server::open();
    server.golden("users/getUser", ADMIN, "getUser?username=BEN");
    server.golden("users/getUsers", ADMIN, "getUsers");
    server.golden("users/taken", ADMIN, "createUser?username=Ben&password=x&email=x");
    server.golden("users/forbidden", BEN, "getUsers");
}

#[test]
fn a_new_user_has_the_rights_given_and_the_defaults() {
    let server = Server::open();
    server.ok(
        ADMIN,
        "createUser?username=cleo&password=enc:736573616d65&email=&shareRole=true&streamRole=false&musicFolderId=2",
    );
    let user = server.ok("cleo", "getUser?username=Cleo");
    let user = &user["user"];
    assert_eq!(user["folder"], serde_json::json!([2]));
    for (right, given) in [
        ("shareRole", true),
        ("settingsRole", true),
        ("scrobblingEnabled", true),
        ("streamRole", false),
        ("adminRole", false),
        ("downloadRole", false),
    ] {
        assert_eq!(user[right], given, "{right}");
    }
}

#[test]
fn bad_users_are_refused() {
    let server = Server::open();
    for (code, call) in [
        (10, "createUser?password=x&email=x"),
        (10, "createUser?username=x&email=x"),
        (10, "createUser?username=x&password=x"),
        (10, "createUser?username=&password=x&email=x"),
        (10, "createUser?username=a%0Ab&password=x&email=x"),
        (10, "createUser?username=x&password=&email=x"),
        (10, "createUser?username=x&password=enc:7&email=x"),
        (10, "createUser?username=x&password=x&email=x&ldapAuthenticated=true"),
        (70, "createUser?username=x&password=x&email=x&musicFolderId=9"),
        (10, "updateUser?username=ben&maxBitRate=100"),
        (70, "updateUser?username=nobody&shareRole=true"),
        (70, "deleteUser?username=nobody"),
        (70, "changePassword?username=nobody&password=x"),
        (70, "getUser?username=nobody"),
        (10, "getUser"),
        (0, "deleteUser?username=admin"),
        (0, "updateUser?username=admin&adminRole=false"),
    ] {
        assert_eq!(server.error(ADMIN, call), code, "{call}");
    }
    for call in [
        "getUser?username=admin",
        "getUser?username=nobody",
        "createUser?username=x&password=x&email=x",
        "updateUser?username=ben&adminRole=true",
        "deleteUser?username=ben",
        "changePassword?username=admin&password=x",
    ] {
        assert_eq!(server.error(BEN, call), 50, "{call}");
    }
}

#[test]
fn an_update_changes_what_is_given_and_nothing_else() {
    let server = Server::open();
    let before = server.ok(ADMIN, "getUser?username=ben");
    server.ok(ADMIN, "updateUser?username=ben");
    assert_eq!(server.ok(ADMIN, "getUser?username=ben"), before);
    server.ok(
        ADMIN,
        "updateUser?username=ben&maxBitRate=128&podcastRole=true&musicFolderId=1&musicFolderId=2",
    );
    let after = server.ok(BEN, "getUser?username=ben");
    assert_eq!(after["user"]["maxBitRate"], 128);
    assert_eq!(after["user"]["podcastRole"], true);
    assert_eq!(after["user"]["folder"], serde_json::json!([1, 2]));
    assert_eq!(after["user"]["email"], before["user"]["email"]);
}

#[test]
fn a_new_password_ends_api_keys_and_needs_the_settings_right() {
    let server = Server::open();
    let ben = server.app.db.read(|db| users::by_name(db, BEN)).unwrap().unwrap();
    let key = account::new_api_key(&server.app, &ben, "").unwrap();
    let ping = format!("/rest/ping?apiKey={key}");
    server.ok(BEN, "changePassword?username=Ben&password=sesame");
    assert!(server.get(&ping).text().contains("status=\"ok\""));
    server.ok(BEN, "changePassword?username=ben&password=another");
    assert!(server.get(&ping).text().contains("code=\"44\""));
    assert_eq!(server.error(BEN, "ping"), 40);
    change(
        &server,
        BEN,
        &Change { password: Some("sesame"), revoke: Role::Settings as i64, ..Change::default() },
    );
    assert_eq!(server.error(BEN, "changePassword?username=ben&password=x"), 50);
}

#[test]
fn shares_answer_as_recorded() {
    let server = Server::open();
    server.golden("sharing/getShares.none", ADMIN, "getShares");
    share(&server, ADMIN, "id=so2&id=al2&description=a <b> %26 c&expires=4102444800000");
    server.set_link("sh1", "abcdefgh12345678");
    server.golden("sharing/getShares", ADMIN, "getShares");
    server.ok(
        ADMIN,
        "updateShare?id=sh1&downloadable=false&live=false&embed=true&passphrase=sesame&maxPlays=9",
    );
    for (of, is_new) in [(2, true), (4, false), (2, true)] {
        server.app.visits.count_play(1, Id::Song(of), is_new);
    }
    server.app.visits.flush(&server.app.db).unwrap();
    server.app.visits.count_play(1, Id::Song(4), false);
    server.golden("sharing/getShares.options", ADMIN, "getShares");
    server.golden("sharing/transcoding", ADMIN, "createShare?id=so2&maxBitRate=128");
    server.golden("sharing/unknown", ADMIN, "createShare?id=so999");
    server.golden("sharing/forbidden", BEN, "createShare?id=so1");
}

#[test]
fn a_share_holds_any_mix_in_order() {
    let server = Server::open();
    let list = server.ok(ADMIN, "createPlaylist?name=Mine&songId=so5&songId=so2");
    let list = list["playlist"]["id"].as_str().unwrap();
    let album = server.ids(ADMIN, "getAlbum?id=al4", "album.song");
    let made = share(&server, ADMIN, &format!("id=so3&id=so1&id=al4&id={list}"));
    let mut expected = vec!["so3".to_owned(), "so1".to_owned()];
    expected.extend(album);
    expected.extend(["so5".to_owned(), "so2".to_owned()]);
    assert_eq!(ids(&made, "entry"), expected);
    for (thing, inside) in
        [("at1", "so1"), ("fo3", "so2"), ("fo1", "so2"), (list, "so5"), ("al1", "so2")]
    {
        let made = share(&server, ADMIN, &format!("id={thing}"));
        assert!(ids(&made, "entry").contains(&inside.to_owned()), "{thing}: {made}");
        assert_eq!(status(&server, &path(&made)), 200);
    }
}

#[test]
fn bad_shares_are_refused_and_nothing_is_made() {
    let server = Server::open();
    let_ben_share(&server);
    let hidden = server.ids(ADMIN, "getAlbum?id=al4", "album.song").remove(0);
    let list = server.ok(ADMIN, "createPlaylist?name=Mine&songId=so5");
    let list = list["playlist"]["id"].as_str().unwrap();
    for (code, call) in [
        (10, "createShare".to_owned()),
        (10, "createShare?id=so1&expires=1000".to_owned()),
        (10, "createShare?id=so1&expires=-1".to_owned()),
        (10, "createShare?id=so1&expires=soon".to_owned()),
        (10, format!("createShare?id=so1&description={}", "x".repeat(10_001))),
        (70, "createShare?id=so1&id=so999".to_owned()),
        (70, "createShare?id=sh1".to_owned()),
        (70, "createShare?id=al4".to_owned()),
        (70, format!("createShare?id={hidden}")),
        (70, format!("createShare?id={list}")),
        (70, "updateShare?id=sh99".to_owned()),
        (70, "deleteShare?id=so1".to_owned()),
        (10, "deleteShare".to_owned()),
    ] {
        assert_eq!(server.error(BEN, &call), code, "{call}");
    }
    assert_eq!(server.ok(BEN, "getShares")["shares"]["share"], serde_json::json!([]));
}

#[test]
fn an_update_keeps_what_is_not_given() {
    let server = Server::open();
    let made = share(&server, ADMIN, "id=so1&description=hello&expires=4102444800000");
    let id = made["id"].as_str().unwrap();
    let told = || listed(&server, ADMIN, &made).unwrap();
    server.ok(ADMIN, &format!("updateShare?id={id}&description=changed"));
    assert_eq!((&told()["description"], &told()["expires"]), (&"changed".into(), &made["expires"]));
    server.ok(ADMIN, &format!("updateShare?id={id}&expires=0"));
    assert_eq!((&told()["description"], told().get("expires")), (&"changed".into(), None));
    server.ok(ADMIN, &format!("updateShare?id={id}&description="));
    assert_eq!(told().get("description"), None);
    assert_eq!(server.error(ADMIN, &format!("updateShare?id={id}&expires=1000")), 10);
}

#[test]
fn others_shares_are_seen_and_changed_by_administrators_alone() {
    let server = Server::open();
    let_ben_share(&server);
    let (mine, his) = (share(&server, ADMIN, "id=so1"), share(&server, BEN, "id=so1"));
    assert!(listed(&server, BEN, &mine).is_none());
    assert!(listed(&server, ADMIN, &his).is_some());
    let id = |share: &Value| share["id"].as_str().unwrap().to_owned();
    for call in ["updateShare", "deleteShare"] {
        assert_eq!(server.error(BEN, &format!("{call}?id={}", id(&mine))), 50);
    }
    server.ok(ADMIN, &format!("deleteShare?id={}", id(&his)));
    assert_eq!(status(&server, &path(&his)), 404);
}

#[test]
fn the_page_is_whole_and_guarded() {
    let server = Server::open();
    let page = path(&share(&server, ADMIN, "id=al1&description=for <you>"));
    let answer = server.get(&page);
    assert_eq!(answer.status, StatusCode::OK);
    for part in ["Echoes &quot;Live&quot;", "for &lt;you&gt;", "/so2.flac", "/playlist.m3u8"] {
        assert!(answer.text().contains(part), "{part}\n{}", answer.text());
    }
    for (name, value) in [
        ("vary", "accept-language"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.ends_with("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    let asset = kinglet::share::assets::url("share.js");
    assert_eq!(status(&server, &format!("/share/{asset}")), 200);
    let slash = server.get(&format!("{page}/"));
    assert_eq!(slash.status, StatusCode::PERMANENT_REDIRECT);
    let token = page.rsplit('/').next().unwrap();
    assert_eq!(slash.headers[LOCATION], format!("../{token}").as_str());
    let mut post = Request::get(&format!("{page}/playlist.m3u8"));
    post.method = Method::POST;
    assert_eq!(server.answer(&post).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_song_is_sent_in_parts_too() {
    let server = Server::open();
    write_plain(&server);
    let page = path(&share(&server, ADMIN, "id=al1"));
    let song = format!("{page}/so2.flac");
    let whole = server.get(&song);
    assert_eq!((whole.status, whole.text()), (StatusCode::OK, "0123456789"));
    assert_eq!(whole.headers[CONTENT_TYPE], "audio/flac");
    assert_eq!(whole.headers[CACHE_CONTROL], "public, max-age=60");
    assert!(whole.headers.contains_key(ETAG));
    let part = ask(&server, Method::GET, &song, ("range", "bytes=2-4"));
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "234"));
    assert_eq!(part.headers[CONTENT_RANGE], "bytes 2-4/10");
    let head = ask(&server, Method::HEAD, &song, ("accept", "*/*"));
    assert_eq!((head.status, head.text()), (StatusCode::OK, ""));
    assert_eq!(head.headers[CONTENT_LENGTH], "10");
}

/// How many bytes of the song `so2` come at a time, to a listener of the share and to a user.
fn pieces(variables: &[(&str, &str)]) -> [usize; 2] {
    let server = Server::with(variables);
    write_plain(&server);
    fs::write(server.folder.path().join(PLAIN), vec![7; 50_000]).unwrap();
    let page = path(&share(&server, ADMIN, "id=so2"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    [format!("{page}/so2.flac"), signed(ADMIN, "stream?id=so2")].map(|path| {
        let response = route::dispatch(&server.app, &Request::get(&path).into()).finish();
        assert_eq!(response.status(), StatusCode::OK);
        let frame = runtime.block_on(response.into_body().frame()).unwrap().unwrap();
        frame.into_data().unwrap().len()
    })
}

#[test]
fn a_cap_makes_the_pieces_short_of_those_it_is_for() {
    let [streams, shares] = [("KINGLET_STREAM_RATE", "32KiB"), ("KINGLET_SHARE_RATE", "128KiB")];
    assert_eq!(pieces(&[]), [50_000, 50_000]);
    assert_eq!(pieces(&[streams]), [8_192, 8_192]);
    assert_eq!(pieces(&[shares]), [4_096, 50_000]);
    assert_eq!(pieces(&[streams, shares]), [4_096, 8_192]);
}

#[test]
fn what_a_share_does_not_hold_is_not_found() {
    let server = Server::open();
    write_plain(&server);
    let page = path(&share(&server, ADMIN, "id=so2"));
    assert_eq!(status(&server, &format!("{page}/so2.flac")), 200);
    for rest in [
        "/so2.mp3",
        "/so2",
        "/so2.flac/",
        "/so02.flac",
        "/so1.flac",
        "/so999.flac",
        "/al1.flac",
        "/../so2.flac",
        "/%2e%2e/kinglet.db",
        "/so2.flac/download",
        "x",
    ] {
        assert_eq!(status(&server, &format!("{page}{rest}")), 404, "{rest}");
    }
    for path in [
        "/share/",
        "/share/nosuchtoken12345",
        "/share//so2.flac",
        "/share/assets/none.js",
        "/share/%27",
    ] {
        assert_eq!(status(&server, path), 404, "{path}");
    }
    // A song whose file is gone from the disk.
    let page = self::path(&share(&server, ADMIN, "id=so3"));
    assert_eq!(status(&server, &format!("{page}/so3.mp3")), 404);
}

#[test]
fn every_kind_of_thing_opens_its_songs() {
    let server = Server::open();
    write_plain(&server);
    let list = server.ok(ADMIN, "createPlaylist?name=Mine&songId=so5&songId=so2");
    let list = list["playlist"]["id"].as_str().unwrap();
    for thing in ["so2", "al1", "at1", "fo4", "fo3", "fo1", list] {
        let page = path(&share(&server, ADMIN, &format!("id={thing}")));
        assert_eq!(status(&server, &format!("{page}/so2.flac")), 200, "{thing}");
    }
    for thing in ["so3", "al2", "at3", "fo5", "fo2"] {
        let page = path(&share(&server, ADMIN, &format!("id={thing}")));
        assert_eq!(status(&server, &format!("{page}/so2.flac")), 404, "{thing}");
    }
    // What is taken out of the playlist is out of the share.
    let page = path(&share(&server, ADMIN, &format!("id={list}")));
    server.ok(ADMIN, &format!("updatePlaylist?playlistId={list}&songIndexToRemove=1"));
    assert_eq!(status(&server, &format!("{page}/so2.flac")), 404);
    assert!(!server.get(&page).text().contains("so2.flac"));
}

#[test]
fn the_playlist_has_whole_addresses() {
    let server = Server::open();
    let page = path(&share(&server, ADMIN, "id=al1"));
    let answer = server.get(&format!("{page}/playlist.m3u8"));
    assert_eq!(answer.headers[CONTENT_TYPE], "audio/x-mpegurl; charset=utf-8");
    let text = answer.text();
    assert!(text.starts_with("#EXTM3U\n#PLAYLIST:Echoes \"Live\"\n#EXTALB:Echoes "), "{text}");
    assert!(
        text.contains(&format!("#EXTINF:200,Ürsula & the Band - Plain\n{BASE}{page}/so2.flac\n")),
        "{text}"
    );
    assert_eq!(server.get(&format!("{page}.m3u8")).text(), text);
    assert_eq!(status(&server, "/share/none.m3u8"), 404);
}

/// All addresses of a share of `al1`.
fn addresses(page: &str) -> [String; 4] {
    [
        page.to_owned(),
        format!("{page}/so2.flac"),
        format!("{page}/playlist.m3u8"),
        format!("{page}/"),
    ]
}

#[test]
fn one_word_ends_all_of_a_share() {
    let server = Server::open();
    write_plain(&server);
    let_ben_share(&server);
    let (one, two) = (share(&server, ADMIN, "id=al1"), share(&server, BEN, "id=al1"));
    server.ok(ADMIN, &format!("deleteShare?id={}", one["id"].as_str().unwrap()));
    for address in addresses(&path(&one)) {
        assert_eq!(status(&server, &address), 404, "{address}");
    }
    // Without the right to share a link is closed, with the user it is gone.
    change(&server, BEN, &Change { revoke: Role::Share as i64, ..Change::default() });
    for address in addresses(&path(&two)) {
        assert_eq!(status(&server, &address), 410, "{address}");
    }
    let_ben_share(&server);
    assert_eq!(status(&server, &path(&two)), 200);
    server.ok(ADMIN, "deleteUser?username=ben");
    for address in addresses(&path(&two)) {
        assert_eq!(status(&server, &address), 404, "{address}");
    }
}

#[test]
fn an_ended_share_says_so() {
    let server = Server::open();
    write_plain(&server);
    let made = share(&server, ADMIN, &format!("id=al1&expires={}", now() + 30_000));
    let page = path(&made);
    // What ends within the minute for which caches keep songs is not kept.
    let song = server.get(&format!("{page}/so2.flac"));
    assert_eq!(song.headers[CACHE_CONTROL], "private, no-cache");
    server.app.db.write(|db| db.execute("UPDATE share SET expires = 1000", [])).unwrap();
    for address in addresses(&page) {
        assert_eq!(status(&server, &address), 410, "{address}");
    }
    assert!(server.get(&page).text().contains("This link has ended"));
    assert_eq!(listed(&server, ADMIN, &made).unwrap()["visitCount"], 0);
}

#[test]
fn a_share_shows_what_its_owner_sees_now() {
    let server = Server::open();
    write_plain(&server);
    let_ben_share(&server);
    let made = share(&server, BEN, "id=al1&id=at1");
    let page = path(&made);
    assert_eq!(status(&server, &format!("{page}/so2.flac")), 200);
    change(&server, BEN, &Change { music_folders: Some(1 << 2), ..Change::default() });
    assert_eq!(status(&server, &format!("{page}/so2.flac")), 404);
    let answer = server.get(&page);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.text().contains("Plain"));
    assert_eq!(listed(&server, BEN, &made).unwrap()["entry"], serde_json::json!([]));
    // An administrator sees no more through it than the owner.
    assert_eq!(listed(&server, ADMIN, &made).unwrap()["entry"], serde_json::json!([]));
}

#[test]
fn people_who_open_the_page_are_counted() {
    let server = Server::open();
    write_plain(&server);
    let made = share(&server, ADMIN, "id=al1");
    let page = path(&made);
    let told = || listed(&server, ADMIN, &made).unwrap();
    server.get(&format!("{page}/so2.flac"));
    server.get(&format!("{page}/playlist.m3u8"));
    server.get(&format!("{page}/"));
    ask(&server, Method::HEAD, &page, ("accept", "*/*"));
    for header in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("user-agent", "facebookexternalhit/1.1"),
        ("user-agent", "WhatsApp/2.23"),
    ] {
        assert_eq!(ask(&server, Method::GET, &page, header).status, StatusCode::OK);
    }
    assert_eq!((&told()["visitCount"], told().get("lastVisited")), (&0.into(), None));
    server.get(&page);
    assert_eq!(told()["visitCount"], 1);
    let last = told()["lastVisited"].clone();
    assert!(last.is_string());
    server.app.visits.flush(&server.app.db).unwrap();
    assert_eq!((&told()["visitCount"], &told()["lastVisited"]), (&1.into(), &last));
    server.get(&page);
    assert_eq!(told()["visitCount"], 2);
}

#[test]
fn a_head_of_the_page_tells_its_length() {
    let server = Server::open();
    let page = path(&share(&server, ADMIN, "id=al1"));
    let head = ask(&server, Method::HEAD, &page, ("accept", "*/*"));
    assert_eq!((head.status, head.text()), (StatusCode::OK, ""));
    let length = server.get(&page).body.len().to_string();
    assert_eq!(head.headers[CONTENT_LENGTH], length.as_str());
}

#[test]
fn pages_speak_the_language_of_the_visitor_and_are_packed_for_those_who_take_it() {
    let server = Server::open();
    let page = path(&share(&server, ADMIN, "id=al1"));
    for (language, lang) in
        [("de-CH, en;q=0.5", "de"), ("ar", "ar"), ("nl, ja;q=0.1", "ja"), ("nl", "en")]
    {
        let answer = ask(&server, Method::GET, &page, ("accept-language", language));
        assert!(answer.text().contains(&format!("<html lang=\"{lang}\" dir=")), "{language}");
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["accept-language", "accept-encoding"]);
    }
    let lost = ask(&server, Method::GET, "/share/nosuchtoken12345", ("accept-language", "fr"));
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(lost.text().contains("Ce lien ne mène nulle part"), "{}", lost.text());

    let plain = server.get(&page);
    let packed = ask(&server, Method::GET, &page, ("accept-encoding", "gzip, br"));
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.body.len() * 2 < plain.body.len());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked == plain.text());
    let head = ask(&server, Method::HEAD, &page, ("accept-encoding", "gzip"));
    assert_eq!(head.headers[CONTENT_LENGTH], packed.body.len().to_string().as_str());
}

#[test]
fn the_player_for_other_sites_is_there_where_the_share_lets_it() {
    let server = Server::open();
    let made = share(&server, ADMIN, "id=al1");
    let page = path(&made);
    let set = |embed: bool| {
        server.app.db.write(|db| db.execute("UPDATE share SET embed = ?1", [embed])).unwrap();
        server.get(&format!("{page}/embed"))
    };
    let shown = set(true);
    assert_eq!(shown.status, StatusCode::OK);
    let policy = shown.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors *"), "{policy}");
    let token = page.rsplit('/').next().unwrap();
    assert!(shown.text().contains(&format!("src=\"../{token}/so2.flac\"")), "{}", shown.text());
    let hidden = set(false);
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let policy = hidden.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    server.ok(ADMIN, &format!("deleteShare?id={}", made["id"].as_str().unwrap()));
    assert_eq!(status(&server, &format!("{page}/embed")), 404);
}

#[test]
fn the_words_of_a_song_come_for_the_player_and_for_people() {
    let server = Server::open();
    let page = path(&share(&server, ADMIN, "id=so2"));
    server
        .app
        .db
        .write(|db| {
            db.execute("DELETE FROM lyrics", [])?;
            let sql =
                "INSERT INTO lyrics (song_id, position, language, text) VALUES (?1, ?2, '', ?3)";
            db.execute(sql, (2, 0, "Plain words"))?;
            db.execute(sql, (2, 1, "[00:01.50]Timed <words>"))?;
            db.execute(sql, (3, 0, "Not shared"))
        })
        .unwrap();
    let json = server.get(&format!("{page}/so2.lyrics.json"));
    assert_eq!(json.headers[CONTENT_TYPE], "application/json");
    assert_eq!(json.headers[CACHE_CONTROL], "private, no-cache");
    assert_eq!(json.text(), r#"{"synced":true,"lines":[[1500,"Timed <words>"]]}"#);
    let people = server.get(&format!("{page}/so2.lyrics"));
    assert!(people.text().contains("Timed &lt;words&gt;</p>"), "{}", people.text());
    let token = page.rsplit('/').next().unwrap();
    assert!(server.get(&page).text().contains(&format!("href=\"{token}/so2.lyrics\"")));
    for other in ["so3.lyrics.json", "so1.lyrics", "so999.lyrics.json", "al1.lyrics"] {
        assert_eq!(status(&server, &format!("{page}/{other}")), 404, "{other}");
    }
    server.app.db.write(|db| db.execute("UPDATE share SET expires = 1000", [])).unwrap();
    assert_eq!(status(&server, &format!("{page}/so2.lyrics.json")), 410);
}
