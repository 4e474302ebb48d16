//! What a share's page and playlist show, from what the database holds.

use rusqlite::{Connection, Result};

use super::STRANGER;
use super::page::{Cover, Page, Track};
use crate::clock;
use crate::db::shares::{self, Held, Missing, Share};
use crate::db::songs::Song;
use crate::id::Id;
use crate::media::kind;

/// Sides of the pictures of a share, in pixels: what the page shows, and what link previews show.
const COVER_SIZES: [u32; 2] = [600, 1200];

/// A share with its songs and its name.
pub struct Content {
    /// What it is called.
    pub title: String,
    /// What it holds now, in order.
    pub songs: Vec<Song>,
    /// What it holds and is not there now, in order; it comes back by itself.
    #[allow(dead_code, reason = "the page does not draw it yet")]
    pub missing: Vec<Missing>,
}

/// Reads what a share holds now.
pub fn read(db: &Connection, share: &Share) -> Result<Content> {
    let entries = shares::entries(db, share)?;
    let held = shares::held(db, share, &entries, STRANGER)?;
    let title = shares::title(db, share, &entries, &held)?;
    let Held { songs, missing } = held;
    let title = title.unwrap_or_else(|| format!("Music from {}", share.username));
    Ok(Content { title, songs, missing })
}

/// The page of a share; `base` is what links begin with.
pub fn page(share: &Share, content: Content, base: &str) -> Page {
    let token = &share.token;
    let download = share.may_download();
    let track = |song: Song| Track {
        src: format!("{token}/{}.{}", Id::Song(song.id), song.suffix),
        content_type: kind::content_type(&song.suffix).to_owned(),
        title: song.title,
        artist: song.artist,
        album: Some(song.album).filter(|album| !album.is_empty()),
        duration_ms: u64::try_from(song.duration).unwrap_or(0),
        download,
    };
    let pictured = content.songs.iter().find_map(|song| song.cover);
    let cover = pictured.map(|cover| {
        let [shown, preview] = COVER_SIZES.map(|size| format!("{token}/{}-{size}.jpg", cover.of));
        Cover { src: shown, preview, preview_size: None }
    });
    Page {
        url: format!("{base}/share/{token}"),
        title: content.title,
        description: share.description.clone(),
        owner: share.username.clone(),
        cover,
        tracks: content.songs.into_iter().map(track).collect(),
        playlist: format!("{token}/playlist.m3u8"),
        archive: None,
        expires: share.expires.map(clock::day_in_words),
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
