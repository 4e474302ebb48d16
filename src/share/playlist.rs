//! A share as an M3U playlist, for players that are no browsers.

use std::fmt::Write;

use super::listing::Listing;

/// The content type; players know it better than the registered `application/vnd.apple.mpegurl`.
pub const CONTENT_TYPE: &str = "audio/x-mpegurl; charset=utf-8";

/// The playlist. Album and picture stand before the first track they are of.
pub fn m3u8(listing: &Listing) -> String {
    let mut text = format!("#EXTM3U\n#PLAYLIST:{}\n", one_line(&listing.title));
    let (mut album, mut picture) = ("", None);
    for track in &listing.tracks {
        // Writing to a String cannot fail.
        if track.album != album && !track.album.is_empty() {
            let _ = writeln!(text, "#EXTALB:{}", one_line(&track.album));
            album = &track.album;
        }
        if let Some(cover) = track.cover.as_ref().filter(|cover| picture != Some(*cover)) {
            let _ = writeln!(text, "#EXTIMG:{}", cover.large);
            picture = Some(cover);
        }
        let seconds = track.duration.saturating_add(500) / 1000;
        let title = one_line(&track.title);
        let name = match track.artist.as_str() {
            "" => title,
            artist => format!("{} - {title}", one_line(artist)),
        };
        let _ = writeln!(text, "#EXTINF:{seconds},{name}\n{}", track.url);
    }
    text
}

/// A line break in a title would begin a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::listing::tests::{URL, hostile, sample};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_player_is_told_what_comes() {
        assert_eq!(
            m3u8(&sample()),
            format!(
                "#EXTM3U\n#PLAYLIST:Songs from the Spruce\n#EXTALB:Songs from the Spruce\n\
                 #EXTIMG:{URL}/al1-1200.jpg\n\
                 #EXTINF:200,The Goldcrests - First Light\n{URL}/so1.flac\n\
                 #EXTINF:200,The Goldcrests - Needle & Cone <live>\n{URL}/so2.flac\n"
            )
        );
    }

    proptest! {
        #[test]
        fn no_text_begins_a_line(text in "\\PC{0,30}|[\0-\u{ff}\n#]{0,30}") {
            let list = m3u8(&hostile(&text));
            for line in list.lines() {
                prop_assert!(line.starts_with("#EXT") || line.starts_with("#PLAYLIST:") || line.starts_with(URL));
            }
        }
    }
}
