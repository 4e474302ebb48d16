//! Words of songs: by artist and title, and by the song's id with times.

use serde::Serialize;

use crate::db::{fold, lyrics as rows, songs};
use crate::lyrics;
use crate::subsonic::encode::xml::Text;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::{Call, Reply};

#[derive(Serialize)]
struct Lyrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    value: Text,
}

/// `getLyrics`: plain words by artist and title; without any, an empty text.
pub fn get_lyrics(call: &Call) -> Result<Reply> {
    let artist = fold::words(call.params.text("artist").unwrap_or_default());
    let title = call.params.text("title").unwrap_or_default();
    let found = call.app.db.read(|db| {
        for (song, name) in rows::titled(db, call.viewer(), title)? {
            if artist.is_empty() || fold::words(&name).contains(&artist) {
                let words = rows::of_song(db, song)?.into_iter().next();
                return Ok::<_, Fail>(songs::by_id(db, call.viewer(), song)?.zip(words));
            }
        }
        Ok(None)
    })?;
    let answer = match found {
        Some((song, words)) => Lyrics {
            artist: Some(song.artist),
            title: Some(song.title),
            value: Text(plain(&words.text)),
        },
        None => Lyrics { artist: None, title: None, value: Text(String::new()) },
    };
    call.answer("lyrics", &answer)
}

fn plain(text: &str) -> String {
    let lines: Vec<String> = lyrics::read(text).lines.into_iter().map(|line| line.words).collect();
    lines.join("\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LyricsList {
    structured_lyrics: Vec<StructuredLyrics>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StructuredLyrics {
    display_artist: String,
    display_title: String,
    lang: String,
    offset: i64,
    synced: bool,
    line: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<i64>,
    value: Text,
}

/// `getLyricsBySongId`: all words of a song, with times where there are any.
pub fn get_lyrics_by_song_id(call: &Call) -> Result<Reply> {
    let id = call.params.need_song("id")?;
    let (song, words) = call.app.db.read(|db| {
        let song = songs::by_id(db, call.viewer(), id)?;
        Ok::<_, Fail>((song, rows::of_song(db, id)?))
    })?;
    let song = song.ok_or_else(|| Fail::not_found("Song"))?;
    let structured_lyrics = words
        .into_iter()
        .map(|words| {
            let lyrics = lyrics::read(&words.text);
            StructuredLyrics {
                display_artist: song.artist.clone(),
                display_title: song.title.clone(),
                // The spec's word for a language that is not known.
                lang: if words.language.is_empty() { "xxx".to_owned() } else { words.language },
                offset: lyrics.offset,
                synced: lyrics.synced,
                line: lyrics
                    .lines
                    .into_iter()
                    .map(|line| Line { start: line.start, value: Text(line.words) })
                    .collect(),
            }
        })
        .collect();
    call.answer("lyricsList", &LyricsList { structured_lyrics })
}
