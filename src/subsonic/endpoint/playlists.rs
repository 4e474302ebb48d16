//! Playlists: all users play the public ones, and change their own alone.

use rusqlite::{Connection, Transaction};
use serde::Serialize;

use crate::clock::now;
use crate::db::Viewer;
use crate::db::playlists::{self, Changes, Playlist as Row};
use crate::db::users::{self, Role};
use crate::id::Id;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::playlist::{Playlist, PlaylistWithSongs};
use crate::subsonic::{Call, Reply};

/// Songs of one playlist at most: what one answer may hold.
const MOST_SONGS: i64 = 20_000;
/// Letters of a playlist's name at most.
const LONGEST_NAME: usize = 255;
/// Letters of a playlist's comment at most.
const LONGEST_COMMENT: usize = 2_000;

#[derive(Serialize)]
struct Playlists {
    playlist: Vec<Playlist>,
}

/// `getPlaylists`: the own playlists and the public ones; administrators may ask for those that
/// another user sees.
pub fn get_playlists(call: &Call) -> Result<Reply> {
    let viewer = match call.params.text("username") {
        Some(name) if !name.is_empty() && !name.eq_ignore_ascii_case(&call.user.name) => {
            if !call.user.has(Role::Admin) {
                return Err(Fail::forbidden("see the playlists of others"));
            }
            let user = call.app.db.read(|db| users::by_name(db, name))?;
            user.ok_or_else(|| Fail::not_found("User"))?.viewer()
        }
        _ => call.viewer(),
    };
    let rows = call.app.db.read(|db| playlists::open_to(db, viewer))?;
    let playlist = rows.into_iter().map(|row| Playlist::seen_by(call.user.id, row)).collect();
    call.answer("playlists", &Playlists { playlist })
}

/// `getPlaylist`: a playlist and its songs.
pub fn get_playlist(call: &Call) -> Result<Reply> {
    let id = playlist_id(call, "id")?;
    let playlist = call.app.db.read(|db| {
        let row = find(call, db, id)?;
        with_songs(db, call.viewer(), row)
    })?;
    call.answer("playlist", &playlist)
}

/// `createPlaylist`: makes a playlist, or gives one other songs; answers with it.
pub fn create_playlist(call: &Call) -> Result<Reply> {
    let name = call.params.text("name").map(checked_name).transpose()?;
    let wanted = call.params.songs("songId")?;
    let now = now();
    let playlist = call.app.db.write(|db| {
        call.check_songs(db, &wanted)?;
        let id = match (call.params.text("playlistId"), name) {
            (Some(_), name) => {
                let id = find_own(call, db, playlist_id(call, "playlistId")?)?.id;
                playlists::update(db, id, &Changes { name, ..Changes::default() }, now)?;
                id
            }
            (None, Some(name)) => playlists::create(db, call.user.id, name, now)?,
            (None, None) => return Err(Fail::missing("name")),
        };
        playlists::replace(db, id, &wanted)?;
        check_length(db, id)?;
        let row = find(call, db, id)?;
        with_songs(db, call.viewer(), row)
    })?;
    call.answer("playlist", &playlist)
}

/// `updatePlaylist`: changes what is said of a playlist, takes songs out by their old places, and
/// puts others at the end.
pub fn update_playlist(call: &Call) -> Result<Reply> {
    let id = playlist_id(call, "playlistId")?;
    let changes = Changes {
        name: call.params.text("name").map(checked_name).transpose()?,
        comment: call.params.text("comment").map(checked_comment).transpose()?,
        public: call.params.flag("public")?,
    };
    let added = call.params.songs("songIdToAdd")?;
    let removed = call.params.ints("songIndexToRemove")?;
    let now = now();
    call.app.db.write(|db| {
        find_own(call, db, id)?;
        call.check_songs(db, &added)?;
        if !removed.is_empty() && !playlists::remove(db, call.viewer(), id, &removed)? {
            return Err(Fail::parameter(
                "Parameter 'songIndexToRemove' must be the place of a song, 0 for the first",
            ));
        }
        if !added.is_empty() {
            playlists::append(db, id, &added)?;
            check_length(db, id)?;
        }
        playlists::update(db, id, &changes, now)?;
        Ok::<_, Fail>(())
    })?;
    call.ok()
}

/// `deletePlaylist`: removes a playlist of one's own; administrators may remove any.
pub fn delete_playlist(call: &Call) -> Result<Reply> {
    let id = playlist_id(call, "id")?;
    call.app.db.write(|db| {
        let row = find(call, db, id)?;
        if row.user_id != call.user.id && !call.user.has(Role::Admin) {
            return Err(Fail::forbidden("delete the playlists of others"));
        }
        playlists::delete(db, id)?;
        Ok(())
    })?;
    call.ok()
}

fn playlist_id(call: &Call, name: &str) -> Result<i64> {
    match call.params.need_id(name)? {
        Id::Playlist(id) => Ok(id),
        _ => Err(Fail::not_found("Playlist")),
    }
}

/// A playlist the user may play: a private one of somebody else is there for administrators alone.
fn find(call: &Call, db: &Connection, id: i64) -> Result<Row> {
    let row = match call.user.has(Role::Admin) {
        true => playlists::of_anybody(db, call.viewer(), id)?,
        false => playlists::by_id(db, call.viewer(), id)?,
    };
    row.ok_or_else(|| Fail::not_found("Playlist"))
}

fn find_own(call: &Call, db: &Connection, id: i64) -> Result<Row> {
    let row = find(call, db, id)?;
    match row.user_id == call.user.id {
        true => Ok(row),
        false => Err(Fail::forbidden("change the playlists of others")),
    }
}

fn with_songs(db: &Connection, viewer: Viewer, row: Row) -> Result<PlaylistWithSongs> {
    let songs = playlists::songs(db, viewer, row.id)?;
    Ok(Playlist::seen_by(viewer.user, row).with(songs))
}

fn check_length(db: &Transaction, playlist: i64) -> Result<()> {
    match playlists::length(db, playlist)? <= MOST_SONGS {
        true => Ok(()),
        false => Err(Fail::generic(format!(
            "A playlist holds at most {MOST_SONGS} songs: make a second one for the others"
        ))),
    }
}

fn checked_name(name: &str) -> Result<&str> {
    match !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME {
        true => Ok(name),
        false => {
            Err(Fail::parameter(format!("Parameter 'name' must have 1 to {LONGEST_NAME} letters")))
        }
    }
}

fn checked_comment(comment: &str) -> Result<&str> {
    match comment.chars().count() <= LONGEST_COMMENT {
        true => Ok(comment),
        false => Err(Fail::parameter(format!(
            "Parameter 'comment' must have at most {LONGEST_COMMENT} letters"
        ))),
    }
}
