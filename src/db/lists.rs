//! Lists of albums and songs: newest, random, by year, by genre, starred and so on.

use std::collections::HashSet;

use rusqlite::{Connection, Result, ToSql};

use super::albums::{self, Album};
use super::artists::{self, Artist};
use super::songs::{self, Song};
use super::{Viewer, collect};

/// How albums are chosen and ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any albums, each time others.
    Random,
    /// Last added first.
    Newest,
    /// Rated by the user, best first.
    Highest,
    /// Played by the user, most often first.
    Frequent,
    /// Played by the user, last played first.
    Recent,
    /// By name.
    ByName,
    /// By artist, then year.
    ByArtist,
    /// Starred by the user, last starred first.
    Starred,
    /// Of these years; the first above the last turns the order round.
    ByYear(i64, i64),
    /// Of this genre, by name.
    ByGenre(String),
}

/// One page of a list of albums.
pub fn albums(
    db: &Connection,
    viewer: Viewer,
    order: &Order,
    count: i64,
    offset: i64,
) -> Result<Vec<Album>> {
    let noted = |condition: &str, order: &str| {
        format!(
            "SELECT album.id FROM annotation CROSS JOIN album ON album.id = annotation.item_id
             WHERE annotation.user_id = ?1 AND annotation.kind = 2 AND {condition}
                AND album.song_count > 0 AND (?2 >> album.music_folder_id) & 1
             ORDER BY {order}, album.id LIMIT ?3 OFFSET ?4"
        )
    };
    let sorted = |condition: &str, order: &str| {
        format!(
            "SELECT id FROM album WHERE song_count > 0 AND (?2 >> music_folder_id) & 1 {condition}
             ORDER BY {order} LIMIT ?3 OFFSET ?4"
        )
    };
    let pick = match order {
        Order::Random => return drawn(db, viewer, count, &ALBUMS),
        Order::Newest => sorted("", "created DESC, id DESC"),
        Order::ByName => sorted("", "sort_key, id"),
        Order::ByArtist => sorted("", "artist_key, year, sort_key, id"),
        Order::Highest => noted("rating IS NOT NULL", "rating DESC"),
        Order::Frequent => noted("play_count > 0", "play_count DESC"),
        Order::Recent => noted("played IS NOT NULL", "played DESC"),
        Order::Starred => noted("starred IS NOT NULL", "starred DESC"),
        Order::ByYear(first, last) => {
            let between = "AND year BETWEEN ?5 AND ?6";
            let pick = if first <= last {
                sorted(between, "year, sort_key, id")
            } else {
                sorted(between, "year DESC, sort_key DESC, id DESC")
            };
            let (low, high) = (first.min(last), first.max(last));
            return albums::picked(
                db,
                &pick,
                (viewer.user, viewer.scope, count, offset, low, high),
            );
        }
        Order::ByGenre(genre) => {
            let pick =
                "SELECT album.id FROM genre JOIN album_genre ON album_genre.genre_id = genre.id
                JOIN album ON album.id = album_genre.album_id
                WHERE genre.key = ?5 AND album.song_count > 0 AND (?2 >> album.music_folder_id) & 1
                ORDER BY album.sort_key, album.id LIMIT ?3 OFFSET ?4";
            let key = super::fold::name_key(genre);
            return albums::picked(db, pick, (viewer.user, viewer.scope, count, offset, key));
        }
    };
    albums::picked(db, &pick, (viewer.user, viewer.scope, count, offset))
}

/// What random songs may be.
#[derive(Clone, Debug, Default)]
pub struct Among {
    /// Of this genre.
    pub genre: Option<String>,
    /// Of this year or later.
    pub from_year: Option<i64>,
    /// Of this year or earlier.
    pub to_year: Option<i64>,
}

/// Songs by chance, none twice.
pub fn random_songs(
    db: &Connection,
    viewer: Viewer,
    among: &Among,
    count: i64,
) -> Result<Vec<Song>> {
    let ids = if let Some(genre) = &among.genre {
        let sql = "SELECT song.id FROM genre JOIN song_genre ON song_genre.genre_id = genre.id
            JOIN song ON song.id = song_genre.song_id
            WHERE genre.key = ?5 AND song.missing IS NULL AND (?1 >> song.music_folder_id) & 1
                AND (?3 IS NULL OR song.year >= ?3) AND (?4 IS NULL OR song.year <= ?4)
            ORDER BY random() LIMIT ?2";
        let key = super::fold::name_key(genre);
        collect(db, sql, (viewer.scope, count, among.from_year, among.to_year, key), |row| {
            row.get(0)
        })?
    } else if among.from_year.is_some() || among.to_year.is_some() {
        let sql = "SELECT id FROM song INDEXED BY song_present
            WHERE missing IS NULL AND video = 0 AND (?1 >> music_folder_id) & 1
                AND (?3 IS NULL OR year >= ?3) AND (?4 IS NULL OR year <= ?4)
            ORDER BY random() LIMIT ?2";
        collect(db, sql, (viewer.scope, count, among.from_year, among.to_year), |row| row.get(0))?
    } else {
        return drawn(db, viewer, count, &SONGS);
    };
    songs::by_ids(db, viewer, &ids)
}

/// How to draw rows of a table by lot: its highest id, rows by their ids, and all ids shuffled.
struct Lot<T> {
    highest: &'static str,
    by_ids: fn(&Connection, Viewer, &[i64]) -> Result<Vec<T>>,
    shuffled: &'static str,
}

const SONGS: Lot<Song> = Lot {
    highest: "SELECT coalesce(max(id), 0) FROM song",
    by_ids: heard,
    shuffled: "SELECT id FROM song INDEXED BY song_present WHERE missing IS NULL AND video = 0
        AND (?1 >> music_folder_id) & 1 ORDER BY random() LIMIT ?2",
};

/// Those of some songs that are no videos.
fn heard(db: &Connection, viewer: Viewer, ids: &[i64]) -> Result<Vec<Song>> {
    let mut songs = songs::by_ids(db, viewer, ids)?;
    songs.retain(|song| song.video.is_none());
    Ok(songs)
}

const ALBUMS: Lot<Album> = Lot {
    highest: "SELECT coalesce(max(id), 0) FROM album",
    by_ids: albums::by_ids,
    shuffled: "SELECT id FROM album WHERE song_count > 0 AND (?1 >> music_folder_id) & 1 ORDER BY random() LIMIT ?2",
};

/// Distinct rows by chance. Ids are drawn from the whole range and what they name is kept where it
/// may be shown, which takes as long for a large library as for a small one; where too few are
/// found that way (much is missing or hidden, or nearly all are asked for) all ids are shuffled.
fn drawn<T>(db: &Connection, viewer: Viewer, count: i64, lot: &Lot<T>) -> Result<Vec<T>> {
    /// How often ids are drawn before the slow way is taken.
    const ROUNDS: usize = 3;
    /// Ids drawn for each row that is still wanted after the first round.
    const SPARE: usize = 4;
    let highest: i64 = db.prepare_cached(lot.highest)?.query_row([], |row| row.get(0))?;
    let highest = highest.unsigned_abs();
    let wanted = usize::try_from(count).unwrap_or(0);
    if highest > 2 * wanted as u64 {
        let mut seen = HashSet::with_capacity(wanted);
        let mut rows = Vec::new();
        for round in 0..ROUNDS {
            let missing = wanted - rows.len();
            let draws = if round == 0 { missing } else { missing * SPARE };
            let mut ids = chances(draws, highest);
            ids.retain(|id| seen.insert(*id));
            rows.extend((lot.by_ids)(db, viewer, &ids)?);
            rows.truncate(wanted);
            if rows.len() == wanted {
                return Ok(rows);
            }
        }
    }
    let ids: Vec<i64> = collect(db, lot.shuffled, [viewer.scope, count], |row| row.get(0))?;
    (lot.by_ids)(db, viewer, &ids)
}

/// Numbers from 1 to `highest` by chance; none where the system has no chance to give.
fn chances(count: usize, highest: u64) -> Vec<i64> {
    let mut bytes = vec![0; count * 8];
    if getrandom::fill(&mut bytes).is_err() {
        return Vec::new();
    }
    let (numbers, _) = bytes.as_chunks::<8>();
    let number = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes) % highest + 1;
    numbers.iter().filter_map(|bytes| i64::try_from(number(bytes)).ok()).collect()
}

/// One page of the songs of a genre, album by album.
pub fn songs_by_genre(
    db: &Connection,
    viewer: Viewer,
    genre: &str,
    count: i64,
    offset: i64,
) -> Result<Vec<Song>> {
    let pick = "SELECT song.id FROM genre JOIN song_genre ON song_genre.genre_id = genre.id
        JOIN song ON song.id = song_genre.song_id
        WHERE genre.key = ?5 AND song.missing IS NULL AND (?2 >> song.music_folder_id) & 1
        ORDER BY song.id LIMIT ?3 OFFSET ?4";
    let key = super::fold::name_key(genre);
    songs::picked(db, pick, (viewer.user, viewer.scope, count, offset, key))
}

/// What the user starred, last starred first.
pub fn starred(db: &Connection, viewer: Viewer) -> Result<(Vec<Artist>, Vec<Album>, Vec<Song>)> {
    let pick = |kind: i64| {
        format!(
            "SELECT item_id AS id FROM annotation WHERE user_id = ?1 AND kind = {kind} AND starred IS NOT NULL
             ORDER BY starred DESC, item_id LIMIT -1"
        )
    };
    let params: [&dyn ToSql; 2] = [&viewer.user, &viewer.scope];
    Ok((
        artists::picked(db, &pick(3), params)?,
        albums::picked(db, &pick(2), params)?,
        songs::picked(db, &pick(1), params)?,
    ))
}

/// The songs of an artist that were played most, by all users together.
pub fn top_songs(db: &Connection, viewer: Viewer, artist: i64, count: i64) -> Result<Vec<Song>> {
    let pick = "SELECT song_artist.song_id AS id FROM song_artist
        JOIN song ON song.id = song_artist.song_id AND song.missing IS NULL
        LEFT JOIN annotation ON annotation.kind = 1 AND annotation.item_id = song.id AND annotation.play_count > 0
            AND annotation.user_id IN (SELECT id FROM user)
        WHERE song_artist.artist_id = ?3 AND song_artist.role = 1 AND (?2 >> song.music_folder_id) & 1
        GROUP BY song_artist.song_id
        ORDER BY coalesce(sum(annotation.play_count), 0) DESC, song.average_rating DESC, song.year DESC, song.id
        LIMIT ?4";
    songs::picked(db, pick, (viewer.user, viewer.scope, artist, count))
}

/// Songs by chance that share a genre with the songs of an artist or an album, or are the artist's own.
pub fn similar_songs(
    db: &Connection,
    viewer: Viewer,
    artist: Option<i64>,
    genres: &[String],
    count: i64,
) -> Result<Vec<Song>> {
    let keys: Vec<_> = genres.iter().map(|genre| super::fold::name_key(genre)).collect();
    let keys = serde_json::to_string(&keys).unwrap_or_default();
    let pick = "SELECT id FROM (
            SELECT song_genre.song_id AS id FROM json_each(?4) wanted
                JOIN genre ON genre.key = wanted.value JOIN song_genre ON song_genre.genre_id = genre.id
            UNION SELECT song_id FROM song_artist WHERE artist_id = ?3 AND role = 1) near
        JOIN song USING (id)
        WHERE song.missing IS NULL AND (?2 >> song.music_folder_id) & 1
        ORDER BY random() LIMIT ?5";
    songs::picked(db, pick, (viewer.user, viewer.scope, artist, keys, count))
}

/// The names of the genres of an artist's own albums.
pub fn genres_of_artist(db: &Connection, artist: i64) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT genre.name FROM album_artist JOIN album_genre USING (album_id)
        JOIN genre ON genre.id = album_genre.genre_id
        WHERE album_artist.artist_id = ?1 AND album_artist.main ORDER BY genre.key";
    collect(db, sql, [artist], |row| row.get(0))
}

/// A genre and how much there is of it.
#[derive(Clone, Debug)]
pub struct Genre {
    /// Its name, never empty.
    pub name: String,
    /// Songs.
    pub song_count: i64,
    /// Albums with a song of it.
    pub album_count: i64,
}

/// Every genre that has songs, by name.
pub fn genres(db: &Connection, viewer: Viewer) -> Result<Vec<Genre>> {
    // All music folders: the counts are kept. Some of them: they are counted.
    let kept = "SELECT name, song_count, album_count FROM genre WHERE song_count > 0 AND ?1 = ?1 ORDER BY key";
    let counted = "SELECT name,
            (SELECT count(*) FROM song_genre JOIN song ON song.id = song_id
             WHERE genre_id = genre.id AND missing IS NULL AND (?1 >> music_folder_id) & 1) songs,
            (SELECT count(*) FROM album_genre JOIN album ON album.id = album_id
             WHERE genre_id = genre.id AND album.song_count > 0 AND (?1 >> music_folder_id) & 1)
        FROM genre WHERE songs > 0 ORDER BY key";
    let sql = if viewer.scope == -1 { kept } else { counted };
    collect(db, sql, [viewer.scope], |row| {
        Ok(Genre { name: row.get(0)?, song_count: row.get(1)?, album_count: row.get(2)? })
    })
}
