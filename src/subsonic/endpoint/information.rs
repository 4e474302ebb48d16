//! Information: pictures and MusicBrainz ids, similar artists and songs, the songs played most;
//! all from the library itself, nothing is asked of the world.

use serde::Serialize;

use rusqlite::Connection;

use crate::db::albums::{self, Album};
use crate::db::artists::{self, Artist as ArtistRow};
use crate::db::lists;
use crate::db::pack::TextList;
use crate::db::songs::{self, Song};
use crate::db::{Cover, folders};
use crate::id::Id;
use crate::subsonic::encode::xml::Element;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::CoverId;
use crate::subsonic::types::artist::{Artist, ArtistId3};
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::{Call, Reply};

/// Similar artists where the client names no number, as the spec has it.
const USUAL_ARTISTS: i64 = 20;
/// Similar songs and top songs where the client names no number, as the spec has it.
const USUAL_SONGS: i64 = 50;
/// Similar artists or songs in one answer: each number beyond it is of no use to anybody, and
/// similar things are looked for in the whole library.
const MOST_SIMILAR: i64 = 500;
/// Pixels of the small, the medium and the large picture.
const SIZES: [u16; 3] = [150, 300, 600];
/// The parameters by which a caller signs in, repeated in the addresses of pictures.
const CREDENTIALS: [&str; 7] = ["u", "p", "t", "s", "apiKey", "v", "c"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtistInfo<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Element>,
    #[serde(flatten)]
    images: Option<Images>,
    similar_artist: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlbumInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Element>,
    #[serde(flatten)]
    images: Option<Images>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Images {
    small_image_url: Element,
    medium_image_url: Element,
    large_image_url: Element,
}

/// `getArtistInfo`: an artist, or the artist of an album, a song or a folder; similar artists as
/// the folder view shows them.
pub fn get_artist_info(call: &Call) -> Result<Reply> {
    call.answer("artistInfo", &artist_info::<Artist>(call)?)
}

/// `getArtistInfo2`: the same with similar artists as the tag view shows them.
pub fn get_artist_info2(call: &Call) -> Result<Reply> {
    call.answer("artistInfo2", &artist_info::<ArtistId3>(call)?)
}

fn artist_info<T: From<ArtistRow>>(call: &Call) -> Result<ArtistInfo<T>> {
    let id = call.params.need_id("id")?;
    let count = call.params.count_or("count", USUAL_ARTISTS)?.min(MOST_SIMILAR);
    let (artist, similar) = call.app.db.read(|db| {
        let Some(id) = subject(call, db, id)?.artist else { return Ok((None, Vec::new())) };
        let artist = artists::by_id(db, call.viewer(), id)?;
        Ok::<_, Fail>((artist, artists::similar(db, call.viewer(), id, count)?))
    })?;
    let cover = artist.as_ref().and_then(|artist| artist.cover);
    Ok(ArtistInfo {
        music_brainz_id: artist.and_then(|artist| known(artist.mbid)),
        images: cover.map(|cover| images(call, cover)),
        similar_artist: similar.into_iter().map(T::from).collect(),
    })
}

/// `getAlbumInfo` and `getAlbumInfo2`: an album, or the album of a song or a folder.
pub fn get_album_info(call: &Call) -> Result<Reply> {
    let id = call.params.need_id("id")?;
    let viewer = call.viewer();
    let album = call.app.db.read(|db| match id {
        Id::Album(id) => album(call, db, id).map(Some),
        Id::Song(id) => album(call, db, song(call, db, id)?.album_id).map(Some),
        Id::Folder(id) => {
            folders::by_id(db, viewer, id)?.ok_or_else(|| Fail::not_found("Folder"))?;
            Ok(albums::of_folder(db, viewer, id)?)
        }
        _ => Err(Fail::not_found("Album")),
    })?;
    let cover = album.as_ref().and_then(|album| album.cover);
    let info = AlbumInfo {
        music_brainz_id: album.and_then(|album| known(album.mbid)),
        images: cover.map(|cover| images(call, cover)),
    };
    call.answer("albumInfo", &info)
}

#[derive(Serialize)]
struct Songs {
    song: Vec<Child>,
}

/// `getSimilarSongs`: songs by chance that are like an artist, an album, a song or a folder.
pub fn get_similar_songs(call: &Call) -> Result<Reply> {
    call.answer("similarSongs", &similar_songs(call)?)
}

/// `getSimilarSongs2`: the same for the tag view.
pub fn get_similar_songs2(call: &Call) -> Result<Reply> {
    call.answer("similarSongs2", &similar_songs(call)?)
}

fn similar_songs(call: &Call) -> Result<Songs> {
    let id = call.params.need_id("id")?;
    let count = call.params.count_or("count", USUAL_SONGS)?.min(MOST_SIMILAR);
    let songs = call.app.db.read(|db| {
        let subject = subject(call, db, id)?;
        let genres = match (subject.genres, subject.artist) {
            (Some(genres), _) => genres,
            (None, Some(artist)) => lists::genres_of_artist(db, artist)?,
            (None, None) => Vec::new(),
        };
        // One more, for a song is not similar to itself.
        let found = lists::similar_songs(db, call.viewer(), subject.artist, &genres, count + 1)?;
        Ok::<_, Fail>(found)
    })?;
    let others = songs.into_iter().filter(|song| Id::Song(song.id) != id);
    Ok(Songs { song: others.take(usize::try_from(count).unwrap_or(0)).map(Child::from).collect() })
}

/// `getTopSongs`: the songs of an artist that are played most, the artist by id or by name.
pub fn get_top_songs(call: &Call) -> Result<Reply> {
    let count = call.params.count_or("count", USUAL_SONGS)?;
    let viewer = call.viewer();
    let songs = call.app.db.read(|db| {
        let artist = match (call.params.id("id")?, call.params.text("artist")) {
            (Some(Id::Artist(id)), _) => Some(artist(call, db, id)?.id),
            (Some(_), _) => return Err(Fail::not_found("Artist")),
            (None, Some(name)) => artists::by_name(db, name)?,
            (None, None) => return Err(Fail::missing("artist")),
        };
        match artist {
            Some(artist) => Ok(lists::top_songs(db, viewer, artist, count)?),
            None => Ok(Vec::new()),
        }
    })?;
    call.answer("topSongs", &Songs { song: children(songs) })
}

/// Of what similar things are asked for.
struct Subject {
    artist: Option<i64>,
    /// `None` for those of the artist's albums.
    genres: Option<Vec<String>>,
}

fn subject(call: &Call, db: &Connection, id: Id) -> Result<Subject> {
    Ok(match id {
        Id::Artist(id) => Subject { artist: Some(artist(call, db, id)?.id), genres: None },
        Id::Album(id) => {
            let album = album(call, db, id)?;
            Subject { artist: album.artist_id, genres: Some(owned(&album.genres)) }
        }
        Id::Song(id) => {
            let song = song(call, db, id)?;
            Subject { artist: song.artist_id, genres: Some(owned(&song.genres)) }
        }
        Id::Folder(id) => {
            let folder = folders::by_id(db, call.viewer(), id)?;
            folder.ok_or_else(|| Fail::not_found("Folder"))?;
            Subject { artist: artists::of_folder(db, call.viewer(), id)?, genres: None }
        }
        _ => return Err(Fail::not_found("Artist")),
    })
}

fn owned(genres: &TextList) -> Vec<String> {
    genres.iter().map(str::to_owned).collect()
}

fn artist(call: &Call, db: &Connection, id: i64) -> Result<ArtistRow> {
    artists::by_id(db, call.viewer(), id)?.ok_or_else(|| Fail::not_found("Artist"))
}

fn album(call: &Call, db: &Connection, id: i64) -> Result<Album> {
    albums::by_id(db, call.viewer(), id)?.ok_or_else(|| Fail::not_found("Album"))
}

fn song(call: &Call, db: &Connection, id: i64) -> Result<Song> {
    songs::by_id(db, call.viewer(), id)?.ok_or_else(|| Fail::not_found("Song"))
}

fn known(text: String) -> Option<Element> {
    (!text.is_empty()).then_some(Element(text))
}

/// Addresses of a picture that the caller, and nobody without the same credentials, can open.
fn images(call: &Call, cover: Cover) -> Images {
    let [small, medium, large] = SIZES.map(|size| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("id", &CoverId(cover).to_string());
        query.append_pair("size", &size.to_string());
        for name in CREDENTIALS {
            if let Some(value) = call.params.text(name) {
                query.append_pair(name, value);
            }
        }
        Element(format!("{}/rest/getCoverArt?{}", call.origin.base, query.finish()))
    });
    Images { small_image_url: small, medium_image_url: medium, large_image_url: large }
}
