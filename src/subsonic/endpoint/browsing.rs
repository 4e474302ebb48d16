//! Browsing: by folders as they lie on the disk, and by tags.

use serde::Serialize;

use crate::db::fold::index_heading;
use crate::db::folders::{self, Folder};
use crate::db::{albums, artists, lists, settings, songs};
use crate::id::Id;
use crate::subsonic::encode::xml::Text;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::album::AlbumId3;
use crate::subsonic::types::artist::{Artist, ArtistId3};
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::types::time::Time;
use crate::subsonic::{Call, Reply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MusicFolders {
    music_folder: Vec<MusicFolder>,
}

#[derive(Serialize)]
struct MusicFolder {
    id: i64,
    name: String,
}

/// `getMusicFolders`: the configured folders; the only ids that are numbers.
pub fn get_music_folders(call: &Call) -> Result<Reply> {
    let folders = call.app.db.read(|db| folders::music_folders(db, call.viewer()))?;
    let music_folder = folders
        .into_iter()
        .map(|folder| MusicFolder { id: folder.id, name: folder.name })
        .collect();
    call.answer("musicFolders", &MusicFolders { music_folder })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Indexes {
    ignored_articles: String,
    last_modified: i64,
    index: Vec<Index<Artist>>,
    child: Vec<Child>,
}

#[derive(Serialize)]
struct Index<T> {
    name: String,
    artist: Vec<T>,
}

/// `getIndexes`: the folders in the music folders under headings, and songs lying beside them.
pub fn get_indexes(call: &Call) -> Result<Reply> {
    let viewer = call.viewer_of_folder()?;
    let last_modified = call.app.db.read(settings::library_changed)?;
    let ignored_articles = call.app.config.ignored_articles.join(" ");
    if call.params.int("ifModifiedSince")?.is_some_and(|since| since >= last_modified) {
        let nothing =
            Indexes { ignored_articles, last_modified, index: Vec::new(), child: Vec::new() };
        return call.answer("indexes", &nothing);
    }
    let (folders, loose) = call.app.db.read(|db| {
        let mut loose = Vec::new();
        for root in folders::roots(db, viewer)? {
            loose.extend(songs::of_folder(db, viewer, root.id)?);
        }
        Ok::<_, Fail>((folders::top(db, viewer)?, loose))
    })?;
    let index = under_headings(folders, |folder| &folder.sort_key, Artist::from);
    call.answer(
        "indexes",
        &Indexes { ignored_articles, last_modified, index, child: children(loose) },
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Id>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    play_count: i64,
    child: Vec<Child>,
}

/// `getMusicDirectory`: what lies in a folder. Albums and artists are taken too, since the folder
/// view's lists of albums hold those ids.
pub fn get_music_directory(call: &Call) -> Result<Reply> {
    let viewer = call.viewer();
    let directory = match call.params.need_id("id")? {
        Id::Folder(id) => call.app.db.read(|db| {
            let Some(folder) = folders::by_id(db, viewer, id)? else { return Ok(None) };
            let mut child = children(folders::children(db, viewer, id)?);
            child.extend(children(songs::of_folder(db, viewer, id)?));
            Ok::<_, Fail>(Some(directory_of(folder, child)))
        })?,
        Id::Album(id) => call.app.db.read(|db| {
            let Some(album) = albums::by_id(db, viewer, id)? else { return Ok(None) };
            let child = children(songs::of_album(db, viewer, id)?);
            Ok::<_, Fail>(Some(Directory {
                id: Id::Album(id),
                parent: album.artist_id.map(Id::Artist),
                name: album.name,
                starred: album.note.starred.map(Time),
                user_rating: album.note.rating,
                average_rating: album.average_rating,
                play_count: album.note.play_count,
                child,
            }))
        })?,
        Id::Artist(id) => call.app.db.read(|db| {
            let Some(artist) = artists::by_id(db, viewer, id)? else { return Ok(None) };
            let child = children(albums::of_artist(db, viewer, id)?);
            Ok::<_, Fail>(Some(Directory {
                id: Id::Artist(id),
                parent: None,
                name: artist.name,
                starred: artist.note.starred.map(Time),
                user_rating: artist.note.rating,
                average_rating: artist.average_rating,
                play_count: artist.note.play_count,
                child,
            }))
        })?,
        _ => None,
    };
    call.answer("directory", &directory.ok_or_else(|| Fail::not_found("Directory"))?)
}

fn directory_of(folder: Folder, child: Vec<Child>) -> Directory {
    Directory {
        id: Id::Folder(folder.id),
        parent: folder.parent_id.map(Id::Folder),
        name: folder.name,
        starred: folder.note.starred.map(Time),
        user_rating: folder.note.rating,
        average_rating: folder.average_rating,
        play_count: folder.note.play_count,
        child,
    }
}

#[derive(Serialize)]
struct Genres {
    genre: Vec<Genre>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Genre {
    song_count: i64,
    album_count: i64,
    value: Text,
}

/// `getGenres`: every genre with its counts.
pub fn get_genres(call: &Call) -> Result<Reply> {
    let genres = call.app.db.read(|db| lists::genres(db, call.viewer()))?;
    let genre = genres
        .into_iter()
        .map(|genre| Genre {
            song_count: genre.song_count,
            album_count: genre.album_count,
            value: Text(genre.name),
        })
        .collect();
    call.answer("genres", &Genres { genre })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artists {
    ignored_articles: String,
    index: Vec<Index<ArtistId3>>,
}

/// `getArtists`: every artist who is on an album, under headings.
pub fn get_artists(call: &Call) -> Result<Reply> {
    let viewer = call.viewer_of_folder()?;
    let artists = call.app.db.read(|db| artists::all(db, viewer))?;
    let index = under_headings(artists, |artist| &artist.sort_key, ArtistId3::from);
    let ignored_articles = call.app.config.ignored_articles.join(" ");
    call.answer("artists", &Artists { ignored_articles, index })
}

/// Sorted things under the headings of their sort keys; all that have no letter come last, under `#`.
fn under_headings<T, U>(sorted: Vec<T>, key: fn(&T) -> &String, show: fn(T) -> U) -> Vec<Index<U>> {
    let mut indexes: Vec<Index<U>> = Vec::new();
    let mut others = Vec::new();
    for thing in sorted {
        let name = index_heading(key(&thing));
        match indexes.last_mut() {
            _ if name == "#" => others.push(show(thing)),
            Some(index) if index.name == name => index.artist.push(show(thing)),
            _ => indexes.push(Index { name, artist: vec![show(thing)] }),
        }
    }
    if !others.is_empty() {
        indexes.push(Index { name: "#".to_owned(), artist: others });
    }
    indexes
}

#[derive(Serialize)]
struct ArtistWithAlbums {
    #[serde(flatten)]
    artist: ArtistId3,
    album: Vec<AlbumId3>,
}

/// `getArtist`: an artist and the albums they are on.
pub fn get_artist(call: &Call) -> Result<Reply> {
    let Id::Artist(id) = call.params.need_id("id")? else { return Err(Fail::not_found("Artist")) };
    let (artist, albums) = call.app.db.read(|db| {
        let artist = artists::by_id(db, call.viewer(), id)?;
        Ok::<_, Fail>((artist, albums::of_artist(db, call.viewer(), id)?))
    })?;
    let artist = artist.ok_or_else(|| Fail::not_found("Artist"))?.into();
    let album = albums.into_iter().map(AlbumId3::from).collect();
    call.answer("artist", &ArtistWithAlbums { artist, album })
}

#[derive(Serialize)]
struct AlbumWithSongs {
    #[serde(flatten)]
    album: AlbumId3,
    song: Vec<Child>,
}

/// `getAlbum`: an album and its songs.
pub fn get_album(call: &Call) -> Result<Reply> {
    let Id::Album(id) = call.params.need_id("id")? else { return Err(Fail::not_found("Album")) };
    let (album, songs) = call.app.db.read(|db| {
        let album = albums::by_id(db, call.viewer(), id)?;
        Ok::<_, Fail>((album, songs::of_album(db, call.viewer(), id)?))
    })?;
    let album = album.ok_or_else(|| Fail::not_found("Album"))?.into();
    call.answer("album", &AlbumWithSongs { album, song: children(songs) })
}

/// `getSong`: one song.
pub fn get_song(call: &Call) -> Result<Reply> {
    let id = call.params.need_song("id")?;
    let song = call.app.db.read(|db| songs::by_id(db, call.viewer(), id))?;
    call.answer("song", &Child::from(song.ok_or_else(|| Fail::not_found("Song"))?))
}
