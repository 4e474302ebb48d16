//! A share as an M3U playlist, for players that are no browsers.

use std::fmt::Write;

use crate::db::songs::Song;
use crate::id::Id;

/// The content type; players know it better than the registered `application/vnd.apple.mpegurl`.
pub const CONTENT_TYPE: &str = "audio/x-mpegurl; charset=utf-8";

/// The playlist of songs; `address` is that of the share's page, without a slash at the end.
pub fn m3u8(title: &str, songs: &[Song], address: &str) -> String {
    let mut text = format!("#EXTM3U\n#PLAYLIST:{}\n", one_line(title));
    for song in songs {
        let seconds = (song.duration + 500) / 1000;
        let name = match song.artist.as_str() {
            "" => one_line(&song.title),
            artist => format!("{} - {}", one_line(artist), one_line(&song.title)),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "#EXTINF:{seconds},{name}\n{address}/{}.{}",
            Id::Song(song.id),
            song.suffix
        );
    }
    text
}

/// A line break in a title would begin a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
