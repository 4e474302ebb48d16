//! Videos: files of real encoders, scanned, listed, sent with captions, and shared.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod disk;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use disk::{Library, mp3, tags as song_tags};
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, RANGE,
};
use kinglet::db::search;
use kinglet::db::songs::{Frame, Song};
use kinglet::http::request::Request;
use kinglet::media::captions::{Captions, Format};
use kinglet::scan;
use kinglet::scan::tags::{self, AudioTrack, Tags, Video};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{ADMIN, Answer, BASE, BEN, Server, ids};

const COVER: &[u8] = include_bytes!("media/videos/cover.png");

fn media(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/videos").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(media(name)).unwrap()
}

fn read(name: &str) -> Tags {
    tags::read(&media(name)).unwrap()
}

fn video(name: &str) -> Video {
    read(name).video.unwrap_or_else(|| panic!("{name} is no video"))
}

#[test]
fn every_container_tells_its_sides_and_its_length() {
    for (name, sides, length, sound) in [
        ("faststart.mp4", (128, 96), 2000, (48_000, 1)),
        ("late-head.mp4", (128, 96), 2000, (48_000, 1)),
        ("captions.mp4", (128, 96), 2000, (48_000, 1)),
        ("fragmented.mp4", (128, 96), 2000, (48_000, 1)),
        ("rotated.mov", (96, 128), 2000, (48_000, 1)),
        ("covered.m4v", (128, 96), 2000, (48_000, 1)),
        ("phone.3gp", (176, 144), 2000, (48_000, 1)),
        ("vp8.webm", (128, 96), 2000, (48_000, 1)),
        ("vp9.webm", (128, 96), 2000, (48_000, 1)),
        ("recorded.webm", (128, 96), 1950, (48_000, 1)),
        ("two.mkv", (128, 96), 2000, (48_000, 1)),
        ("theora.ogv", (128, 96), 2000, (48_000, 1)),
        ("old.avi", (128, 96), 2000, (48_000, 1)),
        ("disc.mpg", (128, 96), 1600, (0, 0)),
        ("broadcast.ts", (128, 96), 1900, (0, 0)),
    ] {
        let Tags { video, sound: found, .. } = read(name);
        let video = video.unwrap_or_else(|| panic!("{name} is no video"));
        assert_eq!((video.width, video.height), sides, "{name}");
        assert!(found.duration_ms.abs_diff(length) <= 150, "{name}: {} ms", found.duration_ms);
        assert_eq!((found.sample_rate, found.channels), sound, "{name}");
        let size = fs::metadata(media(name)).unwrap().len();
        assert_eq!(u64::from(found.bit_rate), size * 8 / found.duration_ms, "{name}");
        assert_ne!(found.hash, 0, "{name}");
    }
}

#[test]
fn tags_of_every_container_are_read() {
    for name in ["faststart.mp4", "covered.m4v", "vp8.webm", "two.mkv", "theora.ogv", "old.avi"] {
        let tags = read(name);
        let told =
            (tags.title.as_str(), tags.artist.as_str(), tags.date.year, tags.comment.as_str());
        assert_eq!(told, ("A film", "Ann", 2001, "A note"), "{name}");
    }
    assert_eq!(read("two.mkv").picture.unwrap().bytes, COVER);
    assert!(read("covered.m4v").picture.unwrap().bytes.starts_with(b"\x89PNG"));
    assert!(read("vp8.webm").picture.is_none());
}

#[test]
fn sounds_and_captions_in_a_file_are_told() {
    let track = |id, language: &str, name: &str| AudioTrack {
        id,
        name: name.to_owned(),
        language: language.to_owned(),
    };
    let two = video("two.mkv");
    assert_eq!(two.audio_tracks, [track(2, "en", ""), track(3, "de", "Kommentar")]);
    let captions = |video: &Video| {
        let told = video.captions.iter().map(|captions| {
            (captions.number, captions.language.clone(), captions.name.clone(), captions.forced)
        });
        told.collect::<Vec<_>>()
    };
    let told = |number, language: &str, name: &str, forced| {
        (number, language.to_owned(), name.to_owned(), forced)
    };
    assert_eq!(
        captions(&two),
        [told(5, "de", "", false), told(4, "en", "", false), told(6, "fr", "Chant", true)]
    );
    let mp4 = video("captions.mp4");
    assert_eq!(mp4.audio_tracks, [track(2, "en", "")]);
    assert_eq!(captions(&mp4), [told(3, "en", "", false), told(4, "de", "Untertitel", false)]);
    assert_eq!(captions(&video("vp9.webm")), [told(3, "de", "", false)]);
    assert!(video("vp8.webm").captions.is_empty());
    // The names of chapters are text, too, and no captions.
    assert_eq!(
        (video("chapters.mp4").captions.len(), read("chapters.mp4").title.as_str()),
        (0, "With chapters")
    );
}

#[test]
fn what_has_no_moving_picture_is_no_video() {
    assert_eq!(read("sound-and-cover.mp4").video, None);
    let folder = tempfile::tempdir().unwrap();
    // The name promises sound alone: what moves in it are pictures of chapters.
    let book = folder.path().join("book.m4b");
    fs::copy(media("faststart.mp4"), &book).unwrap();
    assert_eq!(tags::read(&book).unwrap().video, None);
    let audio = folder.path().join("audio.webm");
    fs::copy(media("../tagged.webm"), &audio).unwrap();
    assert_eq!(tags::read(&audio).unwrap().video, None);
    for name in ["noise.mkv", "huge.mp4"] {
        let message = tags::read(&media(name)).unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
    let script = folder.path().join("script.ts");
    fs::write(&script, "export const x = 1;\n").unwrap();
    let message = tags::read(&script).unwrap_err().to_string();
    assert!(message.contains("no video of a known format"), "{message}");
}

fn inside(name: &str, track: u32) -> Captions {
    tags::captions(&media(name), track).unwrap()
}

fn lines(captions: &Captions) -> Vec<(u64, u64, &str, &str)> {
    let cues = captions.cues.iter();
    cues.map(|cue| (cue.start, cue.end, cue.text.as_str(), cue.settings.as_str())).collect()
}

#[test]
fn captions_in_a_file_are_found() {
    // All times of these files come a little later: sound begins with a silence of its encoder.
    let srt = [(21, 921, "<i>First</i> &amp; {last}", ""), (1021, 1821, "Second &lt;3\nline", "")];
    let vtt = [(121, 821, "Erste &amp; letzte", "line:0"), (1121, 1921, "Zweite", "")];
    let mkv = inside("two.mkv", 4);
    assert_eq!((mkv.format, lines(&mkv)), (Format::Srt, srt.to_vec()));
    let mkv = inside("two.mkv", 5);
    assert_eq!((mkv.format, lines(&mkv)), (Format::Vtt, vtt.to_vec()));
    let webm = inside("vp9.webm", 3);
    assert_eq!((webm.format, webm.cues.len()), (Format::Vtt, 2));
    assert_eq!(webm.cues[0].text, vtt[0].2);
    assert_eq!(webm.cues[0].settings, "line:0");
    let ass = inside("two.mkv", 6);
    assert_eq!(lines(&ass), [(221, 921, "Up, <i>there</i>\nand down", "line:0")]);
    let mp4 = inside("captions.mp4", 3);
    let plain = [(0, 900, "First &amp; {last}", ""), (1000, 1800, "Second &lt;3\nline", "")];
    assert_eq!((mp4.format, lines(&mp4)), (Format::Srt, plain.to_vec()));
    for (name, track) in [("two.mkv", 1), ("two.mkv", 9), ("captions.mp4", 1), ("old.avi", 1)] {
        assert!(tags::captions(&media(name), track).is_err(), "{name} {track}");
    }
}

#[test]
fn captions_are_found_without_the_index_of_the_file() {
    let mut file = bytes("two.mkv");
    // The id of the index, where the file lists its parts and where it is.
    let id = [0x1c, 0x53, 0xbb, 0x6b];
    for at in (0..file.len() - 4).filter(|at| file[*at..*at + 4] == id).collect::<Vec<_>>() {
        file[at + 3] = 0x6a;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.mkv");
    fs::write(&path, file).unwrap();
    for track in [4, 5, 6] {
        assert_eq!(tags::captions(&path, track).unwrap(), inside("two.mkv", track));
    }
}

/// A film with everything inside it, one with captions and a picture beside it, one of the second
/// music folder, a song, and a song in a container for videos.
struct Scanned {
    server: Server,
}

impl Scanned {
    fn open() -> Scanned {
        let scanned = Scanned { server: Server::open() };
        for (path, bytes) in [
            ("music/Films/A film.mkv", bytes("two.mkv")),
            ("music/Films/The Other.mp4", bytes("late-head.mp4")),
            ("music/Films/The Other.srt", bytes("captions.srt")),
            ("music/Films/The Other.de.forced.vtt", bytes("captions.vtt")),
            (
                "music/Films/The Other.pt-BR.srt",
                b"1\r\n00:01,0 --> 00:02,0\r\ncaf\xe9 <b>\r\n".to_vec(),
            ),
            (
                "music/Album/01.mp3",
                mp3(
                    1,
                    &[&song_tags("Sound of a film", "Album", "Ann", "1")[..], &[("TDRC", "1999")]]
                        .concat(),
                ),
            ),
            ("music/Album/02.mp4", bytes("sound-and-cover.mp4")),
            ("kids/Cartoon.webm", bytes("vp9.webm")),
        ] {
            scanned.put(path, &bytes);
        }
        scanned.scan();
        scanned
    }

    fn path(&self, path: &str) -> PathBuf {
        self.server.folder.path().join(path)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn scan(&self) -> scan::Summary {
        let app = &self.server.app;
        scan::run(&app.db, &app.config, &app.scanner).unwrap()
    }

    /// A video by its title.
    fn video(&self, title: &str) -> Value {
        let all = self.server.ok(ADMIN, "getVideos");
        let all = all["videos"]["video"].as_array().unwrap().clone();
        all.into_iter()
            .find(|video| video["title"] == title)
            .unwrap_or_else(|| panic!("no {title}"))
    }

    fn id(&self, title: &str) -> String {
        self.video(title)["id"].as_str().unwrap().to_owned()
    }

    fn captions(&self, id: &str, more: &str) -> (String, String) {
        let answer = self.server.call(ADMIN, &format!("getCaptions?id={id}{more}"));
        let kind = answer.headers[CONTENT_TYPE].to_str().unwrap().to_owned();
        (kind, answer.text().to_owned())
    }
}

fn with(server: &Server, path: &str, header: (HeaderName, &str)) -> Answer {
    let mut request = Request::get(path);
    request.headers.insert(header.0, HeaderValue::from_str(header.1).unwrap());
    server.answer(&request)
}

fn titles(document: &Value, list: &str) -> Vec<String> {
    let list = list.split('.').fold(document, |at, name| &at[name]);
    let things = list.as_array().unwrap_or_else(|| panic!("no list in {document}"));
    things.iter().map(|thing| thing["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn videos_answer_as_recorded() {
    let library = Scanned::open();
    library.server.golden("videos/getVideos", ADMIN, "getVideos");
    let id = library.id("A film");
    library.server.golden("videos/getVideoInfo", ADMIN, &format!("getVideoInfo?id={id}"));
    library.server.golden("videos/getSong", ADMIN, &format!("getSong?id={id}"));
    library.server.golden("videos/absent", ADMIN, "getVideoInfo?id=so1");
}

#[test]
fn a_video_is_a_song_that_is_seen() {
    let library = Scanned::open();
    let film = library.video("A film");
    for (name, wanted) in [
        ("isVideo", json!(true)),
        ("isDir", json!(false)),
        ("type", json!("video")),
        ("mediaType", json!("song")),
        ("contentType", json!("video/x-matroska")),
        ("suffix", json!("mkv")),
        ("originalWidth", json!(128)),
        ("originalHeight", json!(96)),
        ("duration", json!(2)),
        ("artist", json!("Ann")),
        ("year", json!(2001)),
        ("path", json!("Films/A film.mkv")),
        ("album", Value::Null),
        ("albumId", Value::Null),
        ("artistId", Value::Null),
    ] {
        assert_eq!(film[name], wanted, "{name}");
    }
    let id = film["id"].as_str().unwrap();
    let song = library.server.ok(ADMIN, &format!("getSong?id={id}"));
    assert_eq!(song["song"], film);
    let folder = film["parent"].as_str().unwrap();
    let folder = library.server.ok(ADMIN, &format!("getMusicDirectory?id={folder}"));
    assert_eq!(titles(&folder, "directory.child"), ["A film", "The Other"]);
    for search in ["search2", "search3"] {
        let found = library.server.ok(ADMIN, &format!("{search}?query=film"));
        let result = search.replace("search", "searchResult");
        let mut found = titles(&found[&result], "song");
        found.sort();
        assert_eq!(found, ["A film", "Sound of a film"], "{search}");
    }
    assert_eq!(
        titles(&library.server.ok(ADMIN, "search?title=other"), "searchResult.match"),
        ["The Other"]
    );
}

#[test]
fn videos_are_no_part_of_the_music() {
    let library = Scanned::open();
    let server = &library.server;
    let not_seen = |call: &str, list: &str| {
        let songs = server.ok(ADMIN, call);
        let list = list.split('.').fold(&songs, |at, name| &at[name]).as_array().unwrap();
        assert!(!list.is_empty(), "{call} lists nothing");
        assert!(list.iter().all(|song| song["isVideo"] == false), "{call}: {songs}");
    };
    // All songs: those of the album, and what the kids had.
    not_seen("search3?query=&songCount=500", "searchResult3.song");
    not_seen("search?count=500", "searchResult.match");
    not_seen("getRandomSongs?size=500", "randomSongs.song");
    not_seen("getRandomSongs?size=500&fromYear=0&toYear=9999", "randomSongs.song");
    let names = |call: &str, list: &str, name: &str| {
        let found = server.ok(ADMIN, call);
        let list = list.split('.').fold(&found, |at, name| &at[name]);
        let mut names: Vec<String> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|thing| thing[name].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    for kind in ["newest", "alphabeticalByName", "alphabeticalByArtist", "random"] {
        let call = format!("getAlbumList2?type={kind}&size=500");
        assert_eq!(names(&call, "albumList2.album", "name"), ["Album"], "{kind}");
    }
    assert_eq!(names("search3?query=ann", "searchResult3.artist", "name"), ["Ann"]);
    let artists = server.ok(ADMIN, "getArtists?musicFolderId=1");
    let artists = artists["artists"]["index"].to_string();
    assert!(artists.contains("Ann") && !artists.contains("film"), "{artists}");
    let ann = server.ok(ADMIN, "getTopSongs?artist=Ann");
    assert_eq!(titles(&ann, "topSongs.song"), ["Sound of a film"]);
    assert_eq!(server.ok(ADMIN, "getScanStatus")["scanStatus"]["count"], 2);
    // The album that holds the videos is seen by nobody.
    let id = library.id("A film");
    let hidden: i64 = server
        .app
        .db
        .read(|db| db.query_row("SELECT max(album_id) FROM song WHERE video", [], |row| row.get(0)))
        .unwrap();
    for call in [
        format!("getAlbum?id=al{hidden}"),
        format!("getMusicDirectory?id=al{hidden}"),
        format!("createShare?id=al{hidden}"),
        format!("star?albumId=al{hidden}"),
        format!("getAlbumInfo2?id={id}"),
    ] {
        assert_eq!(server.error(ADMIN, &call), 70, "{call}");
    }
    assert!(
        server.ok(ADMIN, &format!("getSimilarSongs2?id={id}"))["similarSongs2"]["song"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn users_keep_what_they_make_of_videos() {
    let library = Scanned::open();
    let (server, film) = (&library.server, library.id("A film"));
    server.ok(ADMIN, &format!("createPlaylist?name=Evening&songId={film}&songId={film}"));
    let playlists = server.ok(ADMIN, "getPlaylists");
    assert_eq!(playlists["playlists"]["playlist"][0]["songCount"], 2);
    assert!(playlists["playlists"]["playlist"][0]["coverArt"].is_string());
    let playlist = playlists["playlists"]["playlist"][0]["id"].as_str().unwrap();
    let playlist = server.ok(ADMIN, &format!("getPlaylist?id={playlist}"));
    assert_eq!(titles(&playlist, "playlist.entry"), ["A film", "A film"]);
    server.ok(ADMIN, &format!("star?id={film}"));
    server.ok(ADMIN, &format!("setRating?id={film}&rating=4"));
    server.ok(ADMIN, &format!("scrobble?id={film}"));
    server.ok(ADMIN, &format!("createBookmark?id={film}&position=1500"));
    server.ok(ADMIN, &format!("savePlayQueue?id={film}&current={film}"));
    let seen = library.video("A film");
    assert!(seen["starred"].is_string());
    let made = (&seen["userRating"], &seen["playCount"], &seen["bookmarkPosition"]);
    assert_eq!(made, (&json!(4), &json!(1), &json!(1500)));
    assert_eq!(titles(&server.ok(ADMIN, "getStarred2"), "starred2.song").len(), 1);
    assert_eq!(titles(&server.ok(ADMIN, "getPlayQueue"), "playQueue.entry"), ["A film"]);
    // A play counts for no album.
    let frequent = server.ok(ADMIN, "getAlbumList2?type=frequent");
    assert!(
        frequent["albumList2"]["album"].as_array().unwrap().iter().all(|album| album["name"] != "")
    );
}

#[test]
fn a_video_is_sent_whole_and_in_parts() {
    let library = Scanned::open();
    let (server, content) = (&library.server, bytes("late-head.mp4"));
    let id = library.id("The Other");
    for call in ["stream", "download"] {
        let path = support::signed(ADMIN, &format!("{call}?id={id}&maxBitRate=500&size=640x480"));
        let whole = server.get(&path);
        assert_eq!((whole.status, &whole.body), (StatusCode::OK, &content));
        assert_eq!(whole.headers[CONTENT_TYPE], "video/mp4");
        for (range, wanted) in [
            ("bytes=0-0", &content[..1]),
            ("bytes=100-2099", &content[100..2100]),
            ("bytes=-500", &content[content.len() - 500..]),
        ] {
            let part = with(server, &path, (RANGE, range));
            assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, wanted));
            assert!(
                part.headers[CONTENT_RANGE].to_str().unwrap().ends_with(&content.len().to_string())
            );
        }
    }
    assert_eq!(library.video("Cartoon")["contentType"], "video/webm");
    let song = server.ok(ADMIN, "search3?query=02");
    assert_eq!(song["searchResult3"]["song"][0]["contentType"], "audio/mp4");
}

#[test]
fn captions_come_as_they_are_or_as_asked() {
    let library = Scanned::open();
    let other = library.id("The Other");
    let srt = "application/x-subrip; charset=utf-8";
    let vtt = "text/vtt; charset=utf-8";
    let info = library.server.ok(ADMIN, &format!("getVideoInfo?id={other}"));
    let named = info["videoInfo"]["captions"].as_array().unwrap();
    let named: Vec<_> = named.iter().map(|captions| captions["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["Captions", "Português (BR)", "Deutsch – forced"]);
    let plain = String::from_utf8(bytes("captions.srt")).unwrap();
    assert_eq!(library.captions(&other, ""), (srt.to_owned(), plain));
    let converted = "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\n<i>First</i> &amp; {last}\n\n\
        00:00:01.000 --> 00:00:01.800\nSecond &lt;3\nline\n";
    assert_eq!(library.captions(&other, "&format=vtt"), (vtt.to_owned(), converted.to_owned()));
    let ids = ids(&info, "videoInfo.captions");
    let (kind, text) = library.captions(&ids[1], "&format=vtt");
    assert_eq!(kind, vtt);
    assert!(text.contains("café <b>"), "{text}");
    let (kind, text) = library.captions(&ids[2], "&format=srt");
    assert_eq!(kind, srt);
    assert!(text.starts_with("1\n00:00:00,100 --> 00:00:00,800\nErste & letzte\n\n2\n"), "{text}");

    let film = library.id("A film");
    let (kind, text) = library.captions(&film, "");
    assert!(kind == vtt && text.contains("Erste &amp; letzte"), "{kind} {text}");
    let (kind, text) = library.captions(&format!("{film}-1"), "");
    assert!(kind == srt && text.contains("<i>First</i> & {last}"), "{kind} {text}");
    assert_eq!(library.captions(&format!("{film}-1"), "").1, text, "the second time they are kept");

    let etag = library.server.call(ADMIN, &format!("getCaptions?id={film}")).headers[ETAG].clone();
    let path = support::signed(ADMIN, &format!("getCaptions?id={film}"));
    let again = with(&library.server, &path, (IF_NONE_MATCH, etag.to_str().unwrap()));
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));

    let without = library.server.ok(ADMIN, "search3?query=02");
    let without = without["searchResult3"]["song"][0]["id"].as_str().unwrap();
    for (code, call) in [
        (10, format!("getCaptions?id={film}&format=ass")),
        (10, "getCaptions".to_owned()),
        (70, format!("getCaptions?id={film}-9")),
        (70, format!("getCaptions?id={film}-x")),
        (70, format!("getCaptions?id={film}--1")),
        (70, format!("getCaptions?id={without}")),
        (70, "getCaptions?id=al1".to_owned()),
        (70, format!("getVideoInfo?id={without}")),
        (10, "getVideoInfo".to_owned()),
    ] {
        assert_eq!(library.server.error(ADMIN, &call), code, "{call}");
    }
    fs::remove_file(library.path("music/Films/The Other.srt")).unwrap();
    assert_eq!(library.server.error(ADMIN, &format!("getCaptions?id={other}")), 0);
}

#[test]
fn users_see_the_videos_of_their_music_folders_alone() {
    let library = Scanned::open();
    let server = &library.server;
    let all = server.ok(ADMIN, "getVideos");
    assert_eq!(titles(&all, "videos.video"), ["A film", "Cartoon", "The Other"]);
    let bens = server.ok(BEN, "getVideos");
    assert_eq!(titles(&bens, "videos.video"), ["A film", "The Other"]);
    let cartoon = library.id("Cartoon");
    for call in ["getVideoInfo", "getCaptions", "getSong", "stream"] {
        assert_eq!(server.error(BEN, &format!("{call}?id={cartoon}")), 70, "{call}");
    }
    server.call(ADMIN, &format!("getCaptions?id={cartoon}"));
}

#[test]
fn the_picture_of_a_video_is_beside_it_in_its_folder_or_in_it() {
    let library = Scanned::open();
    let art = |title: &str| library.video(title)["coverArt"].as_str().map(str::to_owned);
    let picture = |id: &str| library.server.call(ADMIN, &format!("getCoverArt?id={id}")).body;
    let inside = art("A film").unwrap();
    assert_eq!(picture(&inside), COVER);
    assert_eq!(art("The Other"), None);
    let other = library.id("The Other");
    assert_eq!(library.server.error(ADMIN, &format!("getCoverArt?id={other}")), 70);

    let folder = include_bytes!("media/pictures/baseline.jpg");
    library.put("music/Films/folder.jpg", folder);
    library.scan();
    let of_folder = art("The Other").unwrap();
    assert!(of_folder.starts_with(&other), "{of_folder}");
    assert_eq!(picture(&of_folder), folder);
    assert_eq!(art("A film").unwrap(), inside);

    let poster = include_bytes!("media/pictures/progressive.jpg");
    library.put("music/Films/The Other-poster.jpg", poster);
    assert_eq!(library.scan().changed, 1);
    assert_ne!(art("The Other").unwrap(), of_folder);
    assert_eq!(picture(&art("The Other").unwrap()), poster);
    let small = library.server.call(ADMIN, &format!("getCoverArt?id={other}&size=16"));
    assert_eq!(small.headers[CONTENT_TYPE], "image/jpeg");
    fs::remove_file(library.path("music/Films/The Other-poster.jpg")).unwrap();
    library.scan();
    assert_eq!(art("The Other").unwrap(), of_folder);
}

#[test]
fn a_share_holds_videos_with_their_captions_and_nothing_else() {
    let library = Scanned::open();
    let server = &library.server;
    let (film, other) = (library.id("A film"), library.id("The Other"));
    let folder = library.video("A film")["parent"].as_str().unwrap().to_owned();
    server.ok(ADMIN, &format!("createPlaylist?name=Evening&songId={film}"));
    let playlist = server.ok(ADMIN, "getPlaylists")["playlists"]["playlist"][0]["id"].clone();
    for (entry, holds_other) in
        [(film.as_str(), false), (playlist.as_str().unwrap(), false), (folder.as_str(), true)]
    {
        let made = server.ok(ADMIN, &format!("createShare?id={entry}"));
        let share = &made["shares"]["share"][0];
        assert_eq!(share["entry"][0]["isVideo"], true);
        let path = share["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
        let page = server.get(&path);
        assert!(page.text().contains(&format!("/{film}.mkv\"")), "{entry}");
        let content = bytes("two.mkv");
        let sent = with(server, &format!("{path}/{film}.mkv"), (RANGE, "bytes=1000-1999"));
        assert_eq!(
            (sent.status, sent.body.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &content[1000..2000])
        );
        assert_eq!(sent.headers[CONTENT_TYPE], "video/x-matroska");
        let captions = server.get(&format!("{path}/{film}-1.vtt"));
        assert_eq!(captions.headers[CONTENT_TYPE], "text/vtt; charset=utf-8");
        assert_eq!(captions.headers[CACHE_CONTROL], "public, max-age=60");
        assert!(
            captions.text().starts_with("WEBVTT\n\n00:00:00.021 --> 00:00:00.921\n<i>First</i>")
        );
        let etag = captions.headers[ETAG].to_str().unwrap();
        let again = with(server, &format!("{path}/{film}-1.vtt"), (IF_NONE_MATCH, etag));
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let cover = server.get(&format!("{path}/{film}-600.jpg"));
        assert_eq!(
            (cover.status, &cover.headers[CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static("image/jpeg"))
        );
        let of_other = server.get(&format!("{path}/{other}-0.vtt"));
        let file = server.get(&format!("{path}/{other}.mp4"));
        let wanted = if holds_other { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!((of_other.status, file.status), (wanted, wanted), "{entry}");
        for absent in ["-9.vtt", "-00.vtt", ".mp4", ".vtt", "-1.srt"] {
            let answer = server.get(&format!("{path}/{film}{absent}"));
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{absent}");
        }
        let id = share["id"].as_str().unwrap();
        server.ok(ADMIN, &format!("deleteShare?id={id}"));
        for part in [format!("{film}-1.vtt"), format!("{film}.mkv")] {
            assert_eq!(
                server.get(&format!("{path}/{part}")).status,
                StatusCode::NOT_FOUND,
                "{part}"
            );
        }
    }
}

#[test]
fn captions_of_a_share_go_through_its_gate() {
    let library = Scanned::open();
    let (server, film) = (&library.server, library.id("A film"));
    let status = |path: &str, from: u8| {
        let request = support::request(path, from, &[("user-agent", "Mozilla/5.0")]);
        server.answer(&request).status.as_u16()
    };
    let locked = support::page_of(&server.share(ADMIN, &format!("id={film}&passphrase=open")));
    assert_eq!(status(&format!("{locked}/{film}-0.vtt"), 1), 401);
    let once = support::page_of(&server.share(ADMIN, &format!("id={film}&maxPlays=1")));
    let (video, captions) = (format!("{once}/{film}.mkv"), format!("{once}/{film}-0.vtt"));
    assert_eq!(status(&captions, 2), 200, "captions alone are no play");
    assert_eq!(status(&video, 1), 200);
    assert_eq!((status(&video, 2), status(&captions, 2)), (410, 410));
    assert_eq!(status(&format!("{once}/{film}-9.vtt"), 2), 410);
    assert_eq!((status(&captions, 1), status(&video, 1)), (200, 200), "in the middle of it");
    let ended = server.share(ADMIN, &format!("id={film}"));
    let page = support::page_of(&ended);
    let end = "UPDATE share SET expires = 1 WHERE id = (SELECT max(id) FROM share)";
    server.app.db.write(|db| db.execute_batch(end)).unwrap();
    assert_eq!(status(&format!("{page}/{film}-0.vtt"), 1), 410);
}

#[test]
fn the_page_is_told_of_a_video_what_it_needs() {
    use kinglet::db::shares;
    let library = Scanned::open();
    let server = &library.server;
    let (film, other) = (library.id("A film"), library.id("The Other"));
    let made = server.ok(ADMIN, &format!("createShare?id={other}&id={film}&id={other}"));
    let url = made["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let token = url.rsplit('/').next().unwrap();
    let page = server
        .app
        .db
        .read(|db| {
            let share = shares::by_token(db, token)?.unwrap();
            let content = kinglet::share::content::read(db, &share)?;
            let words = kinglet::share::words::ALL[0];
            Ok::<_, rusqlite::Error>(kinglet::share::content::page(&share, content, words, BASE))
        })
        .unwrap();
    let told: Vec<_> = page.tracks.iter().map(|track| track.video.clone().unwrap()).collect();
    assert_eq!(told[0], told[2]);
    assert_eq!((told[1].width, told[1].height, told[1].captions.len()), (128, 96, 3));
    let labels: Vec<_> =
        told[0].captions.iter().map(|it| (it.language.as_str(), it.label.as_str())).collect();
    assert_eq!(labels, [("", ""), ("pt-BR", "Português (BR)"), ("de", "Deutsch – forced")]);
    assert_eq!(told[0].captions[1].src, format!("{token}/{other}-1.vtt"));
    assert_eq!(page.tracks[1].album, None);
}

/// The videos of a library.
fn videos(library: &Library) -> Vec<Song> {
    library.db.read(|db| kinglet::db::videos::all(db, disk::EVERYBODY, 100)).unwrap()
}

/// What a video's captions are called, in their order.
fn captions_of(library: &Library, video: i64) -> Vec<String> {
    let rows = library.db.read(|db| kinglet::db::videos::captions(db, &[video])).unwrap();
    rows.into_iter().map(|(_, row)| format!("{}:{}", row.language, row.name)).collect()
}

#[test]
fn a_second_scan_writes_nothing_and_captions_that_change_are_noticed() {
    let library = Library::new();
    for name in ["two.mkv", "vp8.webm", "broadcast.ts", "noise.mkv", "sound-and-cover.mp4"] {
        library.put(&format!("Films/{name}"), &bytes(name));
    }
    library.put("Films/vp8.en.srt", &bytes("captions.srt"));
    library.put("Films/vp8.jpg", b"picture");
    let first = library.scan();
    assert_eq!((first.new, first.unreadable, first.songs, first.videos), (4, 1, 1, 3));
    let before = library.bytes();
    let second = library.scan();
    assert_eq!((second.new, second.changed, second.gone, second.unreadable), (0, 0, 0, 0));
    assert!(before == library.bytes(), "the second scan wrote to the database");

    let id = videos(&library).iter().find(|video| video.suffix == "webm").unwrap().id;
    assert_eq!(captions_of(&library, id), ["en:"]);
    library.put("Films/vp8.de.vtt", &bytes("captions.vtt"));
    assert_eq!(library.scan().changed, 1);
    assert_eq!(captions_of(&library, id), ["de:", "en:"]);
    library.rename("Films/vp8.de.vtt", "Films/vp8.fr.forced.vtt");
    assert_eq!(library.scan().changed, 1);
    assert_eq!(captions_of(&library, id), ["en:", "fr:forced"]);
    library.put("Films/vp8.en.srt", b"1\n00:01,0 --> 00:02,0\nAnother text\n");
    assert_eq!(library.scan().changed, 1);
    library.remove("Films/vp8.fr.forced.vtt");
    library.remove("Films/vp8.en.srt");
    library.remove("Films/vp8.jpg");
    assert_eq!(library.scan().changed, 1);
    assert_eq!(captions_of(&library, id), Vec::<String>::new());
    assert_eq!(library.count("SELECT count(*) FROM album WHERE song_count > 0"), 1);
}

#[test]
fn a_video_keeps_its_id_when_it_moves_and_when_it_is_away_for_a_while() {
    let library = Library::new();
    library.put("Films/one.mp4", &bytes("faststart.mp4"));
    library.put("Films/two.mp4", &bytes("fragmented.mp4"));
    library.put("Films/three.mkv", &bytes("two.mkv"));
    library.scan();
    let ids = || {
        videos(&library)
            .into_iter()
            .map(|video| (video.suffix, video.size, video.id))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let before = ids();
    assert_eq!(before.len(), 3);
    library.rename("Films/one.mp4", "Elsewhere/deep/first.mp4");
    let moved = library.scan();
    assert_eq!((moved.moved, moved.new, moved.gone), (1, 0, 0));
    assert_eq!(ids(), before);
    library.rename("Films", "Movies");
    let moved = library.scan();
    assert_eq!((moved.moved, moved.new), (2, 0));
    assert_eq!(ids(), before);
    library.remove("Movies/three.mkv");
    assert_eq!(library.scan().gone, 1);
    assert_eq!(ids().len(), 2);
    library.put("Back/again.mkv", &bytes("two.mkv"));
    assert_eq!(library.scan().moved, 1);
    assert_eq!(ids(), before);
}

#[test]
fn a_file_may_become_a_video_and_a_song_again() {
    let library = Library::new();
    library.put("Album/01.mp3", &mp3(1, &song_tags("One", "Album", "Ann", "1")));
    library.put("Album/02.mp4", &bytes("sound-and-cover.mp4"));
    library.scan();
    let song = library.song_at("Album/02.mp4");
    assert_eq!((song.video, library.albums()[0].song_count), (None, 2));
    library.put("Album/02.mp4", &bytes("faststart.mp4"));
    let changed = library.scan();
    assert_eq!((changed.changed, changed.songs, changed.videos), (1, 1, 1));
    let video = videos(&library).remove(0);
    assert_eq!((video.id, video.video), (song.id, Some(Frame { width: 128, height: 96 })));
    assert_eq!(library.albums()[0].song_count, 1);
    assert_eq!(library.found("film"), ["A film"]);
    library.put("Album/02.mp4", &bytes("sound-and-cover.mp4"));
    library.scan();
    let again = library.song_at("Album/02.mp4");
    assert_eq!((again.id, again.album_id, again.video), (song.id, song.album_id, None));
    assert_eq!((videos(&library).len(), library.albums()[0].song_count), (0, 2));
    assert_eq!(
        library.count("SELECT count(*) FROM video") + library.count("SELECT count(*) FROM caption"),
        0
    );
    let all = library.db.read(|db| search::songs(db, disk::EVERYBODY, "", disk::ALL)).unwrap();
    assert_eq!(all.len(), 2);
}

#[test]
fn a_folder_of_videos_alone_is_a_folder() {
    let library = Library::new();
    library.put("Films/one.mp4", &bytes("faststart.mp4"));
    let summary = library.scan();
    assert_eq!((summary.songs, summary.videos, summary.problems.len()), (0, 1, 0));
    assert_eq!(library.albums().len() + library.artists().len(), 0);
    assert_eq!(library.scan().gone, 0);
    library.remove("Films");
    assert!(
        library.scan().problems[0].contains("is its disk mounted"),
        "a music folder of videos alone"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_stops_no_reader(
        file in 0..17_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let names = [
            "faststart.mp4", "late-head.mp4", "captions.mp4", "fragmented.mp4", "rotated.mov", "covered.m4v", "phone.3gp",
            "vp8.webm", "vp9.webm", "recorded.webm", "two.mkv", "theora.ogv", "old.avi", "disc.mpg", "broadcast.ts",
            "huge.mp4", "chapters.mp4",
        ];
        let mut content = bytes(names[file]);
        let suffix = names[file].rsplit('.').next().unwrap();
        // Half of the damage is where the heads are.
        for (at, value) in damage {
            let most = if value % 2 == 0 { content.len() } else { content.len().min(4096) };
            let at = at.index(most);
            content[at] = value;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("damaged.{suffix}"));
        fs::write(&path, content).unwrap();
        for message in [tags::read(&path).err()].into_iter().chain((1..7).map(|track| tags::captions(&path, track).err())).flatten() {
            let message = message.to_string();
            prop_assert!(!message.contains("stopped"), "{message}");
        }
    }
}
