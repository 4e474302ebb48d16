//! What a share holds: what its entries hold now, or what they held when it was frozen.

use rusqlite::{Connection, Params, Result, Transaction};

use super::Share;
use crate::db::songs::{self, Song};
use crate::db::{artists, collect, folders, id_list, items, playlists};
use crate::id::Id;

/// Songs a share shows at most: they are all in memory while its page is made.
pub const MOST_SONGS: usize = 5_000;

/// What a share holds, in order.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// What is there.
    pub songs: Vec<Song>,
    /// What is not.
    pub missing: Vec<Missing>,
}

/// A song of a share whose file is gone; it comes back with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How many of the songs that are there stand before it.
    pub place: usize,
    /// Which song.
    pub id: Id,
    /// Its title.
    pub title: String,
    /// Who plays; empty where nobody knows.
    pub artist: String,
    /// The album's name.
    pub album: String,
}

/// What a share names, in order.
pub fn entries(db: &Connection, share: &Share) -> Result<Vec<Id>> {
    let sql = "SELECT kind, item_id FROM share_entry WHERE share_id = ?1 ORDER BY position";
    let entries = collect(db, sql, [share.id], |row| Ok(items::id(row.get(0)?, row.get(1)?)))?;
    Ok(entries.into_iter().flatten().collect())
}

/// What a share holds by its [`entries`], as a user sees it (0 for a stranger), at most
/// [`MOST_SONGS`].
pub fn held(db: &Connection, share: &Share, entries: &[Id], user: i64) -> Result<Held> {
    let songs = if share.live {
        named(db, share, entries, user)?
    } else {
        let pick = "SELECT item_id AS id FROM share_frozen WHERE share_id = ?3 AND kind = 1
            ORDER BY position LIMIT -1";
        songs::picked_with_gone(db, pick, (user, share.scope, share.id))?
    };
    Ok(parted(songs))
}

fn parted(songs: Vec<(Song, bool)>) -> Held {
    let mut held = Held::default();
    for (song, gone) in songs {
        if gone {
            held.missing.push(Missing {
                place: held.songs.len(),
                id: Id::Song(song.id),
                title: song.title,
                artist: song.artist,
                album: song.album,
            });
        } else {
            held.songs.push(song);
        }
    }
    held
}

/// That a song of an album, an artist or a folder belongs to what is shown of it, in SQL: it is
/// there, or it is gone and nothing has taken its place, as a file of another format does.
const NOT_REPLACED: &str = "(song.missing IS NULL OR NOT EXISTS (SELECT 1 FROM song other
    WHERE other.album_id = song.album_id AND other.missing IS NULL
        AND (other.title_key = song.title_key OR other.track = song.track AND other.disc IS song.disc)))";

/// The songs of things in order, and whether each is gone.
fn named(db: &Connection, share: &Share, entries: &[Id], user: i64) -> Result<Vec<(Song, bool)>> {
    let mut songs = Vec::new();
    // Songs in a row are read together: many shares are lists of them.
    for run in entries.chunk_by(|one, two| matches!((one, two), (Id::Song(_), Id::Song(_)))) {
        let pick = |pick: &str, of: i64| picked(db, pick, (user, share.scope, of));
        let more = match run {
            [Id::Album(id)] => pick(
                "SELECT id FROM song WHERE album_id = ?3 AND {there}
                 ORDER BY disc, track, title_key, id LIMIT -1",
                *id,
            )?,
            [Id::Artist(id)] => pick(
                "SELECT song.id FROM (
                    SELECT song_id AS id FROM song_artist WHERE artist_id = ?3 AND role <= 2
                    UNION SELECT song.id FROM album_artist JOIN song ON song.album_id = album_artist.album_id
                        WHERE album_artist.artist_id = ?3 AND main) credited
                 JOIN song ON song.id = credited.id JOIN album ON album.id = song.album_id
                 WHERE {there}
                 ORDER BY album.year, album.sort_key, album.id, song.disc, song.track, song.id LIMIT -1",
                *id,
            )?,
            [Id::Folder(id)] => pick(
                "WITH RECURSIVE below (id, path) AS (
                    SELECT id, path FROM folder WHERE id = ?3
                    UNION SELECT folder.id, folder.path FROM folder JOIN below ON folder.parent_id = below.id)
                 SELECT song.id FROM below JOIN song ON song.folder_id = below.id WHERE {there}
                 ORDER BY below.path, disc, track, file_name LIMIT -1",
                *id,
            )?,
            [Id::Playlist(id)] => {
                let pick = "SELECT song_id AS id FROM playlist_entry
                    WHERE playlist_id = ?3
                        AND EXISTS (SELECT 1 FROM playlist WHERE id = ?3 AND (user_id = ?4 OR public))
                    ORDER BY position LIMIT -1";
                picked(db, pick, (user, share.scope, *id, share.user_id))?
            }
            several => {
                let song = |id: &Id| if let Id::Song(id) = id { Some(*id) } else { None };
                let ids: Vec<i64> = several.iter().filter_map(song).take(MOST_SONGS).collect();
                picked(db, crate::db::LISTED, (user, share.scope, id_list(&ids)))?
            }
        };
        songs.extend(more);
        if songs.len() >= MOST_SONGS {
            songs.truncate(MOST_SONGS);
            break;
        }
    }
    Ok(songs)
}

fn picked(db: &Connection, pick: &str, params: impl Params) -> Result<Vec<(Song, bool)>> {
    songs::picked_with_gone(db, &pick.replace("{there}", NOT_REPLACED), params)
}

/// The name of what is shared: that of the one thing, else that of the album all songs are from;
/// `None` where there is none.
pub fn title(
    db: &Connection,
    share: &Share,
    entries: &[Id],
    held: &Held,
) -> Result<Option<String>> {
    if !share.live {
        return Ok(share.title.clone());
    }
    let viewer = share.seen_by(share.user_id);
    let named = match entries {
        [Id::Song(_)] => {
            let there = held.songs.first().map(|song| &song.title);
            there.or(held.missing.first().map(|song| &song.title)).cloned()
        }
        [Id::Artist(id)] => artists::by_id(db, viewer, *id)?.map(|artist| artist.name),
        [Id::Folder(id)] => folders::by_id(db, viewer, *id)?.map(|folder| folder.name),
        [Id::Playlist(id)] => playlists::by_id(db, viewer, *id)?.map(|playlist| playlist.name),
        _ => {
            let mut albums = held.songs.iter().map(|song| &song.album);
            let mut gone = held.missing.iter().map(|song| &song.album);
            let first = albums.clone().next().or(gone.clone().next());
            let one = first.filter(|first| {
                albums.all(|album| album == *first) && gone.all(|album| album == *first)
            });
            one.cloned()
        }
    };
    Ok(named.filter(|name| !name.trim().is_empty()))
}

/// Makes a share keep what it holds now, in order; one that is frozen stays as it is.
pub fn freeze(db: &Transaction, share: &Share) -> Result<()> {
    if !share.live {
        return Ok(());
    }
    let entries = entries(db, share)?;
    let songs = named(db, share, &entries, 0)?;
    let ids: Vec<i64> = songs.iter().map(|(song, _)| song.id).collect();
    let title = title(db, share, &entries, &parted(songs))?;
    let mut row = db.prepare_cached(
        "INSERT INTO share_frozen (share_id, position, kind, item_id) VALUES (?1, ?2, 1, ?3)",
    )?;
    for (position, song) in (0_i64..).zip(ids) {
        row.execute((share.id, position, song))?;
    }
    db.prepare_cached("UPDATE share SET live = 0, title = ?2 WHERE id = ?1")?
        .execute((share.id, title))?;
    Ok(())
}

/// Makes a share follow what it names again.
pub fn thaw(db: &Transaction, share: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM share_frozen WHERE share_id = ?1")?.execute([share])?;
    db.prepare_cached("UPDATE share SET live = 1, title = NULL WHERE id = ?1")?.execute([share])?;
    Ok(())
}
