//! Which files of a folder belong to another one: words to a song, captions and a picture to a video.

use std::collections::{HashMap, HashSet};

use super::stamp;
use super::tags::CaptionTrack;
use super::walk::{self, COVER_SUFFIXES, File, Stat, modified, without_suffix};
use crate::db::display_name;
use crate::media::{kind, language};

/// Captions of one video that are taken; more are a mistake.
const MOST_CAPTIONS: usize = 64;
/// Suffixes of captions.
const CAPTIONS: [&[u8]; 2] = [b"srt", b"vtt"];
/// What the name of a video's picture may have behind the video's own.
const POSTERS: [&[u8]; 3] = [b"", b"-poster", b".poster"];
/// Captions of these names have only what is not understood by those who speak the language.
const FORCED: [&str; 2] = ["forced", "foreign"];

/// The files of a folder, by the names of what they belong to.
#[derive(Default)]
pub struct Beside<'a> {
    words: HashSet<&'a [u8]>,
    captions: HashMap<&'a [u8], Vec<&'a [u8]>>,
    pictures: HashSet<&'a [u8]>,
}

impl<'a> Beside<'a> {
    /// Sorts the files of a folder out, whose names come in order.
    pub fn of(names: impl Iterator<Item = &'a [u8]> + Clone) -> Beside<'a> {
        let mut beside = Beside::default();
        let videos = names.clone().filter(|name| is_video(name)).map(stem);
        let videos: HashSet<&[u8]> = videos.collect();
        for name in names {
            if let Some(stem) = without_suffix(name, b"lrc") {
                beside.words.insert(stem);
            }
            if videos.is_empty() {
                continue;
            }
            if let Some(stem) = CAPTIONS.iter().find_map(|suffix| without_suffix(name, suffix)) {
                // Of "film.2.srt" beside "film.2.mkv" and "film.mkv" the longer name is meant.
                let ends = (0..=stem.len())
                    .rev()
                    .filter(|end| matches!(stem.get(*end), None | Some(b'.')));
                let mut stems = ends.filter_map(|end| stem.get(..end));
                if let Some(video) = stems.find(|stem| videos.contains(stem)) {
                    beside.captions.entry(video).or_default().push(name);
                }
            } else if COVER_SUFFIXES.iter().any(|suffix| without_suffix(name, suffix).is_some()) {
                beside.pictures.insert(name);
            }
        }
        beside
    }

    /// Adds what belongs to a file, and a stamp of it all.
    pub fn add_to(&self, file: &mut File, stat: &Stat) {
        let stem = stem(&file.name);
        let stamp_of = |name: &[u8], named: &[u8]| {
            let found = stat(name).ok().filter(|found| found.is_file())?;
            let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
            Some(stamp::of_file(named, size, modified(&found)))
        };
        if self.words.contains(stem) {
            let mut names =
                [&b".lrc"[..], b".LRC"].into_iter().map(|suffix| [stem, suffix].concat());
            file.sidecar = names.find_map(|name| stamp_of(&name, b"")).unwrap_or(0);
        }
        if !is_video(&file.name) {
            return;
        }
        let mut stamps = Vec::new();
        for name in self.captions.get(stem).into_iter().flatten().take(MOST_CAPTIONS) {
            if let Some(stamp) = stamp_of(name, name) {
                file.captions.push(name.to_vec());
                stamps.extend(stamp.to_le_bytes());
            }
        }
        file.captions.sort_by_key(|name| {
            let told = told(name, stem);
            (told.forced, !told.language.is_empty(), name.clone())
        });
        let posters = POSTERS.iter().flat_map(|end| {
            COVER_SUFFIXES.iter().map(move |suffix| [stem, end, b".", suffix].concat())
        });
        let mut posters = posters.filter(|name| self.pictures.contains(name.as_slice()));
        file.poster = posters.find_map(|name| walk::picture(&name, stat));
        stamps.extend(file.poster.iter().flat_map(|poster| poster.stamp.to_le_bytes()));
        if !stamps.is_empty() {
            stamps.extend(file.sidecar.to_le_bytes());
            file.sidecar = stamp::of(&stamps);
        }
    }
}

fn is_video(name: &[u8]) -> bool {
    kind::of_name(name).is_some_and(|kind| kind.may_be_video)
}

/// A name without its suffix.
pub fn stem(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len());
    name.get(..dot).unwrap_or(name)
}

/// What the name of a file with captions tells of them: `film.de.forced.srt` beside `film.mkv`.
pub fn told(name: &[u8], video: &[u8]) -> CaptionTrack {
    let between = stem(name).get(video.len()..).unwrap_or_default();
    let between = display_name(between);
    let (mut told, mut rest) = (CaptionTrack::default(), Vec::new());
    for part in between.split('.').map(str::trim).filter(|part| !part.is_empty()) {
        if told.language.is_empty() && language::is_known(part) {
            told.language = language::tag(part);
            continue;
        }
        told.forced |= FORCED.iter().any(|forced| part.eq_ignore_ascii_case(forced));
        told.default |= part.eq_ignore_ascii_case("default");
        if !part.eq_ignore_ascii_case("default") {
            rest.push(part);
        }
    }
    told.name = rest.join(" ");
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_name_of_captions_tells_their_language() {
        for (name, language, more, forced) in [
            ("film.srt", "", "", false),
            ("film.en.srt", "en", "", false),
            ("film.ger.forced.srt", "de", "forced", true),
            ("film.pt-BR.SDH.vtt", "pt-BR", "SDH", false),
            ("film.English.srt", "", "English", false),
            ("film.en.hi.srt", "en", "hi", false),
            ("film.default.fr.srt", "fr", "", false),
        ] {
            let told = told(name.as_bytes(), b"film");
            assert_eq!(
                (told.language.as_str(), told.name.as_str(), told.forced),
                (language, more, forced),
                "{name}"
            );
        }
    }

    #[test]
    fn captions_belong_to_the_video_with_the_longest_name() {
        let names: [&[u8]; 7] = [
            b"film.2.en.srt",
            b"film.2.mkv",
            b"film.SRT",
            b"film.de.vtt",
            b"film.mp4",
            b"film2.srt",
            b"x.srt",
        ];
        let beside = Beside::of(names.into_iter());
        let of = |video: &[u8]| beside.captions.get(video).cloned().unwrap_or_default();
        assert_eq!(of(b"film"), [&b"film.SRT"[..], b"film.de.vtt"]);
        assert_eq!(of(b"film.2"), [b"film.2.en.srt"]);
        assert_eq!(beside.captions.len(), 2);
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic(names in proptest::collection::vec("([ab.]|film|\\.srt|\\.mkv|é){0,6}", 0..8)) {
            let beside = Beside::of(names.iter().map(|name| name.as_bytes()));
            for (video, captions) in &beside.captions {
                for name in captions {
                    let _ = told(name, video);
                    prop_assert!(name.starts_with(video));
                }
            }
        }
    }
}
