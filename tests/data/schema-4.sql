-- A database of schema 4 as it was then: never changed, so that it tells whether old files are still understood.

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
-- What the users made: durable the moment the answer leaves, untouched by scans. Times are milliseconds since 1970.

CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password BLOB NOT NULL,
    email TEXT NOT NULL DEFAULT '',
    roles INTEGER NOT NULL,
    max_bit_rate INTEGER NOT NULL DEFAULT 0,
    music_folders INTEGER NOT NULL DEFAULT -1,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: 1 song, 2 album, 3 artist, 4 folder.
CREATE TABLE annotation (
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    starred INTEGER,
    rating INTEGER,
    play_count INTEGER NOT NULL DEFAULT 0,
    played INTEGER,
    PRIMARY KEY (user_id, kind, item_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX annotation_starred ON annotation (user_id, kind, starred) WHERE starred IS NOT NULL;
CREATE INDEX annotation_rated ON annotation (kind, item_id, rating) WHERE rating IS NOT NULL;
CREATE INDEX annotation_frequent ON annotation (user_id, kind, play_count) WHERE play_count > 0;
CREATE INDEX annotation_recent ON annotation (user_id, kind, played) WHERE played IS NOT NULL;

CREATE TABLE playlist (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    name TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    public INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

CREATE TABLE playlist_entry (
    playlist_id INTEGER NOT NULL REFERENCES playlist ON DELETE CASCADE,
    position INTEGER NOT NULL,
    song_id INTEGER NOT NULL REFERENCES song,
    PRIMARY KEY (playlist_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE bookmark (
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    song_id INTEGER NOT NULL REFERENCES song,
    position INTEGER NOT NULL,
    comment TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (user_id, song_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE play_queue (
    user_id INTEGER PRIMARY KEY REFERENCES user ON DELETE CASCADE,
    current INTEGER NOT NULL,
    position INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

CREATE TABLE play_queue_entry (
    user_id INTEGER NOT NULL REFERENCES play_queue ON DELETE CASCADE,
    position INTEGER NOT NULL,
    song_id INTEGER NOT NULL REFERENCES song,
    PRIMARY KEY (user_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE share (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    description TEXT,
    created INTEGER NOT NULL,
    expires INTEGER,
    visit_count INTEGER NOT NULL DEFAULT 0,
    last_visited INTEGER
) STRICT;

-- What a share names; what that holds is looked up with each visit.
-- kind: 1 song, 2 album, 3 artist, 4 folder, 5 playlist.
CREATE TABLE share_entry (
    share_id INTEGER NOT NULL REFERENCES share ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    PRIMARY KEY (share_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE radio_station (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    stream_url TEXT NOT NULL,
    home_page_url TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE chat_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    time INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX chat_message_time ON chat_message (time);
-- What the maker of a share chooses, what a frozen share holds, and how often it was played.

-- Links are looked up by the hash of their word, so that the time of a look-up tells nothing of the word.
ALTER TABLE share ADD COLUMN token_hash BLOB;
ALTER TABLE share ADD COLUMN downloadable INTEGER NOT NULL DEFAULT 1;
ALTER TABLE share ADD COLUMN live INTEGER NOT NULL DEFAULT 1;
ALTER TABLE share ADD COLUMN embed INTEGER NOT NULL DEFAULT 0;
-- An Argon2id hash with its salt and cost.
ALTER TABLE share ADD COLUMN passphrase TEXT;
ALTER TABLE share ADD COLUMN max_plays INTEGER;
-- What a frozen share is called.
ALTER TABLE share ADD COLUMN title TEXT;
ALTER TABLE share ADD COLUMN play_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE share ADD COLUMN listener_count INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX share_by_token ON share (token_hash);

-- What a frozen share holds; kind as in share_entry.
CREATE TABLE share_frozen (
    share_id INTEGER NOT NULL REFERENCES share ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    PRIMARY KEY (share_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_frozen_item ON share_frozen (share_id, kind, item_id);

-- How often each thing of a share was played; kind as in share_entry.
CREATE TABLE share_play (
    share_id INTEGER NOT NULL REFERENCES share ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    play_count INTEGER NOT NULL,
    PRIMARY KEY (share_id, kind, item_id)
) STRICT, WITHOUT ROWID;

-- What a user's shares are unless their maker says otherwise; NULL is the server's default.
-- expiry is in milliseconds, 0 is never.
CREATE TABLE share_default (
    user_id INTEGER PRIMARY KEY REFERENCES user ON DELETE CASCADE,
    downloadable INTEGER,
    live INTEGER,
    embed INTEGER,
    expiry INTEGER
) STRICT;

-- What lay in it.

-- Videos: songs that are seen. They stand in folders, playlists, searches and shares like all songs, and have no artists
-- and genres. album.song_count, which lists and searches go by, does not count them: the album of each music folder's
-- videos is empty, so nobody sees it.

ALTER TABLE song ADD COLUMN video INTEGER NOT NULL DEFAULT 0;
ALTER TABLE song ADD COLUMN width INTEGER NOT NULL DEFAULT 0;
ALTER TABLE song ADD COLUMN height INTEGER NOT NULL DEFAULT 0;
CREATE INDEX song_video ON song (title_key, id) WHERE video = 1 AND missing IS NULL;
DROP INDEX song_present;
CREATE INDEX song_present ON song (id, music_folder_id, year, duration, missing, video) WHERE missing IS NULL;

-- What only videos have: the picture file beside it, and the sound in it, as JSON.
CREATE TABLE video (
    song_id INTEGER PRIMARY KEY REFERENCES song,
    poster BLOB,
    audio_tracks TEXT NOT NULL
) STRICT;

-- The best first. In the file of this name beside the video, or in the track of this number inside it.
CREATE TABLE caption (
    song_id INTEGER NOT NULL REFERENCES song,
    position INTEGER NOT NULL,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    file_name BLOB,
    track INTEGER,
    PRIMARY KEY (song_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO setting VALUES ('library_changed', '1600000000000');
INSERT INTO music_folder (id, path, name) VALUES (1, CAST('/srv/music' AS BLOB), 'music');
INSERT INTO folder (id, music_folder_id, parent_id, path, name, sort_key, created) VALUES
    (1, 1, NULL, x'', 'music', 'music', 1500000000000), (2, 1, 1, CAST('Echoes' AS BLOB), 'Echoes', 'echoes', 1500000000000);
INSERT INTO artist (id, name, sort_name, sort_key, mbid, album_count, song_count) VALUES (1, 'Ürsula', '', 'ursula', '', 1, 2);
INSERT INTO artist_key VALUES ('ursula', 1);
INSERT INTO album (id, music_folder_id, folder_id, name, artist, artist_id, song_count) VALUES (1, 1, 2, 'Echoes', 'Ürsula', 1, 2);
INSERT INTO album_key VALUES ('echoes', 1);
INSERT INTO song (id, music_folder_id, folder_id, file_name, size, modified, sidecar, hash, created, album_id, artist_id,
    title, sort_title, title_key, artist, artists, genres, suffix, duration, bit_rate, bit_depth, sample_rate, channels, bpm,
    comment, mbid, video, width, height) VALUES
    (1, 1, 2, CAST('1.mp3' AS BLOB), 10, 20, 0, 30, 1500000000000, 1, 1, 'One', '', 'one', 'Ürsula', '', '', 'mp3', 1, 2, 0, 3, 2, 0, '', '', 0, 0, 0),
    (2, 1, 2, CAST('2.mp4' AS BLOB), 11, 21, 0, 31, 1500000000001, 1, 1, 'Two', '', 'two', 'Ürsula', '', '', 'mp4', 1, 2, 0, 3, 2, 0, '', '', 1, 640, 360);
INSERT INTO video VALUES (2, CAST('2.jpg' AS BLOB), '[]');
INSERT INTO caption VALUES (2, 0, 'en', 'English', CAST('2.en.srt' AS BLOB), NULL);
INSERT INTO song_artist VALUES (1, 1, 1), (1, 2, 1);
INSERT INTO user (id, name, password, email, roles, max_bit_rate, music_folders, created) VALUES
    (1, 'anna', x'0102', 'anna@example.org', 8191, 0, -1, 1500000000000), (5, 'Ben', x'0304', '', 1028, 192, 2, 1500000000005);
INSERT INTO api_key VALUES (x'aa', 1, 1500000000000), (x'bb', 5, 1500000000001);
INSERT INTO annotation VALUES (1, 1, 1, 1500000000000, 5, 3, 1500000000009), (5, 2, 1, NULL, 4, 0, NULL), (5, 3, 1, 1500000000002, NULL, 0, NULL);
INSERT INTO playlist VALUES (3, 1, 'Morning', 'slow', 1, 1500000000000, 1500000000001), (9, 5, 'Evening', '', 0, 1500000000002, 1500000000003);
INSERT INTO playlist_entry VALUES (3, 0, 1), (3, 1, 2), (3, 2, 1), (9, 0, 2);
INSERT INTO bookmark VALUES (1, 2, 5000, 'here', 1500000000000, 1500000000001);
INSERT INTO play_queue VALUES (5, 1, 7000, 1500000000000, 'phone');
INSERT INTO play_queue_entry VALUES (5, 0, 1), (5, 1, 2);
INSERT INTO share (id, token, user_id, description, created, expires, visit_count, last_visited, token_hash, downloadable, live, embed, passphrase, max_plays, title, play_count, listener_count) VALUES
    (7, 'abcdefghijklmnop', 1, 'for you', 1500000000000, 4000000000000, 12, 1500000000007, x'01', 0, 0, 1, '$argon2id$x', 9, 'Echoes', 4, 2),
    (8, 'ABCDEFGHIJKLMNOP', 5, NULL, 1500000000000, NULL, 0, NULL, x'02', 1, 1, 0, NULL, NULL, NULL, 0, 0);
INSERT INTO share_entry VALUES (7, 0, 2, 1), (7, 1, 1, 2), (8, 0, 5, 9);
INSERT INTO share_frozen VALUES (7, 0, 1, 1), (7, 1, 1, 2);
INSERT INTO share_play VALUES (7, 1, 1, 4);
INSERT INTO share_default VALUES (5, 1, NULL, 0, 86400000);
INSERT INTO radio_station VALUES (2, 'Radio', 'http://example.org/live', '');
INSERT INTO chat_message VALUES (4, 1, 1500000000000, 'hello');
PRAGMA user_version = 4;
