//! Scans of small music folders: what is found, what is kept when files move, what is left alone.

#![allow(clippy::unwrap_used)]

mod disk;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use disk::{Library, mp3, mp3_with, tags};
use kinglet::db::albums;
use kinglet::db::covers::{self, Source};
use kinglet::db::lyrics;
use kinglet::db::pack::{self, Named};
use kinglet::db::songs::Song;
use kinglet::scan;

fn first_artist(song: &Song) -> Named {
    pack::read_named(&song.artists.0).remove(0)
}

#[test]
fn a_second_scan_reads_nothing_and_writes_nothing() {
    let library = Library::new();
    for number in 1..=30 {
        let path = format!("Artist/Album {}/{number:02}.mp3", number % 4);
        library.song(&path, number, "Song", &format!("Album {}", number % 4), "Artist");
    }
    library.put("Artist/Album 1/cover.jpg", b"picture");
    library.put("Artist/Album 1/01.lrc", b"[00:01.00]La");
    library.put("Artist/Album 1/broken.mp3", b"no sound at all");
    let first = library.scan();
    assert_eq!((first.new, first.unreadable, first.songs), (30, 1, 30));
    let before = library.bytes();
    let second = library.scan();
    assert_eq!((second.new, second.changed, second.gone, second.unreadable), (0, 0, 0, 0));
    assert_eq!((second.files, second.songs), (31, 30));
    assert_eq!(library.scanner.status().read, 0);
    assert!(before == library.bytes(), "the second scan wrote to the database");
}

#[test]
fn a_song_keeps_its_id_when_it_is_tagged_anew() {
    let library = Library::new();
    library.song("A/B/01.mp3", 1, "Old", "B", "A");
    library.song("A/B/02.mp3", 2, "Other", "B", "A");
    library.scan();
    let (song, album) = (library.song_at("A/B/01.mp3"), library.albums().remove(0));
    library.song("A/B/01.mp3", 1, "New title", "B", "A");
    let summary = library.scan();
    assert_eq!((summary.new, summary.changed, summary.gone), (0, 1, 0));
    let again = library.song_at("A/B/01.mp3");
    assert_eq!((again.id, again.created), (song.id, song.created));
    assert_eq!(again.title, "New title");
    assert_eq!(library.found("old"), Vec::<String>::new());
    assert_eq!(library.found("new ti"), ["New title"]);
    assert_eq!(library.albums().remove(0).id, album.id);
}

#[test]
fn songs_and_albums_keep_their_ids_when_files_and_folders_are_renamed() {
    let library = Library::new();
    for number in 1..=5 {
        library.song(&format!("A/B/{number}.mp3"), number, &format!("Song {number}"), "B", "A");
    }
    library.scan();
    let ids: Vec<_> = library.songs().iter().map(|song| (song.id, song.title.clone())).collect();
    let album = library.albums().remove(0);

    library.rename("A/B/1.mp3", "A/B/one.mp3");
    let renamed = library.scan();
    assert_eq!((renamed.new, renamed.moved, renamed.gone), (0, 1, 0));
    library.rename("A/B", "A/1999 - B");
    let moved = library.scan();
    assert_eq!((moved.new, moved.moved), (0, 5));
    library.rename("A/1999 - B/2.mp3", "Elsewhere/deep/2.mp3");
    library.scan();

    let now: Vec<_> = library.songs().iter().map(|song| (song.id, song.title.clone())).collect();
    assert_eq!(now, ids);
    assert_eq!(library.song_at("A/1999 - B/one.mp3").album_id, album.id);
    let again =
        library.db.read(|db| albums::by_id(db, disk::EVERYBODY, album.id)).unwrap().unwrap();
    assert_eq!((again.song_count, again.created), (4, album.created));
    assert_ne!(library.song_at("Elsewhere/deep/2.mp3").album_id, album.id);
    assert_eq!(library.scan().new, 0);
}

#[test]
fn folders_keep_their_ids_when_they_are_renamed() {
    let library = Library::new();
    library.song("A/B/CD1/1.mp3", 1, "One", "B", "A");
    library.song("A/B/CD2/2.mp3", 2, "Two", "B", "A");
    library.put("A/C/03 - Untagged.mp3", &mp3(3, &[]));
    library.scan();
    let count = || library.count("SELECT count(*) FROM folder");
    let (one, untagged) =
        (library.song_at("A/B/CD1/1.mp3"), library.song_at("A/C/03 - Untagged.mp3"));
    let folders = count();
    library.rename("A/B", "A/B (1999)");
    library.rename("A/C", "A/D");
    library.rename("A", "The A");
    let summary = library.scan();
    assert_eq!((summary.moved, summary.new, summary.gone), (3, 0, 0));
    assert_eq!(count(), folders);
    let now = library.song_at("The A/B (1999)/CD1/1.mp3");
    assert_eq!((now.id, now.folder_id, now.album_id), (one.id, one.folder_id, one.album_id));
    let now = library.song_at("The A/D/03 - Untagged.mp3");
    assert_eq!((now.folder_id, now.album.as_str()), (untagged.folder_id, "D"));
    assert_eq!(now.album_id, untagged.album_id);
    let names = library.db.read(|db| kinglet::db::folders::top(db, disk::EVERYBODY)).unwrap();
    assert_eq!(names.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>(), ["The A"]);
    assert_eq!(library.scan().moved, 0);
}

#[test]
fn a_song_that_moved_and_was_tagged_anew_is_known_by_its_sound() {
    let library = Library::new();
    library.song("A/B/1.mp3", 1, "One", "B", "A");
    library.song("A/B/2.mp3", 2, "Two", "B", "A");
    library.scan();
    let two = library.song_at("A/B/2.mp3");
    library.remove("A/B/2.mp3");
    library.song("A/B/02 - Deux.mp3", 2, "Deux", "B", "A");
    let summary = library.scan();
    assert_eq!((summary.moved, summary.new), (1, 0));
    assert_eq!(library.song_at("A/B/02 - Deux.mp3").id, two.id);
}

#[test]
fn a_copy_does_not_take_the_place_of_a_song_that_was_renamed() {
    let library = Library::new();
    library.song("A/B/1.mp3", 1, "One", "B", "A");
    library.scan();
    let one = library.song_at("A/B/1.mp3");
    // The copy comes first in the order of paths, and sounds the same.
    library.song("A/A copy/other.mp3", 1, "Best of", "Other", "A");
    library.rename("A/B/1.mp3", "A/B/one.mp3");
    library.scan();
    assert_eq!(library.song_at("A/B/one.mp3").id, one.id);
    assert_ne!(library.song_at("A/A copy/other.mp3").id, one.id);
}

#[test]
fn an_album_keeps_its_id_when_its_title_is_corrected() {
    let library = Library::new();
    for number in 1..=3 {
        library.song(&format!("A/B/{number}.mp3"), number, "Song", "Tpyo", "A");
    }
    library.scan();
    let album = library.albums().remove(0);
    for number in 1..=3 {
        library.song(&format!("A/B/{number}.mp3"), number, "Song", "Typo", "A");
    }
    library.scan();
    let albums = library.albums();
    assert_eq!((albums.len(), albums[0].id, albums[0].name.as_str()), (1, album.id, "Typo"));
    assert_eq!(library.count("SELECT count(*) FROM album"), 1);
    assert_eq!(library.count("SELECT count(*) FROM album_search"), 1);
}

#[test]
fn an_artist_keeps_the_id_when_the_name_is_corrected() {
    let library = Library::new();
    for number in 1..=3 {
        library.song(&format!("A/B/{number}.mp3"), number, "Song", "B", "Bjork");
    }
    library.song("C/4.mp3", 4, "Song", "D", "Other");
    library.scan();
    let artist = first_artist(&library.song_at("A/B/1.mp3"));
    for number in 1..=3 {
        library.song(&format!("A/B/{number}.mp3"), number, "Song", "B", "Björk");
    }
    library.song("C/4.mp3", 4, "Song", "D", "Bjork");
    library.scan();
    // Somebody is called by the old spelling still.
    assert_ne!(first_artist(&library.song_at("A/B/1.mp3")).id, artist.id);
    let artist = first_artist(&library.song_at("A/B/1.mp3"));
    for number in 1..=3 {
        library.song(&format!("A/B/{number}.mp3"), number, "Song", "B", "Bjørk");
    }
    library.scan();
    let song = library.song_at("A/B/1.mp3");
    assert_eq!((first_artist(&song).id, song.artist_id), (artist.id, Some(artist.id)));
    assert_eq!((first_artist(&song).name.as_str(), song.artist.as_str()), ("Bjørk", "Bjørk"));
    assert_eq!(song.album_artists, song.artists);
    let names: Vec<_> =
        library.artists().into_iter().map(|artist| (artist.name, artist.album_count)).collect();
    assert_eq!(names, [("Bjork".to_owned(), 1), ("Bjørk".to_owned(), 1)]);
    assert_eq!(library.count("SELECT count(*) FROM artist_search"), 2);
}

#[test]
fn what_is_gone_is_hidden_and_comes_back_as_it_was() {
    let library = Library::new();
    library.song("A/B/1.mp3", 1, "One", "B", "A");
    library.song("C/D/2.mp3", 2, "Two", "D", "C");
    library.scan();
    let (one, artists) = (library.song_at("A/B/1.mp3"), library.artists().len());
    let bytes = fs::read(library.path("A/B/1.mp3")).unwrap();
    library.remove("A");
    let summary = library.scan();
    assert_eq!((summary.gone, summary.songs), (1, 1));
    assert_eq!(library.found("one"), Vec::<String>::new());
    assert_eq!((library.albums().len(), library.artists().len()), (1, artists - 1));
    assert_eq!(library.scan().gone, 0);
    library.put("A/B/1.mp3", &bytes);
    library.scan();
    let back = library.song_at("A/B/1.mp3");
    assert_eq!((back.id, back.album_id, back.created), (one.id, one.album_id, one.created));
    assert_eq!(library.found("one"), ["One"]);
    assert_eq!(library.artists().len(), artists);
}

#[test]
fn an_empty_or_missing_music_folder_is_left_alone() {
    let library = Library::of(&["music", "more"]);
    library.song("A/1.mp3", 1, "One", "B", "A");
    fs::write(library.temp.path().join("more/2.mp3"), mp3(2, &tags("Two", "C", "D", "1"))).unwrap();
    library.scan();
    library.rename("A", "../away");
    let summary = library.scan();
    assert_eq!((summary.gone, summary.songs, summary.problems.len()), (0, 2, 1));
    assert!(summary.problems[0].contains("is its disk mounted?"), "{:?}", summary.problems);
    assert_eq!(library.scanner.status().problems, summary.problems);
    fs::remove_dir(library.path("")).unwrap();
    let summary = library.scan();
    assert_eq!((summary.gone, summary.songs, summary.problems.len()), (0, 2, 1));
    assert!(summary.problems[0].contains("cannot be listed"), "{:?}", summary.problems);
    assert_eq!(library.found("one"), ["One"]);
}

#[test]
fn a_music_folder_that_moved_keeps_its_songs_and_one_taken_out_hides_them() {
    let mut library = Library::of(&["music", "more"]);
    library.song("A/1.mp3", 1, "One", "B", "A");
    fs::write(library.temp.path().join("more/2.mp3"), mp3(2, &tags("Two", "C", "D", "1"))).unwrap();
    library.scan();
    let ids: Vec<_> = library.songs().iter().map(|song| song.id).collect();
    fs::rename(library.path(""), library.temp.path().join("mounted")).unwrap();
    library.configure(&["mounted", "more"]);
    let moved = library.scan();
    assert_eq!((moved.new, moved.moved, moved.gone, moved.changed), (0, 0, 0, 0));
    assert_eq!(library.songs().iter().map(|song| song.id).collect::<Vec<_>>(), ids);
    library.configure(&["more"]);
    assert_eq!(library.scan().songs, 1);
    library.configure(&["mounted", "more"]);
    assert_eq!(library.scan().songs, 2);
    assert_eq!(library.songs().iter().map(|song| song.id).collect::<Vec<_>>(), ids);
}

#[test]
fn a_compilation_is_one_album_and_its_singers_appear_on_it() {
    let library = Library::new();
    for (number, artist) in [(1, "A"), (2, "B"), (3, "C")] {
        library.song(&format!("Hits/{number}.mp3"), number, "Song", "Hits", artist);
    }
    library.scan();
    let albums = library.albums();
    assert_eq!((albums.len(), albums[0].artist.as_str()), (1, "Various Artists"));
    assert!(albums[0].compilation);
    let mut names: Vec<_> = library.artists().into_iter().map(|artist| artist.name).collect();
    names.sort();
    assert_eq!(names, ["A", "B", "C", "Various Artists"]);
}

#[test]
fn discs_in_folders_are_one_album() {
    let library = Library::new();
    for (path, sound) in [("X/CD1/1.mp3", 1), ("X/CD1/2.mp3", 2), ("X/Disc 2 - Live/1.mp3", 3)] {
        library.song(path, sound, "Song", "X", "A");
    }
    library.put("X/folder.jpg", b"picture");
    for (path, sound, album) in
        [("A/Y (Disc 1)/1.mp3", 4, "Y (Disc 1)"), ("A/Y (Disc 2)/1.mp3", 5, "Y (Disc 2)")]
    {
        library.song(path, sound, "Song", album, "A");
    }
    library.scan();
    let albums = library.albums();
    let mut names: Vec<_> =
        albums.iter().map(|album| (album.name.as_str(), album.song_count)).collect();
    names.sort();
    assert_eq!(names, [("X", 3), ("Y", 2)]);
    assert_eq!(library.song_at("X/Disc 2 - Live/1.mp3").disc, Some(2));
    assert_eq!(library.song_at("A/Y (Disc 2)/1.mp3").disc, Some(2));
    let x = albums.iter().find(|album| album.name == "X").unwrap();
    let cover = library.db.read(|db| covers::of_album(db, disk::EVERYBODY, x.id)).unwrap();
    assert_eq!(cover.unwrap().0, Source::File(library.path("X/folder.jpg")));
}

#[test]
fn one_title_in_two_folders_is_two_albums_unless_the_id_is_one() {
    let library = Library::new();
    library.song("A/Best/1.mp3", 1, "One", "Best", "A");
    library.song("B/Best/1.mp3", 2, "Two", "Best", "B");
    for (path, sound) in [("C/1.mp3", 3), ("D/1.mp3", 4)] {
        let mut tags = tags("Three", "Joined", "C", "1");
        tags.push(("MusicBrainz Album Id", "0aa3e7e2-7d49-4a5b-9d3a-0d3d0f1a2b3c"));
        library.put(path, &mp3(sound, &tags));
    }
    library.scan();
    let mut names: Vec<_> = library.albums().into_iter().map(|album| album.name).collect();
    names.sort();
    assert_eq!(names, ["Best", "Best", "Joined"]);
}

#[test]
fn songs_without_tags_get_names_from_their_files() {
    let library = Library::new();
    library.put("Folder/03 - Nameless.mp3", &mp3(1, &[]));
    library.put("loose.mp3", &mp3(2, &[]));
    library.scan();
    let song = library.song_at("Folder/03 - Nameless.mp3");
    assert_eq!(
        (song.title.as_str(), song.album.as_str(), song.track),
        ("Nameless", "Folder", Some(3))
    );
    assert_eq!(song.artist, "[Unknown Artist]");
    assert_eq!(library.song_at("loose.mp3").album, "[Unknown Album]");
}

#[test]
fn broken_files_are_named_and_not_read_again() {
    let library = Library::new();
    library.song("A/1.mp3", 1, "One", "B", "A");
    library.put("A/2.mp3", b"");
    library.put("A/3.flac", &[7; 3000]);
    let summary = library.scan();
    assert_eq!((summary.new, summary.unreadable), (1, 2));
    assert_eq!(library.count("SELECT count(*) FROM unreadable WHERE length(reason) > 0"), 2);
    assert_eq!(library.scan().unreadable, 0);
    library.song("A/2.mp3", 2, "Two", "B", "A");
    library.remove("A/3.flac");
    assert_eq!(library.scan().new, 1);
    assert_eq!(library.count("SELECT count(*) FROM unreadable"), 0);
}

#[test]
fn links_are_followed_but_never_in_a_circle() {
    let library = Library::new();
    library.song("A/1.mp3", 1, "One", "B", "A");
    let outside = library.temp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("2.mp3"), mp3(2, &tags("Two", "C", "A", "1"))).unwrap();
    symlink(".", outside.join("round")).unwrap();
    for (target, link) in [
        (".", "A/loop"),
        ("../..", "A/up"),
        ("nowhere.mp3", "A/dangling.mp3"),
        ("self.mp3", "A/self.mp3"),
        ("/dev/zero", "A/device.mp3"),
        ("1.mp3", "A/twin.mp3"),
        ("../../outside", "A/outside"),
        ("../../outside", "A/outside again"),
    ] {
        symlink(target, library.path(link)).unwrap();
    }
    let summary = library.scan();
    assert_eq!(summary.unreadable, 0);
    let mut paths: Vec<_> = library.songs().into_iter().map(|song| song.path).collect();
    paths.sort();
    assert_eq!(paths, ["A/1.mp3", "A/outside/2.mp3", "A/twin.mp3"]);
}

#[test]
fn odd_names_are_songs_like_others() {
    let library = Library::new();
    let names: [&[u8]; 6] = [
        b"bad-\xff\xfe.mp3",
        b"new\nline.mp3",
        b" space .mp3",
        b"\x1b[31mred.mp3",
        "e\u{301}.mp3".as_bytes(),
        "\u{e9}.mp3".as_bytes(),
    ];
    for (number, name) in names.iter().enumerate() {
        let path = library.path("").join(OsStr::from_bytes(name));
        fs::write(path, mp3(u16::try_from(number).unwrap(), &[])).unwrap();
    }
    for hidden in [".hidden.mp3", ".stfolder/1.mp3", "@eaDir/1.mp3", "private/1.mp3"] {
        library.put(hidden, &mp3(9, &[]));
    }
    library.put("private/.nomedia", b"");
    assert_eq!(library.scan().songs, 6);
    assert_eq!(library.scan().new, 0);
    let song = library.songs().into_iter().find(|song| song.path.starts_with("bad-")).unwrap();
    let file = library
        .db
        .read(|db| kinglet::db::songs::file(db, disk::EVERYBODY, song.id))
        .unwrap()
        .unwrap();
    assert!(file.path.exists());
}

#[test]
fn a_folder_that_cannot_be_listed_keeps_its_songs() {
    let library = Library::new();
    library.song("A/B/1.mp3", 1, "One", "B", "A");
    library.song("C/2.mp3", 2, "Two", "D", "C");
    library.scan();
    let closed = library.path("A");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    let sees_all = fs::read_dir(&closed).is_ok();
    let summary = library.scan();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(summary.gone, 0);
    if sees_all {
        println!("skipped: this user may read everything");
    }
    assert_eq!(library.found("one"), ["One"]);
}

#[test]
fn words_beside_a_song_come_before_those_in_it() {
    let library = Library::new();
    library.song("A/1.mp3", 1, "One", "B", "A");
    library.scan();
    let song = library.song_at("A/1.mp3").id;
    let words = || library.db.read(|db| lyrics::of_song(db, song)).unwrap();
    assert_eq!(words(), []);
    library.put("A/1.lrc", b"\xff\xfe[\x000\x000\x00:\x000\x001\x00]\x00L\x00a\x00");
    assert_eq!(library.scan().changed, 1);
    assert_eq!(words()[0].text, "[00:01]La");
    library.remove("A/1.lrc");
    assert_eq!(library.scan().changed, 1);
    assert_eq!(words(), []);
}

#[test]
fn pictures_come_from_the_folder_else_from_the_songs() {
    let library = Library::new();
    for (path, sound, picture) in
        [("A/1.mp3", 1, None), ("A/2.mp3", 2, Some(&b"one"[..])), ("A/3.mp3", 3, Some(b"two"))]
    {
        let number = sound.to_string();
        library.put(path, &mp3_with(sound, &tags("Song", "B", "A", &number), picture));
    }
    library.scan();
    let album = library.albums().remove(0);
    let cover = || library.db.read(|db| covers::of_album(db, disk::EVERYBODY, album.id)).unwrap();
    assert_eq!(cover().unwrap().0, Source::Song(library.path("A/2.mp3")));
    let own = library.song_at("A/3.mp3");
    let of_song = library.db.read(|db| covers::of_song(db, disk::EVERYBODY, own.id)).unwrap();
    assert_eq!(of_song.unwrap().0, Source::Song(library.path("A/3.mp3")));
    library.put("A/Front.PNG", b"front");
    library.put("A/other.jpg", b"other");
    assert_eq!(library.scan().changed, 0);
    assert_eq!(cover().unwrap().0, Source::File(library.path("A/Front.PNG")));
    let stamp = cover().unwrap().1;
    library.put("A/Front.PNG", b"another");
    library.scan();
    assert_ne!(cover().unwrap().1, stamp);
    library.remove("A/Front.PNG");
    library.scan();
    assert_eq!(cover().unwrap().0, Source::Song(library.path("A/2.mp3")));
}

#[test]
fn songs_of_the_first_scan_are_as_old_as_their_files_and_later_ones_are_new() {
    let library = Library::new();
    let old = SystemTime::now() - Duration::from_secs(1_000_000);
    for (path, sound) in [("A/1.mp3", 1), ("A/2.mp3", 2)] {
        library.song(path, sound, "Song", "B", "A");
        File::options().append(true).open(library.path(path)).unwrap().set_modified(old).unwrap();
        library.scan();
    }
    let (one, two) = (library.song_at("A/1.mp3").created, library.song_at("A/2.mp3").created);
    assert!(two - one > 900_000_000, "{one} {two}");
    assert_eq!(library.albums()[0].created, one);
}

#[test]
fn other_articles_sort_the_artists_anew() {
    let mut library = Library::new();
    library.song("A/1.mp3", 1, "One", "B", "The Band");
    library.scan();
    assert_eq!(library.artists()[0].sort_key, "band");
    library.config.ignored_articles = Vec::new();
    assert_eq!(library.scan().changed, 0);
    assert_eq!(library.artists()[0].sort_key, "the band");
}

#[test]
fn reads_go_on_while_a_scan_runs() {
    let library = Library::new();
    for number in 0..300 {
        library.song(&format!("{}/{number}.mp3", number % 20), number, "Song", "B", "A");
    }
    std::thread::scope(|scope| {
        let scan = scope.spawn(|| scan::run(&library.db, &library.config, &library.scanner));
        while !scan.is_finished() {
            // Whatever is seen is whole: an album is as long as its songs.
            for album in library.albums() {
                let songs = library
                    .db
                    .read(|db| {
                        let album = albums::by_id(db, disk::EVERYBODY, album.id)?.unwrap();
                        let songs = kinglet::db::songs::of_album(db, disk::EVERYBODY, album.id)?;
                        Ok::<_, rusqlite::Error>((album.song_count, songs.len()))
                    })
                    .unwrap();
                assert_eq!(usize::try_from(songs.0).unwrap(), songs.1);
            }
        }
        assert_eq!(scan.join().unwrap().unwrap().songs, 300);
    });
}

#[test]
fn two_processes_do_not_scan_at_once() {
    let library = Library::new();
    let path = library.temp.path().join("data/scan.lock");
    let other = File::create(path).unwrap();
    other.lock().unwrap();
    let error = scan::run(&library.db, &library.config, &library.scanner).unwrap_err();
    assert!(error.to_string().contains("another Kinglet"), "{error}");
    other.unlock().unwrap();
    library.scan();
}

#[test]
fn a_scan_is_run_when_asked_for_and_stops_when_told() {
    let library = Library::new();
    library.song("A/1.mp3", 1, "One", "B", "A");
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| library.scanner.serve(&library.db, &library.config));
        library.scanner.request();
        while library.scanner.status().scanning {
            std::thread::yield_now();
        }
        library.scanner.stop();
        thread.join().unwrap();
    });
    assert_eq!(library.songs().len(), 1);
}
