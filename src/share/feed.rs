//! A share as an RSS 2.0 feed for podcast apps.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use super::listing::Listing;
use super::markup::{element, escape};
use crate::db::shares::MOST_SONGS;

/// The content type.
pub const CONTENT_TYPE: &str = "application/rss+xml; charset=utf-8";

/// The feed: an episode for each track, the first the oldest, since apps play a series from its
/// beginning.
pub fn rss(listing: &Listing) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\">\n<channel>\n",
    );
    element(&mut out, "title", &listing.title);
    element(&mut out, "link", &listing.url);
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<atom:link href=\"{}\" rel=\"self\" type=\"application/rss+xml\"/>",
        escape(&listing.address("feed.rss"))
    );
    element(&mut out, "description", &listing.summary());
    element(&mut out, "generator", "Kinglet");
    if let Some(artist) = &listing.artist {
        element(&mut out, "itunes:author", artist);
    }
    // A link is for those who were given it, and not for a directory.
    element(&mut out, "itunes:block", "Yes");
    element(&mut out, "itunes:type", "serial");
    out.push_str("<itunes:category text=\"Music\"/>\n");
    let explicit = listing.tracks.iter().any(|track| track.explicit == Some(true));
    element(&mut out, "itunes:explicit", truth(explicit));
    if let Some(cover) = &listing.cover {
        let large = escape(&cover.large);
        let _ = writeln!(out, "<itunes:image href=\"{large}\"/>");
        out.push_str("<image>\n");
        element(&mut out, "url", &cover.large);
        element(&mut out, "title", &listing.title);
        element(&mut out, "link", &listing.url);
        out.push_str("</image>\n");
    }
    for (number, track) in (1..).zip(&listing.tracks) {
        out.push_str("<item>\n");
        element(&mut out, "title", &track.title);
        element(&mut out, "link", &format!("{}#{number}", listing.url));
        let about = [&track.artist, &track.album].map(String::as_str);
        let about: Vec<&str> = about.into_iter().filter(|text| !text.is_empty()).collect();
        if !about.is_empty() {
            element(&mut out, "description", &about.join(" · "));
        }
        let _ = writeln!(
            out,
            "<enclosure url=\"{}\" length=\"{}\" type=\"{}\"/>",
            escape(&track.url),
            track.size,
            escape(track.content_type)
        );
        // The same wherever the server can be reached, so that no app plays an episode twice.
        let token = listing.url.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(out, "<guid isPermaLink=\"false\">{token}/{}</guid>", track.id);
        element(&mut out, "pubDate", &date(listing.created, number));
        if track.duration > 0 {
            element(
                &mut out,
                "itunes:duration",
                &(track.duration.saturating_add(500) / 1000).to_string(),
            );
        }
        if !track.artist.is_empty() {
            element(&mut out, "itunes:author", &track.artist);
        }
        if let Some(cover) = &track.cover {
            let _ = writeln!(out, "<itunes:image href=\"{}\"/>", escape(&cover.large));
        }
        element(&mut out, "itunes:episode", &number.to_string());
        element(&mut out, "itunes:explicit", truth(track.explicit == Some(true)));
        out.push_str("</item>\n");
    }
    out.push_str("</channel>\n</rss>\n");
    out
}

fn truth(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

/// The date of an episode: a second after the one before, and none after the share was made, since
/// apps hide what comes from the future.
fn date(created: i64, number: u64) -> String {
    let before = (MOST_SONGS as u64).saturating_sub(number);
    let seconds = u64::try_from(created / 1000).unwrap_or(0).saturating_sub(before);
    // httpdate knows the years to 9999.
    let moment = UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799));
    httpdate::fmt_http_date(moment)
}

#[cfg(test)]
mod tests {
    use super::super::listing::tests::{URL, hostile, sample};
    use super::super::markup::tests::texts;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_feed_has_what_apps_need() {
        let feed = rss(&sample());
        texts(&feed);
        for part in [
            "<title>Songs from the Spruce</title>",
            &format!(
                "<atom:link href=\"{URL}/feed.rss\" rel=\"self\" type=\"application/rss+xml\"/>"
            ),
            "<itunes:block>Yes</itunes:block>",
            &format!("<enclosure url=\"{URL}/so2.flac\" length=\"20000000\" type=\"audio/flac\"/>"),
            "<guid isPermaLink=\"false\">4fGk29LmQx7RbT1z/so2</guid>",
            "<title>Needle &amp; Cone &lt;live&gt;</title>",
            "<itunes:duration>200</itunes:duration>",
            &format!("<itunes:image href=\"{URL}/al1-1200.jpg\"/>"),
        ] {
            assert!(feed.contains(part), "{part} in\n{feed}");
        }
    }

    #[test]
    fn episodes_are_a_second_apart_and_never_in_the_future() {
        let dates: Vec<_> = [1, 2, 5_000].map(|number| date(1_790_000_000_000, number)).into();
        assert_eq!(dates[0], "Mon, 21 Sep 2026 12:50:01 GMT");
        assert_eq!(dates[1], "Mon, 21 Sep 2026 12:50:02 GMT");
        assert_eq!(dates[2], "Mon, 21 Sep 2026 14:13:20 GMT");
        for created in [i64::MIN, 0, i64::MAX] {
            assert!(date(created, 1).ends_with(" GMT"));
        }
    }

    proptest! {
        #[test]
        fn any_text_leaves_it_well_formed(text in "\\PC{0,30}|[\0-\u{ff}\u{fffe}\u{2028}<>&\"']{0,30}") {
            let found = texts(&rss(&hostile(&text)));
            if !text.contains(|letter: char| letter.is_control() || letter == '\u{fffe}') {
                prop_assert!(found.contains(&text));
            }
        }
    }
}
