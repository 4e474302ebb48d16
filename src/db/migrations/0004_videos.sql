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

-- Files of these kinds are read again: those with pictures that move are videos.
UPDATE song SET modified = -1 WHERE suffix IN ('mp4', 'webm');
DELETE FROM unreadable;
