//! Things as annotations and shares name them: the number of a kind, and the row of that kind.

use rusqlite::{Connection, Result};

use super::Viewer;
use crate::id::Id;

/// The numbers of a thing, those of the columns `kind` and `item_id`; `None` for what neither is
/// annotated nor shared.
pub(super) fn numbers(of: Id) -> Option<(i64, i64)> {
    match of {
        Id::Song(item) => Some((1, item)),
        Id::Album(item) => Some((2, item)),
        Id::Artist(item) => Some((3, item)),
        Id::Folder(item) => Some((4, item)),
        Id::Playlist(item) => Some((5, item)),
        Id::Share(_) | Id::Radio(_) => None,
    }
}

/// The thing of such numbers.
pub(super) fn id(kind: i64, item: i64) -> Option<Id> {
    match kind {
        1 => Some(Id::Song(item)),
        2 => Some(Id::Album(item)),
        3 => Some(Id::Artist(item)),
        4 => Some(Id::Folder(item)),
        5 => Some(Id::Playlist(item)),
        _ => None,
    }
}

/// Whether there is such a thing and the user sees it; never for what has no numbers.
pub fn is_there(db: &Connection, viewer: Viewer, of: Id) -> Result<bool> {
    let Some((kind, item)) = numbers(of) else { return Ok(false) };
    let sql = "SELECT CASE ?1
        WHEN 1 THEN EXISTS (SELECT 1 FROM song WHERE id = ?2 AND missing IS NULL AND (?4 >> music_folder_id) & 1)
        WHEN 2 THEN EXISTS (SELECT 1 FROM album WHERE id = ?2 AND song_count > 0 AND (?4 >> music_folder_id) & 1)
        WHEN 3 THEN EXISTS (SELECT 1 FROM artist WHERE id = ?2 AND music_folders & ?4)
        WHEN 4 THEN EXISTS (SELECT 1 FROM folder WHERE id = ?2 AND missing IS NULL AND (?4 >> music_folder_id) & 1)
        WHEN 5 THEN EXISTS (SELECT 1 FROM playlist WHERE id = ?2 AND (user_id = ?3 OR public))
        END";
    db.prepare_cached(sql)?.query_row((kind, item, viewer.user, viewer.scope), |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_numbers() {
        for (of, kind) in [
            (Id::Song(7), 1),
            (Id::Album(7), 2),
            (Id::Artist(7), 3),
            (Id::Folder(7), 4),
            (Id::Playlist(7), 5),
        ] {
            assert_eq!(numbers(of), Some((kind, 7)));
            assert_eq!(id(kind, 7), Some(of));
        }
        assert_eq!((numbers(Id::Share(7)), numbers(Id::Radio(7)), id(6, 7)), (None, None, None));
    }
}
