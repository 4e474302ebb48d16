//! `ArtistID3` and `Artist`: an artist in the tag view, and a name in the folder view.

use serde::{Serialize, Serializer};

use super::CoverId;
use super::time::Time;
use crate::db::artists::{Artist as Row, ROLES};
use crate::db::folders::Folder;
use crate::id::Id;

/// An artist with all fields of the tag view.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtistId3 {
    id: Id,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    album_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<i64>,
    music_brainz_id: String,
    sort_name: String,
    roles: Roles,
}

/// Bits of `ROLES` as the list of their names.
#[derive(Clone, Copy, Debug)]
struct Roles(i64);

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let held = ROLES.iter().filter(|(bit, _)| self.0 & bit != 0);
        serializer.collect_seq(held.map(|(_, role)| role))
    }
}

/// An artist of the folder view: most often a folder.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artist {
    id: Id,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
}

impl From<Row> for ArtistId3 {
    fn from(artist: Row) -> Self {
        ArtistId3 {
            id: Id::Artist(artist.id),
            name: artist.name,
            cover_art: artist.cover.map(CoverId),
            album_count: artist.album_count,
            starred: artist.note.starred.map(Time),
            user_rating: artist.note.rating,
            music_brainz_id: artist.mbid,
            sort_name: artist.sort_name,
            roles: Roles(artist.roles),
        }
    }
}

impl From<Row> for Artist {
    fn from(artist: Row) -> Self {
        Artist {
            id: Id::Artist(artist.id),
            name: artist.name,
            starred: artist.note.starred.map(Time),
            user_rating: artist.note.rating,
            average_rating: artist.average_rating,
        }
    }
}

impl From<Folder> for Artist {
    fn from(folder: Folder) -> Self {
        Artist {
            id: Id::Folder(folder.id),
            name: folder.name,
            starred: folder.note.starred.map(Time),
            user_rating: folder.note.rating,
            average_rating: folder.average_rating,
        }
    }
}
