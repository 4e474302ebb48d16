//! A share as programs read it: everything with whole addresses, the same for feeds, previews and
//! lists.

use super::content::{Content, captions_of};
use super::page::Caption;
use crate::db::shares::{Missing, Share};
use crate::db::songs::Song;
use crate::id::Id;
use crate::media::kind;

/// A share.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its page: `https://host/base/share/<token>`; what belongs to it begins with this and a slash.
    pub url: String,
    /// What it is called.
    pub title: String,
    /// What its maker wrote about it.
    pub description: Option<String>,
    /// Who plays all of it, else whose albums all of it is from; `None` where that is not one.
    pub artist: Option<String>,
    /// The album all of it is from; `None` where that is not one.
    pub album: Option<String>,
    /// Its picture, where it has one.
    pub cover: Option<Cover>,
    /// When it was made, ms since 1970.
    pub created: i64,
    /// When it ends, ms since 1970; `None` never.
    pub expires: Option<i64>,
    /// Whether files may be kept.
    pub downloadable: bool,
    /// Whether other sites may show its player.
    pub embeddable: bool,
    /// What is played, in order.
    pub tracks: Vec<Track>,
    /// What is not there now and will come back.
    pub missing: Vec<Missing>,
}

/// The addresses of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// 600 pixels wide at most.
    pub small: String,
    /// 1200 pixels wide at most.
    pub large: String,
}

/// A song or a video of a share.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its id: `so12`.
    pub id: Id,
    /// Its sound.
    pub url: String,
    /// Where its file can be kept from; `None` where it may not be.
    pub download: Option<String>,
    /// Its title.
    pub title: String,
    /// Who plays; empty where nobody knows.
    pub artist: String,
    /// The album it is from; empty where nobody knows.
    pub album: String,
    /// Its number on the disc.
    pub number: Option<i64>,
    /// The number of the disc.
    pub disc: Option<i64>,
    /// Year of release.
    pub year: Option<i64>,
    /// Its first genre.
    pub genre: Option<String>,
    /// How long it plays, in ms; 0 where nobody knows.
    pub duration: u64,
    /// Bytes of its file.
    pub size: u64,
    /// The content type of its file.
    pub content_type: &'static str,
    /// Its picture.
    pub cover: Option<Cover>,
    /// What it says of explicit words.
    pub explicit: Option<bool>,
    /// Width and height where it is a video; 0 where unknown.
    pub video: Option<(u32, u32)>,
    /// The captions of a video.
    pub captions: Vec<Caption>,
}

/// The listing of a share; `base` is what links begin with.
pub fn listing(share: &Share, content: &Content, base: &str) -> Listing {
    let url = format!("{base}/share/{}", share.token);
    let downloadable = share.may_download();
    let tracks: Vec<Track> =
        content.songs.iter().map(|song| track(&url, song, content, downloadable)).collect();
    let cover = tracks.iter().find_map(|track| track.cover.clone());
    Listing {
        title: content.title.clone(),
        description: share.description.clone(),
        // Guests on some of its tracks do not make an album one of nobody.
        artist: one_for_all(&content.songs, |song| &song.artist)
            .or_else(|| one_for_all(&content.songs, |song| &song.album_artist)),
        album: one_for_all(&content.songs, |song| &song.album),
        cover,
        created: share.created,
        expires: share.expires,
        downloadable,
        embeddable: share.may_embed(),
        tracks,
        missing: content.missing.clone(),
        url,
    }
}

fn track(url: &str, song: &Song, content: &Content, downloadable: bool) -> Track {
    let id = Id::Song(song.id);
    let cover = song.cover.map(|cover| {
        let [small, large] = [600, 1200].map(|size| format!("{url}/{}-{size}.jpg", cover.of));
        Cover { small, large }
    });
    Track {
        id,
        url: format!("{url}/{id}.{}", song.suffix),
        download: downloadable.then(|| format!("{url}/get/{id}.{}", song.suffix)),
        title: song.title.clone(),
        artist: song.artist.clone(),
        album: song.album.clone(),
        number: song.track,
        disc: song.disc,
        year: song.year,
        genre: song.genre.clone(),
        duration: u64::try_from(song.duration).unwrap_or(0),
        size: u64::try_from(song.size).unwrap_or(0),
        content_type: kind::content_type(&song.suffix, song.video.is_some()),
        cover,
        explicit: song.explicit,
        video: song.video.map(|frame| (frame.width, frame.height)),
        captions: captions_of(&content.captions, url, song.id),
    }
}

/// What a field says of all songs alike; `None` where it is empty or not one.
fn one_for_all(songs: &[Song], field: impl Fn(&Song) -> &String) -> Option<String> {
    let first = songs.first().map(&field).filter(|text| !text.is_empty())?;
    songs.iter().all(|song| field(song) == first).then(|| first.clone())
}

impl Listing {
    /// The address of something that belongs to the share.
    pub fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// How long all of it plays, in ms.
    pub fn duration(&self) -> u64 {
        self.tracks.iter().fold(0, |sum, track| sum.saturating_add(track.duration))
    }

    /// How much there is, for people: `12 tracks · 1 h 3 min`. In English, since those who ask are
    /// programs that say nothing of who will read it.
    pub fn facts(&self) -> String {
        let videos = self.tracks.iter().filter(|track| track.video.is_some()).count();
        let noun = if videos == self.tracks.len() { "video" } else { "track" };
        let count = match self.tracks.len() {
            0 => "Nothing to play".to_owned(),
            1 => format!("1 {noun}"),
            many => format!("{many} {noun}s"),
        };
        let total = self.duration();
        let (minutes, seconds) = (total.saturating_add(30_000) / 60_000, total / 1000);
        match (minutes, seconds) {
            (_, 0) => count,
            (_, 1..60) => format!("{count} · {seconds} s"),
            (0..60, _) => format!("{count} · {minutes} min"),
            _ => format!("{count} · {} h {} min", minutes / 60, minutes % 60),
        }
    }

    /// What it is about, for people: what its maker wrote, else who plays how much.
    pub fn summary(&self) -> String {
        let written = self.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        match (written, &self.artist) {
            (Some(description), _) => description.to_owned(),
            (None, Some(artist)) => format!("{artist} · {}", self.facts()),
            (None, None) => self.facts(),
        }
    }
}

#[cfg(test)]
pub mod tests {
    #![allow(missing_docs)]
    use super::*;

    pub const URL: &str = "https://music.example.org/kinglet/share/4fGk29LmQx7RbT1z";

    pub fn sample_track(number: i64, title: &str) -> Track {
        let id = Id::Song(number);
        Track {
            id,
            url: format!("{URL}/{id}.flac"),
            download: Some(format!("{URL}/get/{id}.flac")),
            title: title.to_owned(),
            artist: "The Goldcrests".to_owned(),
            album: "Songs from the Spruce".to_owned(),
            number: Some(number),
            disc: None,
            year: Some(2024),
            genre: Some("Folk".to_owned()),
            duration: 200_400,
            size: 20_000_000,
            content_type: "audio/flac",
            cover: Some(Cover {
                small: format!("{URL}/al1-600.jpg"),
                large: format!("{URL}/al1-1200.jpg"),
            }),
            explicit: None,
            video: None,
            captions: Vec::new(),
        }
    }

    pub fn sample() -> Listing {
        let tracks = vec![sample_track(1, "First Light"), sample_track(2, "Needle & Cone <live>")];
        Listing {
            url: URL.to_owned(),
            title: "Songs from the Spruce".to_owned(),
            description: Some("The one I told you about.\nStart with the second!".to_owned()),
            artist: Some("The Goldcrests".to_owned()),
            album: Some("Songs from the Spruce".to_owned()),
            cover: tracks[0].cover.clone(),
            created: 1_790_000_000_000,
            expires: Some(1_800_000_000_000),
            downloadable: true,
            embeddable: true,
            tracks,
            missing: vec![Missing {
                place: 1,
                id: Id::Song(9),
                title: "Gone".to_owned(),
                artist: String::new(),
                album: String::new(),
            }],
        }
    }

    /// A listing in which every text is this one.
    pub fn hostile(text: &str) -> Listing {
        let mut listing = sample();
        for field in [&mut listing.title, &mut listing.missing[0].title] {
            text.clone_into(field);
        }
        for field in [&mut listing.description, &mut listing.artist, &mut listing.album] {
            *field = Some(text.to_owned());
        }
        for track in &mut listing.tracks {
            for field in [&mut track.title, &mut track.artist, &mut track.album] {
                text.clone_into(field);
            }
            track.genre = Some(text.to_owned());
        }
        listing
    }

    #[test]
    fn facts_count_and_add_up() {
        let mut listing = sample();
        assert_eq!(listing.facts(), "2 tracks · 7 min");
        listing.tracks[0].duration = 3_700_000;
        assert_eq!(listing.facts(), "2 tracks · 1 h 5 min");
        listing.tracks.truncate(1);
        listing.tracks[0].duration = 59_999;
        assert_eq!(listing.facts(), "1 track · 59 s");
        listing.tracks[0].video = Some((1280, 720));
        assert_eq!(listing.facts(), "1 video · 59 s");
        listing.tracks.clear();
        assert_eq!(listing.facts(), "Nothing to play");
    }

    #[test]
    fn the_summary_is_what_was_written_or_who_plays() {
        let mut listing = sample();
        assert!(listing.summary().starts_with("The one I told you about."));
        listing.description = Some("  ".to_owned());
        assert_eq!(listing.summary(), "The Goldcrests · 2 tracks · 7 min");
        listing.artist = None;
        assert_eq!(listing.summary(), "2 tracks · 7 min");
    }
}
