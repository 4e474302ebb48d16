//! A made-up library, written straight into the database.

#![allow(clippy::expect_used)]

use kinglet::app::App;
use kinglet::db::users::{self, ALL_ROLES, User};
use kinglet::db::{fold, pack};

const PASSWORD: &str = "sesame";
const SALT: &str = "c19b2d";
const ADJECTIVES: [&str; 16] = [
    "Lonely", "Velvet", "Local", "Broken", "Electric", "Silent", "Golden", "Lost", "Hollow",
    "Distant", "Paper", "Crimson", "Northern", "Midnight", "Slow", "Loud",
];
const NOUNS: [&str; 16] = [
    "Lovers",
    "Rivers",
    "Horses",
    "Machines",
    "Sundays",
    "Harbours",
    "Ghosts",
    "Lights",
    "Gardens",
    "Engines",
    "Mirrors",
    "Wolves",
    "Letters",
    "Rooms",
    "Loops",
    "Mountains",
];
const GENRES: [&str; 8] =
    ["Rock", "Pop", "Jazz", "Electronic", "Ambient", "Folk", "Soul", "Drum & Bass"];

/// Parameters that sign the bench's user in by token.
pub fn sign_in() -> String {
    use md5::{Digest, Md5};
    let token: String =
        Md5::digest(format!("{PASSWORD}{SALT}")).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("u=bench&t={token}&s={SALT}&v=1.16.1&c=bench")
}

/// Fills an empty database with so many songs: 13 an album, 23 an artist.
pub fn fill(app: &App, songs: i64) {
    let mut chance = 7_u64;
    let mut draw = move |most: usize| {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(chance >> 33).unwrap_or(0) % most
    };
    let mut title = move || match draw(3) {
        0 => format!("{} {}", ADJECTIVES[draw(16)], NOUNS[draw(16)]),
        1 => format!("{} of the {}", NOUNS[draw(16)], NOUNS[draw(16)]),
        _ => format!("Follow the {} {} in the Light", ADJECTIVES[draw(16)], NOUNS[draw(16)]),
    };
    let password = app.vault.seal("bench", PASSWORD).expect("sealed");
    app.db
        .write(|db| {
            users::create(
                db,
                &User { name: "bench".into(), password, roles: ALL_ROLES, music_folders: -1, ..User::nobody() },
            )?;
            db.execute("INSERT INTO music_folder (id, path, name) VALUES (1, x'2f6d', 'm')", [])?;
            db.execute("INSERT INTO folder (id, music_folder_id, path, name, sort_key, created) VALUES (1, 1, x'', 'm', 'm', 0)", [])?;
            for (id, name) in (1..).zip(GENRES) {
                let albums = songs / 13 / 8;
                db.execute("INSERT INTO genre (id, key, name, song_count, album_count) VALUES (?1, ?2, ?3, ?4, ?5)",
                    (id, fold::name_key(name), name, songs / 8, albums))?;
            }
            for artist in 1..=songs / 23 + 1 {
                let name = format!("{} {artist}", title());
                db.execute(
                    "INSERT INTO artist (id, name, sort_name, sort_key, mbid, album_count, song_count, roles, music_folders, cover_album_id)
                     VALUES (?1, ?2, '', ?3, '89ad4ac3-39f7-470e-963a-56509c546377', 2, 23, 3, 2, NULL)",
                    (artist, &name, fold::sort_key(&name)))?;
                db.execute("INSERT INTO artist_search (rowid, name) VALUES (?1, ?2)", (artist, fold::words(&name)))?;
                db.execute("INSERT INTO folder (id, music_folder_id, parent_id, path, name, sort_key, created) VALUES (?1, 1, 1, ?2, ?3, ?4, 0)",
                    (artist + 1, name.as_bytes(), &name, fold::sort_key(&name)))?;
            }
            for album in 1..=songs / 13 + 1 {
                let (name, artist) = (title(), album * 13 / 23 + 1);
                let artist = artist.min(songs / 23 + 1);
                let artist_name: String = db.query_row("SELECT name FROM artist WHERE id = ?1", [artist], |row| row.get(0))?;
                let artists = pack::named(&[pack::Named { id: artist, name: artist_name.clone() }]);
                let genre = album % 8 + 1;
                let genre_name = GENRES[usize::try_from(album % 8).unwrap_or(0)];
                let genres = pack::texts(&[genre_name.to_owned()]);
                db.execute(
                    "INSERT INTO album (id, music_folder_id, folder_id, name, sort_key, artist, artist_id, artists, artist_key, year, genre, genres,
                        song_count, duration, created, mbid, cover_song_id, cover_stamp, extra)
                     VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 13, 2600000, ?12, '89ad4ac3-39f7-470e-963a-56509c546377', NULL, 77,
                        '{\"released\":[1999,5,6],\"labels\":[\"Warp\"]}')",
                    (album, artist + 1, &name, fold::sort_key(&name), &artist_name, artist, &artists, fold::sort_key(&artist_name),
                     1958 + album % 68, genre_name, &genres, 1_500_000_000_000 + album * 7_200_000))?;
                db.execute("INSERT INTO album_search (rowid, name, artist) VALUES (?1, ?2, ?3)", (album, fold::words(&name), fold::words(&artist_name)))?;
                db.execute("INSERT INTO album_artist (artist_id, album_id, main) VALUES (?1, ?2, 1)", (artist, album))?;
                db.execute("INSERT INTO album_genre (genre_id, album_id) VALUES (?1, ?2)", (genre, album))?;
                for song in (album - 1) * 13 + 1..=(album * 13).min(songs) {
                    let song_title = title();
                    let extra = "{\"contributors\":[{\"role\":\"composer\",\"artist\":{\"id\":1,\"name\":\"J. S. Bach\"}}]}";
                    db.prepare_cached(
                        "INSERT INTO song (id, music_folder_id, folder_id, file_name, size, modified, sidecar, hash, created, album_id, artist_id, title,
                            sort_title, title_key, artist, artists, track, disc, year, genre, genres, suffix, duration, bit_rate, bit_depth, sample_rate,
                            channels, bpm, comment, mbid, track_gain, album_gain, track_peak, album_peak, extra)
                         VALUES (?1, 1, ?2, ?3, 5000000, 0, 0, ?1, 1500000000000, ?4, ?5, ?6, '', ?7, ?8, ?9, ?10, 1, ?11, ?12, ?13, 'mp3', 200000, 192,
                            0, 44100, 2, 120, '', '89ad4ac3-39f7-470e-963a-56509c546377', -7.25, -8.5, 0.98, 1.0, ?14)")?
                        .execute(rusqlite::params![song, artist + 1, format!("{song} - {song_title}.mp3").as_bytes(), album, artist, &song_title,
                            fold::sort_key(&song_title), &artist_name, &artists, song % 13 + 1, 1958 + album % 68, genre_name, &genres,
                            (song % 3 == 0).then_some(extra)])?;
                    db.prepare_cached("INSERT INTO song_search (rowid, title, artist, album) VALUES (?1, ?2, ?3, ?4)")?
                        .execute((song, fold::words(&song_title), fold::words(&artist_name), fold::words(&name)))?;
                    db.prepare_cached("INSERT INTO song_artist (artist_id, song_id, role) VALUES (?1, ?2, 1)")?.execute((artist, song))?;
                    db.prepare_cached("INSERT INTO song_genre (genre_id, song_id) VALUES (?1, ?2)")?.execute((genre, song))?;
                }
            }
            Ok::<_, rusqlite::Error>(())
        })
        .expect("filled");
}
