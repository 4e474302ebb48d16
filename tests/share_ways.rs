//! Other ways into a share than its page: lists, feeds, JSON, archive, card, code, oEmbed, previews.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::process::Command;

use hyper::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use hyper::{Method, StatusCode};
use serde_json::Value;

use kinglet::http::request::Request;
use support::{ADMIN, Answer, BASE, Server, compare};

/// The files of the album `al1`: `so1`, `so2`, `so3`, and its picture.
const ALBUM: &str = "music/Ürsula & the Band/Echoes \"Live\"";
const FILES: [&str; 3] = ["01 Über & \"Out\".flac", "02 Plain.flac", "03 Rain.mp3"];
/// The word of the share in golden files.
const TOKEN: &str = "abcdefgh12345678";
/// When it was made in golden files.
const CREATED: i64 = 1_600_000_000_000;
/// When it ends there.
const ENDS: i64 = 4_102_444_800_000;

/// A server with a share of these things, and its path.
fn shared(parameters: &str) -> (Server, String) {
    let server = Server::open();
    let folder = server.folder.path().join(ALBUM);
    fs::create_dir_all(&folder).unwrap();
    for (name, length) in FILES.iter().zip([300_000, 70_000, 10]) {
        let bytes: Vec<u8> = (0..length).map(|at: u32| (at * 7 % 251).to_le_bytes()[0]).collect();
        fs::write(folder.join(name), bytes).unwrap();
    }
    let pictures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/pictures");
    fs::copy(pictures.join("baseline.jpg"), folder.join("cover.jpg")).unwrap();
    let made = server.ok(ADMIN, &format!("createShare?{parameters}"));
    let url = made["shares"]["share"][0]["url"].as_str().unwrap();
    let path = url.strip_prefix(BASE).unwrap().to_owned();
    (server, path)
}

fn set(server: &Server, column: &str, value: i64) {
    let sql = format!("UPDATE share SET {column} = ?1");
    server.app.db.write(|db| db.execute(&sql, [value])).unwrap();
}

fn ask(server: &Server, method: Method, path: &str, fields: &[(HeaderName, &str)]) -> Answer {
    let mut request = Request::get(path);
    request.method = method;
    for (name, value) in fields {
        request.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    server.answer(&request)
}

/// A document with the parts that differ from run to run replaced.
fn stable(server: &Server, path: &str, document: &str) -> String {
    set(server, "created", CREATED);
    set(server, "expires", ENDS);
    let token = path.rsplit('/').next().unwrap();
    let answer = server.get(&format!("{path}/{document}"));
    assert_eq!(answer.status, StatusCode::OK, "{document}");
    answer.text().replace(token, TOKEN)
}

#[test]
fn documents_are_as_recorded() {
    let (server, path) = shared("id=al1&id=so7&description=for <you> %26 me");
    set(&server, "embed", 1);
    for document in ["playlist.m3u8", "playlist.jspf", "feed.rss", "share.json"] {
        let text =
            stable(&server, &path, document).replace("},{", "},\n{").replace("\",\"", "\",\n\"");
        compare(&format!("share/ways/{document}"), &text);
    }
    let page = server.get(&path);
    let token = path.rsplit('/').next().unwrap();
    let tags: Vec<_> = page
        .text()
        .lines()
        .filter(|line| {
            ["<meta property", "<meta name=\"twitter", "<link rel=\"alternate"]
                .iter()
                .any(|tag| line.starts_with(tag))
        })
        .collect();
    compare("share/ways/preview.html", &tags.join("\n").replace(token, TOKEN));
}

#[test]
fn documents_have_tags_heads_and_may_be_read_by_other_sites() {
    let (server, path) = shared("id=al1");
    for (document, kind) in [
        ("playlist.m3u8", "audio/x-mpegurl; charset=utf-8"),
        ("playlist.jspf", "application/jspf+json"),
        ("feed.rss", "application/rss+xml; charset=utf-8"),
        ("share.json", "application/json"),
        ("qr.svg", "image/svg+xml"),
    ] {
        let address = format!("{path}/{document}");
        let answer = server.get(&address);
        assert_eq!(
            (answer.status, &answer.headers[CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static(kind))
        );
        assert_eq!(answer.headers[CACHE_CONTROL], "private, no-cache");
        assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let tag = answer.headers[ETAG].to_str().unwrap();
        let known = ask(&server, Method::GET, &address, &[(IF_NONE_MATCH, tag)]);
        assert_eq!((known.status, known.text()), (StatusCode::NOT_MODIFIED, ""), "{document}");
        let head = ask(&server, Method::HEAD, &address, &[]);
        assert_eq!(head.headers[CONTENT_LENGTH], answer.body.len().to_string().as_str());
        assert_eq!((&head.headers[ETAG], head.text()), (&answer.headers[ETAG], ""));
        // What a share shows is what it holds now.
        set(&server, "description", 7);
    }
    for address in ["", "/"] {
        let page = server.get(&format!("{path}{address}"));
        assert!(!page.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
    for file in ["so2.flac", "al1-600.jpg", "card.jpg"] {
        let answer = server.get(&format!("{path}/{file}"));
        assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{file}");
    }
}

#[test]
fn every_address_of_the_json_leads_somewhere() {
    let (server, path) = shared("id=so1&id=so2");
    let document: Value =
        serde_json::from_str(server.get(&format!("{path}/share.json")).text()).unwrap();
    let mut followed = 0;
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                if let Some(address) = text.strip_prefix(BASE) {
                    assert_eq!(server.get(address).status, StatusCode::OK, "{address}");
                    followed += 1;
                }
            }
            Value::Array(values) => open.extend(values),
            Value::Object(values) => open.extend(values.values()),
            _ => {}
        }
    }
    // Nine of the share (without a player for other sites), four of each song.
    assert_eq!(followed, 9 + 2 * 4);
}

#[test]
fn the_archive_holds_all_files_and_goes_on_where_it_was() {
    let (server, path) = shared("id=al1");
    let address = format!("{path}/tracks.zip");
    let head = ask(&server, Method::HEAD, &address, &[]);
    let whole = server.get(&address);
    assert_eq!(whole.headers[CONTENT_TYPE], "application/zip");
    assert_eq!(whole.headers[CONTENT_LENGTH], whole.body.len().to_string().as_str());
    assert_eq!(head.headers[CONTENT_LENGTH], whole.headers[CONTENT_LENGTH]);
    assert_eq!(head.headers[ETAG], whole.headers[ETAG]);
    assert_eq!(whole.headers[ACCEPT_RANGES], "bytes");
    assert_eq!(whole.headers[CACHE_CONTROL], "private, no-cache");
    assert_eq!(whole.headers[CONTENT_DISPOSITION], "attachment; filename=\"Echoes 'Live'.zip\"");

    let middle = whole.body.len() / 2;
    let tag = whole.headers[ETAG].to_str().unwrap();
    let range = format!("bytes={middle}-");
    let rest = ask(&server, Method::GET, &address, &[(RANGE, &range), (IF_RANGE, tag)]);
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(
        rest.headers[CONTENT_RANGE],
        format!("bytes {middle}-{}/{}", whole.body.len() - 1, whole.body.len()).as_str()
    );
    assert!(rest.body == whole.body[middle..]);

    let zip = server.folder.path().join("all.zip");
    fs::write(&zip, &whole.body).unwrap();
    let out = server.folder.path().join("out");
    match Command::new("unzip").arg("-q").arg(&zip).arg("-d").arg(&out).output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        // Where it is not installed, the tests of the archive itself have to do.
        Err(_) => return,
    }
    let mut names: Vec<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "01 - Über & 'Out' (Again).flac",
            "02 - Plain.flac",
            "03 - Rain.mp3",
            "Echoes 'Live'.m3u8",
            "cover.jpg"
        ]
    );
    let original = server.folder.path().join(ALBUM);
    assert_eq!(
        fs::read(out.join("02 - Plain.flac")).unwrap(),
        fs::read(original.join(FILES[1])).unwrap()
    );
    assert_eq!(
        fs::read(out.join("cover.jpg")).unwrap(),
        fs::read(original.join("cover.jpg")).unwrap()
    );
    let list = fs::read_to_string(out.join("Echoes 'Live'.m3u8")).unwrap();
    assert!(list.contains("#EXTINF:200,Ürsula & the Band - Plain\n02 - Plain.flac\n"), "{list}");
}

#[test]
fn what_is_gone_from_the_disk_is_left_out_of_the_archive() {
    let (server, path) = shared("id=al1&id=so4");
    let address = format!("{path}/tracks.zip");
    let before = server.get(&address);
    fs::remove_file(server.folder.path().join(ALBUM).join(FILES[0])).unwrap();
    let after = server.get(&address);
    assert!(before.body.len() - after.body.len() > 300_000);
    assert_ne!(before.headers[ETAG], after.headers[ETAG]);
    // One that was begun before is not gone on with.
    let tag = before.headers[ETAG].to_str().unwrap();
    let again = ask(&server, Method::GET, &address, &[(RANGE, "bytes=5-"), (IF_RANGE, tag)]);
    assert_eq!(again.status, StatusCode::OK);
    fs::remove_dir_all(server.folder.path().join(ALBUM)).unwrap();
    assert_eq!(server.get(&address).status, StatusCode::NOT_FOUND);
}

#[test]
fn archives_take_places_like_songs() {
    let (server, path) = shared("id=al1");
    let id = server
        .app
        .db
        .read(|db| db.query_row("SELECT id FROM share", [], |row| row.get(0)))
        .unwrap();
    let places: Vec<_> = (0..server.app.config.streams_per_share)
        .map(|_| server.app.share_streams.take(id).unwrap())
        .collect();
    let full = server.get(&format!("{path}/tracks.zip"));
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(places);
    let turns: Vec<_> = std::iter::from_fn(|| server.app.archives.take(())).collect();
    assert_eq!(turns.len(), kinglet::media::zip::MOST_AT_A_TIME);
    assert_eq!(server.get(&format!("{path}/tracks.zip")).status, StatusCode::SERVICE_UNAVAILABLE);
    drop(turns);
    assert_eq!(server.get(&format!("{path}/tracks.zip")).status, StatusCode::OK);
    assert!(server.app.share_streams.take(id).is_some());
    // All places were given back with the last byte.
    let turns: Vec<_> = std::iter::from_fn(|| server.app.archives.take(())).collect();
    assert_eq!(turns.len(), kinglet::media::zip::MOST_AT_A_TIME);
}

#[test]
fn one_file_can_be_kept_under_its_name() {
    let (server, path) = shared("id=al1");
    let kept = server.get(&format!("{path}/get/so1.flac"));
    assert_eq!((kept.status, kept.body.len()), (StatusCode::OK, 300_000));
    assert_eq!(
        kept.headers[CONTENT_DISPOSITION],
        "attachment; filename=\"01 - _ber & 'Out' (Again).flac\"; filename*=UTF-8''01%20-%20%C3%9Cber%20&%20%27Out%27%20%28Again%29.flac"
    );
    let part = ask(&server, Method::GET, &format!("{path}/get/so1.flac"), &[(RANGE, "bytes=5-9")]);
    assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 5));
    assert!(!server.get(&format!("{path}/so1.flac")).headers.contains_key(CONTENT_DISPOSITION));
    for name in ["so1.mp3", "so4.mp3", "so1", "al1.flac", "", "so1.flac/x"] {
        assert_eq!(
            server.get(&format!("{path}/get/{name}")).status,
            StatusCode::NOT_FOUND,
            "{name}"
        );
    }
}

#[test]
fn what_may_not_be_kept_still_plays() {
    let (server, path) = shared("id=al1");
    let status = |rest: &str| server.get(&format!("{path}/{rest}")).status.as_u16();
    set(&server, "downloadable", 0);
    for kept in ["tracks.zip", "get/so2.flac"] {
        assert_eq!(status(kept), 404, "{kept}");
    }
    for played in [
        "so2.flac",
        "playlist.m3u8",
        "playlist.jspf",
        "feed.rss",
        "share.json",
        "card.jpg",
        "qr.svg",
    ] {
        assert_eq!(status(played), 200, "{played}");
    }
    let json: Value =
        serde_json::from_slice(&server.get(&format!("{path}/share.json")).body).unwrap();
    assert_eq!(json["downloadable"], false);
    assert_eq!(json.get("archive"), None);
    assert_eq!(json["tracks"][0].get("download"), None);
    // Nor where the owner may not keep files.
    set(&server, "downloadable", 1);
    assert_eq!(status("tracks.zip"), 200);
    let sql =
        format!("UPDATE user SET roles = roles & ~{}", kinglet::db::users::Role::Download as i64);
    server.app.db.write(|db| db.execute(&sql, [])).unwrap();
    assert_eq!(status("tracks.zip"), 404);
}

#[test]
fn what_is_locked_or_counted_is_for_one_listener() {
    let (server, path) = shared("id=al1&passphrase=sesame");
    for way in ["feed.rss", "share.json", "card.jpg", "tracks.zip", "get/so2.flac"] {
        let address = format!("{path}/{way}");
        assert_eq!(server.get(&address).status, StatusCode::UNAUTHORIZED, "{way}");
        let answer = ask(&server, Method::GET, &address, &[(AUTHORIZATION, "Basic eDpzZXNhbWU=")]);
        assert_eq!(answer.status, StatusCode::OK, "{way}");
        assert_eq!(answer.headers["vary"], "Cookie, Authorization", "{way}");
        assert_eq!(answer.headers[CACHE_CONTROL], "private, no-cache", "{way}");
    }
    // A kept file plays as often as one likes, so where plays are counted nothing can be kept.
    let (server, path) = shared("id=al1&maxPlays=3");
    assert_eq!(server.get(&format!("{path}/tracks.zip")).status, StatusCode::NOT_FOUND);
    let json: Value =
        serde_json::from_slice(&server.get(&format!("{path}/share.json")).body).unwrap();
    assert_eq!((json.get("archive"), &json["downloadable"]), (None, &false.into()));
    assert_eq!(server.get(&format!("{path}/get/so2.flac")).status, StatusCode::NOT_FOUND);
    assert!(!server.get(&path).text().contains("tracks.zip"));
}

#[test]
fn an_archive_ends_with_its_share() {
    let (server, path) = shared("id=al1");
    let song = server.folder.path().join(ALBUM).join(FILES[0]);
    fs::write(song, vec![7; 3_000_000]).unwrap();
    let request = Request::get(&format!("{path}/tracks.zip"));
    let mut body = kinglet::route::dispatch(&server.app, &request.into()).finish().into_body();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut sent = 0;
    let mut next = || -> Option<Result<usize, std::io::Error>> {
        let frame = runtime.block_on(http_body_util::BodyExt::frame(&mut body))?;
        Some(frame.map(|frame| frame.into_data().unwrap().len()))
    };
    while sent < 1_000_000 {
        sent += next().unwrap().unwrap();
    }
    server.app.db.write(|db| db.execute("DELETE FROM share", [])).unwrap();
    let mut more = 0;
    let end = loop {
        match next() {
            Some(Ok(bytes)) => more += bytes,
            other => break other,
        }
    };
    assert!(end.is_some_and(|end| end.is_err()));
    assert!(more <= 2 * 256 * 1024, "{more} bytes after the end");
}

#[test]
fn the_end_of_a_share_ends_every_way_in() {
    let (server, path) = shared("id=al1");
    set(&server, "embed", 1);
    let token = path.rsplit('/').next().unwrap();
    let oembed = format!("/share/oembed?url={BASE}{path}");
    let ways = [
        "playlist.m3u8",
        "playlist.jspf",
        "feed.rss",
        "share.json",
        "qr.svg",
        "card.jpg",
        "tracks.zip",
        "get/so2.flac",
    ];
    let statuses = || -> Vec<u16> {
        let ways = ways.iter().map(|way| format!("{path}/{way}")).chain([oembed.clone()]);
        ways.map(|way| server.get(&way).status.as_u16()).collect()
    };
    assert_eq!(statuses(), [200; 9]);
    set(&server, "expires", 1000);
    assert_eq!(statuses(), [410; 9]);
    server.app.db.write(|db| db.execute("DELETE FROM share", [])).unwrap();
    assert_eq!(statuses(), [404; 9], "{token}");
}

#[test]
fn the_card_is_drawn_once_and_tells_its_tag() {
    let (server, path) = shared("id=al1");
    let address = format!("{path}/card.jpg");
    let card = server.get(&address);
    assert_eq!(
        (card.status, &card.headers[CONTENT_TYPE]),
        (StatusCode::OK, &HeaderValue::from_static("image/jpeg"))
    );
    assert_eq!(card.headers[CACHE_CONTROL], "public, max-age=60");
    assert!(card.body.len() < 300_000);
    let picture = image::load_from_memory(&card.body).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (1200, 630));
    let tag = card.headers[ETAG].to_str().unwrap();
    let known = ask(&server, Method::GET, &address, &[(IF_NONE_MATCH, tag)]);
    assert_eq!((known.status, known.text()), (StatusCode::NOT_MODIFIED, ""));
    // It is kept on the disk: without the cover's file it is still the same.
    fs::remove_file(server.folder.path().join(ALBUM).join("cover.jpg")).unwrap();
    assert!(server.get(&address).body == card.body);
    // Another list has another card, and one whose cover cannot be read has none on it.
    let (other, path) = shared("id=so7&id=so9");
    let plain = other.get(&format!("{path}/card.jpg"));
    assert_eq!(plain.status, StatusCode::OK);
    assert_ne!(plain.headers[ETAG], card.headers[ETAG]);
}

#[test]
fn oembed_answers_for_shares_that_may_be_embedded() {
    let (server, path) = shared("id=al1");
    let ask = |rest: &str| server.get(&format!("/share/oembed?{rest}"));
    let link = format!("url={BASE}{path}");
    assert_eq!(ask(&link).status, StatusCode::NOT_FOUND);
    assert!(!server.get(&path).text().contains("oembed"));
    set(&server, "embed", 1);
    assert!(server.get(&path).text().contains("application/json+oembed"));
    let json = ask(&format!("{link}&maxwidth=400"));
    // The artist of the album, though another one sings along in a song.
    assert!(json.text().contains("\"author_name\":\"Ürsula & the Band\""));
    assert_eq!(json.headers[CONTENT_TYPE], "application/json");
    assert_eq!(json.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let token = path.rsplit('/').next().unwrap();
    compare("share/ways/oembed.json", &json.text().replace(token, TOKEN).replace(",\"", ",\n\""));
    let xml = ask(&format!("{link}&format=xml"));
    assert_eq!(xml.headers[CONTENT_TYPE], "text/xml; charset=utf-8");
    compare("share/ways/oembed.xml", &xml.text().replace(token, TOKEN));
    assert_eq!(ask(&format!("{link}&format=yaml")).status, StatusCode::NOT_IMPLEMENTED);
    for unknown in ["", "url=https://example.org/share/x", "url=http://nas:4040/share/none"] {
        assert_eq!(ask(unknown).status, StatusCode::NOT_FOUND, "{unknown}");
    }
}

#[test]
fn addresses_follow_the_host_where_no_public_one_is_set() {
    let (server, path) = shared("id=al1");
    let mut open = server.app.config.clone();
    open.public_url = None;
    let Server { app, folder, .. } = server;
    app.reload(open);
    let mut request = Request::get(&format!("{path}/share.json"));
    request.headers.insert("host", HeaderValue::from_static("music.lan:4040"));
    let response = kinglet::route::dispatch(&app, &request.into()).finish();
    assert_eq!(response.status(), StatusCode::OK);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime
        .block_on(http_body_util::BodyExt::collect(response.into_body()))
        .unwrap()
        .to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["url"], format!("http://music.lan:4040{path}"));
    assert!(json["tracks"][0]["url"].as_str().unwrap().starts_with("http://music.lan:4040/share/"));
    drop(folder);
}
