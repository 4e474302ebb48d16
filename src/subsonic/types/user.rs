//! `User`: a user and their rights.

use serde::Serialize;

use crate::db::users::{Role, User as Row};

/// A user as the API shows them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
    scrobbling_enabled: bool,
    max_bit_rate: i64,
    admin_role: bool,
    settings_role: bool,
    download_role: bool,
    upload_role: bool,
    playlist_role: bool,
    cover_art_role: bool,
    comment_role: bool,
    podcast_role: bool,
    stream_role: bool,
    jukebox_role: bool,
    share_role: bool,
    video_conversion_role: bool,
    folder: Vec<i64>,
}

impl User {
    /// A user who sees these of the configured music folders.
    pub fn of(row: Row, configured: &[i64]) -> User {
        let visible = |folder: &&i64| (row.music_folders >> **folder) & 1 == 1;
        User {
            scrobbling_enabled: row.has(Role::Scrobbling),
            max_bit_rate: row.max_bit_rate,
            admin_role: row.has(Role::Admin),
            settings_role: row.has(Role::Settings),
            download_role: row.has(Role::Download),
            upload_role: row.has(Role::Upload),
            playlist_role: row.has(Role::Playlist),
            cover_art_role: row.has(Role::CoverArt),
            comment_role: row.has(Role::Comment),
            podcast_role: row.has(Role::Podcast),
            stream_role: row.has(Role::Stream),
            jukebox_role: row.has(Role::Jukebox),
            share_role: row.has(Role::Share),
            video_conversion_role: row.has(Role::VideoConversion),
            folder: configured.iter().filter(visible).copied().collect(),
            username: row.name,
            email: row.email,
        }
    }
}
