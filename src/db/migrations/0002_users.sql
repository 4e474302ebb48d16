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
