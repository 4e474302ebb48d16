//! Shares: what somebody with a link may hear, looked up anew with each visit.
//!
//! A share holds what its owner may see now: the owner's music folders bound it, and a playlist
//! counts while the owner may read it.

use rusqlite::{Connection, Result, Row, Transaction};

use super::songs::{self, File, Song};
use super::users::Role;
use super::{Viewer, collect, items, optional};
use crate::id::Id;

/// Songs a share shows at most: they are all in memory while its page is made.
pub const MOST_SONGS: usize = 5_000;

/// A share without what it holds.
#[derive(Clone, Debug)]
pub struct Share {
    /// The row's id.
    pub id: i64,
    /// The word in the link.
    pub token: String,
    /// The owner.
    pub user_id: i64,
    /// The owner's name.
    pub username: String,
    /// Bits of `Role` the owner has now.
    pub roles: i64,
    /// The music folders the owner sees now.
    pub scope: i64,
    /// What the owner wrote about it.
    pub description: Option<String>,
    /// When it was made, ms since 1970.
    pub created: i64,
    /// When it ends, ms since 1970; `None` never.
    pub expires: Option<i64>,
    /// How often its page was opened, as far as that was written down.
    pub visit_count: i64,
    /// When its page was last opened, ms since 1970.
    pub last_visited: Option<i64>,
}

impl Share {
    /// Whether the link leads somewhere at a moment: it has not ended, and the owner still may
    /// share.
    pub fn is_open(&self, now: i64) -> bool {
        self.expires.is_none_or(|end| now < end) && self.owner_has(Role::Share)
    }

    /// Whether the owner has a right now.
    pub fn owner_has(&self, role: Role) -> bool {
        self.roles & role as i64 != 0
    }

    /// For whom the songs are read on behalf of a user, 0 for a stranger: whose stars are shown,
    /// while the owner bounds what is there.
    pub fn seen_by(&self, user: i64) -> Viewer {
        Viewer { user, scope: self.scope }
    }
}

/// A share to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewShare<'a> {
    /// The word in the link.
    pub token: &'a str,
    /// The owner.
    pub user: i64,
    /// What the owner wrote about it.
    pub description: Option<&'a str>,
    /// When it is made, ms since 1970.
    pub created: i64,
    /// When it ends, ms since 1970; `None` never.
    pub expires: Option<i64>,
    /// What it holds, in order.
    pub entries: &'a [Id],
}

/// The columns of `Share`.
const COLUMNS: &str =
    "sh.id, sh.token, sh.user_id, u.name, u.roles, u.music_folders, sh.description,
    sh.created, sh.expires, sh.visit_count, sh.last_visited";

/// Where they come from.
const TABLES: &str = "share sh JOIN user u ON u.id = sh.user_id";

fn read(row: &Row) -> Result<Share> {
    Ok(Share {
        id: row.get(0)?,
        token: row.get(1)?,
        user_id: row.get(2)?,
        username: row.get(3)?,
        roles: row.get(4)?,
        scope: row.get(5)?,
        description: row.get(6)?,
        created: row.get(7)?,
        expires: row.get(8)?,
        visit_count: row.get(9)?,
        last_visited: row.get(10)?,
    })
}

/// A share by its id.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE sh.id = ?1");
    optional(db.prepare_cached(&sql)?.query_row([id], read))
}

/// A share by the word in its link.
pub fn by_token(db: &Connection, token: &str) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE sh.token = ?1");
    optional(db.prepare_cached(&sql)?.query_row([token], read))
}

/// The shares of a user in the order they were made; of everybody without one.
pub fn of_user(db: &Connection, user: Option<i64>) -> Result<Vec<Share>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES}
         WHERE ?1 IS NULL OR sh.user_id = ?1 ORDER BY sh.id"
    );
    collect(db, &sql, [user], read)
}

/// How many shares there are, ended ones too.
pub fn count(db: &Connection) -> Result<i64> {
    db.query_row("SELECT count(*) FROM share", [], |row| row.get(0))
}

/// Makes a share. Of `entries`, what cannot be shared is left out: see [`items::is_there`].
pub fn create(db: &Transaction, new: &NewShare) -> Result<i64> {
    let id = db
        .prepare_cached(
            "INSERT INTO share (token, user_id, description, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert((new.token, new.user, new.description, new.created, new.expires))?;
    let mut entry = db.prepare_cached(
        "INSERT INTO share_entry (share_id, position, kind, item_id) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, (kind, number)) in
        (0_i64..).zip(new.entries.iter().filter_map(|id| items::numbers(*id)))
    {
        entry.execute((id, position, kind, number))?;
    }
    Ok(id)
}

/// Writes back description and end of a share.
pub fn update(
    db: &Transaction,
    id: i64,
    description: Option<&str>,
    expires: Option<i64>,
) -> Result<()> {
    db.prepare_cached("UPDATE share SET description = ?2, expires = ?3 WHERE id = ?1")?
        .execute((id, description, expires))?;
    Ok(())
}

/// Removes a share: from now on its link leads nowhere.
pub fn delete(db: &Transaction, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM share WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Adds visits of a share, the last of them at a moment in ms since 1970.
pub fn add_visits(db: &Transaction, id: i64, count: i64, last: i64) -> Result<()> {
    db.prepare_cached(
        "UPDATE share SET visit_count = visit_count + ?2, last_visited = max(?3, ifnull(last_visited, 0))
         WHERE id = ?1",
    )?
    .execute((id, count, last))?;
    Ok(())
}

/// What a share names, in order.
pub fn entries(db: &Connection, share: &Share) -> Result<Vec<Id>> {
    let sql = "SELECT kind, item_id FROM share_entry WHERE share_id = ?1 ORDER BY position";
    let entries = collect(db, sql, [share.id], |row| Ok(items::id(row.get(0)?, row.get(1)?)))?;
    Ok(entries.into_iter().flatten().collect())
}

/// The songs a share holds now by its [`entries`], as a user sees them (0 for a stranger), at most
/// [`MOST_SONGS`].
pub fn songs(db: &Connection, share: &Share, entries: &[Id], user: i64) -> Result<Vec<Song>> {
    let viewer = share.seen_by(user);
    let mut songs = Vec::new();
    // Songs in a row are read together: many shares are lists of them.
    for run in entries.chunk_by(|one, two| matches!((one, two), (Id::Song(_), Id::Song(_)))) {
        let more = match run {
            [Id::Album(id)] => songs::of_album(db, viewer, *id)?,
            [Id::Artist(id)] => songs::of_artist(db, viewer, *id)?,
            [Id::Folder(id)] => songs::below_folder(db, viewer, *id)?,
            [Id::Playlist(id)] => of_playlist(db, viewer, *id, share.user_id)?,
            several => {
                let song = |id: &Id| if let Id::Song(id) = id { Some(*id) } else { None };
                let ids: Vec<i64> = several.iter().filter_map(song).take(MOST_SONGS).collect();
                songs::by_ids(db, viewer, &ids)?
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

/// The songs of a playlist that a user may read.
fn of_playlist(db: &Connection, viewer: Viewer, playlist: i64, reader: i64) -> Result<Vec<Song>> {
    let pick = "SELECT song_id AS id FROM playlist_entry
        WHERE playlist_id = ?3
            AND EXISTS (SELECT 1 FROM playlist WHERE id = ?3 AND (user_id = ?4 OR public))
        ORDER BY position LIMIT -1";
    songs::picked(db, pick, (viewer.user, viewer.scope, playlist, reader))
}

/// That a share with the alias `sh` holds a song with the alias `s`, in SQL.
const HOLDS: &str = "EXISTS (SELECT 1 FROM share_entry e WHERE e.share_id = sh.id AND CASE e.kind
    WHEN 1 THEN e.item_id = s.id
    WHEN 2 THEN e.item_id = s.album_id
    WHEN 3 THEN EXISTS (SELECT 1 FROM song_artist c WHERE c.artist_id = e.item_id AND c.song_id = s.id AND c.role <= 2)
        OR EXISTS (SELECT 1 FROM album_artist c WHERE c.artist_id = e.item_id AND c.album_id = s.album_id AND c.main)
    WHEN 4 THEN EXISTS (
        WITH RECURSIVE above (id, parent_id) AS (
            SELECT id, parent_id FROM folder WHERE id = s.folder_id
            UNION ALL SELECT folder.id, folder.parent_id FROM folder JOIN above ON folder.id = above.parent_id)
        SELECT 1 FROM above WHERE above.id = e.item_id)
    WHEN 5 THEN EXISTS (SELECT 1 FROM playlist p JOIN playlist_entry t ON t.playlist_id = p.id
        WHERE p.id = e.item_id AND (p.user_id = sh.user_id OR p.public) AND t.song_id = s.id)
    END)";

/// A share by the word in its link, and the file of one of its songs: `None` where it does not hold
/// the song. One query, since players ask many times for parts of a file.
pub fn with_file(db: &Connection, token: &str, song: i64) -> Result<Option<(Share, Option<File>)>> {
    let sql = format!(
        "SELECT {COLUMNS}, s.id, m.path, f.path, s.file_name, s.suffix
         FROM {TABLES}
         LEFT JOIN song s ON s.id = ?2 AND s.missing IS NULL AND (u.music_folders >> s.music_folder_id) & 1
            AND {HOLDS}
         LEFT JOIN folder f ON f.id = s.folder_id LEFT JOIN music_folder m ON m.id = s.music_folder_id
         WHERE sh.token = ?1"
    );
    optional(db.prepare_cached(&sql)?.query_row((token, song), |row| {
        let file = match row.get::<_, Option<i64>>(11)? {
            None => None,
            Some(_) => Some(File {
                path: super::join_path([row.get_ref(12)?, row.get_ref(13)?, row.get_ref(14)?])?,
                suffix: row.get(15)?,
            }),
        };
        Ok((read(row)?, file))
    }))
}

/// A share by the word in its link, and whether it holds a song, or a song of an album.
pub fn with_cover(db: &Connection, token: &str, of: Id) -> Result<Option<(Share, bool)>> {
    let (song, album) = match of {
        Id::Song(song) => (Some(song), None),
        Id::Album(album) => (None, Some(album)),
        _ => (None, None),
    };
    let sql = format!(
        "SELECT {COLUMNS}, EXISTS (SELECT 1 FROM song s WHERE (s.id = ?2 OR s.album_id = ?3) AND s.missing IS NULL
            AND (u.music_folders >> s.music_folder_id) & 1 AND {HOLDS})
         FROM {TABLES} WHERE sh.token = ?1"
    );
    optional(
        db.prepare_cached(&sql)?
            .query_row((token, song, album), |row| Ok((read(row)?, row.get(11)?))),
    )
}
