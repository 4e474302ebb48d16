//! From the fields of all tags of a file to one `Tags`.

use super::fields::{Fields, canonical};
use super::{Contributor, Credit, Gain, Lyrics, Tags, genres, lists, text, values};

/// One field, in bytes.
const MOST_TEXT_BYTES: usize = 4 * 1024;
/// Lyrics or a comment, in bytes.
const MOST_LONG_TEXT_BYTES: usize = 64 * 1024;
/// Values of one field: genres, artists, ...
const MOST_VALUES: usize = 64;

/// Names of contributors' fields, the role of OpenSubsonic they stand for, and whether the value
/// may name an instrument in brackets.
const ROLES: [(&[&str], &str, bool); 14] = [
    (&["COMPOSER"], "composer", false),
    (&["CONDUCTOR"], "conductor", false),
    (&["LYRICIST", "WRITTENBY"], "lyricist", false),
    (&["WRITER", "AUTHOR"], "writer", false),
    (&["REMIXER", "MIXARTIST", "REMIXEDBY"], "remixer", false),
    (&["ARRANGER"], "arranger", false),
    (&["PRODUCER"], "producer", false),
    (&["ENGINEER", "SOUNDENGINEER"], "engineer", false),
    (&["MIXER", "MIXEDBY"], "mixer", false),
    (&["DJMIXER"], "djmixer", false),
    (&["DIRECTOR"], "director", false),
    (&["PERFORMER"], "performer", true),
    (&["ENSEMBLE", "ORCHESTRA"], "performer", false),
    (&["SOLOIST", "SOLOISTS"], "performer", false),
];

/// Everything but the picture and the sound.
pub(super) fn tags(fields: &Fields) -> Tags {
    let one = |names: &[&str]| text::kept(fields.first(names).unwrap_or_default(), MOST_TEXT_BYTES);
    let many =
        |names: &[&str]| distinct(fields.all(names).into_iter().flat_map(lists::at_semicolons));
    let titles = |names: &[&str]| distinct(fields.all(names).into_iter());
    let (artist, artists) = credits(
        fields,
        &["ARTIST"],
        &["ARTISTS"],
        &["ARTISTSSORT", "ARTISTSORT", "ARTISTSORTORDER"],
        &["MUSICBRAINZARTISTID"],
    );
    let (album_artist, album_artists) = credits(
        fields,
        &["ALBUMARTIST"],
        &["ALBUMARTISTS"],
        &["ALBUMARTISTSSORT", "ALBUMARTISTSORT", "ALBUMARTISTSORTORDER"],
        &["MUSICBRAINZALBUMARTISTID"],
    );
    let (track, _) = number(fields, &["TRACKNUMBER", "TRACK"]);
    let (disc, disc_total) = number(fields, &["DISCNUMBER", "DISC", "DISKNUMBER", "DISK"]);
    let stated_total =
        values::number(fields.first(&["DISCTOTAL", "TOTALDISCS", "DISKTOTAL"]).unwrap_or_default());
    let (movement_number, movement_count) = number(fields, &["MOVEMENT", "MOVEMENTNUMBER"]);
    let stated_count =
        values::number(fields.first(&["MOVEMENTTOTAL", "MOVEMENTCOUNT"]).unwrap_or_default());
    let date = |names: &[&str]| {
        let dates =
            names.iter().map(|name| values::date(fields.first(&[name]).unwrap_or_default()));
        dates.into_iter().find(|date| date.year > 0).unwrap_or_default()
    };
    Tags {
        title: one(&["TITLE"]),
        sort_title: one(&["TITLESORT", "TITLESORTORDER"]),
        album: one(&["ALBUM"]),
        sort_album: one(&["ALBUMSORT", "ALBUMSORTORDER"]),
        artist,
        artists,
        album_artist,
        album_artists,
        contributors: contributors(fields),
        track,
        disc,
        disc_total: if stated_total > 0 { stated_total } else { disc_total },
        disc_title: one(&["DISCSUBTITLE", "SETSUBTITLE", "DISKSUBTITLE"]),
        date: date(&["DATE", "RELEASEDATE", "YEAR", "RECORDINGDATE"]),
        original_date: date(&["ORIGINALDATE", "ORIGINALRELEASEDATE", "ORIGINALYEAR"]),
        compilation: values::flag(
            fields.first(&["COMPILATION", "ITUNESCOMPILATION"]).unwrap_or_default(),
        ),
        genres: genres_of(fields),
        moods: many(&["MOOD"]),
        groupings: many(&["GROUPING", "CONTENTGROUP"]),
        works: titles(&["WORK"]),
        movement: one(&["MOVEMENTNAME"]),
        movement_number,
        movement_count: if stated_count > 0 { stated_count } else { movement_count },
        labels: many(&["LABEL", "PUBLISHER", "ORGANIZATION"]),
        release_types: release_types(fields),
        album_version: one(&["ALBUMVERSION", "VERSION"]),
        isrc: many(&["ISRC"]),
        comment: text::kept(
            fields.first(&["COMMENT", "DESCRIPTION"]).unwrap_or_default(),
            MOST_LONG_TEXT_BYTES,
        ),
        bpm: values::beats(fields.first(&["BPM", "TEMPO"]).unwrap_or_default()),
        explicit: explicit(fields),
        recording_mbid: mbid(fields, &["MUSICBRAINZTRACKID", "MUSICBRAINZRECORDINGID"]),
        album_mbid: mbid(fields, &["MUSICBRAINZALBUMID"]),
        gain: gain(fields),
        lyrics: lyrics(fields),
        picture: None,
        sound: super::Sound::default(),
        video: None,
    }
}

/// Values without spaces around them, each once (whatever its capitals), at most `MOST_VALUES`.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for value in values {
        let value = text::kept(value.trim(), MOST_TEXT_BYTES);
        let folded = value.to_lowercase();
        if !value.is_empty()
            && kept.len() < MOST_VALUES
            && !kept.iter().any(|known| known.to_lowercase() == folded)
        {
            kept.push(value);
        }
    }
    kept
}

/// The display text and the people one by one.
///
/// A field that lists the people wins over taking the text apart. Sort names and ids belong to the
/// people in their order, and only where there are as many of them.
fn credits(
    fields: &Fields,
    text: &[&str],
    listed: &[&str],
    sorts: &[&str],
    mbids: &[&str],
) -> (String, Vec<Credit>) {
    let texts = fields.all(text);
    let from_text: Vec<&str> = texts.iter().copied().flat_map(lists::at_semicolons).collect();
    let from_list: Vec<&str> =
        fields.all(listed).into_iter().flat_map(lists::at_semicolons).collect();
    let people =
        distinct(if from_list.is_empty() { from_text.iter() } else { from_list.iter() }.copied());
    let display = match (texts.as_slice(), from_text.len()) {
        ([], _) => people.join(", "),
        ([text], 0..=1) => text.trim().to_owned(),
        _ => distinct(from_text.into_iter()).join(", "),
    };
    let sorts = distinct(fields.all(sorts).into_iter().flat_map(lists::at_semicolons));
    let mbids = distinct(
        fields.all(mbids).into_iter().flat_map(lists::at_semicolons).flat_map(|ids| ids.split('/')),
    );
    let paired = |values: &[String], place: usize| match values.get(place) {
        Some(value) if values.len() == people.len() => value.clone(),
        _ => String::new(),
    };
    let credits = people
        .iter()
        .enumerate()
        .map(|(place, name)| Credit {
            name: name.clone(),
            sort: paired(&sorts, place),
            mbid: Some(paired(&mbids, place))
                .filter(|id| lists::is_mbid(id))
                .unwrap_or_default()
                .to_lowercase(),
        })
        .collect();
    (text::kept(&display, MOST_TEXT_BYTES), credits)
}

fn contributors(fields: &Fields) -> Vec<Contributor> {
    let mut people: Vec<Contributor> = Vec::new();
    for (names, role, has_part) in ROLES {
        for value in fields.all(names).into_iter().flat_map(lists::at_semicolons) {
            let (name, part) = if has_part { lists::person_and_part(value) } else { (value, "") };
            let person = Contributor {
                role: role.to_owned(),
                sub_role: text::kept(part, MOST_TEXT_BYTES),
                name: text::kept(name, MOST_TEXT_BYTES),
            };
            if !person.name.is_empty() && people.len() < MOST_VALUES && !people.contains(&person) {
                people.push(person);
            }
        }
    }
    people
}

fn number(fields: &Fields, names: &[&str]) -> (u32, u32) {
    values::number_of_total(fields.first(names).unwrap_or_default())
}

fn genres_of(fields: &Fields) -> Vec<String> {
    let values = fields.all(&["GENRE"]).into_iter().flat_map(lists::at_semicolons);
    distinct(values.flat_map(genres::in_value))
}

fn release_types(fields: &Fields) -> Vec<String> {
    let values = fields.all(&["RELEASETYPE", "MUSICBRAINZALBUMTYPE"]);
    let lower: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    distinct(
        lower
            .iter()
            .map(String::as_str)
            .flat_map(lists::at_semicolons)
            .flat_map(|types| types.split(['/', ','])),
    )
}

/// iTunes: 1, and 4 in old files, is explicit; 2 is a clean version of something explicit.
fn explicit(fields: &Fields) -> Option<bool> {
    match values::number(fields.first(&["ITUNESADVISORY", "RTNG"])?) {
        1 | 4 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

fn mbid(fields: &Fields, names: &[&str]) -> String {
    let id = fields.first(names).unwrap_or_default().trim();
    if lists::is_mbid(id) { id.to_lowercase() } else { String::new() }
}

fn gain(fields: &Fields) -> Gain {
    let first = |name: &str| fields.first(&[name]);
    let of = |kind: &str| {
        let (plain, r128, rva2) =
            (format!("REPLAYGAIN{kind}GAIN"), format!("R128{kind}GAIN"), format!("RVA2{kind}GAIN"));
        let peaks = [format!("REPLAYGAIN{kind}PEAK"), format!("RVA2{kind}PEAK")];
        let gain = first(&plain).and_then(values::gain);
        let gain = gain.or_else(|| first(&r128).and_then(values::r128_gain));
        let gain = gain.or_else(|| first(&rva2).and_then(values::gain));
        (gain, peaks.iter().find_map(|name| first(name).and_then(values::peak)))
    };
    let ((track, track_peak), (album, album_peak)) = (of("TRACK"), of("ALBUM"));
    Gain { track, album, track_peak, album_peak }
}

/// The lyrics of the first tag that has any; the same text twice is one.
fn lyrics(fields: &Fields) -> Vec<Lyrics> {
    let mut kept: Vec<Lyrics> = Vec::new();
    let found = fields.layers.iter().map(|layer| &layer.lyrics).find(|lyrics| !lyrics.is_empty());
    for lyrics in found.into_iter().flatten() {
        let lyrics = Lyrics {
            language: lyrics.language.clone(),
            text: text::kept(
                &lyrics.text.replace("\r\n", "\n").replace('\r', "\n"),
                MOST_LONG_TEXT_BYTES,
            ),
        };
        if !lyrics.text.is_empty()
            && kept.len() < MOST_VALUES
            && !kept.iter().any(|known| known.text == lyrics.text)
        {
            kept.push(lyrics);
        }
    }
    kept
}

/// The exact number of samples iTunes states for a file its encoder padded (`iTunSMPB`).
pub(super) fn stated_samples(fields: &Fields) -> Option<u64> {
    let mut words = fields.first(&[&canonical("iTunSMPB")])?.split_whitespace();
    u64::from_str_radix(words.nth(3)?, 16).ok().filter(|samples| *samples > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::Date;
    use crate::scan::tags::fields::Layer;
    use proptest::prelude::*;

    const ONE: &str = "89ad4ac3-39f7-470e-963a-56509c546377";
    const TWO: &str = "0a5f5c5c-1111-4222-8333-444455556666";

    fn of(pairs: &[(&str, &str)]) -> Tags {
        let mut layer = Layer::default();
        for (name, value) in pairs {
            layer.push(name, value);
        }
        tags(&Fields { layers: vec![layer] })
    }

    fn names(credits: &[Credit]) -> Vec<&str> {
        credits.iter().map(|credit| credit.name.as_str()).collect()
    }

    #[test]
    fn artists_lists_the_artists_and_artist_is_displayed() {
        let tags = of(&[("ARTIST", "A feat. B"), ("ARTISTS", "A"), ("ARTISTS", " B ")]);
        assert_eq!((tags.artist.as_str(), names(&tags.artists)), ("A feat. B", vec!["A", "B"]));
        let tags = of(&[("ARTIST", "A"), ("ARTIST", "B/C")]);
        assert_eq!((tags.artist.as_str(), names(&tags.artists)), ("A, B/C", vec!["A", "B/C"]));
        let tags = of(&[("ARTIST", "A; B")]);
        assert_eq!((tags.artist.as_str(), names(&tags.artists)), ("A, B", vec!["A", "B"]));
        let tags = of(&[("ARTISTS", "A"), ("ARTISTS", "B")]);
        assert_eq!((tags.artist.as_str(), names(&tags.artists)), ("A, B", vec!["A", "B"]));
        assert!(of(&[("ALBUM ARTIST", " ")]).album_artists.is_empty());
    }

    #[test]
    fn ids_and_sort_names_are_given_only_where_their_number_fits() {
        let both = [
            ("ARTIST", "A"),
            ("ARTIST", "B"),
            ("MUSICBRAINZ_ARTISTID", ONE),
            ("MUSICBRAINZ_ARTISTID", TWO),
            ("ARTISTSORT", "A, x"),
            ("ARTISTSORT", "B, y"),
        ];
        let tags = of(&both);
        assert_eq!(
            tags.artists[1],
            Credit { name: "B".into(), sort: "B, y".into(), mbid: TWO.into() }
        );
        let tags = of(&both[..3]);
        assert!(tags.artists.iter().all(|credit| credit.mbid.is_empty() && credit.sort.is_empty()));
        assert!(
            of(&[("ARTIST", "A"), ("MUSICBRAINZ_ARTISTID", "none")]).artists[0].mbid.is_empty()
        );
    }

    #[test]
    fn titles_keep_their_spaces_and_blank_ones_are_none() {
        let tags = of(&[("TITLE", "  spaces around  "), ("ALBUM", " \t ")]);
        assert_eq!((tags.title.as_str(), tags.album.as_str()), ("  spaces around  ", ""));
    }

    #[test]
    fn genres_come_one_by_one_and_once() {
        let tags = of(&[("GENRE", "(17)(52)"), ("GENRE", "rock; Post-Rock"), ("GENRE", "9")]);
        assert_eq!(tags.genres, ["Rock", "Electronic", "Post-Rock", "Metal"]);
    }

    #[test]
    fn a_date_that_is_none_leaves_the_word_to_the_next_field() {
        let tags = of(&[("DATE", "soon"), ("YEAR", "1999"), ("ORIGINALYEAR", "1968")]);
        assert_eq!(
            (tags.date, tags.original_date),
            (Date { year: 1999, month: 0, day: 0 }, Date { year: 1968, month: 0, day: 0 })
        );
    }

    #[test]
    fn people_have_roles() {
        let tags = of(&[
            ("COMPOSER", "C"),
            ("PERFORMER", "V (violin)"),
            ("PERFORMER", "O"),
            ("MIXARTIST", "R"),
        ]);
        let people: Vec<_> = tags
            .contributors
            .iter()
            .map(|p| (p.role.as_str(), p.sub_role.as_str(), p.name.as_str()))
            .collect();
        assert_eq!(
            people,
            [
                ("composer", "", "C"),
                ("remixer", "", "R"),
                ("performer", "violin", "V"),
                ("performer", "", "O")
            ]
        );
    }

    #[test]
    fn opus_gains_come_on_the_usual_scale() {
        let gain = of(&[
            ("R128_TRACK_GAIN", "-512"),
            ("REPLAYGAIN_ALBUM_GAIN", "-1.5 dB"),
            ("R128_ALBUM_GAIN", "0"),
        ])
        .gain;
        assert_eq!((gain.track, gain.album), (Some(3.0), Some(-1.5)));
    }

    #[test]
    fn the_samples_of_an_itunes_file_are_exact() {
        let mut layer = Layer::default();
        layer.push("iTunSMPB", " 00000000 00000840 000001CA 00000000003F31F6 00000000");
        assert_eq!(stated_samples(&Fields { layers: vec![layer] }), Some(0x3f_31f6));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(pairs in proptest::collection::vec((0..12_usize, ".{0,40}"), 0..100)) {
            let names = ["TITLE", "ARTIST", "ARTISTS", "GENRE", "DATE", "TRACKNUMBER", "PERFORMER", "BPM", "COMMENT", "R128_TRACK_GAIN", "ITUNSMPB", "MUSICBRAINZ_ARTISTID"];
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (names[*name], value.as_str())).collect();
            let tags = of(&pairs);
            prop_assert!(tags.genres.len() <= MOST_VALUES && tags.artists.iter().all(|credit| !credit.name.is_empty()));
            prop_assert!(!tags.title.chars().any(|letter| letter.is_control() && letter != '\t' && letter != '\n'));
        }
    }
}
