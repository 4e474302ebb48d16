//! Lists: albums in many orders, songs by chance or of a genre, what the user starred.

use serde::Serialize;

use crate::db::albums::Album;
use crate::db::folders;
use crate::db::lists::{self, Among, Order};
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::album::AlbumId3;
use crate::subsonic::types::artist::{Artist, ArtistId3};
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::{Call, Reply};

/// Albums or songs on one page at most, as the spec has it.
const MOST_LISTED: i64 = 500;
/// Albums or songs on a page where the client names no number, as the spec has it.
const USUALLY_LISTED: i64 = 10;

#[derive(Serialize)]
struct Albums<T> {
    album: Vec<T>,
}

#[derive(Serialize)]
struct Songs {
    song: Vec<Child>,
}

/// `getAlbumList`: a page of albums, as the folder view shows them.
pub fn get_album_list(call: &Call) -> Result<Reply> {
    call.answer("albumList", &Albums { album: children(albums(call)?) })
}

/// `getAlbumList2`: a page of albums.
pub fn get_album_list2(call: &Call) -> Result<Reply> {
    let album = albums(call)?.into_iter().map(AlbumId3::from).collect();
    call.answer("albumList2", &Albums { album })
}

fn albums(call: &Call) -> Result<Vec<Album>> {
    let order = order(call)?;
    let size = call.params.int("size")?.unwrap_or(USUALLY_LISTED).clamp(1, MOST_LISTED);
    let offset = call.params.offset("offset")?;
    let viewer = call.viewer_of_folder()?;
    Ok(call.app.db.read(|db| lists::albums(db, viewer, &order, size, offset))?)
}

fn order(call: &Call) -> Result<Order> {
    Ok(match call.params.need_text("type")? {
        "random" => Order::Random,
        "newest" => Order::Newest,
        "highest" => Order::Highest,
        "frequent" => Order::Frequent,
        "recent" => Order::Recent,
        "alphabeticalByName" => Order::ByName,
        "alphabeticalByArtist" => Order::ByArtist,
        "starred" => Order::Starred,
        "byYear" => {
            Order::ByYear(call.params.need_int("fromYear")?, call.params.need_int("toYear")?)
        }
        "byGenre" => Order::ByGenre(call.params.need_text("genre")?.to_owned()),
        other => {
            return Err(Fail::parameter(format!(
                "Parameter 'type' cannot be '{other}': use random, newest, highest, frequent, recent, \
                 alphabeticalByName, alphabeticalByArtist, starred, byYear or byGenre"
            )));
        }
    })
}

/// `getRandomSongs`: songs by chance.
pub fn get_random_songs(call: &Call) -> Result<Reply> {
    let among = Among {
        // Some clients send an empty genre for any.
        genre: call.params.text("genre").filter(|genre| !genre.is_empty()).map(str::to_owned),
        from_year: call.params.int("fromYear")?,
        to_year: call.params.int("toYear")?,
    };
    let size = call.params.count_or("size", USUALLY_LISTED)?.min(MOST_LISTED);
    let viewer = call.viewer_of_folder()?;
    let songs = call.app.db.read(|db| lists::random_songs(db, viewer, &among, size))?;
    call.answer("randomSongs", &Songs { song: children(songs) })
}

/// `getSongsByGenre`: a page of the songs of a genre.
pub fn get_songs_by_genre(call: &Call) -> Result<Reply> {
    let genre = call.params.need_text("genre")?;
    let count = call.params.count_or("count", USUALLY_LISTED)?.min(MOST_LISTED);
    let offset = call.params.offset("offset")?;
    let viewer = call.viewer_of_folder()?;
    let songs = call.app.db.read(|db| lists::songs_by_genre(db, viewer, genre, count, offset))?;
    call.answer("songsByGenre", &Songs { song: children(songs) })
}

#[derive(Serialize)]
struct Starred<A, B> {
    artist: Vec<A>,
    album: Vec<B>,
    song: Vec<Child>,
}

/// `getStarred`: what the user starred, as the folder view shows it: folders too, those that
/// `getIndexes` lists among the artists, the others among the albums.
pub fn get_starred(call: &Call) -> Result<Reply> {
    let viewer = call.viewer_of_folder()?;
    let (artists, albums, songs, folders, roots) = call.app.db.read(|db| {
        let (artists, albums, songs) = lists::starred(db, viewer)?;
        let (folders, roots) = (folders::starred(db, viewer)?, folders::roots(db, viewer)?);
        Ok::<_, Fail>((artists, albums, songs, folders, roots))
    })?;
    let (top, deeper): (Vec<_>, Vec<_>) = folders
        .into_iter()
        .partition(|folder| roots.iter().any(|root| Some(root.id) == folder.parent_id));
    let mut artist: Vec<Artist> = artists.into_iter().map(Artist::from).collect();
    artist.extend(top.into_iter().map(Artist::from));
    let mut album = children(albums);
    album.extend(children(deeper));
    call.answer("starred", &Starred { artist, album, song: children(songs) })
}

/// `getStarred2`: what the user starred.
pub fn get_starred2(call: &Call) -> Result<Reply> {
    let viewer = call.viewer_of_folder()?;
    let (artists, albums, songs) = call.app.db.read(|db| lists::starred(db, viewer))?;
    let artist: Vec<ArtistId3> = artists.into_iter().map(ArtistId3::from).collect();
    let album: Vec<AlbumId3> = albums.into_iter().map(AlbumId3::from).collect();
    call.answer("starred2", &Starred { artist, album, song: children(songs) })
}
