//! A share as a JSPF playlist: XSPF (xspf.org) in JSON.

use serde::Serialize;

use super::listing::Listing;
use crate::clock;

/// The content type.
pub const CONTENT_TYPE: &str = "application/jspf+json";

#[derive(Serialize)]
struct Document<'a> {
    playlist: Playlist<'a>,
}

#[derive(Serialize)]
struct Playlist<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<&'a str>,
    info: &'a str,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date: String,
    track: Vec<Track<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Track<'a> {
    location: [&'a str; 1],
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    creator: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    album: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_num: Option<i64>,
    #[serde(skip_serializing_if = "is_zero")]
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The playlist.
pub fn jspf(listing: &Listing) -> serde_json::Result<String> {
    let tracks = listing.tracks.iter().map(|track| Track {
        location: [&track.url],
        title: &track.title,
        creator: &track.artist,
        album: &track.album,
        // It counts from 1.
        track_num: track.number.filter(|number| *number > 0),
        duration: track.duration,
        image: track.cover.as_ref().map(|cover| cover.large.as_str()),
    });
    serde_json::to_string(&Document {
        playlist: Playlist {
            title: &listing.title,
            creator: listing.artist.as_deref(),
            annotation: listing.description.as_deref(),
            info: &listing.url,
            location: listing.address("playlist.jspf"),
            image: listing.cover.as_ref().map(|cover| cover.large.as_str()),
            date: clock::moment(listing.created),
            track: tracks.collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::listing::tests::{URL, hostile, sample};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn a_playlist_says_where_and_what() {
        let mut listing = sample();
        listing.tracks[1].number = Some(0);
        let list: Value = serde_json::from_str(&jspf(&listing).unwrap()).unwrap();
        let list = &list["playlist"];
        assert_eq!(list["location"], format!("{URL}/playlist.jspf"));
        assert_eq!(list["date"], "2026-09-21T14:13:20Z");
        assert_eq!(
            list["track"][0],
            json!({
                "location": [format!("{URL}/so1.flac")],
                "title": "First Light",
                "creator": "The Goldcrests",
                "album": "Songs from the Spruce",
                "trackNum": 1,
                "duration": 200_400,
                "image": format!("{URL}/al1-1200.jpg"),
            })
        );
        assert_eq!(list["track"][1].get("trackNum"), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,30}|[\0-\u{ff}\u{fffe}<>&\"']{0,30}") {
            let list: Value = serde_json::from_str(&jspf(&hostile(&text)).unwrap()).unwrap();
            prop_assert_eq!(list["playlist"]["title"].as_str(), Some(text.as_str()));
            prop_assert_eq!(list["playlist"]["track"][1]["title"].as_str(), Some(text.as_str()));
        }
    }
}
