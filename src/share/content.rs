//! What a share's page and playlist show, from what the database holds.

use rusqlite::{Connection, Result};

use super::STRANGER;
use super::page::{Cover, Page, Track};
use crate::clock;
use crate::db::shares::{self, Share};
use crate::db::songs::Song;
use crate::db::users::Role;
use crate::db::{artists, folders, playlists};
use crate::id::Id;
use crate::media::kind;

/// Sides of the pictures of a share, in pixels: what the page shows, and what link previews show.
const COVER_SIZES: [u32; 2] = [600, 1200];

/// A share with its songs and its name.
pub struct Content {
    /// What it is called.
    pub title: String,
    /// What it holds now.
    pub songs: Vec<Song>,
}

/// Reads what a share holds now.
pub fn read(db: &Connection, share: &Share) -> Result<Content> {
    let entries = shares::entries(db, share)?;
    let songs = shares::songs(db, share, &entries, STRANGER)?;
    let title = title(db, share, &entries, &songs)?;
    Ok(Content { title, songs })
}

/// The name of the one thing that is shared, else that of the album all songs are from.
fn title(db: &Connection, share: &Share, entries: &[Id], songs: &[Song]) -> Result<String> {
    let viewer = share.seen_by(STRANGER);
    let named = match entries {
        [Id::Song(_)] => songs.first().map(|song| song.title.clone()),
        [Id::Artist(id)] => artists::by_id(db, viewer, *id)?.map(|artist| artist.name),
        [Id::Folder(id)] => folders::by_id(db, viewer, *id)?.map(|folder| folder.name),
        [Id::Playlist(id)] => {
            playlists::by_id(db, share.seen_by(share.user_id), *id)?.map(|playlist| playlist.name)
        }
        _ => {
            let first = songs.first();
            let album =
                first.filter(|first| songs.iter().all(|song| song.album_id == first.album_id));
            album.map(|song| song.album.clone())
        }
    };
    let named = named.filter(|name| !name.trim().is_empty());
    Ok(named.unwrap_or_else(|| format!("Music from {}", share.username)))
}

/// The page of a share; `base` is what links begin with.
pub fn page(share: &Share, content: Content, base: &str) -> Page {
    let token = &share.token;
    let download = share.owner_has(Role::Download);
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
