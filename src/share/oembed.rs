//! What sites ask for that show a link as a player: oEmbed 1.0 (oembed.com).

use std::fmt::Write;

use hyper::Uri;
use serde::Serialize;

use super::listing::Listing;
use super::markup::{element, escape};
use crate::media::card;

/// The content types.
pub const JSON: &str = "application/json";
/// The same in XML.
pub const XML: &str = "text/xml; charset=utf-8";

/// Width of a player that nobody bounds, in pixels.
const WIDTH: u32 = 640;
/// Heights: for one track, for a list of them, and for a video in its proportion of 16 to 9.
const HEIGHT_OF_ONE: u32 = 200;
const HEIGHT_OF_MANY: u32 = 420;
/// Least of both: what is smaller could not be pressed.
const LEAST: (u32, u32) = (240, 120);

/// How long a site may keep the answer, in seconds: the player is asked anew each time it is shown.
const KEPT: u32 = 3_600;

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The word of the share whose link is asked about.
    pub token: String,
    /// The form of the answer.
    pub format: Format,
    /// The most pixels from left to right.
    pub max_width: Option<u32>,
    /// The most pixels from top to bottom.
    pub max_height: Option<u32>,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It is about no share of this server.
    Unknown,
    /// It is wanted in a form that there is not.
    Format,
}

/// Reads a question; `base` is what links begin with.
///
/// # Errors
/// It is about no link of ours, or wants another format.
pub fn question(uri: &Uri, base: &str) -> Result<Question, Unanswered> {
    let (mut url, mut format, mut size) = (None, Format::Json, [None; 2]);
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "url" => url = Some(value),
            "format" if value == "json" => format = Format::Json,
            "format" if value == "xml" => format = Format::Xml,
            "format" => return Err(Unanswered::Format),
            "maxwidth" => size[0] = value.parse().ok(),
            "maxheight" => size[1] = value.parse().ok(),
            _ => {}
        }
    }
    let token = url.as_deref().and_then(|url| token_of(url, base)).ok_or(Unanswered::Unknown)?;
    let [max_width, max_height] = size;
    Ok(Question { token: token.to_owned(), format, max_width, max_height })
}

/// The word in a link to a share of ours, with any query and fragment; http and https are one.
fn token_of<'a>(url: &'a str, base: &str) -> Option<&'a str> {
    let plain = |text: &'a str| {
        text.split_once("://").filter(|(scheme, _)| {
            ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        })
    };
    let (_, link) = plain(url)?;
    let base = base.split_once("://").map_or(base, |(_, rest)| rest);
    let (site, rest) = link.split_at_checked(base.len())?;
    let token = rest.strip_prefix("/share/").filter(|_| site.eq_ignore_ascii_case(base))?;
    let token = token.split(['?', '#']).next()?;
    let token = token.strip_suffix('/').unwrap_or(token);
    (!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(token)
}

#[derive(Serialize)]
struct Answer<'a> {
    version: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<&'a str>,
    provider_name: &'a str,
    cache_age: u32,
    width: u32,
    height: u32,
    html: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_height: Option<u32>,
}

/// The width and height of a player, within what is asked for as far as it can be used.
pub fn size(listing: &Listing, max_width: Option<u32>, max_height: Option<u32>) -> (u32, u32) {
    let width = WIDTH.min(max_width.unwrap_or(WIDTH)).max(LEAST.0);
    let height = match listing.tracks.as_slice() {
        [track] if track.video.is_some() => width * 9 / 16,
        [_] => HEIGHT_OF_ONE,
        _ => HEIGHT_OF_MANY,
    };
    (width, height.min(max_height.unwrap_or(height)).max(LEAST.1))
}

/// The answer for a share that may be embedded.
pub fn answer(listing: &Listing, question: &Question) -> serde_json::Result<String> {
    let (width, height) = size(listing, question.max_width, question.max_height);
    let html = format!(
        "<iframe src=\"{}\" width=\"{width}\" height=\"{height}\" title=\"{}\" loading=\"lazy\" \
         allow=\"autoplay; fullscreen\" style=\"border:0;max-width:100%\"></iframe>",
        escape(&listing.address("embed")),
        escape(&listing.title)
    );
    let fits = |most: Option<u32>, pixels| most.is_none_or(|most| pixels <= most);
    let thumbnail =
        fits(question.max_width, card::SIZE.0) && fits(question.max_height, card::SIZE.1);
    let answer = Answer {
        version: "1.0",
        kind: "rich",
        title: &listing.title,
        author_name: listing.artist.as_deref(),
        provider_name: "Kinglet",
        cache_age: KEPT,
        width,
        height,
        html,
        thumbnail_url: thumbnail.then(|| listing.address("card.jpg")),
        thumbnail_width: thumbnail.then_some(card::SIZE.0),
        thumbnail_height: thumbnail.then_some(card::SIZE.1),
    };
    match question.format {
        Format::Json => serde_json::to_string(&answer),
        Format::Xml => Ok(xml(&answer)),
    }
}

fn xml(answer: &Answer) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<oembed>\n");
    let numbers = [answer.cache_age, answer.width, answer.height].map(|number| number.to_string());
    let [cache_age, width, height] = &numbers;
    let fields = [
        ("version", answer.version),
        ("type", answer.kind),
        ("title", answer.title),
        ("author_name", answer.author_name.unwrap_or_default()),
        ("provider_name", answer.provider_name),
        ("cache_age", cache_age),
        ("width", width),
        ("height", height),
        ("html", &answer.html),
        ("thumbnail_url", answer.thumbnail_url.as_deref().unwrap_or_default()),
    ];
    for (name, text) in fields {
        if !text.is_empty() {
            element(&mut out, name, text);
        }
    }
    if let Some((width, height)) = answer.thumbnail_width.zip(answer.thumbnail_height) {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<thumbnail_width>{width}</thumbnail_width>\n<thumbnail_height>{height}</thumbnail_height>\n"
        );
    }
    out.push_str("</oembed>\n");
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::listing::tests::{URL, hostile, sample};
    use super::super::markup::tests::texts;
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const BASE: &str = "https://music.example.org/kinglet";

    fn asked(query: &str) -> Result<Question, Unanswered> {
        question(&format!("/share/oembed?{query}").parse().unwrap(), BASE)
    }

    fn plain(format: Format) -> Question {
        Question { token: "x".to_owned(), format, max_width: None, max_height: None }
    }

    #[test]
    fn only_links_of_ours_are_answered() {
        for url in [
            "https%3A%2F%2Fmusic.example.org%2Fkinglet%2Fshare%2FAb1",
            "http://MUSIC.example.org/kinglet/share/Ab1",
            "https://music.example.org/kinglet/share/Ab1/%23t=3",
            "https://music.example.org/kinglet/share/Ab1%3Futm=x",
        ] {
            assert_eq!(
                asked(&format!("url={url}")).map(|asked| asked.token),
                Ok("Ab1".to_owned()),
                "{url}"
            );
        }
        for url in [
            "",
            "https://music.example.org/kinglet/share/",
            "https://music.example.org/kinglet/share/Ab1/so1.flac",
            "https://music.example.org.evil/kinglet/share/Ab1",
            "https://music.example.org/share/Ab1",
            "ftp://music.example.org/kinglet/share/Ab1",
            "music.example.org/kinglet/share/Ab1",
        ] {
            assert_eq!(asked(&format!("url={url}")), Err(Unanswered::Unknown), "{url}");
        }
        assert_eq!(asked("format=json"), Err(Unanswered::Unknown));
        assert_eq!(asked(&format!("format=yaml&url={BASE}/share/Ab1")), Err(Unanswered::Format));
        let all =
            asked(&format!("url={BASE}/share/Ab1&format=xml&maxwidth=300&maxheight=x")).unwrap();
        assert_eq!((all.format, all.max_width, all.max_height), (Format::Xml, Some(300), None));
    }

    #[test]
    fn the_player_keeps_within_what_is_asked_for() {
        let mut listing = sample();
        assert_eq!(size(&listing, None, None), (640, 420));
        assert_eq!(size(&listing, Some(500), Some(300)), (500, 300));
        assert_eq!(size(&listing, Some(1), Some(1)), LEAST);
        listing.tracks.truncate(1);
        assert_eq!(size(&listing, Some(9_999), None), (640, 200));
        listing.tracks[0].video = Some((1920, 1080));
        assert_eq!(size(&listing, Some(480), None), (480, 270));
    }

    #[test]
    fn both_formats_say_the_same() {
        let json: Value =
            serde_json::from_str(&answer(&sample(), &plain(Format::Json)).unwrap()).unwrap();
        assert_eq!(json["type"], "rich");
        assert!(
            json["html"]
                .as_str()
                .unwrap()
                .starts_with(&format!("<iframe src=\"{URL}/embed\" width=\"640\""))
        );
        let xml = answer(&sample(), &plain(Format::Xml)).unwrap();
        let texts = texts(&xml);
        for value in json.as_object().unwrap().values() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(texts.contains(&text), "{text} in {xml}");
        }
        // The only picture is left out where it is larger than what is asked for.
        let small = Question { max_width: Some(600), ..plain(Format::Json) };
        assert!(!answer(&sample(), &small).unwrap().contains("thumbnail"));
    }

    proptest! {
        #[test]
        fn any_text_leaves_both_well_formed(text in "\\PC{0,30}|[\0-\u{ff}\u{fffe}<>&\"']{0,30}") {
            let listing = hostile(&text);
            texts(&answer(&listing, &plain(Format::Xml)).unwrap());
            let json: Value = serde_json::from_str(&answer(&listing, &plain(Format::Json)).unwrap()).unwrap();
            let html = json["html"].as_str().unwrap().to_owned();
            prop_assert_eq!(texts(&html).len() > 4, true);
        }

        #[test]
        fn no_query_makes_it_panic(url in "\\PC{0,60}") {
            let query: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
            let _ = asked(&format!("url={query}"));
            prop_assert!(token_of(&url, BASE).is_none_or(|token| !token.is_empty()));
        }
    }
}
