//! What a song is called where its tags do not say, and by which keys its album is known again.

use crate::db::fold;
use crate::scan::tags::{Credit, Tags};

/// The artist of a song that names none.
pub const UNKNOWN_ARTIST: &str = "[Unknown Artist]";

/// The album of a song that names none and lies in no folder of its own.
pub const UNKNOWN_ALBUM: &str = "[Unknown Album]";

/// The artist of an album whose songs are by different ones.
pub const VARIOUS_ARTISTS: &str = "Various Artists";

/// The title of a song and its track number: from the tags, else from the name of the file
/// (`01 - Title.mp3`, `1-02. Title.mp3`, `03_Title.mp3`).
pub fn title(tags: &Tags, file_name: &str) -> (String, u32) {
    if !tags.title.trim().is_empty() {
        return (tags.title.clone(), tags.track);
    }
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let (number, rest) = numbered(stem);
    let spaced = if rest.contains(' ') { rest.to_owned() } else { rest.replace('_', " ") };
    let title = if spaced.trim().is_empty() { stem.to_owned() } else { spaced.trim().to_owned() };
    (title, if tags.track == 0 { number } else { tags.track })
}

/// Parts a track number from the start of a file's name; 0 where there is none.
fn numbered(stem: &str) -> (u32, &str) {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let first = digits(stem);
    let (mut number, mut rest) = stem.split_at_checked(first).unwrap_or(("", stem));
    if !(1..=3).contains(&first) {
        return (0, stem);
    }
    // Disc and track: 1-02 Title.
    if let Some(after) = rest.strip_prefix('-')
        && first <= 2
        && digits(after) == 2
    {
        (number, rest) = after.split_at_checked(2).unwrap_or(("", after));
    }
    let parted = rest.trim_start_matches([' ', '-', '.', '_', ')']);
    let by_sign = rest.trim_start().starts_with(['-', '.', '_', ')']);
    let by_zero = rest.starts_with(' ') && number.starts_with('0');
    match parted.is_empty() || !(by_sign || by_zero) {
        true => (0, stem),
        false => (number.parse().unwrap_or(0), parted),
    }
}

/// The artists of a song: the line to show, and one by one.
pub fn artists(tags: &Tags) -> (String, Vec<Credit>) {
    credited(&tags.artist, &tags.artists)
        .or_else(|| credited(&tags.album_artist, &tags.album_artists))
        .unwrap_or_else(|| (UNKNOWN_ARTIST.to_owned(), vec![named(UNKNOWN_ARTIST)]))
}

/// The album artists that a song itself names: the line to show, and one by one.
pub fn album_artists(tags: &Tags) -> (String, Vec<Credit>) {
    credited(&tags.album_artist, &tags.album_artists).unwrap_or_default()
}

/// A line to show and the people in it, each made from the other where only one is there.
fn credited(line: &str, credits: &[Credit]) -> Option<(String, Vec<Credit>)> {
    let line = line.trim();
    match (line.is_empty(), credits.is_empty()) {
        (true, true) => None,
        (false, true) => Some((line.to_owned(), vec![named(line)])),
        (true, false) => Some((joined(credits), credits.to_vec())),
        (false, false) => Some((line.to_owned(), credits.to_vec())),
    }
}

/// Somebody of whom only the name is known.
pub fn named(name: &str) -> Credit {
    Credit { name: name.to_owned(), ..Credit::default() }
}

fn joined(credits: &[Credit]) -> String {
    credits.iter().map(|credit| credit.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The artist without guests: "A feat. B" is by A.
pub fn lead(artist: &str) -> &str {
    const GUESTS: [&str; 8] =
        [" feat. ", " feat ", " featuring ", " ft. ", " ft ", "(feat. ", "(ft. ", "[feat. "];
    // Lower case of ASCII alone keeps every letter in its place.
    let lower = artist.to_ascii_lowercase();
    let end = GUESTS.iter().filter_map(|guests| lower.find(guests)).min();
    let lead = end.and_then(|end| artist.get(..end)).unwrap_or(artist).trim();
    if lead.is_empty() { artist } else { lead }
}

/// Where a song lies, as far as its album is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its music folder.
    pub root: i64,
    /// The folder of the album: the song's own, or the one around it where that is but a disc.
    pub album_folder: i64,
    /// Name of that folder; empty where it is the music folder itself.
    pub album_folder_name: String,
    /// The folder around the album's.
    pub above: Option<i64>,
    /// The number of the disc that the song's folder is for; 0 where it is for none.
    pub disc: u32,
}

/// What a song's album is called and known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Album {
    /// Title, without the number of a disc behind it.
    pub title: String,
    /// The disc the song is on; 0 where unknown.
    pub disc: u32,
    /// The keys by which the album may be known already, the best first.
    pub keys: Vec<String>,
}

/// Decides what the album of a song is called and known by.
///
/// One title in one folder is one album, whoever its songs are by; folders named as discs count
/// as their parent. One MusicBrainz id in one music folder is one album wherever its songs lie.
/// Folders side by side that are named as discs ("Title CD1", "Title CD2") are one album if their
/// songs agree on title and album artist. Without an album in the tags the folder is the album; in
/// the music folder itself there is one album for each artist.
pub fn album(tags: &Tags, place: &Place) -> Album {
    let tagged = tags.album.trim();
    let is_loose = tagged.is_empty() && place.album_folder_name.is_empty();
    let (_, artists) = artists(tags);
    let artist = artists.first().map_or("", |artist| artist.name.as_str());
    let (title, title_disc) = match tagged.is_empty() {
        _ if is_loose => (UNKNOWN_ALBUM, 0),
        false => split_disc(tagged),
        true => split_disc(&place.album_folder_name),
    };
    let (_, folder_disc) = split_disc(&place.album_folder_name);
    let disc = [tags.disc, title_disc, place.disc, folder_disc].into_iter().find(|disc| *disc > 0);
    let key = fold::name_key(title);
    let mut keys = vec![match is_loose {
        true => format!("loose:{}:{}", place.album_folder, fold::name_key(artist)),
        false => format!("folder:{}:{key}", place.album_folder),
    }];
    if !tags.album_mbid.is_empty() {
        keys.push(format!("mbid:{}:{}", place.root, tags.album_mbid));
    }
    if let (Some(above), Some(_), true) = (place.above, disc, folder_disc > 0) {
        let (by, _) = album_artists(tags);
        let by = match (by.is_empty(), tags.compilation) {
            (false, _) => by,
            (true, true) => VARIOUS_ARTISTS.to_owned(),
            (true, false) => lead(artist).to_owned(),
        };
        keys.push(format!("discs:{above}:{}:{key}", fold::name_key(&by)));
    }
    Album { title: title.to_owned(), disc: disc.unwrap_or(0), keys }
}

/// The number of a disc that a folder is named for: "CD1", "Disc 2 - Live", "disk_B".
pub fn disc_folder(name: &str) -> Option<u32> {
    let (number, rest) = disc_number(name)?;
    rest.chars().next().is_none_or(|next| !next.is_alphanumeric()).then_some(number)
}

/// Parts the number of a disc from the end of a title: "Title (Disc 2)", "Title [CD 2: Live]",
/// "Title - CD2"; 0 where there is none.
pub fn split_disc(title: &str) -> (&str, u32) {
    let title = title.trim();
    let bracket = match title.chars().last() {
        Some(')') => title.rfind('('),
        Some(']') => title.rfind('['),
        _ => None,
    };
    let starts = bracket.into_iter().chain(
        title.char_indices().rev().filter(|(_, letter)| *letter == ' ').map(|(at, _)| at).take(2),
    );
    for start in starts {
        let Some((front, end)) = title.split_at_checked(start) else { continue };
        let front = front.trim_end_matches([' ', '-', ',', ':', '–']);
        let end = end.trim_start();
        let found = match end.strip_prefix(['(', '[']) {
            Some(inside) => disc_folder(inside.trim_end_matches([')', ']'])),
            None => disc_number(end).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number),
        };
        if let (Some(number), false) = (found, front.is_empty()) {
            return (front, number);
        }
    }
    (title, 0)
}

/// Reads "CD1", "Disc 2", "disk b"; gives the number and what follows it.
fn disc_number(text: &str) -> Option<(u32, &str)> {
    let rest = ["disc", "disk", "cd"].iter().find_map(|word| {
        let (front, rest) = text.split_at_checked(word.len())?;
        front.eq_ignore_ascii_case(word).then_some(rest)
    })?;
    let number = rest.trim_start_matches([' ', '_', '-', '.', '#']);
    let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=2).contains(&digits) {
        let (digits, rest) = number.split_at_checked(digits)?;
        return digits.parse().ok().filter(|number| *number > 0).map(|number| (number, rest));
    }
    let mut letters = number.chars();
    let letter = letters.next().filter(|_| number.len() < rest.len())?.to_ascii_lowercase();
    ('a'..='h')
        .contains(&letter)
        .then(|| (u32::from(letter) - u32::from('a') + 1, letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(name: &str) -> Place {
        Place {
            root: 1,
            album_folder: 7,
            album_folder_name: name.to_owned(),
            above: Some(3),
            disc: 0,
        }
    }

    #[test]
    fn a_title_comes_from_the_file_name_where_there_is_none() {
        for (file_name, title_of, track) in [
            ("01 - Song.mp3", "Song", 1),
            ("1-02. Song.mp3", "Song", 2),
            ("1-02 - Song.mp3", "Song", 2),
            ("03_My_Song.ogg", "My Song", 3),
            ("04 Song.mp3", "Song", 4),
            ("99 Luftballons.mp3", "99 Luftballons", 0),
            ("1999.mp3", "1999", 0),
            ("07.mp3", "07", 0),
            ("12) Song.flac", "Song", 12),
            ("Song", "Song", 0),
            (" .mp3", " ", 0),
        ] {
            assert_eq!(
                title(&Tags::default(), file_name),
                (title_of.to_owned(), track),
                "{file_name}"
            );
        }
        let tagged = Tags { title: " As it is ".to_owned(), track: 5, ..Tags::default() };
        assert_eq!(title(&tagged, "01 - x.mp3"), (" As it is ".to_owned(), 5));
    }

    #[test]
    fn the_artist_is_the_one_named_then_the_album_artist_then_unknown() {
        let both = Tags {
            artist: "A feat. B".to_owned(),
            artists: vec![named("A"), named("B")],
            album_artist: "A".to_owned(),
            ..Tags::default()
        };
        assert_eq!(artists(&both), ("A feat. B".to_owned(), vec![named("A"), named("B")]));
        let line =
            Tags { artist: "A".to_owned(), album_artists: vec![named("B")], ..Tags::default() };
        assert_eq!(artists(&line), ("A".to_owned(), vec![named("A")]));
        let album = Tags { album_artist: "C".to_owned(), ..Tags::default() };
        assert_eq!(artists(&album), ("C".to_owned(), vec![named("C")]));
        assert_eq!(artists(&Tags::default()).0, UNKNOWN_ARTIST);
        assert_eq!(album_artists(&Tags::default()), (String::new(), Vec::new()));
    }

    #[test]
    fn guests_are_not_the_lead() {
        for (artist, by) in [
            ("A feat. B", "A"),
            ("A (Feat. B)", "A"),
            ("A Ft. B & C", "A"),
            ("A", "A"),
            ("Lofty Drift", "Lofty Drift"),
            (" feat. B", " feat. B"),
            ("İ feat. B", "İ"),
        ] {
            assert_eq!(lead(artist), by);
        }
    }

    #[test]
    fn folders_of_discs_are_told_by_their_names() {
        for (name, disc) in [
            ("CD1", Some(1)),
            ("cd 02", Some(2)),
            ("Disc 3 - Live", Some(3)),
            ("DISK_B", Some(2)),
            ("Disc-1", Some(1)),
            ("CDs", None),
            ("CD", None),
            ("Discovery", None),
            ("Disc 100", None),
            ("CD1x", None),
            ("Disc 0", None),
            ("Album", None),
        ] {
            assert_eq!(disc_folder(name), disc, "{name}");
        }
    }

    #[test]
    fn a_disc_is_parted_from_a_title() {
        for (title, parted) in [
            ("Title (Disc 2)", ("Title", 2)),
            ("Title [CD 2: Live]", ("Title", 2)),
            ("Title - CD2", ("Title", 2)),
            ("Title, Disc 1", ("Title", 1)),
            ("Title CD 3", ("Title", 3)),
            ("Title (Deluxe Edition)", ("Title (Deluxe Edition)", 0)),
            ("(Disc 2)", ("(Disc 2)", 0)),
            ("Disc 2", ("Disc 2", 0)),
            ("Secret Disc", ("Secret Disc", 0)),
            ("Compact Disco 2", ("Compact Disco 2", 0)),
        ] {
            assert_eq!(split_disc(title), parted);
        }
    }

    #[test]
    fn an_album_is_known_by_folder_id_and_title() {
        let tags =
            Tags { album: "Title".to_owned(), album_mbid: "m".to_owned(), ..Tags::default() };
        let found = album(&tags, &place("Folder"));
        assert_eq!(found.keys, ["folder:7:title", "mbid:1:m"]);
        let untagged = album(&Tags::default(), &place("Folder (CD 2)"));
        assert_eq!((untagged.title.as_str(), untagged.disc), ("Folder", 2));
    }

    #[test]
    fn discs_in_folders_side_by_side_share_a_key() {
        let disc = |number: u32, folder: i64| {
            let name = format!("Title (Disc {number})");
            let tags = Tags {
                album: name.clone(),
                artist: "A".to_owned(),
                disc: number,
                ..Tags::default()
            };
            album(&tags, &Place { album_folder: folder, ..place(&name) })
        };
        let (one, two) = (disc(1, 7), disc(2, 8));
        assert_ne!(one.keys.first(), two.keys.first());
        assert_eq!(one.keys.last().map(String::as_str), Some("discs:3:a:title"));
        assert_eq!(one.keys.last(), two.keys.last());
        assert_eq!((two.title.as_str(), two.disc), ("Title", 2));
    }

    #[test]
    fn loose_songs_without_an_album_are_parted_by_artist() {
        let loose = |artist: &str| {
            let tags = Tags { artist: artist.to_owned(), ..Tags::default() };
            album(&tags, &place(""))
        };
        assert_eq!(loose("A").title, UNKNOWN_ALBUM);
        assert_ne!(loose("A").keys, loose("B").keys);
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic(name in "(CD|disc |[0-9]{1,3}|[-_. ()\\[\\]]|.){0,12}") {
            let (front, disc) = split_disc(&name);
            prop_assert!(disc == 0 || !front.is_empty());
            let _ = (disc_folder(&name), lead(&name));
            let (title, _) = title(&Tags::default(), &name);
            prop_assert_eq!(title.is_empty(), name.is_empty() || name.starts_with('.') && !name[1..].contains('.'));
        }
    }
}
