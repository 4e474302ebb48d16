-- What the scanner finds. Times are milliseconds since 1970. Names of files are bytes, as the disk has them.
-- "key" columns hold folded text: for sorting, searching and telling whether two names are one.
-- Packed columns hold lists: values end in U+001E, parts of a value are parted by U+001F.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE music_folder (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    configured INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    music_folder_id INTEGER NOT NULL REFERENCES music_folder,
    parent_id INTEGER REFERENCES folder,
    path BLOB NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    created INTEGER NOT NULL,
    missing INTEGER,
    cover BLOB,
    cover_stamp INTEGER,
    average_rating REAL,
    UNIQUE (music_folder_id, path)
) STRICT;
CREATE INDEX folder_children ON folder (parent_id, sort_key) WHERE missing IS NULL;

CREATE TABLE artist (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    mbid TEXT NOT NULL,
    album_count INTEGER NOT NULL DEFAULT 0,
    song_count INTEGER NOT NULL DEFAULT 0,
    roles INTEGER NOT NULL DEFAULT 0,
    music_folders INTEGER NOT NULL DEFAULT 0,
    cover_album_id INTEGER REFERENCES album,
    average_rating REAL
) STRICT;
CREATE INDEX artist_sorted ON artist (sort_key, id) WHERE album_count > 0;

-- By which spellings and MusicBrainz ids an artist is known.
CREATE TABLE artist_key (
    key TEXT PRIMARY KEY,
    artist_id INTEGER NOT NULL REFERENCES artist
) STRICT, WITHOUT ROWID;

CREATE TABLE album (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    music_folder_id INTEGER NOT NULL REFERENCES music_folder,
    folder_id INTEGER NOT NULL REFERENCES folder,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL DEFAULT '',
    sort_key TEXT NOT NULL DEFAULT '',
    artist TEXT NOT NULL DEFAULT '',
    artist_id INTEGER REFERENCES artist,
    artists TEXT NOT NULL DEFAULT '',
    artist_key TEXT NOT NULL DEFAULT '',
    year INTEGER,
    genre TEXT,
    genres TEXT NOT NULL DEFAULT '',
    song_count INTEGER NOT NULL DEFAULT 0,
    duration INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    mbid TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    compilation INTEGER NOT NULL DEFAULT 0,
    explicit INTEGER,
    cover_folder_id INTEGER REFERENCES folder,
    cover_song_id INTEGER REFERENCES song,
    cover_stamp INTEGER,
    extra TEXT,
    average_rating REAL
) STRICT;
CREATE INDEX album_by_name ON album (sort_key, id) WHERE song_count > 0;
CREATE INDEX album_by_artist ON album (artist_key, year, sort_key, id) WHERE song_count > 0;
CREATE INDEX album_by_year ON album (year, sort_key, id) WHERE song_count > 0;
CREATE INDEX album_newest ON album (created, id) WHERE song_count > 0;
CREATE INDEX album_cover_song ON album (cover_song_id);

-- By what an album is known again: its folder and title, its MusicBrainz id.
CREATE TABLE album_key (
    key TEXT PRIMARY KEY,
    album_id INTEGER NOT NULL REFERENCES album
) STRICT, WITHOUT ROWID;
CREATE INDEX album_key_album ON album_key (album_id);

CREATE TABLE song (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    music_folder_id INTEGER NOT NULL REFERENCES music_folder,
    folder_id INTEGER NOT NULL REFERENCES folder,
    file_name BLOB NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    sidecar INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    created INTEGER NOT NULL,
    missing INTEGER,
    album_id INTEGER NOT NULL REFERENCES album,
    artist_id INTEGER REFERENCES artist,
    title TEXT NOT NULL,
    sort_title TEXT NOT NULL,
    title_key TEXT NOT NULL,
    artist TEXT NOT NULL,
    artists TEXT NOT NULL,
    track INTEGER,
    disc INTEGER,
    year INTEGER,
    genre TEXT,
    genres TEXT NOT NULL,
    suffix TEXT NOT NULL,
    duration INTEGER NOT NULL,
    bit_rate INTEGER NOT NULL,
    bit_depth INTEGER NOT NULL,
    sample_rate INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    bpm INTEGER NOT NULL,
    comment TEXT NOT NULL,
    mbid TEXT NOT NULL,
    explicit INTEGER,
    track_gain REAL,
    album_gain REAL,
    track_peak REAL,
    album_peak REAL,
    picture INTEGER,
    own_cover INTEGER NOT NULL DEFAULT 0,
    extra TEXT,
    average_rating REAL,
    UNIQUE (folder_id, file_name)
) STRICT;
CREATE INDEX song_album ON song (album_id, missing, disc, track, id);
-- Holds what is needed to draw and to count songs, so that the songs themselves are not read.
CREATE INDEX song_present ON song (id, music_folder_id, year, duration, missing) WHERE missing IS NULL;
CREATE INDEX song_title ON song (title_key, id) WHERE missing IS NULL;
CREATE INDEX song_missing ON song (hash) WHERE missing IS NOT NULL;

-- What a song says of its album: the album is made anew from it whenever one of its songs changes.
CREATE TABLE album_tags (
    song_id INTEGER PRIMARY KEY REFERENCES song,
    tags TEXT NOT NULL
) STRICT;

CREATE TABLE lyrics (
    song_id INTEGER NOT NULL REFERENCES song,
    position INTEGER NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (song_id, position)
) STRICT, WITHOUT ROWID;

-- role is a bit of artist.roles.
CREATE TABLE song_artist (
    artist_id INTEGER NOT NULL REFERENCES artist,
    song_id INTEGER NOT NULL REFERENCES song,
    role INTEGER NOT NULL,
    PRIMARY KEY (artist_id, song_id, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX song_artist_song ON song_artist (song_id);

-- main is 1 for the album's own artists, 0 for others who appear on it.
CREATE TABLE album_artist (
    artist_id INTEGER NOT NULL REFERENCES artist,
    album_id INTEGER NOT NULL REFERENCES album,
    main INTEGER NOT NULL,
    PRIMARY KEY (artist_id, album_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX album_artist_album ON album_artist (album_id);

CREATE TABLE genre (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    song_count INTEGER NOT NULL DEFAULT 0,
    album_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE song_genre (
    genre_id INTEGER NOT NULL REFERENCES genre,
    song_id INTEGER NOT NULL REFERENCES song,
    PRIMARY KEY (genre_id, song_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX song_genre_song ON song_genre (song_id);

CREATE TABLE album_genre (
    genre_id INTEGER NOT NULL REFERENCES genre,
    album_id INTEGER NOT NULL REFERENCES album,
    PRIMARY KEY (genre_id, album_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX album_genre_album ON album_genre (album_id);

-- Files that could not be read, so that an unchanged one is not read again with every scan.
CREATE TABLE unreadable (
    folder_id INTEGER NOT NULL REFERENCES folder,
    file_name BLOB NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (folder_id, file_name)
) STRICT, WITHOUT ROWID;

-- Only what is there can be found: gone songs are taken out. The text is folded before it comes here.
CREATE VIRTUAL TABLE song_search USING fts5 (
    title, artist, album,
    content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 0"
);
CREATE VIRTUAL TABLE album_search USING fts5 (
    name, artist,
    content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 0"
);
CREATE VIRTUAL TABLE artist_search USING fts5 (
    name,
    content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 0"
);
