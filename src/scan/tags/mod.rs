//! What a sound file says of itself, in one form for every format.
//!
//! symphonia finds the sound, and reads the tags that are part of a container: Vorbis comments, MP4
//! atoms, Matroska. Its readers of ID3 and APE are not used: they lose what tells a list from a name
//! with a slash, the first of two genres, and the WAV and AIFF chunks altogether; those tags are
//! read by `id3`, `trailer` and `riff`. Videos are read by `video`, without it. A second library (lofty) was measured beside it: it opens
//! none of Matroska, CAF and FLAC in Ogg, takes only the first of several MP4 values, and reads
//! more of each file.
//!
//! Every tag becomes a `Layer` of fields under one vocabulary; `normal` makes one `Tags` of them.

mod caf;
mod container;
mod extent;
mod fields;
mod file;
mod frames;
mod genres;
mod id3;
mod lists;
mod lrc;
mod matroska;
mod mpeg;
mod normal;
mod riff;
mod sound;
pub(super) mod text;
mod trailer;
mod values;
mod video;

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

pub use crate::db::videos::AudioTrack;
use crate::error::{Error, Result};
use crate::media::captions::Captions;
use crate::media::kind::{self, Kind};
use fields::{Fields, Layer};
use sound::Place;

/// The largest picture that is taken from a file, in bytes; a larger one is left out.
pub const MOST_PICTURE_BYTES: usize = 16 * 1024 * 1024;
/// ID3 tags at the start of one file: a careless tagger puts a second before the first.
const MOST_ID3_TAGS: usize = 4;
/// The most silence, in milliseconds, that an AAC encoder puts around the sound.
const MOST_PADDING_MS: u64 = 250;

/// Reads the tags of a sound file or a video. The content decides what it is, not the name; but where
/// the name promises sound alone, pictures in it are those of chapters and covers.
///
/// Reads from the disk as little as the format allows, about 100 KB and the picture. Memory is
/// bounded by the limits of tags and pictures, below 100 MB for the most hostile file.
///
/// # Errors
/// The file cannot be read, is not a regular file, or has no sound in it; the message names the
/// file and says what is wrong with it. A file that is cut off but can be played is no error.
pub fn read(path: &Path) -> Result<Tags> {
    let (file, length) = file::open(path)?;
    let kind = path.file_name().and_then(|name| kind::of_name(name.as_bytes()));
    let what = if kind.is_none_or(|kind| kind.may_be_sound) { "sound" } else { "pictures" };
    let failed =
        |wrong: &str| Error::new(format!("cannot read the {what} of {}: {wrong}", path.display()));
    if length == 0 {
        return Err(failed("it is empty"));
    }
    // A parser that gives up on a file in this way must not take the scan with it.
    match catch_unwind(AssertUnwindSafe(|| read_kind(&file, length, kind))) {
        Ok(read) => read.map_err(|wrong| failed(&wrong)),
        Err(_) => Err(failed("it is damaged in a way that stopped its reader")),
    }
}

fn read_kind(
    file: &Arc<File>,
    length: u64,
    kind: Option<Kind>,
) -> std::result::Result<Tags, String> {
    if kind.is_some_and(|kind| kind.may_be_video)
        && let Some(tags) = video::read(file, length).map_err(|cause| cause.to_string())?
    {
        return Ok(tags);
    }
    match kind.is_none_or(|kind| kind.may_be_sound) {
        true => read_file(file, length),
        false => Err("there is no video of a known format in it".to_owned()),
    }
}

fn read_file(file: &Arc<File>, length: u64) -> std::result::Result<Tags, String> {
    let mut around = Around::read(file, length).map_err(|cause| cause.to_string())?;
    let found = sound::read(file, &around.place)?;
    let mut layers = vec![found.container.own, found.container.free];
    layers.append(&mut around.layers);
    let mut pictures: Vec<_> = found.container.picture.into_iter().chain(around.pictures).collect();
    let front = pictures.iter().position(|(_, front)| *front).unwrap_or(0);
    let fields = Fields { layers };
    let mut tags = normal::tags(&fields);
    tags.picture =
        (front < pictures.len()).then(|| Picture { bytes: pictures.swap_remove(front).0 });
    tags.sound = found.sound;
    if let Some(samples) = normal::stated_samples(&fields) {
        tags.sound.take_stated(samples);
    }
    Ok(tags)
}

/// The captions in a track of a video, by the track's number.
///
/// # Errors
/// The file cannot be read, or there are no captions in it.
pub fn captions(path: &Path, track: u32) -> Result<Captions> {
    let (file, length) = file::open(path)?;
    let failed = |cause: &str| {
        Error::new(format!("cannot read captions {track} in {}: {cause}", path.display()))
    };
    match catch_unwind(AssertUnwindSafe(|| video::captions(&file, length, track))) {
        Ok(Ok(Some(captions))) => Ok(captions),
        Ok(Ok(None)) => Err(failed("there are none")),
        Ok(Err(cause)) => Err(failed(&cause.to_string())),
        Err(_) => Err(failed("they are damaged in a way that stopped their reader")),
    }
}

/// A picture of a file, and whether it is a front cover.
type Shown = Option<(Vec<u8>, bool)>;

/// Keeps a picture where it is the first, or the first front cover; an empty one and one above the
/// limit never.
fn offer(kept: &mut Shown, bytes: &[u8], front: bool) {
    let better = kept.as_ref().is_none_or(|(_, has_front)| front && !has_front);
    if better && !bytes.is_empty() && bytes.len() <= MOST_PICTURE_BYTES {
        *kept = Some((bytes.to_vec(), front));
    }
}

impl Sound {
    /// Takes the duration from a stated number of samples, unless it is far from what was found:
    /// the tag may be of another file. The hash stays, for it does not depend on tags.
    fn take_stated(&mut self, samples: u64) {
        let stated = samples.saturating_mul(1000).checked_div(u64::from(self.sample_rate));
        if let Some(stated) = stated.filter(|ms| ms.abs_diff(self.duration_ms) <= MOST_PADDING_MS) {
            self.duration_ms = stated;
        }
    }
}

/// The tags around the sound, those to believe first at the start.
struct Around {
    layers: Vec<Layer>,
    pictures: Vec<(Vec<u8>, bool)>,
    place: Place,
}

impl Around {
    fn read(file: &File, length: u64) -> io::Result<Self> {
        let mut around = Around {
            layers: Vec::new(),
            pictures: Vec::new(),
            place: Place { start: 0, end: length, bytes: None },
        };
        for _ in 0..MOST_ID3_TAGS {
            let Some(tag) = id3::read(file, around.place.start, length)? else { break };
            around.place.start = around.place.start.saturating_add(tag.length).min(length);
            around.take(tag);
        }
        let trailer = trailer::read(file, around.place.start, length)?;
        around.place.end = trailer.end;
        let (start, end) = (around.place.start, around.place.end);
        let chunks = match riff::read(file, start, end)? {
            Some(chunks) => Some(chunks),
            None => caf::read(file, start, end)?,
        };
        if let Some(chunks) = chunks {
            for (start, end) in chunks.id3.into_iter().take(MOST_ID3_TAGS) {
                if let Some(tag) = id3::read(file, start, end)? {
                    around.take(tag);
                }
            }
            around.layers.push(chunks.text);
            around.place.bytes = Some(chunks.sound);
        }
        around.layers.extend(matroska::read(file, start, end)?);
        around.layers.extend(trailer.layers);
        around.pictures.extend(trailer.picture);
        Ok(around)
    }

    fn take(&mut self, tag: id3::Read) {
        self.layers.extend([tag.own, tag.free]);
        self.pictures.extend(tag.picture);
    }
}

/// Everything read from one file. Absent is empty or `None`; nothing is invented here: what a
/// song without an album tag belongs to is decided in `names`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags {
    /// Title as tagged, spaces and all; empty where there is none.
    pub title: String,
    /// Sort title (`TSOT`, `TITLESORT`).
    pub sort_title: String,
    /// Album title.
    pub album: String,
    /// Sort album title.
    pub sort_album: String,
    /// The artist text as one line, for display ("A feat. B").
    pub artist: String,
    /// The artists one by one (`ARTISTS`, or several values of `ARTIST`).
    pub artists: Vec<Credit>,
    /// The album artist text as one line; empty where the file names none.
    pub album_artist: String,
    /// The album artists one by one.
    pub album_artists: Vec<Credit>,
    /// Composers, conductors, lyricists, remixers, performers and so on.
    pub contributors: Vec<Contributor>,
    /// Track number; 0 where unknown.
    pub track: u32,
    /// Disc number; 0 where unknown.
    pub disc: u32,
    /// Number of discs of the album; 0 where unknown.
    pub disc_total: u32,
    /// Title of the disc (`TSST`, `DISCSUBTITLE`).
    pub disc_title: String,
    /// Date of this release.
    pub date: Date,
    /// Date of the first release of the same music.
    pub original_date: Date,
    /// Whether the file says it belongs to a compilation.
    pub compilation: bool,
    /// Genres one by one, in their usual names.
    pub genres: Vec<String>,
    /// Moods.
    pub moods: Vec<String>,
    /// Groupings (`TIT1`, `GRP1`, `GROUPING`).
    pub groupings: Vec<String>,
    /// Names of the works the song is part of.
    pub works: Vec<String>,
    /// Movement name; empty where there is none.
    pub movement: String,
    /// Movement number; 0 where unknown.
    pub movement_number: u32,
    /// Count of movements; 0 where unknown.
    pub movement_count: u32,
    /// Record labels.
    pub labels: Vec<String>,
    /// Release types of MusicBrainz (`album`, `live`, ...), lower case.
    pub release_types: Vec<String>,
    /// Version of the album ("Deluxe Edition"), from `ALBUMVERSION` or `VERSION`.
    pub album_version: String,
    /// International standard recording codes.
    pub isrc: Vec<String>,
    /// Comment.
    pub comment: String,
    /// Beats a minute; 0 where unknown.
    pub bpm: u32,
    /// What the file says of explicit words: `Some(true)`, `Some(false)` for a clean version.
    pub explicit: Option<bool>,
    /// MusicBrainz id of the recording; empty where unknown.
    pub recording_mbid: String,
    /// MusicBrainz id of the album (release); empty where unknown.
    pub album_mbid: String,
    /// ReplayGain; R128 gains of Opus are given on the same scale (they count from 5 dB less).
    pub gain: Gain,
    /// Lyrics in the file.
    pub lyrics: Vec<Lyrics>,
    /// The front cover in the file, else its first picture.
    pub picture: Option<Picture>,
    /// The sound itself.
    pub sound: Sound,
    /// What it has where it is a video: then only title, artist, date and comment are read as tags.
    pub video: Option<Video>,
}

/// What a video has. Numbers are 0 where unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Video {
    /// Pixels from left to right as it is shown, turned where the file says so.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Its sounds, in the order of the file.
    pub audio_tracks: Vec<AudioTrack>,
    /// The captions in it that can be read: those to begin with first, those of a few words last.
    pub captions: Vec<CaptionTrack>,
}

/// Captions in a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptionTrack {
    /// The track's number in the file.
    pub number: u32,
    /// What the file calls it, or empty.
    pub name: String,
    /// Language as in BCP 47, empty where unknown.
    pub language: String,
    /// Whether it is to be shown unless another one is chosen.
    pub default: bool,
    /// Whether it has only what is not understood by those who speak the language of the sound.
    pub forced: bool,
}

/// Somebody named in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Credit {
    /// The name, without spaces around it; never empty.
    pub name: String,
    /// The name to sort by; empty where the file gives none.
    pub sort: String,
    /// MusicBrainz id; empty where unknown.
    pub mbid: String,
}

/// Somebody who took part in a role of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Contributor {
    /// Role in the words of OpenSubsonic: `composer`, `conductor`, `lyricist`, `remixer`, ...
    pub role: String,
    /// More about the role, such as the instrument of a `performer`; empty where there is none.
    pub sub_role: String,
    /// The name; never empty.
    pub name: String,
}

/// A date of which parts may be unknown (0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, 1 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

/// Loudness against the reference level of ReplayGain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gain {
    /// Gain of the song in dB.
    pub track: Option<f32>,
    /// Gain of the album in dB.
    pub album: Option<f32>,
    /// Peak of the song, 1 is full scale.
    pub track_peak: Option<f32>,
    /// Peak of the album, 1 is full scale.
    pub album_peak: Option<f32>,
}

/// Words of a song as the file has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lyrics {
    /// Language, ISO 639 (`eng`, `de`); empty where unknown.
    pub language: String,
    /// Plain text or LRC with `[mm:ss.xx]`; synchronised ID3 frames come as LRC.
    pub text: String,
}

/// A picture in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The bytes, at most [`MOST_PICTURE_BYTES`].
    pub bytes: Vec<u8>,
}

/// Properties of the sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sound {
    /// Duration in milliseconds; 0 where it cannot be told.
    pub duration_ms: u64,
    /// Average bit rate in kbit/s.
    pub bit_rate: u32,
    /// Sampling rate in Hz; 0 where unknown.
    pub sample_rate: u32,
    /// Bits a sample; 0 for lossy formats and where unknown.
    pub bit_depth: u32,
    /// Channels; 0 where unknown.
    pub channels: u32,
    /// A hash of the encoded sound alone, the same after a change of tags: recognises a file that
    /// was moved or tagged anew.
    pub hash: u64,
}
