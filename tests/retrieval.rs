//! Bytes of songs and pictures, from files that were scanned, through both doors.

#![allow(clippy::unwrap_used)]

mod disk;
mod support;

use std::fs;

use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderValue, IF_NONE_MATCH, RANGE,
};
use hyper::{Method, StatusCode};
use kinglet::http::request::Request;
use kinglet::scan;
use support::{ADMIN, Answer, BEN, Server, signed};

const COVER: &[u8] = include_bytes!("media/pictures/baseline.jpg");

/// A server with one scanned album of two songs: the first holds a picture, and a folder picture
/// lies beside both; and a song without any picture.
struct Scanned {
    server: Server,
    bytes: Vec<u8>,
}

impl Scanned {
    fn open() -> Scanned {
        let server = Server::open();
        let folder = server.folder.path().join("music");
        let bytes = disk::mp3(1, &disk::tags("Zwölf \"Uhr\"", "Zifferblatt", "Zeiger", "1"));
        for (path, bytes) in [
            ("Zeiger/Zifferblatt/01 Zwölf.mp3", bytes.as_slice()),
            ("Zeiger/Zifferblatt/cover.jpg", COVER),
            ("Bare/01.mp3", &disk::mp3(2, &disk::tags("Bare", "Zilch", "Nobody", "1"))),
        ] {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        scan::run(&server.app.db, &server.app.config, &server.app.scanner).unwrap();
        Scanned { server, bytes }
    }

    fn song(&self, title: &str) -> serde_json::Value {
        let found = self.server.json(ADMIN, &format!("search3?query={title}"));
        found["searchResult3"]["song"][0].clone()
    }

    fn id(&self, title: &str) -> String {
        self.song(title)["id"].as_str().unwrap().to_owned()
    }

    fn with(
        &self,
        path: &str,
        method: Method,
        header: Option<(hyper::header::HeaderName, &str)>,
    ) -> Answer {
        let mut request = Request::get(path);
        request.method = method;
        if let Some((name, value)) = header {
            request.headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        self.server.answer(&request)
    }
}

#[test]
fn a_stream_is_the_file_whole_and_in_parts() {
    let library = Scanned::open();
    let path = signed(ADMIN, &format!("stream?id={}", library.id("Zwolf")));
    let whole = library.server.get(&path);
    assert_eq!((whole.status, &whole.body), (StatusCode::OK, &library.bytes));
    assert_eq!(whole.headers[CONTENT_TYPE], "audio/mpeg");

    let part = library.with(&path, Method::GET, Some((RANGE, "bytes=10-19")));
    assert_eq!(
        (part.status, part.body.as_slice()),
        (StatusCode::PARTIAL_CONTENT, &library.bytes[10..20])
    );
    let span = format!("bytes 10-19/{}", library.bytes.len());
    assert_eq!(part.headers[CONTENT_RANGE], span.as_str());

    let head = library.with(&path, Method::HEAD, None);
    assert_eq!(head.headers[CONTENT_LENGTH], library.bytes.len().to_string().as_str());
    assert!(head.body.is_empty());
}

#[test]
fn a_download_has_the_name_of_the_file_and_needs_the_right() {
    let library = Scanned::open();
    let call = format!("download?id={}", library.id("Zwolf"));
    let saved = library.server.call(ADMIN, &call);
    assert_eq!(saved.body, library.bytes);
    let name = saved.headers[CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.starts_with("attachment;") && name.ends_with("01%20Zw%C3%B6lf.mp3"), "{name}");
    assert_eq!(library.server.error(BEN, &call), 50);
}

#[test]
fn a_song_whose_file_went_away_is_not_found_until_it_is_back() {
    let library = Scanned::open();
    let call = format!("stream?id={}", library.id("Zwolf"));
    let file = library.server.folder.path().join("music/Zeiger/Zifferblatt/01 Zwölf.mp3");
    fs::rename(&file, file.with_extension("away")).unwrap();
    assert_eq!(library.server.error(ADMIN, &call), 70);
    fs::rename(file.with_extension("away"), &file).unwrap();
    assert_eq!(library.server.call(ADMIN, &call).body, library.bytes);
}

#[test]
fn nobody_has_more_streams_than_allowed_at_a_time() {
    let library = Scanned::open();
    let path = signed(ADMIN, &format!("stream?id={}", library.id("Zwolf")));
    let open =
        || kinglet::route::dispatch(&library.server.app, &Request::get(&path).into()).finish();
    let most = library.server.app.config.streams_per_user;
    let held: Vec<_> = (0..most).map(|_| open()).collect();
    assert!(held.iter().all(|response| response.status() == StatusCode::OK));
    let refused = library.server.get(&path);
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    drop(held);
    assert_eq!(library.server.get(&path).status, StatusCode::OK);
}

#[test]
fn covers_are_scaled_as_asked_and_known_again() {
    let library = Scanned::open();
    let art = library.song("Zwolf")["coverArt"].as_str().unwrap().to_owned();
    let original = library.server.call(ADMIN, &format!("getCoverArt?id={art}"));
    assert_eq!(original.body, COVER);

    let small = library.server.call(ADMIN, &format!("getCoverArt?id={art}&size=16"));
    assert_eq!(small.headers[CONTENT_TYPE], "image/jpeg");
    let picture = image::load_from_memory(&small.body).unwrap();
    assert_eq!(picture.width().max(picture.height()), 16);

    let path = signed(ADMIN, &format!("getCoverArt?id={art}&size=16"));
    let etag = small.headers[ETAG].to_str().unwrap();
    let again = library.with(&path, Method::GET, Some((IF_NONE_MATCH, etag)));
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[test]
fn albums_artists_and_folders_have_covers_and_what_has_none_is_not_found() {
    let library = Scanned::open();
    let song = library.song("Zwolf");
    for id in ["albumId", "artistId", "parent"] {
        let id = song[id].as_str().unwrap();
        let cover = library.server.call(ADMIN, &format!("getCoverArt?id={id}&size=8"));
        assert_eq!(cover.headers[CONTENT_TYPE], "image/jpeg", "{id}");
    }
    let bare = library.id("Bare");
    assert_eq!(library.server.error(ADMIN, &format!("getCoverArt?id={bare}")), 70);
    assert_eq!(library.server.error(ADMIN, "getCoverArt?id=nonsense"), 70);
    assert_eq!(library.server.error(ADMIN, "getCoverArt?id=al1&size=wide"), 10);
}

#[test]
fn everybody_has_an_avatar() {
    let library = Scanned::open();
    let avatar = library.server.call(ADMIN, &format!("getAvatar?username={BEN}"));
    assert_eq!(avatar.headers[CONTENT_TYPE], "image/png");
    assert!(avatar.body.starts_with(b"\x89PNG"));
    assert_eq!(library.server.error(ADMIN, "getAvatar?username=nobody"), 70);
}

#[test]
fn a_share_shows_the_cover_of_what_it_holds_and_of_nothing_else() {
    let library = Scanned::open();
    let song = library.song("Zwolf");
    let album = song["albumId"].as_str().unwrap();
    let made = library.server.json(ADMIN, &format!("createShare?id={album}"));
    let url = made["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(support::BASE).unwrap();

    let page = library.server.get(path);
    let cover = page.text().split('"').find(|text| text.ends_with("-600.jpg")).unwrap().to_owned();
    let picture = library.server.get(&format!("/share/{cover}"));
    assert_eq!(
        (picture.status, &picture.headers[CONTENT_TYPE]),
        (StatusCode::OK, &HeaderValue::from_static("image/jpeg"))
    );
    assert_eq!(picture.headers[CACHE_CONTROL], "public, max-age=60");
    assert!(page.text().contains("property=\"og:image\""));

    for other in
        ["al1-600.jpg", &format!("{album}-601.jpg"), &format!("{}-600.jpg", library.id("Bare"))]
    {
        assert_eq!(
            library.server.get(&format!("{path}/{other}")).status,
            StatusCode::NOT_FOUND,
            "{other}"
        );
    }
    let id = made["shares"]["share"][0]["id"].as_str().unwrap();
    library.server.json(ADMIN, &format!("deleteShare?id={id}"));
    assert_eq!(library.server.get(&format!("/share/{cover}")).status, StatusCode::NOT_FOUND);
}
