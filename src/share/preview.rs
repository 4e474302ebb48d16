//! What link previews read at the head of the page: Open Graph (ogp.me), the fields of Twitter that
//! have no twin there, and where else the share is.
//!
//! Who reads it bounds it. Slack reads the first 32 KiB of a page, so this stands before everything
//! that is long, and of a long list only the first tracks are named. WhatsApp shows no picture of
//! more than 300 KB and takes the last `og:image`, so there is one, and the card is below that.
//! Facebook shows a picture at the first time only where its size is told, and large only from
//! 600 x 315 pixels on. Discord, Mastodon and Slack show a player where oEmbed or a player card
//! names one over https. Signal, Telegram and iMessage take title, description and picture.

use std::fmt::Write;

use super::listing::{Listing, Track};
use super::markup::escape;
use super::oembed;
use crate::media::card;

/// Tracks of a list that are named.
const NAMED: usize = 10;
/// Most letters of a description: no program shows more, and the fields behind it have to lie
/// within what Slack reads.
const MOST_LETTERS: usize = 500;

/// The head's part for link previews, in HTML.
pub fn tags(listing: &Listing) -> String {
    let mut out = String::new();
    let mut property = |name: &str, content: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<meta property=\"{name}\" content=\"{}\">", escape(content));
    };
    let one = match listing.tracks.as_slice() {
        [track] => Some(track),
        _ => None,
    };
    property("og:type", kind(listing, one));
    property("og:site_name", "Kinglet");
    property("og:title", &listing.title);
    property("og:description", &shortened(&listing.summary()));
    property("og:url", &listing.url);
    property("og:image", &listing.address("card.jpg"));
    property("og:image:type", "image/jpeg");
    property("og:image:width", &card::SIZE.0.to_string());
    property("og:image:height", &card::SIZE.1.to_string());
    property("og:image:alt", &alternative(listing));
    if let Some(track) = one {
        media(&mut property, track);
    }
    if one.is_none() {
        for (number, track) in (1..).zip(listing.tracks.iter().take(NAMED)) {
            if track.video.is_none() {
                property("music:song", &format!("{}#{number}", listing.url));
                property("music:song:track", &number.to_string());
            }
        }
    }
    twitter(&mut out, listing);
    let mut alternate = |kind: &str, address: &str, title: &str| {
        let _ = writeln!(
            out,
            "<link rel=\"alternate\" type=\"{kind}\" href=\"{}\" title=\"{title}\">",
            escape(address)
        );
    };
    if listing.embeddable {
        let link: String = form_urlencoded::byte_serialize(listing.url.as_bytes()).collect();
        let folder = listing.url.rsplit_once('/').map_or("", |(folder, _)| folder);
        let oembed = format!("{folder}/oembed?url={link}&format=");
        alternate("application/json+oembed", &format!("{oembed}json"), "oEmbed");
        alternate("text/xml+oembed", &format!("{oembed}xml"), "oEmbed");
    }
    alternate("application/rss+xml", &listing.address("feed.rss"), "Podcast");
    alternate("application/jspf+json", &listing.address("playlist.jspf"), "JSPF");
    alternate("application/json", &listing.address("share.json"), "JSON");
    out
}

fn kind(listing: &Listing, one: Option<&Track>) -> &'static str {
    match one {
        Some(track) if track.video.is_some() => "video.other",
        Some(_) => "music.song",
        None if listing.album.is_some() => "music.album",
        None => "music.playlist",
    }
}

/// The one track that is shared.
fn media(property: &mut impl FnMut(&str, &str), track: &Track) {
    let kind = if track.video.is_some() { "og:video" } else { "og:audio" };
    property(kind, &track.url);
    if track.url.starts_with("https://") {
        property(&format!("{kind}:secure_url"), &track.url);
    }
    property(&format!("{kind}:type"), track.content_type);
    let seconds = (track.duration.saturating_add(500) / 1000).to_string();
    match track.video {
        Some((width, height)) => {
            if width > 0 && height > 0 {
                property("og:video:width", &width.to_string());
                property("og:video:height", &height.to_string());
            }
            if track.duration > 0 {
                property("video:duration", &seconds);
            }
        }
        None if track.duration > 0 => property("music:duration", &seconds),
        None => {}
    }
}

/// A large picture; a player where one can be shown, which those who read it want over https.
fn twitter(out: &mut String, listing: &Listing) {
    let mut name = |name: &str, content: &str| {
        let _ = writeln!(out, "<meta name=\"twitter:{name}\" content=\"{}\">", escape(content));
    };
    let embed = listing.address("embed");
    if listing.embeddable && embed.starts_with("https://") {
        let (width, height) = oembed::size(listing, None, None);
        name("card", "player");
        name("player", &embed);
        name("player:width", &width.to_string());
        name("player:height", &height.to_string());
    } else {
        name("card", "summary_large_image");
    }
    name("title", &listing.title);
    name("description", &shortened(&listing.summary()));
    name("image", &listing.address("card.jpg"));
    name("image:alt", &alternative(listing));
}

/// What the card shows, for those who do not see it.
fn alternative(listing: &Listing) -> String {
    let by = listing.artist.as_ref().map(|artist| format!(" – {artist}")).unwrap_or_default();
    format!("{}{by}, {}", listing.title, listing.facts())
}

/// A text that is not longer than is shown.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_LETTERS {
        return text.to_owned();
    }
    let short: String = text.chars().take(MOST_LETTERS - 1).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::listing::tests::{URL, hostile, sample, sample_track};
    use super::super::markup::tests::texts;
    use super::*;
    use proptest::prelude::*;

    /// The value of a field.
    fn value(tags: &str, name: &str) -> Option<String> {
        let line = tags.lines().find(|line| line.contains(&format!("=\"{name}\"")))?;
        Some(line.split("content=\"").nth(1)?.split('"').next()?.to_owned())
    }

    #[test]
    fn a_list_is_an_album_or_a_playlist() {
        let mut listing = sample();
        let tags = tags(&listing);
        let field = |name| value(&tags, name);
        assert_eq!(field("og:type").as_deref(), Some("music.album"));
        assert_eq!(field("og:image"), Some(format!("{URL}/card.jpg")));
        assert_eq!(field("og:image:width").as_deref(), Some("1200"));
        assert_eq!(field("og:description").as_deref(), Some("The one I told you about."));
        assert_eq!(field("og:audio"), None);
        assert_eq!(tags.matches("\"og:image\"").count(), 1);
        assert_eq!(tags.matches("\"music:song\"").count(), 2);
        listing.album = None;
        assert_eq!(value(&super::tags(&listing), "og:type").as_deref(), Some("music.playlist"));
    }

    #[test]
    fn one_song_can_be_played_in_the_preview() {
        let mut listing = sample();
        listing.tracks.truncate(1);
        let tags = tags(&listing);
        let field = |name| value(&tags, name);
        assert_eq!(field("og:type").as_deref(), Some("music.song"));
        for name in ["og:audio", "og:audio:secure_url"] {
            assert_eq!(field(name), Some(format!("{URL}/so1.flac")), "{name}");
        }
        assert_eq!(field("og:audio:type").as_deref(), Some("audio/flac"));
        assert_eq!(field("music:duration").as_deref(), Some("200"));
        assert_eq!(field("music:song"), None);
    }

    #[test]
    fn one_video_is_a_video() {
        let mut listing = sample();
        listing.tracks.truncate(1);
        listing.tracks[0].video = Some((1280, 720));
        listing.tracks[0].content_type = "video/mp4";
        let tags = tags(&listing);
        let field = |name| value(&tags, name);
        assert_eq!(field("og:type").as_deref(), Some("video.other"));
        assert_eq!(field("og:video"), Some(format!("{URL}/so1.flac")));
        assert_eq!(field("og:video:height").as_deref(), Some("720"));
        assert_eq!(field("video:duration").as_deref(), Some("200"));
        assert_eq!((field("og:audio"), field("music:duration")), (None, None));
    }

    #[test]
    fn a_player_is_named_where_it_may_be_shown() {
        let mut listing = sample();
        let with = tags(&listing);
        assert_eq!(value(&with, "twitter:card").as_deref(), Some("player"));
        assert_eq!(value(&with, "twitter:player"), Some(format!("{URL}/embed")));
        let link = "oembed?url=https%3A%2F%2Fmusic.example.org%2Fkinglet%2Fshare%2F4fGk29LmQx7RbT1z&amp;format=json";
        assert!(
            with.contains(&format!("https://music.example.org/kinglet/share/{link}")),
            "{with}"
        );
        listing.embeddable = false;
        let without = tags(&listing);
        assert_eq!(value(&without, "twitter:card").as_deref(), Some("summary_large_image"));
        assert!(!without.contains("oembed") && !without.contains("twitter:player"));
        // Nor over http, where those who read it would not show it.
        listing.embeddable = true;
        listing.url = "http://nas:4040/share/x".to_owned();
        let plain = tags(&listing);
        assert_eq!(value(&plain, "twitter:card").as_deref(), Some("summary_large_image"));
        assert!(plain.contains("oembed"));
    }

    #[test]
    fn it_lies_within_what_slack_reads() {
        let mut listing = hostile(&"&\"<夜".repeat(500));
        listing.tracks = (1..5_000).map(|number| sample_track(number, "x")).collect();
        // Titles come from tags, which are not shortened here; a long one is 250 letters.
        listing.title = "&".repeat(250);
        listing.artist = Some("&".repeat(250));
        let tags = tags(&listing);
        assert!(tags.len() < 24 * 1024, "{} bytes", tags.len());
        assert_eq!(tags.matches("\"music:song\"").count(), NAMED);
    }

    proptest! {
        #[test]
        fn any_text_stays_in_its_field(text in "\\PC{0,30}|[\0-\u{ff}\u{fffe}<>&\"']{0,30}") {
            let tags = tags(&hostile(&text));
            for line in tags.replace("\">\n", "\"/>\r").split('\r') {
                texts(line);
            }
        }
    }
}
