//! All songs of a share in one file: what goes into the ZIP archive, and under which names.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content;
use super::files::for_guests;
use super::gate::Guest;
use super::refusal::{CACHE_PAGE, Refusal};
use super::watch::{Over, Watcher};
use crate::db::covers::{self, Source};
use crate::db::songs::{self, Song};
use crate::http::work::{Queue, Work};
use crate::media::plan::attachment;
use crate::media::zip::names::{Taken, clean};
use crate::media::zip::{self, Archive, Content, Delivery, Entry};

use super::STRANGER;

/// Suffixes of covers that come along.
const PICTURES: [&str; 5] = ["jpg", "jpeg", "png", "webp", "gif"];

/// The archive of a share.
///
/// Files that are not there are left out, and the playlist inside names those that are. Checksums
/// are computed while the songs are sent, so a first download reads each byte once; to resume one
/// after the server was started anew reads what lies before once more, when the end is reached.
pub fn archive(guest: Guest, token: &str) -> Result<Work, Refusal> {
    let app = guest.app;
    let writes = app.db.writes();
    let share = guest.admit(token)?;
    if !share.may_download() {
        return Err(Refusal::NoFile);
    }
    let watcher = Watcher::new(&app.db, &share, Over::Archive, None, writes);
    let viewer = share.seen_by(STRANGER);
    let (title, tracks, pictures) = app.db.read(|db| {
        let content = content::read(db, &share)?;
        let (tracks, albums) = tracks(&content.songs, &content.title);
        let mut found = Vec::with_capacity(tracks.len());
        for track in tracks {
            if let Some(file) = songs::file(db, viewer, track.song)? {
                found.push((track, file.path));
            }
        }
        let mut pictures = Vec::new();
        for (album, folder) in albums {
            if let Some((Source::File(path), _)) = covers::of_album(db, viewer, album)? {
                pictures.push((folder, path));
            }
        }
        Ok::<_, rusqlite::Error>((content.title, found, pictures))
    })?;
    let place = app.share_streams.take(share.id).ok_or(Refusal::Full)?;
    let turn = app.archives.take(()).ok_or(Refusal::Full)?;
    let (sender, sums) = (app.sender.clone(), Arc::clone(&app.sums));
    let pace = app.rates.of_share(guest.origin.address);
    let request = Arc::clone(guest.request);
    Ok(Work::on_disk(Queue::Songs, move || {
        let entries = match entries(&title, tracks, pictures) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "a share cannot be packed");
                return Refusal::Unreadable.response();
            }
        };
        if entries.is_empty() {
            return Refusal::NoFile.response();
        }
        let delivery = Delivery {
            disposition: attachment(&format!("{}.zip", clean(&title))),
            cache: CACHE_PAGE,
            pace,
            held: Some(Arc::new((place, turn))),
            watch: Some(Arc::new(watcher)),
        };
        let archive = Arc::new(Archive::new(entries, share.created / 1000));
        let asked = (&request.method, &request.headers);
        for_guests(&share, zip::respond(&sender, &sums, &archive, delivery, asked))
    }))
}

/// A song on its way into an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Track {
    /// The row's id.
    song: i64,
    /// Its folder, empty or with a slash at its end, its name, and its suffix with the dot.
    folder: String,
    stem: String,
    suffix: String,
    /// What the playlist says of it: seconds, and who plays what.
    seconds: i64,
    about: String,
}

/// What of a song its name is made of.
#[derive(Clone, Copy, Debug)]
struct Facts<'a> {
    id: i64,
    album_id: i64,
    album: &'a str,
    album_artist: &'a str,
    artist: &'a str,
    title: &'a str,
    track: Option<i64>,
    disc: Option<i64>,
    suffix: &'a str,
    duration: i64,
}

/// The songs, each once, and the albums whose covers come along, with their folders.
fn tracks(songs: &[Song], title: &str) -> (Vec<Track>, Vec<(i64, String)>) {
    let facts: Vec<Facts> = songs
        .iter()
        .map(|song| Facts {
            id: song.id,
            album_id: song.album_id,
            album: &song.album,
            album_artist: &song.album_artist,
            artist: &song.artist,
            title: &song.title,
            track: song.track,
            disc: song.disc,
            suffix: &song.suffix,
            duration: song.duration,
        })
        .collect();
    named(&facts, title)
}

/// One album lies at the top, several in a folder each; a mix, in which most songs are from albums
/// of their own, is a list with numbers in its order.
fn named(songs: &[Facts], title: &str) -> (Vec<Track>, Vec<(i64, String)>) {
    let mut seen = HashSet::new();
    let songs: Vec<&Facts> = songs.iter().filter(|song| seen.insert(song.id)).collect();
    let mut albums: Vec<&Facts> = Vec::new();
    let mut known = HashSet::new();
    for song in &songs {
        if known.insert(song.album_id) {
            albums.push(song);
        }
    }
    let is_mix = albums.len() > 1 && albums.len() * 2 > songs.len();
    let folders = if is_mix { HashMap::new() } else { folders(&albums) };
    let width = if songs.len() > 99 { songs.len().to_string().len() } else { 2 };
    let discs = |album: i64| songs.iter().any(|song| song.album_id == album && song.disc > Some(1));
    let several: HashSet<i64> =
        albums.iter().map(|song| song.album_id).filter(|album| discs(*album)).collect();
    let track = |(number, song): (usize, &&Facts)| {
        let name = match song.title.trim() {
            "" => title,
            name => name,
        };
        let about = match song.artist {
            "" => name.to_owned(),
            artist => format!("{artist} - {name}"),
        };
        let stem = if is_mix {
            format!("{number:0width$} - {about}")
        } else {
            match (song.track, song.disc.filter(|_| several.contains(&song.album_id))) {
                (Some(track), Some(disc)) => format!("{disc}-{track:02} - {name}"),
                (Some(track), None) => format!("{track:02} - {name}"),
                (None, _) => name.to_owned(),
            }
        };
        Track {
            song: song.id,
            folder: folders.get(&song.album_id).cloned().unwrap_or_default(),
            stem: clean(&stem),
            suffix: format!(".{}", song.suffix),
            seconds: song.duration.saturating_add(500) / 1000,
            about: about
                .chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .collect(),
        }
    };
    let tracks = (1..).zip(&songs).map(track).collect();
    let covers = if is_mix { Vec::new() } else { albums };
    let covers = covers.into_iter().map(|song| {
        let folder = folders.get(&song.album_id).cloned().unwrap_or_default();
        (song.album_id, folder)
    });
    (tracks, covers.collect())
}

/// The folders of albums, by the first song of each: none where there is one album. The artist is
/// named where the albums are of several.
fn folders(albums: &[&Facts]) -> HashMap<i64, String> {
    if albums.len() < 2 {
        return HashMap::new();
    }
    let one_artist = albums
        .iter()
        .all(|song| Some(song.album_artist) == albums.first().map(|first| first.album_artist));
    let mut taken = Taken::default();
    albums
        .iter()
        .map(|song| {
            let name = match song.album_artist {
                artist if one_artist || artist.is_empty() => song.album.to_owned(),
                artist => format!("{artist} - {}", song.album),
            };
            let folder = taken.give("", &clean(&name), "");
            (song.album_id, format!("{folder}/"))
        })
        .collect()
}

/// What goes into the archive, as far as it is there: songs, covers, a playlist. Waits for the disk.
fn entries(
    title: &str,
    tracks: Vec<(Track, PathBuf)>,
    pictures: Vec<(String, PathBuf)>,
) -> std::io::Result<Vec<Entry>> {
    let (mut entries, mut taken) = (Vec::new(), Taken::default());
    let mut list = String::from("#EXTM3U\n");
    for (track, path) in tracks {
        let Some(content) = Content::look(&path)? else { continue };
        let name = taken.give(&track.folder, &track.stem, &track.suffix);
        // Writing to a String cannot fail.
        let _ = writeln!(list, "#EXTINF:{},{}\n{name}", track.seconds, track.about);
        entries.push(Entry { name, content });
    }
    if entries.is_empty() {
        return Ok(entries);
    }
    for (folder, path) in pictures {
        // A picture that cannot be had is no reason to go without the songs.
        let Some((suffix, Ok(Some(content)))) =
            picture_suffix(&path).map(|suffix| (suffix, Content::look(&path)))
        else {
            continue;
        };
        entries.push(Entry { name: taken.give(&folder, "cover", suffix), content });
    }
    let name = taken.give("", &clean(title), ".m3u8");
    entries.push(Entry { name, content: Content::bytes(list) });
    Ok(entries)
}

fn picture_suffix(path: &Path) -> Option<&'static str> {
    let suffix = path.extension()?.to_str()?;
    let known = PICTURES.iter().find(|known| suffix.eq_ignore_ascii_case(known))?;
    Some(match *known {
        "png" => ".png",
        "webp" => ".webp",
        "gif" => ".gif",
        _ => ".jpg",
    })
}

/// The name under which one song is kept.
pub fn file_name(song: &Song) -> String {
    let (tracks, _) = tracks(std::slice::from_ref(song), "Song");
    tracks.first().map(|track| format!("{}{}", track.stem, track.suffix)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn song(id: i64, album_id: i64, title: &'static str) -> Facts<'static> {
        let album = ["", "Spruce", "Fir / Larch", "Spruce"][usize::try_from(album_id).unwrap()];
        Facts {
            id,
            album_id,
            album,
            album_artist: "The Goldcrests",
            artist: "The Goldcrests",
            title,
            track: Some(id),
            disc: None,
            suffix: "flac",
            duration: 200_400,
        }
    }

    fn names(songs: &[Facts]) -> Vec<String> {
        let (tracks, _) = named(songs, "Mix");
        let name = |track: Track| format!("{}{}{}", track.folder, track.stem, track.suffix);
        tracks.into_iter().map(name).collect()
    }

    #[test]
    fn one_album_lies_at_the_top() {
        let mut songs = [song(1, 1, "First: Light"), song(2, 1, "Needle"), song(2, 1, "Needle")];
        assert_eq!(names(&songs), ["01 - First- Light.flac", "02 - Needle.flac"]);
        assert_eq!(named(&songs, "").1, [(1, String::new())]);
        (songs[0].disc, songs[1].disc) = (Some(1), Some(2));
        assert_eq!(names(&songs), ["1-01 - First- Light.flac", "2-02 - Needle.flac"]);
        (songs[0].track, songs[0].title) = (None, " ");
        assert_eq!(names(&songs)[0], "Mix.flac");
    }

    #[test]
    fn several_albums_have_folders() {
        let mut songs = [1, 2, 3, 4, 5, 6].map(|id| song(id, (id + 1) / 2, "Song"));
        assert_eq!(
            names(&songs),
            [
                "Spruce/01 - Song.flac",
                "Spruce/02 - Song.flac",
                "Fir - Larch/03 - Song.flac",
                "Fir - Larch/04 - Song.flac",
                "Spruce (2)/05 - Song.flac",
                "Spruce (2)/06 - Song.flac",
            ]
        );
        songs[4].album_artist = "Others";
        assert_eq!(names(&songs)[4], "Others - Spruce/05 - Song.flac");
        assert_eq!(named(&songs, "").1.len(), 3);
    }

    #[test]
    fn a_mix_keeps_its_order_by_numbers() {
        let songs = [song(7, 2, "One"), song(3, 1, "Two"), song(9, 3, "Three")];
        assert_eq!(
            names(&songs),
            [
                "01 - The Goldcrests - One.flac",
                "02 - The Goldcrests - Two.flac",
                "03 - The Goldcrests - Three.flac"
            ]
        );
        assert_eq!(named(&songs, "").1, []);
        let many: Vec<Facts> =
            (1..=120).map(|id| Facts { album_id: id, ..song(id, 1, "x") }).collect();
        assert_eq!(names(&many)[6], "007 - The Goldcrests - x.flac");
    }
}
