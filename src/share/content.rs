//! What a share's page and playlist show, from what the database holds.

use rusqlite::{Connection, Result};

use super::listing::listing;
use super::page::{Caption, Cover, Page, Track, VideoFacts};
use super::{STRANGER, preview};
use crate::clock;
use crate::db::shares::{self, Held, Missing, Share};
use crate::db::songs::Song;
use crate::db::videos;
use crate::id::Id;
use crate::media::{kind, language};

/// Sides of the pictures of a share, in pixels: what the page shows, and what link previews show.
pub const COVER_SIZES: [u32; 2] = [600, 1200];

/// A share with its songs and its name.
pub struct Content {
    /// What it is called.
    pub title: String,
    /// What it holds now, in order.
    pub songs: Vec<Song>,
    /// What it holds and is not there now, in order; it comes back by itself.
    pub missing: Vec<Missing>,
    /// The captions of the videos among them, by the video's id.
    pub captions: Vec<(i64, videos::Caption)>,
}

/// Reads what a share holds now.
pub fn read(db: &Connection, share: &Share) -> Result<Content> {
    let entries = shares::entries(db, share)?;
    let held = shares::held(db, share, &entries, STRANGER)?;
    let title = shares::title(db, share, &entries, &held)?;
    let Held { songs, missing } = held;
    let title = title.unwrap_or_else(|| format!("Music from {}", share.username));
    let seen = songs.iter().filter(|song| song.video.is_some()).map(|song| song.id);
    let mut seen: Vec<i64> = seen.collect();
    seen.sort_unstable();
    seen.dedup();
    let captions = if seen.is_empty() { Vec::new() } else { videos::captions(db, &seen)? };
    Ok(Content { title, songs, missing, captions })
}

/// The page of a share; `base` is what links begin with.
pub fn page(share: &Share, content: Content, base: &str) -> Page {
    let previews = preview::tags(&listing(share, &content, base));
    let token = &share.token;
    let download = share.may_download();
    let captions = &content.captions;
    let track = |song: Song| Track {
        video: song.video.map(|frame| VideoFacts {
            width: frame.width,
            height: frame.height,
            captions: captions_of(captions, token, song.id),
        }),
        src: format!("{token}/{}.{}", Id::Song(song.id), song.suffix),
        content_type: kind::content_type(&song.suffix, song.video.is_some()).to_owned(),
        title: song.title,
        artist: song.artist,
        album: Some(song.album).filter(|album| !album.is_empty()),
        duration_ms: u64::try_from(song.duration).unwrap_or(0),
        download,
    };
    let pictured = content.songs.iter().find_map(|song| song.cover);
    let cover = pictured.map(|cover| {
        let [shown, _] = COVER_SIZES.map(|size| format!("{token}/{}-{size}.jpg", cover.of));
        Cover { src: shown }
    });
    Page {
        url: format!("{base}/share/{token}"),
        title: content.title,
        description: share.description.clone(),
        owner: share.username.clone(),
        cover,
        tracks: content.songs.into_iter().map(track).collect(),
        playlist: format!("{token}/playlist.m3u8"),
        archive: download.then(|| format!("{token}/tracks.zip")),
        expires: share.expires.map(clock::day_in_words),
        previews,
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
