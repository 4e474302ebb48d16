//! The words of a track of a share: as JSON for the player, as a page for those without it.

use std::fmt::Write;

use rusqlite::Connection;
use serde::Serialize;

use super::STRANGER;
use super::document::{Document, Frames, Parts, document, escape, filled};
use super::words::Words;
use crate::db::lyrics as texts;
use crate::db::shares::Share;
use crate::db::songs::{self, Song};
use crate::id::Id;
use crate::lyrics::{self, Lyrics};

/// What the player reads.
#[derive(Debug, Serialize)]
struct Wire<'a> {
    /// Whether the lines carry times.
    synced: bool,
    /// When each is sung, in ms (`null` without times), and its words.
    lines: Vec<(Option<i64>, &'a str)>,
}

/// How the words are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For the player.
    Json,
    /// For people.
    Page,
}

/// Reads the name of words, `so12.lyrics.json` or `so12.lyrics`.
pub fn read_name(name: &str) -> Option<(i64, Shape)> {
    let (id, shape) = match name.strip_suffix(".json") {
        Some(name) => (name, Shape::Json),
        None => (name, Shape::Page),
    };
    match Id::parse(id.strip_suffix(".lyrics")?)? {
        Id::Song(song) => Some((song, shape)),
        _ => None,
    }
}

/// A song of a share with its words, the best there are: with times, then from the file beside it.
pub fn find(db: &Connection, share: &Share, song: i64) -> rusqlite::Result<Option<(Song, Lyrics)>> {
    let all = texts::of_song(db, song)?.into_iter().map(|one| lyrics::read(&one.text));
    let mut all: Vec<_> = all.filter(|one| !one.lines.is_empty()).collect();
    // Among equals the first stays the first.
    all.sort_by_key(|one| !one.synced);
    let Some(best) = all.into_iter().next() else { return Ok(None) };
    let song = songs::by_ids(db, share.seen_by(STRANGER), &[song])?.pop();
    Ok(song.map(|song| (song, best)))
}

/// The JSON: `{"synced":true,"lines":[[12300,"First line"]]}`.
pub fn json(lyrics: &Lyrics) -> String {
    let at = |start: i64| start.saturating_sub(lyrics.offset).max(0);
    let lines = lyrics.lines.iter().map(|line| (line.start.map(at), line.words.as_str()));
    let wire = Wire { synced: lyrics.synced, lines: lines.collect() };
    serde_json::to_string(&wire).unwrap_or_default()
}

/// The page, one folder deeper than that of the share.
pub fn page(words: &'static Words, token: &str, song: &Song, lyrics: &Lyrics) -> Document {
    let title = escape(&song.title);
    let mut body = format!(
        "<main class=\"sheet\">\n<p class=\"from\"><a href=\"../{}\">{}</a></p>\n<h1 dir=\"auto\">{title}</h1>\n\
         <p class=\"artist-of-all\" dir=\"auto\">{}</p>\n<div class=\"lines plain\">\n",
        escape(token),
        escape(words.open_page),
        escape(&song.artist)
    );
    for line in &lyrics.lines {
        let _ = writeln!(body, "<p dir=\"auto\">{}</p>", escape(&line.words));
    }
    let _ =
        write!(body, "</div>\n</main>\n<footer>\n<p>{}</p>\n</footer>\n", escape(words.made_with));
    document(&Parts {
        words,
        up: "../",
        title: &filled(words.lyrics_of, "title", &title),
        head: "",
        attributes: "",
        body: &body,
        colours: None,
        frames: Frames::Nowhere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whose_words_and_how() {
        assert_eq!(read_name("so12.lyrics.json"), Some((12, Shape::Json)));
        assert_eq!(read_name("so12.lyrics"), Some((12, Shape::Page)));
        for other in
            ["so12.json", "so012.lyrics", "al1.lyrics", ".lyrics", "so1.lyrics.xml", "so1.flac"]
        {
            assert_eq!(read_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_offset_shows_lines_sooner() {
        let synced = lyrics::read("[offset:500]\n[00:00.20]One\n[00:02.00]</script>");
        assert_eq!(json(&synced), r#"{"synced":true,"lines":[[0,"One"],[1500,"</script>"]]}"#);
        let plain = lyrics::read("One\n\nTwo");
        assert_eq!(
            json(&plain),
            r#"{"synced":false,"lines":[[null,"One"],[null,""],[null,"Two"]]}"#
        );
    }
}
