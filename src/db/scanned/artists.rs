//! Artists by their names and MusicBrainz ids, and what is counted of each.

use rusqlite::{Connection, Result, Transaction};

use super::{Touched, execute, search, songs};
use crate::db::artists::{ALBUM_ARTIST, ARTIST, by_key};
use crate::db::songs::Extra;
use crate::db::{collect, fold, pack};

/// Somebody named in a file.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The name.
    pub name: &'a str,
    /// The name to sort by, or empty.
    pub sort: &'a str,
    /// MusicBrainz id, or empty.
    pub mbid: &'a str,
}

/// The artist of a name, and whether it was made just now because there was none yet: whoever is
/// known by the name, else by the MusicBrainz id, which makes the name another spelling of the
/// same artist.
pub fn resolve(
    db: &Transaction,
    who: Who,
    articles: &[String],
    touched: &mut Touched,
) -> Result<(i64, bool)> {
    let by_name = format!("name:{}", fold::name_key(who.name));
    let by_mbid = format!("mbid:{}", who.mbid);
    let id = match by_key(db, &by_name)? {
        Some(id) => {
            complete(db, id, who, articles)?;
            return Ok((id, false));
        }
        None if who.mbid.is_empty() => None,
        None => by_key(db, &by_mbid)?,
    };
    let is_new = id.is_none();
    let id = match id {
        Some(id) => id,
        None => {
            let sql =
                "INSERT INTO artist (name, sort_name, sort_key, mbid) VALUES (?1, ?2, ?3, ?4)";
            let key = sort_key(who.name, who.sort, articles);
            execute(db, sql, (who.name, who.sort, key, who.mbid))?;
            let id = db.last_insert_rowid();
            if !who.mbid.is_empty() {
                add_key(db, &by_mbid, id)?;
            }
            id
        }
    };
    add_key(db, &by_name, id)?;
    touched.artists.insert(id);
    Ok((id, is_new))
}

fn add_key(db: &Transaction, key: &str, id: i64) -> Result<()> {
    execute(db, "INSERT OR IGNORE INTO artist_key (key, artist_id) VALUES (?1, ?2)", (key, id))?;
    Ok(())
}

/// Fills in what another file did not say of an artist.
fn complete(db: &Transaction, id: i64, who: Who, articles: &[String]) -> Result<()> {
    if who.sort.is_empty() && who.mbid.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE artist SET
            sort_name = CASE sort_name WHEN '' THEN ?2 ELSE sort_name END,
            mbid = CASE mbid WHEN '' THEN ?3 ELSE mbid END
        WHERE id = ?1 AND ((sort_name = '' AND ?2 != '') OR (mbid = '' AND ?3 != ''))";
    if execute(db, sql, (id, who.sort, who.mbid))? > 0 {
        if !who.mbid.is_empty() {
            add_key(db, &format!("mbid:{}", who.mbid), id)?;
        }
        rekey(db, id, articles)?;
    }
    Ok(())
}

/// What an artist is sorted by: the sort name, else the name without its article.
fn sort_key(name: &str, sort: &str, articles: &[String]) -> String {
    fold::sort_key(if sort.is_empty() { fold::without_article(name, articles) } else { sort })
}

/// Makes the sort key of an artist anew, and of the albums that are sorted by it.
pub fn rekey(db: &Transaction, id: i64, articles: &[String]) -> Result<()> {
    let mut statement = db.prepare_cached("SELECT name, sort_name FROM artist WHERE id = ?1")?;
    let (name, sort): (String, String) =
        statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let key = sort_key(&name, &sort, articles);
    let sql = "UPDATE artist SET sort_key = ?2 WHERE id = ?1 AND sort_key != ?2";
    if execute(db, sql, (id, &key))? > 0 {
        let sql = "UPDATE album SET artist_key = ?2 WHERE artist_id = ?1
            AND id IN (SELECT album_id FROM album_artist WHERE artist_id = ?1)";
        execute(db, sql, (id, &key))?;
    }
    Ok(())
}

/// Every artist there ever was.
pub fn all(db: &Connection) -> Result<Vec<i64>> {
    collect(db, "SELECT id FROM artist ORDER BY id", [], |row| row.get(0))
}

/// The key by which albums are sorted by an artist.
pub fn key(db: &Connection, id: i64) -> Result<String> {
    let mut statement = db.prepare_cached("SELECT sort_key FROM artist WHERE id = ?1")?;
    statement.query_row([id], |row| row.get(0))
}

/// Counts an artist's albums, songs, roles and music folders anew, chooses the picture, and lets
/// the artist be found or not.
pub fn refresh(db: &Transaction, id: i64) -> Result<()> {
    let (mut song_count, mut roles, mut music_folders) = (0, 0, 0);
    let parts = "SELECT role, music_folder_id, count(*) FROM song_artist
        CROSS JOIN song INDEXED BY song_present ON song.id = song_artist.song_id
        WHERE song_artist.artist_id = ?1 AND missing IS NULL GROUP BY role, music_folder_id";
    for (role, root, count) in collect(db, parts, [id], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })? {
        roles |= role;
        music_folders |= 1 << root;
        if role == ARTIST {
            song_count += count;
        }
    }
    let mut album_count = 0;
    let mut cover = None;
    let albums = "SELECT album.id, main, music_folder_id, cover_stamp IS NOT NULL FROM album_artist
        CROSS JOIN album ON album.id = album_artist.album_id
        WHERE album_artist.artist_id = ?1 AND album.song_count > 0
        ORDER BY main DESC, year, album.id";
    for (album, main, root, pictured) in collect(db, albums, [id], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?, row.get(3)?))
    })? {
        album_count += 1;
        music_folders |= 1 << root;
        if main {
            roles |= ALBUM_ARTIST;
        }
        if pictured && cover.is_none() {
            cover = Some(album);
        }
    }
    let mut was = db.prepare_cached("SELECT album_count > 0, name FROM artist WHERE id = ?1")?;
    let (was_found, name): (bool, String) =
        was.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "UPDATE artist SET album_count = ?2, song_count = ?3, roles = ?4, music_folders = ?5, cover_album_id = ?6
        WHERE id = ?1";
    execute(db, sql, (id, album_count, song_count, roles, music_folders, cover))?;
    match (was_found, album_count > 0) {
        (false, true) => search::set_artist(db, id, &name),
        (true, false) => search::remove_artist(db, id),
        _ => Ok(()),
    }
}

/// Whether nothing that is there names an artist.
pub fn is_left(db: &Connection, id: i64) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM song_artist
            CROSS JOIN song INDEXED BY song_present ON song.id = song_artist.song_id
            WHERE song_artist.artist_id = ?1 AND missing IS NULL)
        AND NOT EXISTS (SELECT 1 FROM album_artist WHERE artist_id = ?1)";
    db.prepare_cached(sql)?.query_row([id], |row| row.get(0))
}

/// Lets an artist that has lost all songs to a new one be the new one: the id, which users have
/// starred, survives, and the new one's row is gone.
pub fn take_over(db: &Transaction, old: i64, new: i64, touched: &mut Touched) -> Result<()> {
    let songs = "SELECT id, artists, extra FROM song
        WHERE id IN (SELECT song_id FROM song_artist WHERE artist_id = ?1)";
    for (song, artists, extra) in collect(db, songs, [new], |row| {
        let artists = pack::read_named(row.get_ref(1)?.as_str()?);
        Ok((row.get::<_, i64>(0)?, artists, crate::db::extra::<Extra>(row, 2)?))
    })? {
        songs::rename_artist(db, song, artists, extra, (new, old))?;
    }
    let albums = "SELECT album_id FROM album_artist WHERE artist_id = ?1";
    touched.albums.extend(collect::<i64>(db, albums, [new], |row| row.get(0))?);
    for sql in [
        "UPDATE OR IGNORE song_artist SET artist_id = ?1 WHERE artist_id = ?2",
        "UPDATE album SET artist_id = ?1 WHERE artist_id = ?2",
        "UPDATE song SET artist_id = ?1 WHERE artist_id = ?2",
        "DELETE FROM artist_key WHERE artist_id = ?1 AND ?2 = ?2",
        "UPDATE artist_key SET artist_id = ?1 WHERE artist_id = ?2",
        "UPDATE artist SET (name, sort_name, sort_key, mbid) =
            (SELECT name, sort_name, sort_key, mbid FROM artist WHERE id = ?2) WHERE id = ?1",
    ] {
        execute(db, sql, [old, new])?;
    }
    for sql in [
        "DELETE FROM song_artist WHERE artist_id = ?1",
        "DELETE FROM album_artist WHERE artist_id = ?1",
        "DELETE FROM artist WHERE id = ?1",
    ] {
        execute(db, sql, [new])?;
    }
    search::remove_artist(db, new)?;
    touched.artists.remove(&new);
    touched.artists.insert(old);
    Ok(())
}
