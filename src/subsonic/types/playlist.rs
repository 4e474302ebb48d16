//! `Playlist` and `PlaylistWithSongs`.

use serde::Serialize;

use super::child::{Child, children};
use super::time::Time;
use super::{CoverId, seconds};
use crate::db::playlists::Playlist as Row;
use crate::db::songs::Song;
use crate::id::Id;

/// A playlist without its songs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Playlist {
    id: Id,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    owner: String,
    public: bool,
    song_count: i64,
    duration: i64,
    created: Time,
    changed: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    readonly: bool,
}

/// A playlist with its songs.
#[derive(Clone, Debug, Serialize)]
pub struct PlaylistWithSongs {
    #[serde(flatten)]
    playlist: Playlist,
    entry: Vec<Child>,
}

impl Playlist {
    /// A playlist as this user sees it: that of another user cannot be changed.
    pub fn seen_by(user: i64, row: Row) -> Playlist {
        Playlist {
            id: Id::Playlist(row.id),
            name: row.name,
            comment: row.comment,
            owner: row.owner,
            public: row.public,
            song_count: row.song_count,
            duration: seconds(row.duration),
            created: Time(row.created),
            changed: Time(row.changed),
            cover_art: row.cover.map(CoverId),
            readonly: row.user_id != user,
        }
    }

    /// The playlist with its songs.
    pub fn with(self, songs: Vec<Song>) -> PlaylistWithSongs {
        PlaylistWithSongs { playlist: self, entry: children(songs) }
    }
}
