//! A share as JSON for programs: `share.json`, whose form the README documents.

use serde::Serialize;

use super::listing::{self, Listing};
use super::page;
use crate::clock;
use crate::id::Id;

/// The content type.
pub const CONTENT_TYPE: &str = "application/json";

/// Counted up when something that was there is taken out or means something else.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    duration: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover: Option<Cover<'a>>,
    card: String,
    playlist: String,
    jspf: String,
    feed: String,
    qr: String,
    downloadable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embed: Option<String>,
    tracks: Vec<Track<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing<'a>>,
}

#[derive(Serialize)]
struct Cover<'a> {
    small: &'a str,
    large: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Track<'a> {
    id: Id,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    artist: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    album: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_number: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disc_number: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<&'a str>,
    duration: f64,
    url: &'a str,
    content_type: &'a str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover: Option<Cover<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<Video<'a>>,
}

/// What a video has besides: the size of its picture in pixels, and captions as WebVTT.
#[derive(Serialize)]
struct Video<'a> {
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    captions: Vec<Caption<'a>>,
}

#[derive(Serialize)]
struct Caption<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    label: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
struct Missing<'a> {
    id: Id,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    artist: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    album: &'a str,
}

fn cover(cover: &listing::Cover) -> Cover<'_> {
    Cover { small: &cover.small, large: &cover.large }
}

fn caption(caption: &page::Caption) -> Caption<'_> {
    Caption { language: &caption.language, label: &caption.label, url: &caption.src }
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// The document.
pub fn json(listing: &Listing) -> serde_json::Result<String> {
    let tracks = listing.tracks.iter().map(|track| Track {
        id: track.id,
        title: &track.title,
        artist: &track.artist,
        album: &track.album,
        track_number: track.number,
        disc_number: track.disc,
        year: track.year,
        genre: track.genre.as_deref(),
        duration: seconds(track.duration),
        url: &track.url,
        content_type: track.content_type,
        size: track.size,
        download: track.download.as_deref(),
        cover: track.cover.as_ref().map(cover),
        video: track.video.map(|(width, height)| Video {
            width,
            height,
            captions: track.captions.iter().map(caption).collect(),
        }),
    });
    let missing = listing.missing.iter().map(|missing| Missing {
        id: missing.id,
        title: &missing.title,
        artist: &missing.artist,
        album: &missing.album,
    });
    serde_json::to_string(&Document {
        version: VERSION,
        url: &listing.url,
        title: &listing.title,
        artist: listing.artist.as_deref(),
        album: listing.album.as_deref(),
        description: listing.description.as_deref(),
        created: clock::moment(listing.created),
        expires: listing.expires.map(clock::moment),
        duration: seconds(listing.duration()),
        cover: listing.cover.as_ref().map(cover),
        card: listing.address("card.jpg"),
        playlist: listing.address("playlist.m3u8"),
        jspf: listing.address("playlist.jspf"),
        feed: listing.address("feed.rss"),
        qr: listing.address("qr.svg"),
        downloadable: listing.downloadable,
        archive: listing.downloadable.then(|| listing.address("tracks.zip")),
        embed: listing.embeddable.then(|| listing.address("embed")),
        tracks: tracks.collect(),
        missing: missing.collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::listing::tests::{URL, hostile, sample};
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn read(listing: &Listing) -> Value {
        serde_json::from_str(&json(listing).unwrap()).unwrap()
    }

    /// The example of the README, which is to be true.
    #[test]
    fn the_readme_shows_a_document_as_it_is() {
        let mut listing = sample();
        listing.tracks.truncate(1);
        let readme = include_str!("../../README.md");
        let section = readme.split("\n`share.json` of a share").nth(1).unwrap();
        let example = section.split("```json").nth(1).unwrap().split("```").next().unwrap();
        let example: Value = serde_json::from_str(example).unwrap();
        assert_eq!(example, read(&listing));
    }

    #[test]
    fn switches_take_away_what_is_not_allowed() {
        let mut listing = sample();
        assert_eq!(read(&listing)["embed"], format!("{URL}/embed"));
        listing.downloadable = false;
        listing.embeddable = false;
        listing.expires = None;
        let document = read(&listing);
        for name in ["archive", "embed", "expires"] {
            assert_eq!(document.get(name), None, "{name}");
        }
        assert_eq!(document["downloadable"], false);
    }

    #[test]
    fn a_video_tells_its_size_and_captions() {
        let mut listing = sample();
        listing.tracks[0].video = Some((1280, 720));
        listing.tracks[0].captions = vec![page::Caption {
            language: "en".to_owned(),
            label: "English".to_owned(),
            src: format!("{URL}/so1-0.vtt"),
        }];
        let captions =
            [("language", "en"), ("label", "English"), ("url", &format!("{URL}/so1-0.vtt"))];
        let video = &read(&listing)["tracks"][0]["video"];
        assert_eq!((&video["width"], &video["height"]), (&1280.into(), &720.into()));
        for (name, text) in captions {
            assert_eq!(video["captions"][0][name], text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,30}|[\0-\u{ff}\u{fffe}<>&\"']{0,30}") {
            let document = read(&hostile(&text));
            prop_assert_eq!(document["title"].as_str(), Some(text.as_str()));
            prop_assert_eq!(document["missing"][0]["title"].as_str(), Some(text.as_str()));
        }
    }
}
