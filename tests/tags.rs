//! Reads the files of `tests/media`, made by real encoders and taggers, and asserts every field.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use kinglet::scan::tags::{self, Contributor, Credit, Date, Gain, Lyrics, Tags};
use proptest::prelude::*;

const ONE: &str = "89ad4ac3-39f7-470e-963a-56509c546377";
const TWO: &str = "0a5f5c5c-1111-4222-8333-444455556666";
const ALBUM: &str = "1b022e01-4da6-387b-8658-8678046e4cef";
const RECORDING: &str = "5b11f4ce-a62d-471e-81fc-a69a8278c7da";
/// Length of the tones in the files, and how far off a duration may be, in milliseconds.
const LENGTH_MS: u64 = 400;
const NEAR_MS: u64 = 25;

fn media(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media").join(name)
}

fn read(name: &str) -> Tags {
    tags::read(&media(name)).unwrap()
}

fn error(path: &Path) -> String {
    tags::read(path).unwrap_err().to_string()
}

fn credits(people: &[(&str, &str, &str)]) -> Vec<Credit> {
    let credit = |&(name, sort, mbid): &(&str, &str, &str)| Credit {
        name: name.into(),
        sort: sort.into(),
        mbid: mbid.into(),
    };
    people.iter().map(credit).collect()
}

fn contributors(people: &[(&str, &str, &str)]) -> Vec<Contributor> {
    let contributor = |&(role, sub_role, name): &(&str, &str, &str)| Contributor {
        role: role.into(),
        sub_role: sub_role.into(),
        name: name.into(),
    };
    people.iter().map(contributor).collect()
}

fn lyrics(language: &str, text: &str) -> Lyrics {
    Lyrics { language: language.into(), text: text.into() }
}

fn date(year: u16, month: u8, day: u8) -> Date {
    Date { year, month, day }
}

const GAIN: Gain =
    Gain { track: Some(-7.3), album: Some(-6.5), track_peak: Some(0.988), album_peak: Some(1.0) };

/// The picture, which is compared by its kind, and the sound, by `has_sound`, are taken out.
fn without_sound(mut tags: Tags) -> Tags {
    tags.picture = None;
    tags.sound = tags::Sound::default();
    tags
}

fn has_front_cover(tags: &Tags) -> bool {
    tags.picture.as_ref().is_some_and(|picture| picture.bytes.starts_with(b"\x89PNG"))
}

/// What `make.py` writes as Vorbis comments: the fullest of all.
fn of_comments() -> Tags {
    Tags {
        title: "  Spaces  ".into(),
        sort_title: "Spaces".into(),
        album: "Zero/One".into(),
        sort_album: "One, Zero".into(),
        artist: "Ann feat. AC/DC".into(),
        artists: credits(&[("Ann", "Ann, A", ONE), ("AC/DC", "ACDC", TWO)]),
        album_artist: "Ann, Bob".into(),
        album_artists: credits(&[("Ann", "A", ONE), ("Bob", "B", TWO)]),
        contributors: contributors(&[
            ("composer", "", "Cho"),
            ("conductor", "", "Con"),
            ("lyricist", "", "Lyr"),
            ("remixer", "", "Rem"),
            ("arranger", "", "Arr"),
            ("producer", "", "Pro"),
            ("engineer", "", "Eng"),
            ("mixer", "", "Mix"),
            ("djmixer", "", "Dee"),
            ("performer", "violin", "Vio"),
            ("performer", "", "Per"),
        ]),
        track: 3,
        disc: 1,
        disc_total: 2,
        disc_title: "Live".into(),
        date: date(2001, 5, 6),
        original_date: date(1968, 11, 0),
        compilation: true,
        genres: ["Rock/Pop", "Rock", "Jazz", "Funk"].map(String::from).into(),
        moods: ["calm", "dark"].map(String::from).into(),
        groupings: vec!["Group".into()],
        works: vec!["Work".into()],
        movement: "Allegro".into(),
        movement_number: 2,
        movement_count: 4,
        labels: ["Label A", "Label B"].map(String::from).into(),
        release_types: ["album", "live"].map(String::from).into(),
        album_version: "Deluxe".into(),
        isrc: vec!["USRC17607839".into()],
        comment: "A note".into(),
        bpm: 128,
        explicit: Some(true),
        recording_mbid: RECORDING.into(),
        album_mbid: ALBUM.into(),
        gain: GAIN,
        lyrics: vec![lyrics("", "la la\nla")],
        ..Tags::default()
    }
}

/// What `make.py` writes as ID3 of version 2.4.
fn of_id3v24() -> Tags {
    let mut tags = of_comments();
    tags.artist = "Ann feat. Bob".into();
    tags.genres = ["Rock", "Electronic", "Funk/Soul"].map(String::from).into();
    tags.explicit = Some(false);
    tags.lyrics = vec![lyrics("deu", "la la\nla"), lyrics("eng", "[00:01.00]one\n[00:02.50]two")];
    tags.contributors.insert(1, contributors(&[("composer", "", "Chu")]).remove(0));
    tags.contributors.pop();
    tags
}

/// The same as ID3 of version 2.3, where there is less room.
fn of_id3v23() -> Tags {
    let mut tags = of_id3v24();
    tags.original_date = date(1968, 0, 0);
    tags.genres[2] = "Funk".into();
    tags
}

#[test]
fn vorbis_comments_say_everything() {
    for name in ["comments.flac", "comments.ogg", "flac.oga", "really-flac.mp3"] {
        let tags = read(name);
        assert!(has_front_cover(&tags), "{name}");
        assert_eq!(without_sound(tags), of_comments(), "{name}");
    }
}

#[test]
fn opus_has_gains_of_its_own() {
    let tags = read("comments.opus");
    assert!(has_front_cover(&tags));
    let gain = Gain { track: Some(3.0), album: Some(6.0), ..Gain::default() };
    assert_eq!(without_sound(tags), Tags { gain, ..of_comments() });
}

#[test]
fn id3v24_says_everything_in_either_alphabet() {
    for name in ["id3v24.mp3", "id3v24-utf16.mp3", "id3.aiff"] {
        let tags = read(name);
        assert!(has_front_cover(&tags), "{name}");
        assert_eq!(without_sound(tags), of_id3v24(), "{name}");
    }
}

#[test]
fn id3v23_lists_people_with_slashes() {
    for name in ["id3v23.mp3", "id3v23-latin1.mp3", "id3.wav"] {
        let tags = read(name);
        assert!(has_front_cover(&tags), "{name}");
        assert_eq!(without_sound(tags), of_id3v23(), "{name}");
    }
}

#[test]
fn the_first_of_two_tags_is_believed_where_it_speaks() {
    let tags = read("two-tags.mp3");
    assert_eq!(without_sound(tags), Tags { title: "The first tag".into(), ..of_id3v23() });
}

#[test]
fn id3v22_is_read() {
    let tags = read("id3v22.mp3");
    assert!(has_front_cover(&tags));
    let expected = Tags {
        title: "Old title".into(),
        album: "Old album".into(),
        artist: "Ann, Bob".into(),
        artists: credits(&[("Ann", "", ""), ("Bob", "", "")]),
        contributors: contributors(&[("composer", "", "Cho")]),
        track: 3,
        disc: 1,
        disc_total: 2,
        date: date(1999, 5, 6),
        compilation: true,
        genres: vec!["Rock".into()],
        comment: "A note".into(),
        lyrics: vec![lyrics("eng", "la la")],
        ..Tags::default()
    };
    assert_eq!(without_sound(tags), expected);
}

#[test]
fn an_unsynchronised_tag_is_read() {
    let expected = Tags {
        title: "ÿes".into(),
        album: "Zwölf".into(),
        artist: "Ånn, Bøb".into(),
        artists: credits(&[("Ånn", "", ""), ("Bøb", "", "")]),
        track: 3,
        ..Tags::default()
    };
    assert_eq!(without_sound(read("unsynchronised.mp3")), expected);
}

#[test]
fn id3v1_is_read_where_there_is_nothing_else() {
    let expected = Tags {
        title: "Façade".into(),
        album: "Old album".into(),
        artist: "Ann".into(),
        artists: credits(&[("Ann", "", "")]),
        track: 7,
        date: date(1999, 0, 0),
        genres: vec!["Rock".into()],
        comment: "Old note".into(),
        ..Tags::default()
    };
    assert_eq!(without_sound(read("id3v1.mp3")), expected);
}

#[test]
fn an_ape_tag_is_believed_before_id3v1() {
    let tags = read("ape.mp3");
    assert!(has_front_cover(&tags));
    let expected = Tags {
        title: "Ape title".into(),
        album: "Ape album".into(),
        artist: "Ann, Bob".into(),
        artists: credits(&[("Ann", "", ""), ("Bob", "", "")]),
        album_artist: "Ann".into(),
        album_artists: credits(&[("Ann", "", "")]),
        track: 3,
        disc: 1,
        disc_total: 2,
        date: date(2001, 5, 6),
        genres: ["Rock", "Jazz"].map(String::from).into(),
        comment: "A note".into(),
        recording_mbid: RECORDING.into(),
        gain: Gain { track: Some(-7.3), ..Gain::default() },
        lyrics: vec![lyrics("", "la la")],
        ..Tags::default()
    };
    assert_eq!(without_sound(tags), expected);
}

#[test]
fn relative_volume_is_gain() {
    let expected = Gain {
        track: Some(-2.25),
        album: Some(-3.5),
        track_peak: Some(0.5),
        album_peak: Some(0.75),
    };
    assert_eq!(read("rva2.mp3").gain, expected);
}

#[test]
fn mp4_atoms_say_everything() {
    let mut expected = of_comments();
    expected.genres = ["Rock", "Jazz"].map(String::from).into();
    expected.contributors.truncate(9);
    for name in ["aac.m4a", "alac.m4a"] {
        let tags = read(name);
        assert!(has_front_cover(&tags), "{name}");
        assert_eq!(without_sound(tags), expected, "{name}");
    }
}

#[test]
fn info_of_a_wav_is_read() {
    let expected = Tags {
        title: "Info title".into(),
        album: "Café".into(),
        artist: "Ann, Bob".into(),
        artists: credits(&[("Ann", "", ""), ("Bob", "", "")]),
        track: 3,
        date: date(2001, 5, 6),
        genres: vec!["Rock".into()],
        comment: "A note".into(),
        ..Tags::default()
    };
    assert_eq!(without_sound(read("info.wav")), expected);
}

#[test]
fn matroska_and_caf_are_read() {
    let expected = Tags {
        title: "Mat title".into(),
        album: "Mat album".into(),
        artist: "Ann, Bob".into(),
        artists: credits(&[("Ann", "", ""), ("Bob", "", "")]),
        album_artist: "Ann".into(),
        album_artists: credits(&[("Ann", "", "")]),
        track: 3,
        date: date(2001, 5, 6),
        genres: vec!["Rock".into()],
        comment: "A note".into(),
        ..Tags::default()
    };
    for name in ["tagged.mka", "tagged.webm", "alac.caf"] {
        assert_eq!(without_sound(read(name)), expected, "{name}");
    }
}

#[test]
fn the_text_of_a_caf_is_read() {
    let expected = Tags {
        title: "Caf title".into(),
        album: "Caf album".into(),
        artist: "Ann".into(),
        artists: credits(&[("Ann", "", "")]),
        ..Tags::default()
    };
    assert_eq!(without_sound(read("tagged.caf")), expected);
}

#[test]
fn files_without_tags_say_nothing() {
    for name in ["bare.mp3", "adts.aac"] {
        assert_eq!(without_sound(read(name)), Tags::default(), "{name}");
    }
}

#[test]
fn the_sound_is_as_it_was_encoded() {
    // Sampling rate, bit depth, channels, the least and the highest bit rate.
    let files = [
        ("id3v24.mp3", 44_100, 0, 1, 60, 80),
        ("bare.mp3", 44_100, 0, 1, 60, 80),
        ("comments.flac", 44_100, 16, 1, 40, 300),
        ("flac.oga", 44_100, 16, 1, 40, 400),
        ("comments.ogg", 44_100, 0, 2, 16, 120),
        ("comments.opus", 48_000, 0, 1, 16, 60),
        ("aac.m4a", 44_100, 0, 1, 30, 80),
        ("alac.m4a", 44_100, 16, 1, 40, 400),
        ("adts.aac", 44_100, 0, 1, 30, 80),
        ("id3.wav", 8_000, 16, 1, 128, 128),
        ("info.wav", 8_000, 16, 1, 128, 128),
        ("id3.aiff", 8_000, 16, 1, 128, 128),
        ("tagged.caf", 8_000, 16, 1, 127, 130),
        ("tagged.mka", 44_100, 0, 1, 16, 120),
        ("tagged.webm", 48_000, 0, 1, 16, 60),
        ("alac.caf", 44_100, 16, 1, 40, 400),
    ];
    for (name, rate, depth, channels, least, most) in files {
        let sound = read(name).sound;
        assert_eq!(
            (sound.sample_rate, sound.bit_depth, sound.channels),
            (rate, depth, channels),
            "{name}"
        );
        assert!((least..=most).contains(&sound.bit_rate), "{name} has {} kbit/s", sound.bit_rate);
        // Bare frames hold the silence of the encoder, which nothing there tells apart; ffmpeg states
        // the packets of a CAF file as full.
        let near = if matches!(name, "bare.mp3" | "adts.aac" | "alac.caf") { 80 } else { NEAR_MS };
        assert!(
            sound.duration_ms.abs_diff(LENGTH_MS) <= near,
            "{name} plays {} ms",
            sound.duration_ms
        );
    }
}

#[test]
fn the_hash_is_of_the_sound_alone() {
    let hash = |name| read(name).sound.hash;
    for name in
        ["id3v23.mp3", "id3v22.mp3", "unsynchronised.mp3", "ape.mp3", "id3v1.mp3", "two-tags.mp3"]
    {
        assert_eq!(hash(name), hash("id3v24.mp3"), "{name}");
    }
    assert_eq!(hash("id3.wav"), hash("info.wav"));
    assert_ne!(hash("other.mp3"), hash("id3v24.mp3"));
}

#[test]
fn a_tag_larger_than_its_file_does_not_hide_the_sound() {
    let tags = read("id3-size-huge.mp3");
    assert_eq!(tags.title, "Huge");
    assert!(tags.sound.duration_ms.abs_diff(LENGTH_MS) < 100);
}

#[test]
fn what_holds_no_sound_is_an_error_that_names_the_file() {
    for name in
        ["id3-only.mp3", "noise.mp3", "text.m4a", "atoms-huge.m4a", "picture-huge.flac", "make.py"]
    {
        let message = error(&media(name));
        assert!(message.contains(name) && message.len() > name.len() + 20, "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(error(&folder.path().join("gone.mp3")).contains("gone.mp3"));
    assert!(error(folder.path()).contains("not a"), "{}", error(folder.path()));
    let empty = folder.path().join("empty.mp3");
    fs::write(&empty, b"").unwrap();
    assert!(error(&empty).contains("empty"));
}

#[test]
fn a_file_that_is_cut_off_plays_or_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in files() {
        let bytes = fs::read(media(&name)).unwrap();
        for length in [1, 37, 200, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..length.min(bytes.len())]).unwrap();
            match tags::read(&path) {
                Ok(tags) => assert!(tags.sound.duration_ms < 10_000, "{name} cut at {length}"),
                Err(error) => assert!(error.to_string().contains("cut"), "{name}: {error}"),
            }
        }
    }
    for name in ["id3v24.mp3", "comments.flac", "info.wav", "adts.aac"] {
        let bytes = fs::read(media(name)).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
        assert!(tags::read(&path).is_ok(), "{name}");
    }
}

/// The names of all files but the script and the text beside them, and the folders.
fn files() -> Vec<String> {
    let names = fs::read_dir(media("")).unwrap();
    let files = names.map(Result::unwrap).filter(|entry| entry.path().is_file());
    let names = files.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with(".py") && !name.ends_with(".md")).collect();
    names.sort();
    assert!(names.len() > 25);
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_damage_makes_it_panic(
        which in any::<prop::sample::Index>(),
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 0..12),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let names = files();
        let mut bytes = fs::read(media(&names[which.index(names.len())])).unwrap();
        for (place, value, in_head) in &hits {
            // Headers and tags are at the start mostly, and there damage matters.
            let length = if *in_head { bytes.len().min(512) } else { bytes.len() };
            let place = place.index(length);
            bytes[place] = *value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged");
        fs::write(&path, &bytes).unwrap();
        match tags::read(&path) {
            Ok(tags) => prop_assert!(tags.track < 10_000 && tags.genres.len() <= 64),
            // Panics of the parser are caught; of ours there must be none to catch.
            Err(error) => prop_assert!(!error.to_string().contains("stopped its reader"), "{}", error),
        }
    }
}
