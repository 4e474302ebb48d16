//! What a share's page and playlist show, from what the database holds.

use rusqlite::{Connection, Result};

use super::listing::listing;
use super::page::{COVER_SIZES, Caption, Cover, Page, Track, VideoFacts};
use super::words::Words;
use super::{STRANGER, preview};
use crate::db::shares::{self, Held, Missing, Share};
use crate::db::songs::Song;
use crate::db::{lyrics, videos};
use crate::id::Id;
use crate::media::language;

/// What a share of several things is called. It does not say who shares: a stranger is told no
/// name of a user.
const UNNAMED: &str = "Shared music";

/// A share with its songs and its name.
pub struct Content {
    /// What it is called.
    pub title: String,
    /// Whether that is the name of something, and not words of ours.
    pub named: bool,
    /// What it holds now, in order.
    pub songs: Vec<Song>,
    /// What it holds and is not there now, in order; it comes back by itself.
    pub missing: Vec<Missing>,
    /// The captions of the videos among them, by the video's id.
    pub captions: Vec<(i64, videos::Caption)>,
    /// The ids of the songs that have words, ascending.
    pub with_lyrics: Vec<i64>,
}

/// Reads what a share holds now.
pub fn read(db: &Connection, share: &Share) -> Result<Content> {
    let entries = shares::entries(db, share)?;
    let held = shares::held(db, share, &entries, STRANGER)?;
    let title = shares::title(db, share, &entries, &held)?;
    let Held { songs, missing } = held;
    let named = title.is_some();
    let title = title.unwrap_or_else(|| UNNAMED.to_owned());
    let seen = songs.iter().filter(|song| song.video.is_some()).map(|song| song.id);
    let mut seen: Vec<i64> = seen.collect();
    seen.sort_unstable();
    seen.dedup();
    let captions = if seen.is_empty() { Vec::new() } else { videos::captions(db, &seen)? };
    let ids: Vec<i64> = songs.iter().map(|song| song.id).collect();
    let with_lyrics = lyrics::of_these(db, &ids)?;
    Ok(Content { title, named, songs, missing, captions, with_lyrics })
}

/// The page of a share in a language; `base` is what links begin with. Its colours are not known yet.
pub fn page(share: &Share, content: Content, words: &'static Words, base: &str) -> Page {
    let previews = preview::tags(&listing(share, &content, base));
    let token = &share.token;
    let download = share.may_download();
    let captions = &content.captions;
    let with_lyrics = &content.with_lyrics;
    let track = |song: Song| Track {
        video: song.video.map(|frame| VideoFacts {
            width: frame.width,
            height: frame.height,
            captions: captions_of(captions, token, song.id),
        }),
        src: format!("{token}/{}.{}", Id::Song(song.id), song.suffix),
        title: song.title,
        artist: song.artist,
        album: Some(song.album).filter(|album| !album.is_empty()),
        duration_ms: u64::try_from(song.duration).unwrap_or(0),
        cover: song.cover.map(|cover| format!("{token}/{}", cover.of)),
        lyrics: with_lyrics
            .binary_search(&song.id)
            .is_ok()
            .then(|| format!("{token}/{}.lyrics", Id::Song(song.id))),
        download: download.then(|| format!("{token}/get/{}.{}", Id::Song(song.id), song.suffix)),
        missing: false,
    };
    let pictured = content.songs.iter().find_map(|song| song.cover);
    let cover = pictured.map(|cover| Cover { stem: format!("{token}/{}", cover.of) });
    let title = match content.named {
        true => content.title,
        false => words.mix.to_owned(),
    };
    Page {
        words,
        token: token.clone(),
        title,
        description: share.description.clone(),
        cover,
        colours: None,
        tracks: in_order(content.songs.into_iter().map(track), content.missing),
        playlist: format!("{token}/playlist.m3u8"),
        feed: format!("{token}/feed.rss"),
        qr: format!("{token}/qr.svg"),
        archive: download.then(|| format!("{token}/tracks.zip")),
        expires: share.expires,
        counted: share.max_plays.is_some(),
        previews,
    }
}

/// All tracks in their order: what is missing stands where it was.
fn in_order(there: impl Iterator<Item = Track>, missing: Vec<Missing>) -> Vec<Track> {
    let mut missing = missing.into_iter().peekable();
    let mut tracks = Vec::new();
    for (place, track) in there.enumerate() {
        while let Some(gone) = missing.next_if(|gone| gone.place <= place) {
            tracks.push(not_there(gone));
        }
        tracks.push(track);
    }
    tracks.extend(missing.map(not_there));
    tracks
}

fn not_there(missing: Missing) -> Track {
    Track {
        title: missing.title,
        artist: missing.artist,
        album: Some(missing.album).filter(|album| !album.is_empty()),
        duration_ms: 0,
        src: String::new(),
        cover: None,
        lyrics: None,
        download: None,
        missing: true,
        video: None,
    }
}

/// The captions of a video, with addresses below that of the share.
pub fn captions_of(all: &[(i64, videos::Caption)], token: &str, video: i64) -> Vec<Caption> {
    // They come in the order of the videos' ids.
    let first = all.partition_point(|(of, _)| *of < video);
    let own = all.iter().skip(first).take_while(|(of, _)| *of == video);
    own.map(|(_, caption)| Caption {
        language: caption.language.clone(),
        label: language::label(&caption.language, &caption.name),
        src: format!("{token}/{}-{}.vtt", Id::Song(video), caption.position),
    })
    .collect()
}

/// Reads the name of captions, `so12-0.vtt`: the video, and their place among its captions.
pub fn read_captions_name(name: &str) -> Option<(i64, i64)> {
    let (id, place) = name.strip_suffix(".vtt")?.split_once('-')?;
    // A place has one spelling, like an id.
    let plain = (1..=4).contains(&place.len())
        && place.bytes().all(|digit| digit.is_ascii_digit())
        && (!place.starts_with('0') || place == "0");
    match Id::parse(id)? {
        Id::Song(video) if plain => Some((video, place.parse().ok()?)),
        _ => None,
    }
}

/// Reads the name of a picture, `al3-600.jpg`; only the sizes that pages name exist.
pub fn read_cover_name(name: &str) -> Option<(Id, u32)> {
    let (id, size) = name.strip_suffix(".jpg")?.split_once('-')?;
    // A size has one spelling, or a cache would keep a picture under many names.
    let plain = size.starts_with(|first: char| matches!(first, '1'..='9'));
    let size = size.parse().ok().filter(|size| plain && COVER_SIZES.contains(size))?;
    Some((Id::parse(id)?, size))
}
