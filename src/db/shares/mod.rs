//! Shares: what somebody with a link may hear, looked up anew with each visit.
//!
//! A share holds what its owner may see now: the owner's music folders bound it, and a playlist
//! counts while the owner may read it.

mod content;
mod counts;
mod defaults;

use rusqlite::{Connection, Result, Row, Transaction};

pub use self::content::{Held, MOST_SONGS, Missing, entries, freeze, held, thaw, title};
pub use self::counts::{Counts, add_counts, plays};
pub use self::defaults::{Defaults, defaults, set_defaults};
use super::songs::File;
use super::users::Role;
use super::{Viewer, collect, items, join_path, optional};
use crate::id::Id;
use crate::secret::token_hash;

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
    /// Whether its maker lets files be kept; see [`Share::may_download`].
    pub downloadable: bool,
    /// Whether it follows what it names; else it is frozen.
    pub live: bool,
    /// Whether its maker lets other sites show its player; see [`Share::may_embed`].
    pub embed: bool,
    /// The hash of the passphrase, where it takes one.
    pub passphrase: Option<String>,
    /// How many plays there may be; `None` is any number.
    pub max_plays: Option<i64>,
    /// What it was called when it was frozen.
    pub title: Option<String>,
    /// How often something of it was played, as far as that was written down.
    pub play_count: i64,
    /// How many listened, as far as that was written down.
    pub listener_count: i64,
}

impl Share {
    /// A share that is no row: open, and holding nothing.
    pub fn of_nobody() -> Share {
        Share {
            id: 0,
            token: String::new(),
            user_id: 0,
            username: String::new(),
            roles: Role::Share as i64,
            scope: 0,
            description: None,
            created: 0,
            expires: None,
            visit_count: 0,
            last_visited: None,
            downloadable: true,
            live: true,
            embed: false,
            passphrase: None,
            max_plays: None,
            title: None,
            play_count: 0,
            listener_count: 0,
        }
    }

    /// Whether the link leads somewhere at a moment: it has not ended, and the owner still may
    /// share.
    pub fn is_open(&self, now: i64) -> bool {
        self.expires.is_none_or(|end| now < end) && self.owner_has(Role::Share)
    }

    /// Whether files may be kept: its maker lets them be, the owner may keep them too, and plays are
    /// not limited, which nobody can count of a file that was kept.
    pub fn may_download(&self) -> bool {
        self.downloadable && self.max_plays.is_none() && self.owner_has(Role::Download)
    }

    /// Whether other sites may show its player.
    pub fn may_embed(&self) -> bool {
        self.embed
    }

    /// Whether it follows what it names: a new song of a shared album is in the share. A frozen one
    /// holds what it held when it was frozen.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether a passphrase opens it.
    pub fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    /// Whether each answer is for the one who asked alone, so that no shared cache may keep it: it
    /// takes a passphrase, or plays are counted against a limit.
    pub fn is_for_one_listener(&self) -> bool {
        self.has_passphrase() || self.max_plays.is_some()
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
    /// What may be done with it.
    pub options: Options<'a>,
}

/// What may be done with a share.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Whether files may be kept.
    pub downloadable: bool,
    /// Whether it follows what it names; else it is frozen as it is made.
    pub live: bool,
    /// Whether other sites may show its player.
    pub embed: bool,
    /// The hash of the passphrase.
    pub passphrase: Option<&'a str>,
    /// How many plays there may be; `None` is any number.
    pub max_plays: Option<i64>,
}

impl Options<'_> {
    /// Open to all who have the link, to hear and to keep, and following what is named.
    pub const OPEN: Options<'static> =
        Options { downloadable: true, live: true, embed: true, passphrase: None, max_plays: None };
}

/// What is to change of a share; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// What the owner wrote about it.
    pub description: Option<Option<&'a str>>,
    /// When it ends.
    pub expires: Option<Option<i64>>,
    /// Whether files may be kept.
    pub downloadable: Option<bool>,
    /// Whether it follows what it names.
    pub live: Option<bool>,
    /// Whether other sites may show its player.
    pub embed: Option<bool>,
    /// The hash of the passphrase.
    pub passphrase: Option<Option<&'a str>>,
    /// How many plays there may be.
    pub max_plays: Option<Option<i64>>,
}

/// The columns of `Share`.
const COLUMNS: &str =
    "sh.id, sh.token, sh.user_id, u.name, u.roles, u.music_folders, sh.description,
    sh.created, sh.expires, sh.visit_count, sh.last_visited, sh.downloadable, sh.live, sh.embed, sh.passphrase,
    sh.max_plays, sh.title, sh.play_count, sh.listener_count";

/// The place of the first column behind them.
const BEHIND: usize = 19;

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
        downloadable: row.get(11)?,
        live: row.get(12)?,
        embed: row.get(13)?,
        passphrase: row.get(14)?,
        max_plays: row.get(15)?,
        title: row.get(16)?,
        play_count: row.get(17)?,
        listener_count: row.get(18)?,
    })
}

/// A share by its id.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE sh.id = ?1");
    optional(db.prepare_cached(&sql)?.query_row([id], read))
}

/// A share by the word in its link.
pub fn by_token(db: &Connection, token: &str) -> Result<Option<Share>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE sh.token_hash = ?1");
    optional(db.prepare_cached(&sql)?.query_row([token_hash(token)], read))
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
    let options = &new.options;
    let id = db
        .prepare_cached(
            "INSERT INTO share (token, token_hash, user_id, description, created, expires, downloadable,
                embed, passphrase, max_plays)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .insert((
            new.token,
            token_hash(new.token),
            new.user,
            new.description,
            new.created,
            new.expires,
            options.downloadable,
            options.embed,
            options.passphrase,
            options.max_plays,
        ))?;
    let mut entry = db.prepare_cached(
        "INSERT INTO share_entry (share_id, position, kind, item_id) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, (kind, number)) in
        (0_i64..).zip(new.entries.iter().filter_map(|id| items::numbers(*id)))
    {
        entry.execute((id, position, kind, number))?;
    }
    if !options.live
        && let Some(share) = by_id(db, id)?
    {
        freeze(db, &share)?;
    }
    Ok(id)
}

/// Changes a share. One that is frozen a second time keeps what it holds.
pub fn update(db: &Transaction, share: &Share, changes: &Changes) -> Result<()> {
    db.prepare_cached(
        "UPDATE share SET description = ?2, expires = ?3, downloadable = ?4, embed = ?5, passphrase = ?6,
            max_plays = ?7 WHERE id = ?1",
    )?
    .execute((
        share.id,
        changes.description.unwrap_or(share.description.as_deref()),
        changes.expires.unwrap_or(share.expires),
        changes.downloadable.unwrap_or(share.downloadable),
        changes.embed.unwrap_or(share.embed),
        changes.passphrase.unwrap_or(share.passphrase.as_deref()),
        changes.max_plays.unwrap_or(share.max_plays),
    ))?;
    match changes.live {
        Some(true) if !share.live => thaw(db, share.id),
        Some(false) => freeze(db, share),
        _ => Ok(()),
    }
}

/// Removes a share: from now on its link leads nowhere.
pub fn delete(db: &Transaction, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM share WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Gives shares of old files the hash by which their links are looked up.
pub(super) fn hash_tokens(db: &Transaction) -> Result<()> {
    let tokens = collect(db, "SELECT id, token FROM share WHERE token_hash IS NULL", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    for (id, token) in tokens {
        db.prepare_cached("UPDATE share SET token_hash = ?2 WHERE id = ?1")?
            .execute((id, token_hash(&token)))?;
    }
    Ok(())
}

/// When the last share ended that has ended by a time; all in ms since 1970.
pub fn last_end(db: &Connection, now: i64) -> Result<Option<i64>> {
    let sql = "SELECT max(expires) FROM share WHERE expires <= ?1";
    db.prepare_cached(sql)?.query_row([now], |row| row.get(0))
}

/// That a share with the alias `sh` holds a song with the alias `s`, in SQL.
const HOLDS: &str = "CASE WHEN sh.live THEN EXISTS (SELECT 1 FROM share_entry e WHERE e.share_id = sh.id AND CASE e.kind
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
    END)
    ELSE EXISTS (SELECT 1 FROM share_frozen z WHERE z.share_id = sh.id AND z.kind = 1 AND z.item_id = s.id)
    END";

/// A share by the word in its link, and the file of one of its songs: `None` where it does not hold
/// the song. One query, since players ask many times for parts of a file.
pub fn with_file(db: &Connection, token: &str, song: i64) -> Result<Option<(Share, Option<File>)>> {
    let sql = format!(
        "SELECT {COLUMNS}, s.id, m.path, f.path, s.file_name, s.suffix, s.video, s.duration
         FROM {TABLES}
         LEFT JOIN song s ON s.id = ?2 AND s.missing IS NULL AND (u.music_folders >> s.music_folder_id) & 1
            AND {HOLDS}
         LEFT JOIN folder f ON f.id = s.folder_id LEFT JOIN music_folder m ON m.id = s.music_folder_id
         WHERE sh.token_hash = ?1"
    );
    optional(db.prepare_cached(&sql)?.query_row((token_hash(token), song), |row| {
        let file = match row.get::<_, Option<i64>>(BEHIND)? {
            None => None,
            Some(_) => Some(File {
                path: join_path([
                    row.get_ref(BEHIND + 1)?,
                    row.get_ref(BEHIND + 2)?,
                    row.get_ref(BEHIND + 3)?,
                ])?,
                suffix: row.get(BEHIND + 4)?,
                video: row.get(BEHIND + 5)?,
                duration: row.get(BEHIND + 6)?,
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
         FROM {TABLES} WHERE sh.token_hash = ?1"
    );
    optional(
        db.prepare_cached(&sql)?
            .query_row((token_hash(token), song, album), |row| Ok((read(row)?, row.get(BEHIND)?))),
    )
}
