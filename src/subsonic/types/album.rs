//! `AlbumID3`: an album in the tag view.

use serde::Serialize;

use super::time::Time;
use super::{ArtistRefs, CoverId, Genres, Name};
use super::{explicit_status, names, seconds};
use crate::db::albums::{Album, Extra};
use crate::id::Id;

/// An album with all its fields.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlbumId3 {
    id: Id,
    name: String,
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    artist: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    song_count: i64,
    duration: i64,
    play_count: i64,
    created: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<i64>,
    music_brainz_id: String,
    display_artist: String,
    sort_name: String,
    is_compilation: bool,
    explicit_status: &'static str,
    record_labels: Vec<Name>,
    genres: Genres,
    artists: ArtistRefs,
    release_types: Vec<String>,
    moods: Vec<String>,
    original_release_date: ItemDate,
    release_date: ItemDate,
    disc_titles: Vec<DiscTitle>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct ItemDate {
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u8>,
}

#[derive(Clone, Debug, Serialize)]
struct DiscTitle {
    disc: u32,
    title: String,
}

impl From<Option<(u16, u8, u8)>> for ItemDate {
    fn from(date: Option<(u16, u8, u8)>) -> Self {
        let (year, month, day) = date.unwrap_or_default();
        ItemDate {
            year: (year != 0).then_some(year),
            month: (month != 0).then_some(month),
            day: (day != 0).then_some(day),
        }
    }
}

impl From<Album> for AlbumId3 {
    fn from(album: Album) -> Self {
        let Extra { released, original, labels, release_types, moods, disc_titles } = album.extra;
        AlbumId3 {
            id: Id::Album(album.id),
            name: album.name,
            version: album.version,
            artist: album.artist.clone(),
            artist_id: album.artist_id.map(Id::Artist),
            cover_art: album.cover.map(CoverId),
            song_count: album.song_count,
            duration: seconds(album.duration),
            play_count: album.note.play_count,
            created: Time(album.created),
            starred: album.note.starred.map(Time),
            year: album.year,
            genre: album.genre,
            played: album.note.played.map(Time),
            user_rating: album.note.rating,
            music_brainz_id: album.mbid,
            display_artist: album.artist,
            sort_name: album.sort_name,
            is_compilation: album.compilation,
            explicit_status: explicit_status(album.explicit),
            record_labels: names(labels),
            genres: Genres(album.genres),
            artists: ArtistRefs(album.artists),
            release_types,
            moods,
            original_release_date: original.into(),
            release_date: released.into(),
            disc_titles: disc_titles
                .into_iter()
                .map(|(disc, title)| DiscTitle { disc, title })
                .collect(),
        }
    }
}
