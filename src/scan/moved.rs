//! Recognises a file that was moved or renamed: the song it was before, by its sound.

use crate::db::scanned::songs::Lost;

/// A file found at a new place.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Bytes.
    pub size: i64,
    /// Its name.
    pub file_name: &'a [u8],
    /// Title.
    pub title: &'a str,
    /// Title of its album.
    pub album: &'a str,
    /// Track number.
    pub track: Option<i64>,
    /// Disc number.
    pub disc: Option<i64>,
}

/// Which song a file was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// None: it is new.
    New,
    /// This one: name or tags say so too.
    Sure(i64),
    /// This one, if no other file of this scan is surely it: the sound alone says so.
    Perhaps(i64),
}

/// Finds the song a file was, among the songs that are gone and sound the same.
///
/// They are narrowed down by length, then by file name, then by title, album, track and disc, each
/// only as far as any are left; of several that are left it is the oldest.
pub fn find(found: &Found, lost: &[Lost]) -> Match {
    let has_name = |song: &Lost| song.file_name == found.file_name;
    let has_tags = |song: &Lost| {
        (song.title.as_str(), song.album.as_str(), song.track, song.disc)
            == (found.title, found.album, found.track, found.disc)
    };
    let mut left: Vec<&Lost> = lost.iter().collect();
    for fits in [&|song: &Lost| song.size == found.size, &has_name, &has_tags]
        as [&dyn Fn(&Lost) -> bool; 3]
    {
        if left.iter().any(|song| fits(song)) {
            left.retain(|song| fits(song));
        }
    }
    match left.first() {
        None => Match::New,
        Some(song) if has_name(song) || has_tags(song) => Match::Sure(song.id),
        Some(song) => Match::Perhaps(song.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lost(id: i64, size: i64, name: &str, title: &str) -> Lost {
        Lost {
            id,
            size,
            file_name: name.into(),
            title: title.to_owned(),
            album: "Album".to_owned(),
            track: Some(1),
            disc: None,
        }
    }

    fn found<'a>(size: i64, name: &'a str, title: &'a str) -> Found<'a> {
        Found {
            size,
            file_name: name.as_bytes(),
            title,
            album: "Album",
            track: Some(1),
            disc: None,
        }
    }

    #[test]
    fn length_then_name_then_tags_decide() {
        let songs = [
            lost(1, 5, "a.mp3", "A"),
            lost(2, 6, "a.mp3", "B"),
            lost(3, 6, "b.mp3", "B"),
            lost(4, 6, "b.mp3", "C"),
        ];
        assert_eq!(find(&found(5, "a.mp3", "A"), &songs), Match::Sure(1));
        assert_eq!(find(&found(6, "a.mp3", "A"), &songs), Match::Sure(2));
        assert_eq!(find(&found(6, "b.mp3", "C"), &songs), Match::Sure(4));
        assert_eq!(find(&found(6, "new.mp3", "C"), &songs), Match::Sure(4));
        assert_eq!(find(&found(7, "new.mp3", "New"), &songs), Match::Perhaps(1));
        assert_eq!(find(&found(6, "new.mp3", "New"), &songs), Match::Perhaps(2));
        assert_eq!(find(&found(6, "new.mp3", "New"), &[]), Match::New);
    }

    proptest! {
        #[test]
        fn a_song_that_only_moved_is_found(sizes in proptest::collection::vec(0..3_i64, 1..6), at: usize) {
            let songs: Vec<_> = (0_i64..).zip(&sizes).map(|(id, size)| lost(id, *size, &id.to_string(), "T")).collect();
            let song = &songs[at % songs.len()];
            let name = song.id.to_string();
            prop_assert_eq!(find(&found(song.size, &name, "T"), &songs), Match::Sure(song.id));
        }
    }
}
