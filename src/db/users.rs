//! Users and their rights.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result, Row, Transaction};

use super::{Viewer, annotations, collect, optional};

/// Music folders a user may see when none are named: all, those added later too.
pub const ALL_MUSIC_FOLDERS: i64 = -1;

/// A right a user may have, a bit of `user.roles`. The names are those of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
#[allow(missing_docs)]
pub enum Role {
    Admin = 1,
    Settings = 2,
    Stream = 4,
    Jukebox = 8,
    Download = 16,
    Upload = 32,
    Playlist = 64,
    CoverArt = 128,
    Comment = 256,
    Podcast = 512,
    Share = 1024,
    VideoConversion = 2048,
    Scrobbling = 4096,
}

/// Every right at once.
pub const ALL_ROLES: i64 = 8191;

/// A user as the database holds them.
#[derive(Clone, Debug)]
pub struct User {
    /// The row's id.
    pub id: i64,
    /// The name, in the user's own spelling; case does not count when signing in.
    pub name: String,
    /// The sealed password.
    pub password: Vec<u8>,
    /// The e-mail address, empty where unknown.
    pub email: String,
    /// Bits of `Role`.
    pub roles: i64,
    /// kbit/s a stream may have, 0 for any.
    pub max_bit_rate: i64,
    /// A bit for each music folder the user may see; `ALL_MUSIC_FOLDERS` for all.
    pub music_folders: i64,
    /// When the user was made, ms since 1970.
    pub created: i64,
}

impl User {
    /// Somebody who has not signed in: no rights, sees nothing.
    pub fn nobody() -> User {
        User {
            id: 0,
            name: String::new(),
            password: Vec::new(),
            email: String::new(),
            roles: 0,
            max_bit_rate: 0,
            music_folders: 0,
            created: 0,
        }
    }

    /// Whether the user has a right.
    pub fn has(&self, role: Role) -> bool {
        self.roles & role as i64 != 0
    }

    /// For whom things are read.
    pub fn viewer(&self) -> Viewer {
        Viewer { user: self.id, scope: self.music_folders }
    }
}

const SELECT: &str =
    "SELECT id, name, password, email, roles, max_bit_rate, music_folders, created FROM user";

fn read(row: &Row) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        password: row.get(2)?,
        email: row.get(3)?,
        roles: row.get(4)?,
        max_bit_rate: row.get(5)?,
        music_folders: row.get(6)?,
        created: row.get(7)?,
    })
}

/// A user by name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<User>> {
    optional(db.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?.query_row([name], read))
}

/// A user by id.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<User>> {
    optional(db.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query_row([id], read))
}

/// The names and sealed passwords in a database file.
pub fn sealed(file: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match super::has_table(&db, "user")? {
        true => collect(&db, "SELECT name, password FROM user", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        }),
        false => Ok(Vec::new()),
    }
}

/// Whether there is no user at all.
pub fn none(db: &Connection) -> Result<bool> {
    db.query_row("SELECT NOT EXISTS (SELECT 1 FROM user)", [], |row| row.get(0))
}

/// How many users there are.
pub fn count(db: &Connection) -> Result<i64> {
    db.query_row("SELECT count(*) FROM user", [], |row| row.get(0))
}

/// How many users are administrators.
pub fn administrators(db: &Connection) -> Result<i64> {
    db.query_row("SELECT count(*) FROM user WHERE roles & ?1", [Role::Admin as i64], |row| {
        row.get(0)
    })
}

/// The user an API key belongs to, by the key's hash.
pub fn by_key(db: &Connection, hash: &[u8; 32]) -> Result<Option<User>> {
    let sql = format!("{SELECT} WHERE id = (SELECT user_id FROM api_key WHERE hash = ?1)");
    optional(db.prepare_cached(&sql)?.query_row([hash], read))
}

/// Every user, by name.
pub fn all(db: &Connection) -> Result<Vec<User>> {
    collect(db, &format!("{SELECT} ORDER BY name"), [], read)
}

/// Makes a user; the id in `user` does not count. A name that is taken is a constraint error.
pub fn create(db: &Transaction, user: &User) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO user (name, password, email, roles, max_bit_rate, music_folders, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .insert((
        &user.name,
        &user.password,
        &user.email,
        user.roles,
        user.max_bit_rate,
        user.music_folders,
        user.created,
    ))
}

/// Writes back everything of a user but id, name and time.
pub fn update(db: &Transaction, user: &User) -> Result<()> {
    db.prepare_cached(
        "UPDATE user SET password = ?2, email = ?3, roles = ?4, max_bit_rate = ?5, music_folders = ?6 WHERE id = ?1",
    )?
    .execute((user.id, &user.password, &user.email, user.roles, user.max_bit_rate, user.music_folders))?;
    Ok(())
}

/// Removes a user and everything of theirs.
pub fn delete(db: &Transaction, id: i64) -> Result<()> {
    annotations::take_back_ratings(db, id)?;
    db.prepare_cached("DELETE FROM user WHERE id = ?1")?.execute([id])?;
    Ok(())
}
