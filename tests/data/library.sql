-- A small library for tests, as a scan would leave it: two music folders, five artists, four albums
-- (one of two discs, one compilation, one in the second music folder), ten songs and a missing one.
-- The users 1 and 2 are made before. Song 1 has every optional field.
PRAGMA defer_foreign_keys = ON;

INSERT INTO setting VALUES ('library_changed', '1600000000000');

-- The paths are set to folders of the test.
INSERT INTO music_folder (id, path, name) VALUES (1, x'00', 'music'), (2, x'01', 'kids & co');

INSERT INTO folder (id, music_folder_id, parent_id, path, name, sort_key, created, cover, cover_stamp, average_rating) VALUES
    (1, 1, NULL, x'', 'music', 'music', 1500000000000, NULL, NULL, NULL),
    (2, 2, NULL, x'', 'kids & co', 'kids co', 1500000000000, NULL, NULL, NULL),
    (3, 1, 1, CAST('Ürsula & the Band' AS BLOB), 'Ürsula & the Band', 'ursula the band', 1500000001000, NULL, NULL, 4.0),
    (4, 1, 3, CAST('Ürsula & the Band/Echoes "Live"' AS BLOB), 'Echoes "Live"', 'echoes live', 1500000002000, CAST('cover.jpg' AS BLOB), 4097, NULL),
    (5, 1, 3, CAST('Ürsula & the Band/Two Discs' AS BLOB), 'Two Discs', 'two discs', 1500000003000, NULL, NULL, NULL),
    (6, 1, 1, CAST('Various' AS BLOB), 'Various', 'various', 1500000004000, NULL, NULL, NULL),
    (7, 1, 6, CAST('Various/Summer <3' AS BLOB), 'Summer <3', 'summer 3', 1500000005000, NULL, NULL, NULL),
    (8, 2, 2, CAST('夜' AS BLOB), '夜', '夜', 1500000006000, NULL, NULL, NULL);

INSERT INTO artist (id, name, sort_name, sort_key, mbid, album_count, song_count, roles, music_folders, cover_album_id, average_rating) VALUES
    (1, 'Ürsula & the Band', 'Band, Ürsula & the', 'ursula the band', '11111111-aaaa-4aaa-8aaa-000000000001', 2, 6, 3, 2, 1, 4.5),
    (2, 'Kid <Koala> "Jr"', '', 'kid koala jr', '', 2, 2, 1, 2, NULL, NULL),
    (3, '夜', 'Yoru', '夜', '', 1, 2, 3, 4, 4, NULL),
    (4, 'Nadia Noon', '', 'nadia noon', '', 0, 1, 4, 2, NULL, NULL),
    (5, 'The Night Owls', '', 'night owls', '', 1, 1, 1, 2, NULL, NULL),
    (6, 'Various Artists', '', 'various artists', '', 1, 0, 2, 2, NULL, NULL);

INSERT INTO artist_key VALUES
    ('name:ürsula & the band', 1), ('name:kid <koala> "jr"', 2), ('name:夜', 3), ('name:nadia noon', 4),
    ('name:the night owls', 5), ('name:various artists', 6);

INSERT INTO album (id, music_folder_id, folder_id, name, sort_name, sort_key, artist, artist_id, artists, artist_key, year, genre, genres,
        song_count, duration, created, mbid, version, compilation, explicit, cover_folder_id, cover_song_id, cover_stamp, extra, average_rating) VALUES
    (1, 1, 4, 'Echoes "Live"', 'Echoes, Live', 'echoes live', 'Ürsula & the Band', 1, '1' || char(31) || 'Ürsula & the Band' || char(30),
        'ursula the band', 1999, 'Rock', 'Rock' || char(30) || 'Folk & Roll' || char(30), 3, 600000, 1500000010000,
        '22222222-aaaa-4aaa-8aaa-000000000001', 'Deluxe Edition', 0, 1, 4, NULL, 4097,
        '{"released":[1999,5,7],"original":[1998,0,0],"labels":["Lone & Label"],"release_types":["album","live"],"moods":["wistful"],"disc_titles":[[1,"The <first> disc"]]}',
        4.5),
    (2, 1, 5, 'Two Discs', '', 'two discs', 'Ürsula & the Band', 1, '1' || char(31) || 'Ürsula & the Band' || char(30),
        'ursula the band', 2004, 'Rock', 'Rock' || char(30), 3, 540000, 1500000020000, '', '', 0, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, 1, 7, 'Summer <3', '', 'summer 3', 'Various Artists', 6, '6' || char(31) || 'Various Artists' || char(30),
        'various artists', 2012, 'Jazz', 'Jazz' || char(30), 2, 300000, 1500000030000, '', '', 1, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 2, 8, '夜のうた', '', '夜 の う た', '夜', 3, '3' || char(31) || '夜' || char(30),
        '夜', NULL, 'Rock', 'Rock' || char(30), 2, 420000, 1500000040000, '', '', 0, 0, NULL, 10, 8193, NULL, NULL);

INSERT INTO song (id, music_folder_id, folder_id, file_name, size, modified, sidecar, hash, created, missing, album_id, artist_id, title,
        sort_title, title_key, artist, artists, track, disc, year, genre, genres, suffix, duration, bit_rate, bit_depth, sample_rate, channels,
        bpm, comment, mbid, explicit, track_gain, album_gain, track_peak, album_peak, picture, own_cover, extra, average_rating) VALUES
    (1, 1, 4, CAST('01 Über & "Out".flac' AS BLOB), 23456789, 1400000000000, 0, 101, 1500000010000, NULL, 1, 1, 'Über & "Out" <Again>',
        'Ueber & Out', 'uber out again', 'Ürsula & the Band feat. Kid <Koala> "Jr"',
        '1' || char(31) || 'Ürsula & the Band' || char(30) || '2' || char(31) || 'Kid <Koala> "Jr"' || char(30),
        1, 1, 1999, 'Rock', 'Rock' || char(30) || 'Folk & Roll' || char(30), 'flac', 200400, 936, 16, 44100, 2,
        120, 'Taped in
one go', '33333333-aaaa-4aaa-8aaa-000000000001', 1, -6.5, -7.25, 0.988, 1.01, NULL, 0,
        '{"contributors":[{"role":"composer","artist":{"id":4,"name":"Nadia Noon"}},{"role":"performer","sub_role":"lead & backing vocals","artist":{"id":1,"name":"Ürsula & the Band"}}],"isrc":["DEA120000001"],"moods":["wistful"],"groupings":["Set <one>"],"works":["Echoes, Op. 1"],"movement":["Allegro",1,3]}',
        4.0),
    (2, 1, 4, CAST('02 Plain.flac' AS BLOB), 20000000, 1400000000000, 0, 102, 1500000010000, NULL, 1, 1, 'Plain',
        '', 'plain', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        2, 1, 1999, 'Rock', 'Rock' || char(30), 'flac', 199600, 900, 16, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (3, 1, 4, CAST('03 Rain.mp3' AS BLOB), 8000000, 1400000000000, 0, 103, 1500000010000, NULL, 1, 1, 'Rain',
        '', 'rain', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        3, 1, 1999, 'Rock', 'Rock' || char(30), 'mp3', 200000, 320, 0, 44100, 2, 0, '', '', 0, NULL, NULL, NULL, NULL, 12289, 1, NULL, NULL),
    (4, 1, 5, CAST('1-01 Morning.mp3' AS BLOB), 7000000, 1400000000000, 0, 104, 1500000020000, NULL, 2, 1, 'Morning',
        '', 'morning', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        1, 1, 2004, 'Rock', 'Rock' || char(30), 'mp3', 180000, 320, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (5, 1, 5, CAST('1-02 Noon.mp3' AS BLOB), 7000000, 1400000000000, 0, 105, 1500000020000, NULL, 2, 1, 'Noon',
        '', 'noon', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        2, 1, 2004, 'Rock', 'Rock' || char(30), 'mp3', 180000, 320, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (6, 1, 5, CAST('2-01 Night.mp3' AS BLOB), 7000000, 1400000000000, 0, 106, 1500000020000, NULL, 2, 1, 'Night',
        '', 'night', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        1, 2, 2004, 'Rock', 'Rock' || char(30), 'mp3', 180000, 320, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (7, 1, 7, CAST('01 Sun.ogg' AS BLOB), 3000000, 1400000000000, 0, 107, 1500000030000, NULL, 3, 2, 'Sun',
        '', 'sun', 'Kid <Koala> "Jr"', '2' || char(31) || 'Kid <Koala> "Jr"' || char(30),
        1, NULL, 2010, 'Jazz', 'Jazz' || char(30), 'ogg', 150000, 160, 0, 48000, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (8, 1, 7, CAST('02 Moon.opus' AS BLOB), 3000000, 1400000000000, 0, 108, 1500000030000, NULL, 3, 5, 'Moon',
        '', 'moon', 'The Night Owls', '5' || char(31) || 'The Night Owls' || char(30),
        2, NULL, 2012, 'Jazz', 'Jazz' || char(30), 'opus', 150000, 128, 0, 48000, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (9, 2, 8, CAST('夜.m4a' AS BLOB), 4000000, 1400000000000, 0, 109, 1500000040000, NULL, 4, 3, '夜',
        '', '夜', '夜', '3' || char(31) || '夜' || char(30),
        NULL, NULL, NULL, 'Rock', 'Rock' || char(30), 'm4a', 210000, 256, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL),
    (10, 2, 8, CAST('朝.m4a' AS BLOB), 4000000, 1400000000000, 0, 110, 1500000040000, NULL, 4, 3, '朝 & 夜',
        '', '朝 夜', '夜', '3' || char(31) || '夜' || char(30),
        NULL, NULL, NULL, 'Rock', 'Rock' || char(30), 'm4a', 210000, 256, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, 8193, 0, NULL, NULL),
    (11, 1, 5, CAST('2-02 Gone.mp3' AS BLOB), 7000000, 1400000000000, 0, 111, 1500000020000, 1550000000000, 2, 1, 'Gone',
        '', 'gone', 'Ürsula & the Band', '1' || char(31) || 'Ürsula & the Band' || char(30),
        2, 2, 2004, 'Rock', 'Rock' || char(30), 'mp3', 180000, 320, 0, 44100, 2, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL);

INSERT INTO lyrics VALUES
    (1, 0, 'eng', '[offset:-100]
[00:01.50]Out & over
[00:03.25]<again>'),
    (2, 0, '', 'Plain words,
no times');

INSERT INTO song_artist (song_id, artist_id, role) VALUES
    (1, 1, 1), (1, 2, 1), (1, 4, 4), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 1, 1), (6, 1, 1), (7, 2, 1), (8, 5, 1),
    (9, 3, 1), (10, 3, 1), (11, 1, 1);

INSERT INTO album_artist (album_id, artist_id, main) VALUES
    (1, 1, 1), (1, 2, 0), (2, 1, 1), (3, 6, 1), (3, 2, 0), (3, 5, 0), (4, 3, 1);

INSERT INTO genre (id, key, name, song_count, album_count) VALUES
    (1, 'rock', 'Rock', 8, 3), (2, 'folk & roll', 'Folk & Roll', 1, 1), (3, 'jazz', 'Jazz', 2, 1);
INSERT INTO song_genre (song_id, genre_id) VALUES
    (1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 3), (8, 3), (9, 1), (10, 1), (11, 1);
INSERT INTO album_genre (album_id, genre_id) VALUES (1, 1), (1, 2), (2, 1), (3, 3), (4, 1);

INSERT INTO artist_search (rowid, name) VALUES
    (1, 'ursula the band'), (2, 'kid koala jr'), (3, '夜'), (5, 'the night owls'), (6, 'various artists');
INSERT INTO album_search (rowid, name, artist) VALUES
    (1, 'echoes live', 'ursula the band'), (2, 'two discs', 'ursula the band'), (3, 'summer 3', 'various artists'), (4, '夜 の う た', '夜');
INSERT INTO song_search (rowid, title, artist, album) VALUES
    (1, 'uber out again', 'ursula the band feat kid koala jr', 'echoes live'),
    (2, 'plain', 'ursula the band', 'echoes live'),
    (3, 'rain', 'ursula the band', 'echoes live'),
    (4, 'morning', 'ursula the band', 'two discs'),
    (5, 'noon', 'ursula the band', 'two discs'),
    (6, 'night', 'ursula the band', 'two discs'),
    (7, 'sun', 'kid koala jr', 'summer 3'),
    (8, 'moon', 'the night owls', 'summer 3'),
    (9, '夜', '夜', '夜 の う た'),
    (10, '朝 夜', '夜', '夜 の う た');

-- What user 1 made of it: stars, ratings, plays of a song, an album, an artist and a folder; a bookmark.
INSERT INTO annotation (user_id, kind, item_id, starred, rating, play_count, played) VALUES
    (1, 1, 1, 1510000000000, 4, 3, 1520000000000),
    (1, 1, 9, 1510000001000, NULL, 0, NULL),
    (1, 2, 1, 1510000002000, 5, 3, 1520000000000),
    (1, 2, 4, NULL, 2, 7, 1519000000000),
    (1, 3, 1, 1510000003000, 5, 3, 1520000000000),
    (1, 4, 3, 1510000004000, 4, 0, NULL);
INSERT INTO bookmark (user_id, song_id, position, comment, created, changed) VALUES
    (1, 1, 61500, 'the <solo>', 1530000000000, 1530000001000);
