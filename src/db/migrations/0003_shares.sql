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
