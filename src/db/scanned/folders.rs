//! Music folders and the folders below them, as the scanner finds them.

use rusqlite::{Connection, Result, Transaction};

use super::execute;
use crate::db::{collect, fold};

/// A music folder as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// 1 and up.
    pub id: i64,
    /// Absolute path, in bytes.
    pub path: Vec<u8>,
    /// Whether the settings name it.
    pub configured: bool,
}

/// All music folders there ever were.
pub fn roots(db: &Connection) -> Result<Vec<Root>> {
    collect(db, "SELECT id, path, configured FROM music_folder ORDER BY id", [], |row| {
        Ok(Root { id: row.get(0)?, path: row.get(1)?, configured: row.get(2)? })
    })
}

/// Adds a music folder; the number is the next one, never one that was used before.
pub fn add_root(db: &Transaction, path: &[u8], name: &str) -> Result<i64> {
    execute(db, "INSERT INTO music_folder (path, name) VALUES (?1, ?2)", (path, name))?;
    Ok(db.last_insert_rowid())
}

/// Says where a music folder lies now.
pub fn move_root(db: &Transaction, id: i64, path: &[u8], name: &str) -> Result<()> {
    let sql = "UPDATE music_folder SET path = ?2, name = ?3, configured = 1 WHERE id = ?1";
    execute(db, sql, (id, path, name))?;
    execute(
        db,
        "UPDATE folder SET name = ?2, sort_key = ?3 WHERE music_folder_id = ?1 AND parent_id IS NULL",
        (id, name, fold::sort_key(name)),
    )?;
    Ok(())
}

/// Says whether the settings name a music folder.
pub fn set_configured(db: &Transaction, id: i64, configured: bool) -> Result<()> {
    execute(db, "UPDATE music_folder SET configured = ?2 WHERE id = ?1", (id, configured))?;
    Ok(())
}

/// Whether a music folder has songs that are there.
pub fn has_songs(db: &Connection, root: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM song WHERE music_folder_id = ?1 AND missing IS NULL)";
    db.prepare_cached(sql)?.query_row([root], |row| row.get(0))
}

/// A folder as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The row's id.
    pub id: i64,
    /// Path below the music folder, empty for the music folder itself.
    pub path: Vec<u8>,
    /// Whether it was gone at the last scan.
    pub missing: bool,
    /// The stamp of its picture.
    pub cover_stamp: Option<i64>,
}

/// Every folder of a music folder.
pub fn known(db: &Connection, root: i64) -> Result<Vec<Known>> {
    let sql = "SELECT id, path, missing IS NOT NULL, cover_stamp FROM folder WHERE music_folder_id = ?1 ORDER BY path";
    collect(db, sql, [root], |row| {
        Ok(Known {
            id: row.get(0)?,
            path: row.get(1)?,
            missing: row.get(2)?,
            cover_stamp: row.get(3)?,
        })
    })
}

/// A folder to be added.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// Its music folder.
    pub root: i64,
    /// The folder above, `None` for the music folder itself.
    pub parent: Option<i64>,
    /// Path below the music folder.
    pub path: &'a [u8],
    /// Name for display.
    pub name: &'a str,
    /// When it came into the library, ms since 1970.
    pub created: i64,
}

/// Adds a folder without a picture.
pub fn add(db: &Transaction, folder: &New) -> Result<i64> {
    let sql = "INSERT INTO folder (music_folder_id, parent_id, path, name, sort_key, created)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let key = fold::sort_key(folder.name);
    let created = folder.created;
    execute(db, sql, (folder.root, folder.parent, folder.path, folder.name, key, created))?;
    Ok(db.last_insert_rowid())
}

/// Says where a folder lies now; it keeps the time when it came.
pub fn rename(db: &Transaction, id: i64, folder: &New) -> Result<()> {
    let sql = "UPDATE folder SET parent_id = ?2, path = ?3, name = ?4, sort_key = ?5 WHERE id = ?1";
    let key = fold::sort_key(folder.name);
    execute(db, sql, (id, folder.parent, folder.path, folder.name, key))?;
    Ok(())
}

/// Marks a folder as gone since a time, or as there again.
pub fn set_missing(db: &Transaction, id: i64, since: Option<i64>) -> Result<()> {
    execute(db, "UPDATE folder SET missing = ?2 WHERE id = ?1", (id, since))?;
    Ok(())
}

/// Sets the picture of a folder: its file's name and stamp.
pub fn set_cover(db: &Transaction, id: i64, cover: Option<(&[u8], i64)>) -> Result<()> {
    let sql = "UPDATE folder SET cover = ?2, cover_stamp = ?3 WHERE id = ?1";
    execute(db, sql, (id, cover.map(|(name, _)| name), cover.map(|(_, stamp)| stamp)))?;
    Ok(())
}

/// The albums a folder's picture may show: those with songs in it or in a folder directly below.
pub fn albums_around(db: &Connection, id: i64) -> Result<Vec<i64>> {
    let sql = "SELECT DISTINCT song.album_id FROM song WHERE missing IS NULL AND folder_id IN (
        SELECT ?1 UNION ALL SELECT id FROM folder WHERE parent_id = ?1 AND missing IS NULL)";
    collect(db, sql, [id], |row| row.get(0))
}

/// A folder's music folder, the folder above it, and its name in the bytes of the disk.
pub fn place(db: &Connection, id: i64) -> Result<(i64, Option<i64>, Vec<u8>)> {
    let sql = "SELECT music_folder_id, parent_id, path FROM folder WHERE id = ?1";
    db.prepare_cached(sql)?.query_row([id], |row| {
        let path = row.get_ref(2)?.as_blob()?;
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        Ok((row.get(0)?, row.get(1)?, name.to_vec()))
    })
}
