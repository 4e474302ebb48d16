//! Bookmarks within songs, and play queues that go with the user from player to player.

use serde::Serialize;

use crate::clock::now;
use crate::db::bookmarks::{self, Queue};
use crate::id::Id;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::params::MOST_ITEMS;
use crate::subsonic::types::child::{Child, children};
use crate::subsonic::types::time::Time;
use crate::subsonic::{Call, Reply};

/// Letters of a bookmark's comment at most.
const LONGEST_COMMENT: usize = 2_000;

#[derive(Serialize)]
struct Bookmarks {
    bookmark: Vec<Bookmark>,
}

#[derive(Serialize)]
struct Bookmark {
    position: i64,
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    created: Time,
    changed: Time,
    entry: Child,
}

/// `getBookmarks`: the caller's own.
pub fn get_bookmarks(call: &Call) -> Result<Reply> {
    let rows = call.app.db.read(|db| bookmarks::all(db, call.viewer()))?;
    let bookmark = rows
        .into_iter()
        .map(|row| Bookmark {
            position: row.position,
            username: call.user.name.clone(),
            comment: row.comment,
            created: Time(row.created),
            changed: Time(row.changed),
            entry: row.song.into(),
        })
        .collect();
    call.answer("bookmarks", &Bookmarks { bookmark })
}

/// `createBookmark`: sets the bookmark of a song, instead of the one that was there.
pub fn create_bookmark(call: &Call) -> Result<Reply> {
    let song = call.params.need_song("id")?;
    let position = call.params.need_int("position")?;
    if position < 0 {
        return Err(Fail::parameter("Parameter 'position' must not be negative"));
    }
    let comment = call.params.text("comment").unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT {
        return Err(Fail::parameter(format!(
            "Parameter 'comment' is longer than {LONGEST_COMMENT} letters"
        )));
    }
    let now = now();
    call.app.db.write(|db| {
        call.check_songs(db, &[song])?;
        bookmarks::set(db, call.user.id, song, position, comment, now)?;
        Ok::<_, Fail>(())
    })?;
    call.ok()
}

/// `deleteBookmark`: removes the caller's bookmark of a song; that there is none is fine.
pub fn delete_bookmark(call: &Call) -> Result<Reply> {
    let song = call.params.need_song("id")?;
    call.app.db.write(|db| {
        call.check_songs(db, &[song])?;
        bookmarks::remove(db, call.user.id, song)?;
        Ok::<_, Fail>(())
    })?;
    call.ok()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlayQueue {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_index: Option<usize>,
    position: i64,
    username: String,
    changed: Time,
    changed_by: String,
    entry: Vec<Child>,
}

/// `getPlayQueue`: the caller's queue, and by its id the song that is played.
pub fn get_play_queue(call: &Call) -> Result<Reply> {
    let queue = queue(call)?;
    let current = queue.songs.get(queue.current).map(|song| Id::Song(song.id));
    call.answer("playQueue", &shown(call, queue, current, None))
}

/// `getPlayQueueByIndex` (extension indexBasedQueue): the same, the song by its place.
pub fn get_play_queue_by_index(call: &Call) -> Result<Reply> {
    let queue = queue(call)?;
    let current = Some(queue.current).filter(|_| !queue.songs.is_empty());
    call.answer("playQueueByIndex", &shown(call, queue, None, current))
}

/// One that was never saved is empty, and was so from the beginning of time.
fn queue(call: &Call) -> Result<Queue> {
    let saved = call.app.db.read(|db| bookmarks::queue(db, call.viewer()))?;
    Ok(saved.unwrap_or_else(|| Queue {
        songs: Vec::new(),
        current: 0,
        position: 0,
        changed: 0,
        changed_by: String::new(),
    }))
}

fn shown(
    call: &Call,
    queue: Queue,
    current: Option<Id>,
    current_index: Option<usize>,
) -> PlayQueue {
    PlayQueue {
        current,
        current_index,
        position: queue.position,
        username: call.user.name.clone(),
        changed: Time(queue.changed),
        changed_by: queue.changed_by,
        entry: children(queue.songs),
    }
}

/// `savePlayQueue`: saves the caller's queue, the song that is played by its id; without songs,
/// clears it.
pub fn save_play_queue(call: &Call) -> Result<Reply> {
    let ids = call.params.songs("id")?;
    let current = match call.params.id("current")? {
        _ if ids.is_empty() => 0,
        None => return Err(Fail::missing("current")),
        Some(current) => ids.iter().position(|id| Id::Song(*id) == current).ok_or_else(|| {
            Fail::parameter("Parameter 'current' must be one of the songs of the queue")
        })?,
    };
    save(call, &ids, current)
}

/// `savePlayQueueByIndex` (extension indexBasedQueue): the same, the song by its place, so that
/// one song may be there several times.
pub fn save_play_queue_by_index(call: &Call) -> Result<Reply> {
    let ids = call.params.songs("id")?;
    let current = match call.params.int("currentIndex")? {
        _ if ids.is_empty() => 0,
        None => return Err(Fail::missing("currentIndex")),
        Some(index) => {
            let index = usize::try_from(index).ok().filter(|index| *index < ids.len());
            index.ok_or_else(|| {
                Fail::parameter(
                    "Parameter 'currentIndex' must be a place in the queue, 0 for the first",
                )
            })?
        }
    };
    save(call, &ids, current)
}

fn save(call: &Call, ids: &[i64], current: usize) -> Result<Reply> {
    let position = call.params.int("position")?.unwrap_or(0);
    if position < 0 {
        return Err(Fail::parameter("Parameter 'position' must not be negative"));
    }
    if i64::try_from(ids.len()).unwrap_or(i64::MAX) > MOST_ITEMS {
        return Err(Fail::parameter(format!("A queue has at most {MOST_ITEMS} songs")));
    }
    let (user, now) = (call.user.id, now());
    call.app.db.write(|db| {
        if ids.is_empty() {
            bookmarks::clear_queue(db, user)?;
        } else {
            call.check_songs(db, ids)?;
            bookmarks::save_queue(db, user, ids, (current, position), (&call.client(), now))?;
        }
        Ok::<_, Fail>(())
    })?;
    call.ok()
}
