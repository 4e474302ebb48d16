//! `Child`: a song, or something that is shown like one.

use serde::Serialize;

use super::time::Time;
use super::{ArtistRef, ArtistRefs, CoverId, Genres, Name};
use super::{explicit_status, known, names, seconds};
use crate::db::albums::Album;
use crate::db::folders::Folder;
use crate::db::songs::{Extra, Song};
use crate::id::Id;
use crate::media::kind;

/// A song, or in the folder view a folder or an album.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// The id of the song, folder or album.
    pub id: Option<Id>,
    /// The folder or album around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// Whether it holds others.
    pub is_dir: bool,
    /// Title or name.
    pub title: String,
    /// Name of the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Artists in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Track number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<i64>,
    /// Year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i64>,
    /// First genre.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover_art: Option<CoverId>,
    /// Bytes of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Content type of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<&'static str>,
    /// Suffix of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    /// kbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<i64>,
    /// Bits a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<i64>,
    /// Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling_rate: Option<i64>,
    /// Channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_count: Option<i64>,
    /// Path below the music folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it is a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_video: Option<bool>,
    /// Pixels of a video from left to right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_width: Option<u32>,
    /// Pixels of a video from top to bottom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_height: Option<u32>,
    /// The user's rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_rating: Option<i64>,
    /// Mean of all users' ratings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_rating: Option<f64>,
    /// How often the user played it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub play_count: Option<i64>,
    /// Disc number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_number: Option<i64>,
    /// When it came into the library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// When the user starred it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starred: Option<Time>,
    /// Its album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album_id: Option<Id>,
    /// Its first artist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist_id: Option<Id>,
    /// `music` or `video`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// `song` or `album`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<&'static str>,
    /// Where the user's bookmark stands, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookmark_position: Option<i64>,
    /// When the user last played it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub played: Option<Time>,
    // The fields of OpenSubsonic, which every song has, empty where unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    bpm: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_artist: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_album_artist: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_composer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explicit_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isrc: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genres: Option<Genres>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artists: Option<ArtistRefs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_artists: Option<ArtistRefs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contributors: Option<Vec<Contributor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_gain: Option<ReplayGain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    works: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    movements: Option<Vec<Movement>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groupings: Option<Vec<String>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contributor {
    role: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sub_role: String,
    artist: ArtistRef,
}

#[derive(Clone, Debug, Serialize)]
struct Movement {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplayGain {
    #[serde(skip_serializing_if = "Option::is_none")]
    track_gain: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_gain: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_peak: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_peak: Option<f64>,
}

impl From<Song> for Child {
    fn from(song: Song) -> Self {
        let is_video = song.video.is_some();
        let known_side = |side: u32| (side != 0).then_some(side);
        let Extra { contributors, isrc, moods, groupings, works, movement } = song.extra;
        let composers = contributors.iter().filter(|contributor| contributor.role == "composer");
        let composers: Vec<&str> =
            composers.map(|contributor| contributor.artist.name.as_str()).collect();
        Child {
            id: Some(Id::Song(song.id)),
            parent: Some(Id::Folder(song.folder_id)),
            is_dir: false,
            title: song.title,
            album: (!is_video).then_some(song.album),
            artist: (!song.artist.is_empty()).then(|| song.artist.clone()),
            track: song.track,
            year: song.year,
            genre: song.genre,
            cover_art: song.cover.map(CoverId),
            size: Some(song.size),
            content_type: Some(kind::content_type(&song.suffix, is_video)),
            suffix: Some(song.suffix),
            duration: Some(seconds(song.duration)),
            bit_rate: known(song.bit_rate),
            bit_depth: known(song.bit_depth),
            sampling_rate: known(song.sample_rate),
            channel_count: known(song.channels),
            path: Some(song.path),
            is_video: Some(is_video),
            original_width: song.video.and_then(|frame| known_side(frame.width)),
            original_height: song.video.and_then(|frame| known_side(frame.height)),
            user_rating: song.note.rating,
            average_rating: song.average_rating,
            play_count: Some(song.note.play_count),
            disc_number: song.disc,
            created: Some(Time(song.created)),
            starred: song.note.starred.map(Time),
            album_id: (!is_video).then_some(Id::Album(song.album_id)),
            artist_id: song.artist_id.map(Id::Artist),
            kind: Some(if is_video { "video" } else { "music" }),
            media_type: Some("song"),
            bookmark_position: song.bookmark,
            played: song.note.played.map(Time),
            bpm: Some(song.bpm),
            comment: Some(song.comment),
            sort_name: Some(song.sort_title),
            music_brainz_id: Some(song.mbid),
            display_artist: Some(song.artist),
            display_album_artist: Some(song.album_artist),
            display_composer: Some(composers.join(", ")),
            explicit_status: Some(explicit_status(song.explicit)),
            isrc: Some(isrc),
            genres: Some(Genres(song.genres)),
            artists: Some(ArtistRefs(song.artists)),
            album_artists: Some(ArtistRefs(song.album_artists)),
            contributors: Some(
                contributors
                    .into_iter()
                    .map(|contributor| Contributor {
                        role: contributor.role,
                        sub_role: contributor.sub_role,
                        artist: contributor.artist.into(),
                    })
                    .collect(),
            ),
            moods: Some(moods),
            replay_gain: Some(ReplayGain {
                track_gain: song.track_gain,
                album_gain: song.album_gain,
                track_peak: song.track_peak,
                album_peak: song.album_peak,
            }),
            works: Some(names(works)),
            movements: Some(
                movement
                    .into_iter()
                    .map(|(name, number, count)| Movement {
                        name,
                        number: (number != 0).then_some(number),
                        count: (count != 0).then_some(count),
                    })
                    .collect(),
            ),
            groupings: Some(groupings),
        }
    }
}

impl From<Album> for Child {
    fn from(album: Album) -> Self {
        Child {
            id: Some(Id::Album(album.id)),
            parent: album.artist_id.map(Id::Artist),
            is_dir: true,
            title: album.name.clone(),
            album: Some(album.name),
            artist: (!album.artist.is_empty()).then_some(album.artist),
            year: album.year,
            genre: album.genre,
            cover_art: album.cover.map(CoverId),
            duration: Some(seconds(album.duration)),
            user_rating: album.note.rating,
            average_rating: album.average_rating,
            play_count: Some(album.note.play_count),
            created: Some(Time(album.created)),
            starred: album.note.starred.map(Time),
            artist_id: album.artist_id.map(Id::Artist),
            media_type: Some("album"),
            played: album.note.played.map(Time),
            ..Child::default()
        }
    }
}

impl From<Folder> for Child {
    fn from(folder: Folder) -> Self {
        Child {
            id: Some(Id::Folder(folder.id)),
            parent: folder.parent_id.map(Id::Folder),
            is_dir: true,
            title: folder.name,
            cover_art: folder.cover.map(CoverId),
            user_rating: folder.note.rating,
            average_rating: folder.average_rating,
            created: Some(Time(folder.created)),
            starred: folder.note.starred.map(Time),
            ..Child::default()
        }
    }
}

/// Rows as children.
pub fn children(rows: Vec<impl Into<Child>>) -> Vec<Child> {
    rows.into_iter().map(Into::into).collect()
}
