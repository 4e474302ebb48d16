//! Compares a scan of a generated library with what its generator wrote down.
//!
//! `KINGLET_TEST_LIBRARY` names the library; its truth is in `<library>.manifest.json`.

#![allow(clippy::unwrap_used)]

mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kinglet::config::{self, Flags};
use kinglet::db::covers::{self, Source};
use kinglet::db::search::{self, Page};
use kinglet::db::songs::Song;
use kinglet::db::{Db, albums, display_name, lyrics, pack};
use kinglet::scan::{self, Scanner};
use serde_json::Value;

const ALL: Page = Page { count: 1_000_000, offset: 0 };

/// Collects what differs, so that one run tells it all.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn check<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, path: &str, is: T, should: T) {
        if is != should {
            self.0.push(format!("{what} of {path}: {is:?} instead of {should:?}"));
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Spaces around an album's title do not count: they would part one album into two.
fn album_title(album: &Value) -> String {
    text(&album["title"]).trim().to_owned()
}

fn near(is: Option<f64>, should: Option<f64>, by: f64) -> bool {
    match (is, should) {
        (Some(is), Some(should)) => (is - should).abs() <= by,
        (is, should) => is.is_none() && should.is_none(),
    }
}

fn song_facts(db: &Db, song: &Song, album: &Value, track: &Value, out: &mut Differences) {
    let path = song.path.as_str();
    out.check("title", path, song.title.clone(), text(&track["title"]));
    // Where the file has several artists and no line for all, we make one.
    let artist = match text(&track["artist_style"]).as_str() {
        "repeated" => texts(&track["artists"]).join(", "),
        _ => text(&track["artist"]),
    };
    out.check("artist", path, song.artist.clone(), artist);
    let artists: Vec<_> = song.artists.iter().map(|(_, name)| name.to_owned()).collect();
    out.check("artists", path, artists, texts(&track["artists"]));
    out.check("album", path, song.album.clone(), album_title(album));
    out.check("album artist", path, song.album_artist.clone(), text(&album["artist"]));
    out.check("track", path, song.track, track["track"].as_i64());
    out.check("disc", path, song.disc, track["disc"].as_i64());
    out.check("year", path, song.year, album["year"].as_i64());
    out.check("genres", path, pack::read_texts(&song.genres.0), texts(&album["genres"]));
    out.check("size", path, Some(song.size), track["size"].as_i64());
    out.check("suffix", path, song.suffix.clone(), text(&track["format"]));
    out.check("bpm", path, song.bpm, track["bpm"].as_i64().unwrap_or(0));
    out.check("recording id", path, song.mbid.clone(), text(&track["recording_mbid"]));
    let composers = song.extra.contributors.iter().filter(|who| who.role == "composer");
    let composers: Vec<_> = composers.map(|who| who.artist.name.clone()).collect();
    let composer: Vec<_> = track["composer"].as_str().into_iter().map(str::to_owned).collect();
    out.check("composers", path, composers, composer);
    let seconds = track["seconds"].as_f64().unwrap() * 1000.0;
    if (song.duration as f64 - seconds).abs() > 100.0 {
        out.check("duration", path, song.duration as f64, seconds);
    }
    let is_opus = song.suffix == "opus";
    let gain = track["gain"].as_f64();
    // Opus has gains in steps of 1/256 dB and no peaks.
    if !near(song.track_gain, gain, 0.011) {
        out.check("gain", path, song.track_gain, gain);
    }
    if !near(song.album_gain, gain.and(album["gain"].as_f64()), 0.011) {
        out.check("album gain", path, song.album_gain, album["gain"].as_f64());
    }
    let peak = gain.and(track["peak"].as_f64()).filter(|_| !is_opus);
    if !near(song.track_peak, peak, 1e-6) {
        out.check("peak", path, song.track_peak, peak);
    }
    let words = db.read(|db| lyrics::of_song(db, song.id)).unwrap();
    let should = [&track["lrc_file"], &track["lyrics"]].map(|has| has.as_bool().unwrap());
    out.check("sources of words", path, words.len(), should.iter().filter(|has| **has).count());
    for found in words {
        let title = text(&track["title"]);
        out.check("words", path, found.text.contains(&format!("Line 8 of {title}")), true);
    }
}

#[test]
fn a_scanned_library_is_what_was_generated() {
    let Ok(library) = std::env::var("KINGLET_TEST_LIBRARY") else {
        println!("skipped: KINGLET_TEST_LIBRARY names no library");
        return;
    };
    let manifest = fs::read(format!("{library}.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let data = tempfile::tempdir().unwrap();
    let flags = Flags {
        music: vec![library.clone()],
        data: Some(data.path().to_str().unwrap().to_owned()),
        ..Flags::default()
    };
    let config = config::load(&flags, &[], None).unwrap();
    let db = Db::open(&data.path().join("kinglet.db")).unwrap();
    let scanner = Scanner::new();
    let summary = scan::run(&db, &config, &scanner).unwrap();
    println!("{summary:?}");

    let songs = db.read(|db| search::songs(db, disk::EVERYBODY, "", ALL)).unwrap();
    let songs: BTreeMap<String, Song> =
        songs.into_iter().map(|song| (song.path.clone(), song)).collect();
    let mut out = Differences::default();
    let (mut tracks, mut album_ids, mut artists) = (0, BTreeSet::new(), BTreeSet::new());
    for album in manifest["album_list"].as_array().unwrap() {
        let folder = text(&album["folder"]);
        let mut ids = BTreeSet::new();
        for track in album["tracks"].as_array().unwrap() {
            let path = display_name(text(&track["path"]).as_bytes());
            tracks += 1;
            match songs.get(&path) {
                None => out.0.push(format!("{path} is missing")),
                Some(song) => {
                    song_facts(&db, song, album, track, &mut out);
                    ids.insert(song.album_id);
                    artists.extend(texts(&track["artists"]));
                }
            }
        }
        artists.insert(text(&album["artist"]));
        out.check("count of albums", &folder, ids.len(), 1);
        let Some(id) = ids.first() else { continue };
        album_ids.insert(*id);
        let (found, cover) = db
            .read(|db| {
                let album = albums::by_id(db, disk::EVERYBODY, *id)?.unwrap();
                Ok::<_, rusqlite::Error>((album, covers::of_album(db, disk::EVERYBODY, *id)?))
            })
            .unwrap();
        let name = folder.as_str();
        out.check("name", name, found.name, album_title(album));
        out.check("artist", name, found.artist, text(&album["artist"]));
        out.check(
            "songs",
            name,
            found.song_count,
            album["tracks"].as_array().unwrap().len() as i64,
        );
        out.check("year", name, found.year, album["year"].as_i64());
        out.check("genres", name, pack::read_texts(&found.genres.0), texts(&album["genres"]));
        out.check("album id", name, found.mbid, text(&album["mbid"]));
        let various = text(&album["artist"]) == "Various Artists";
        out.check("compilation", name, found.compilation, various);
        out.check(
            "labels",
            name,
            found.extra.labels,
            album["label"].as_str().map(str::to_owned).into_iter().collect(),
        );
        let in_folder = album["folder_cover"].is_string();
        let cover = cover.map(|(source, _)| matches!(source, Source::File(_)));
        let should = (in_folder || album["embedded_cover"] == true).then_some(in_folder);
        out.check("cover", name, cover, should);
    }
    let own = songs.keys().filter(|path| !path.starts_with("_hostile/")).count();
    out.check("number of songs", &library, own, tracks);
    out.check(
        "number of albums",
        &library,
        album_ids.len(),
        usize::try_from(manifest["albums"].as_u64().unwrap()).unwrap(),
    );
    let found = db.read(|db| search::artists(db, disk::EVERYBODY, "", ALL)).unwrap();
    let found: BTreeSet<_> = found.into_iter().map(|artist| artist.name).collect();
    for artist in artists.difference(&found) {
        out.0.push(format!("the artist {artist} is missing"));
    }
    let again = scan::run(&db, &config, &scanner).unwrap();
    out.check("changes of a second scan", &library, again.new + again.changed + again.gone, 0);
    out.check("files read by a second scan", &library, scanner.status().read, 0);
    let count = out.0.len();
    assert!(out.0.is_empty(), "{count} differences:\n{}", out.0[..count.min(60)].join("\n"));
}
