//! Makes the facts of an album from what its songs say, the same whatever the order of changes.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::names::{self, VARIOUS_ARTISTS};
use super::tags::{Credit, Date, Tags};
use crate::db::albums::Extra;
use crate::db::fold;
use crate::db::pack::Named;
use crate::db::scanned::albums::Part;

/// What one song says of its album, kept as JSON beside the song.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// Title; always written, as moved files are told by it.
    pub album: String,
    /// Sort title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// The album artists in one line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub artist: String,
    /// The album artists one by one: name, sort name, MusicBrainz id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<(String, String, String)>,
    /// Date of this release: year, month, day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<(u16, u8, u8)>,
    /// Date of the first release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<(u16, u8, u8)>,
    /// Whether it is called a compilation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compilation: bool,
    /// Version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// MusicBrainz release id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mbid: String,
    /// Record labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Release types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Moods of the song.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moods: Vec<String>,
    /// Title of the song's disc.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub disc_title: String,
}

impl Said {
    /// What tags say of an album of this title.
    pub fn of(tags: &Tags, title: &str) -> Said {
        let (artist, artists) = names::album_artists(tags);
        let date = |date: Date| (date.year > 0).then_some((date.year, date.month, date.day));
        Said {
            album: title.to_owned(),
            sort: tags.sort_album.trim().to_owned(),
            artist,
            artists: artists.into_iter().map(|who| (who.name, who.sort, who.mbid)).collect(),
            released: date(tags.date),
            original: date(tags.original_date),
            compilation: tags.compilation,
            version: tags.album_version.clone(),
            mbid: tags.album_mbid.clone(),
            labels: tags.labels.clone(),
            types: tags.release_types.clone(),
            moods: tags.moods.clone(),
            disc_title: tags.disc_title.clone(),
        }
    }
}

/// Whose album it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Artists {
    /// Those the songs name as album artists.
    Named(Vec<Credit>),
    /// The artists of all its songs, who are rows already.
    Known(Vec<Named>),
}

/// The facts of an album that need no look into the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Name.
    pub name: String,
    /// Sort name.
    pub sort_name: String,
    /// The artists in one line.
    pub artist: String,
    /// The artists one by one.
    pub artists: Artists,
    /// Year.
    pub year: Option<u16>,
    /// Genres, the most frequent first.
    pub genres: Vec<String>,
    /// MusicBrainz release id.
    pub mbid: String,
    /// Version.
    pub version: String,
    /// Whether it is a compilation.
    pub compilation: bool,
    /// Explicit where one song is, clean where some are and none is explicit.
    pub explicit: Option<bool>,
    /// What few albums have.
    pub extra: Extra,
    /// Whether its songs hold more than one picture.
    pub several_pictures: bool,
}

/// Sums up the songs of an album, given in the order of discs and tracks.
///
/// Where they disagree the majority decides, and of equals the earlier song.
pub fn sum_up(parts: &[Part]) -> Summary {
    let said: Vec<Said> =
        parts.iter().map(|part| serde_json::from_str(&part.tags).unwrap_or_default()).collect();
    let text = |field: fn(&Said) -> &String| {
        let texts = said.iter().map(field).filter(|text| !text.is_empty());
        by_frequency(texts).into_iter().next().cloned().unwrap_or_default()
    };
    let date = |field: fn(&Said) -> Option<(u16, u8, u8)>| {
        by_frequency(said.iter().filter_map(field)).into_iter().next()
    };
    let list = |field: fn(&Said) -> &Vec<String>| {
        let mut all: Vec<String> = Vec::new();
        for value in said.iter().flat_map(field) {
            if !all.contains(value) {
                all.push(value.clone());
            }
        }
        all
    };
    let (released, original) = (date(|said| said.released), date(|said| said.original));
    let (artist, artists, various) = whose(parts, &said);
    let mut disc_titles: Vec<(u32, String)> = Vec::new();
    for (part, said) in parts.iter().zip(&said) {
        let disc = part.disc.unwrap_or(1);
        if !said.disc_title.is_empty() && disc_titles.iter().all(|(known, _)| *known != disc) {
            disc_titles.push((disc, said.disc_title.clone()));
        }
    }
    let release_types = list(|said| &said.types);
    let mut pictures: Vec<i64> = parts.iter().filter_map(|part| part.picture).collect();
    pictures.sort_unstable();
    pictures.dedup();
    Summary {
        name: text(|said| &said.album),
        sort_name: text(|said| &said.sort),
        artist,
        artists,
        year: released.or(original).map(|(year, _, _)| year),
        genres: genres(parts),
        mbid: text(|said| &said.mbid),
        version: text(|said| &said.version),
        compilation: various
            || said.iter().any(|said| said.compilation)
            || release_types.iter().any(|kind| kind.eq_ignore_ascii_case("compilation")),
        explicit: parts.iter().filter_map(|part| part.explicit).reduce(|one, other| one || other),
        extra: Extra {
            released,
            original,
            labels: list(|said| &said.labels),
            release_types,
            moods: list(|said| &said.moods),
            disc_titles,
        },
        several_pictures: pictures.len() > 1,
    }
}

/// Whose album it is: who its songs say, else the one artist of all songs, else various artists;
/// and whether it is the latter.
fn whose(parts: &[Part], said: &[Said]) -> (String, Artists, bool) {
    let named = by_frequency(said.iter().map(|said| &said.artist).filter(|line| !line.is_empty()));
    if let Some(line) = named.first() {
        let credits = said.iter().find(|said| said.artist == **line).map(|said| &said.artists);
        let credits = credits.into_iter().flatten().map(|(name, sort, mbid)| Credit {
            name: name.clone(),
            sort: sort.clone(),
            mbid: mbid.clone(),
        });
        let various = fold::name_key(line) == fold::name_key(VARIOUS_ARTISTS);
        return ((*line).clone(), Artists::Named(credits.collect()), various);
    }
    let first = parts.first();
    let called = said.iter().any(|said| said.compilation);
    let same = |one: &dyn Fn(&Part) -> String| {
        let one_of_all = first.map(one);
        parts.iter().all(|part| Some(one(part)) == one_of_all)
    };
    if !called && same(&|part| fold::name_key(&part.artist)) {
        let (line, artists) =
            first.map(|part| (part.artist.clone(), part.artists.clone())).unwrap_or_default();
        return (line, Artists::Known(artists), false);
    }
    if !called && same(&|part| first_artist(part)) {
        // Every song names the same artist first, with guests on some.
        let artist = first.and_then(|part| part.artists.first()).cloned();
        let line = artist.as_ref().map(|artist| artist.name.clone()).unwrap_or_default();
        return (line, Artists::Known(artist.into_iter().collect()), false);
    }
    if !called && same(&|part| fold::name_key(names::lead(&part.artist))) {
        let lead = first.map(|part| names::lead(&part.artist).to_owned()).unwrap_or_default();
        return (lead.clone(), Artists::Named(vec![names::named(&lead)]), false);
    }
    let various = vec![names::named(VARIOUS_ARTISTS)];
    (VARIOUS_ARTISTS.to_owned(), Artists::Named(various), true)
}

fn first_artist(part: &Part) -> String {
    part.artists.first().map(|artist| artist.id.to_string()).unwrap_or_default()
}

/// Genres by how many songs have them; spellings that differ in case are one.
fn genres(parts: &[Part]) -> Vec<String> {
    let mut spelled: HashMap<String, &String> = HashMap::new();
    for genre in parts.iter().flat_map(|part| &part.genres) {
        spelled.entry(fold::name_key(genre)).or_insert(genre);
    }
    let keys = parts.iter().flat_map(|part| &part.genres).map(|genre| fold::name_key(genre));
    by_frequency(keys)
        .into_iter()
        .filter_map(|key| spelled.get(&key).map(|genre| (*genre).clone()))
        .collect()
}

/// Distinct values, the most frequent first, of equals the one that came first.
fn by_frequency<T: Hash + Eq + Clone>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    let mut order = Vec::new();
    for value in values {
        let count = counts.entry(value.clone()).or_default();
        if *count == 0 {
            order.push(value);
        }
        *count += 1;
    }
    order.sort_by_key(|value| std::cmp::Reverse(counts.get(value).copied().unwrap_or(0)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(song: i64, artist: &str, said: &Said) -> Part {
        let artists = vec![Named { id: i64::from(artist.as_bytes()[0]), name: artist.to_owned() }];
        let tags = serde_json::to_string(said).unwrap_or_default();
        Part { song, artist: artist.to_owned(), artists, tags, ..Part::default() }
    }

    fn said(album: &str) -> Said {
        Said { album: album.to_owned(), ..Said::default() }
    }

    #[test]
    fn the_majority_names_the_album() {
        let parts = [part(1, "A", &said("X")), part(2, "A", &said("Y")), part(3, "A", &said("Y"))];
        let summary = sum_up(&parts);
        assert_eq!((summary.name.as_str(), summary.artist.as_str()), ("Y", "A"));
        assert!(!summary.compilation);
    }

    #[test]
    fn songs_of_different_artists_are_by_various_artists() {
        let parts = [part(1, "A", &said("X")), part(2, "B", &said("X"))];
        let summary = sum_up(&parts);
        assert_eq!(summary.artist, VARIOUS_ARTISTS);
        assert!(summary.compilation);
    }

    #[test]
    fn a_guest_on_one_song_does_not_make_a_compilation() {
        let parts = [part(1, "A", &said("X")), part(2, "A feat. B", &said("X"))];
        assert_eq!(sum_up(&parts).artist, "A");
        let mut guest = part(2, "Z with A", &said("X"));
        guest.artist = "Someone".to_owned();
        guest.artists = vec![Named { id: 65, name: "A".to_owned() }];
        let summary = sum_up(&[part(1, "A", &said("X")), guest]);
        assert_eq!(summary.artists, Artists::Known(vec![Named { id: 65, name: "A".to_owned() }]));
    }

    #[test]
    fn a_compilation_without_album_artist_is_by_various_artists_even_if_one_sings_it_all() {
        let flagged = Said { compilation: true, ..said("X") };
        assert_eq!(sum_up(&[part(1, "A", &flagged)]).artist, VARIOUS_ARTISTS);
        let owned = Said {
            artist: "A".to_owned(),
            artists: vec![("A".into(), String::new(), "m".into())],
            ..flagged
        };
        let summary = sum_up(&[part(1, "A", &owned), part(2, "B", &owned)]);
        assert_eq!(summary.artist, "A");
        assert!(summary.compilation);
        assert!(matches!(summary.artists, Artists::Named(credits) if credits[0].mbid == "m"));
    }

    #[test]
    fn genres_come_by_frequency_and_facts_by_union() {
        let one = Said {
            labels: vec!["L".into()],
            disc_title: "First".into(),
            released: Some((1999, 0, 0)),
            ..said("X")
        };
        let two = Said {
            labels: vec!["M".into(), "L".into()],
            original: Some((1980, 1, 2)),
            ..said("X")
        };
        let mut parts = [part(1, "A", &one), part(2, "A", &two), part(3, "A", &two)];
        parts[0].genres = vec!["Pop".into()];
        parts[1].genres = vec!["rock".into(), "Pop".into()];
        parts[2].genres = vec!["Rock".into(), "Jazz".into(), "ROCK".into()];
        parts[1].explicit = Some(false);
        parts[0].picture = Some(1);
        parts[2].picture = Some(2);
        let summary = sum_up(&parts);
        assert_eq!(summary.genres, ["rock", "Pop", "Jazz"]);
        assert_eq!(summary.extra.labels, ["L", "M"]);
        assert_eq!(summary.extra.disc_titles, [(1, "First".to_owned())]);
        assert_eq!((summary.year, summary.extra.original), (Some(1999), Some((1980, 1, 2))));
        assert_eq!((summary.explicit, summary.several_pictures), (Some(false), true));
    }

    proptest! {
        #[test]
        fn damaged_rows_do_not_make_it_panic(tags in ".*", genres in proptest::collection::vec(".*", 0..3)) {
            let summary = sum_up(&[Part { tags, genres, ..Part::default() }]);
            prop_assert!(!summary.several_pictures);
        }
    }
}
