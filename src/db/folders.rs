//! The real folders on the disk, for browsing by folder.

use std::path::PathBuf;

use rusqlite::{Connection, Result, Row};

use super::{Cover, Note, Viewer, collect, optional};
use crate::id::Id;

/// A music folder of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MusicFolder {
    /// 1 and up: a small number, as clients want it.
    pub id: i64,
    /// Absolute path.
    pub path: PathBuf,
    /// The last part of the path.
    pub name: String,
}

/// A folder with all that is shown of it to one user.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The row's id.
    pub id: i64,
    /// The folder above; `None` for a music folder itself.
    pub parent_id: Option<i64>,
    /// The music folder it belongs to.
    pub music_folder_id: i64,
    /// Name for display.
    pub name: String,
    /// What it is sorted by.
    pub sort_key: String,
    /// When it came into the library, ms since 1970.
    pub created: i64,
    /// The picture in it.
    pub cover: Option<Cover>,
    /// Mean of all users' ratings.
    pub average_rating: Option<f64>,
    /// What the user made of it.
    pub note: Note,
}

const SELECT: &str =
    "SELECT f.id, f.parent_id, f.music_folder_id, f.name, f.sort_key, f.created, f.cover_stamp,
        f.average_rating, n.starred, n.rating, n.play_count, n.played
    FROM folder f LEFT JOIN annotation n ON n.user_id = ?1 AND n.kind = 4 AND n.item_id = f.id
    WHERE f.missing IS NULL AND (?2 >> f.music_folder_id) & 1";

fn read(row: &Row) -> Result<Folder> {
    let id = row.get(0)?;
    Ok(Folder {
        id,
        parent_id: row.get(1)?,
        music_folder_id: row.get(2)?,
        name: row.get(3)?,
        sort_key: row.get(4)?,
        created: row.get(5)?,
        cover: row.get::<_, Option<i64>>(6)?.map(|stamp| Cover { of: Id::Folder(id), stamp }),
        average_rating: row.get(7)?,
        note: super::note(row, 8)?,
    })
}

/// The music folders of the configuration which the user sees.
pub fn music_folders(db: &Connection, viewer: Viewer) -> Result<Vec<MusicFolder>> {
    let sql =
        "SELECT id, path, name FROM music_folder WHERE configured AND (?1 >> id) & 1 ORDER BY id";
    collect(db, sql, [viewer.scope], |row| {
        let nothing = rusqlite::types::ValueRef::Blob(&[]);
        Ok(MusicFolder {
            id: row.get(0)?,
            path: super::join_path([row.get_ref(1)?, nothing, nothing])?,
            name: row.get(2)?,
        })
    })
}

/// One folder.
pub fn by_id(db: &Connection, viewer: Viewer, id: i64) -> Result<Option<Folder>> {
    let mut statement = db.prepare_cached(&format!("{SELECT} AND f.id = ?3"))?;
    optional(statement.query_row((viewer.user, viewer.scope, id), read))
}

/// The folders in a folder, sorted.
pub fn children(db: &Connection, viewer: Viewer, parent: i64) -> Result<Vec<Folder>> {
    let sql = format!("{SELECT} AND f.parent_id = ?3 ORDER BY f.sort_key, f.id");
    collect(db, &sql, (viewer.user, viewer.scope, parent), read)
}

/// The music folders themselves, as folders.
pub fn roots(db: &Connection, viewer: Viewer) -> Result<Vec<Folder>> {
    let sql = format!("{SELECT} AND f.parent_id IS NULL ORDER BY f.music_folder_id");
    collect(db, &sql, (viewer.user, viewer.scope), read)
}

/// The folders the user starred, last starred first.
pub fn starred(db: &Connection, viewer: Viewer) -> Result<Vec<Folder>> {
    let sql = format!("{SELECT} AND n.starred IS NOT NULL ORDER BY n.starred DESC, f.id");
    collect(db, &sql, (viewer.user, viewer.scope), read)
}

/// The folders directly in the music folders: what `getIndexes` lists.
pub fn top(db: &Connection, viewer: Viewer) -> Result<Vec<Folder>> {
    let sql = format!(
        "{SELECT} AND f.parent_id IN (SELECT id FROM folder WHERE parent_id IS NULL) ORDER BY f.sort_key, f.id"
    );
    collect(db, &sql, (viewer.user, viewer.scope), read)
}
