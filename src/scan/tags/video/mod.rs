//! What a video says of itself: its picture, its sounds, its captions, its name.
//!
//! Every reader looks at the heads of what the container is made of, with a limit to their number,
//! and never at the pictures themselves.

mod avi;
mod boxes;
mod fragments;
mod mkv;
mod mkv_text;
mod mp4;
mod mp4_text;
mod mpeg_stream;
mod ogg;

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::fields::{Fields, Layer};
use super::file::bytes_at;
use super::{AudioTrack, CaptionTrack, Picture, Shown, Sound, Tags, Video, normal};
use crate::media::captions::Captions;

/// Tracks looked at in one file.
const MOST_TRACKS: usize = 64;
/// Bytes of the first pictures and sounds that make the hash.
const HASHED_BYTES: usize = 32 * 1024;
/// A duration beyond this many milliseconds (a year) is garbage.
const LONGEST_MS: u64 = 365 * 24 * 3600 * 1000;
/// A side of a picture beyond this many pixels is garbage.
const MOST_PIXELS: u32 = 65_535;
/// How long captions may be looked for in a file: clients wait half a minute for a disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a reader found. Numbers are 0 where unknown.
#[derive(Debug, Default)]
struct Found {
    /// The picture that moves; `None` where there is none.
    frame: Option<(u32, u32)>,
    audio_tracks: Vec<AudioTrack>,
    /// Those for a start (`default`) and those for a few words alone (`forced`) are marked.
    captions: Vec<CaptionTrack>,
    duration_ms: u64,
    sample_rate: u32,
    channels: u32,
    tags: Layer,
    picture: Shown,
    /// Where pictures and sounds begin.
    media: u64,
}

/// Reads a file as a video; `None` where it is none: there is no picture that moves, or it is
/// of no known kind.
pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Tags>> {
    let head = bytes_at(file, 0, 16)?;
    let found = match head.as_slice() {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => mkv::read(file, length)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => avi::read(file, length)?,
        [b'O', b'g', b'g', b'S', ..] => ogg::read(file, length)?,
        _ if boxes::begins(&head) => mp4::read(file, length)?,
        _ => mpeg_stream::read(file, length)?,
    };
    match found {
        Some(found) if found.frame.is_some() => Ok(Some(tags(file, length, found)?)),
        _ => Ok(None),
    }
}

fn tags(file: &File, length: u64, found: Found) -> io::Result<Tags> {
    let (width, height) = found.frame.unwrap_or_default();
    let duration_ms = Some(found.duration_ms).filter(|ms| *ms <= LONGEST_MS).unwrap_or(0);
    let bit_rate = length.saturating_mul(8).checked_div(duration_ms).unwrap_or(0);
    let start = bytes_at(file, found.media.min(length), HASHED_BYTES)?;
    let digest = Sha256::new().chain_update(&start).chain_update(duration_ms.to_le_bytes());
    let hash = digest.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let mut captions = found.captions;
    captions.sort_by_key(|track| (track.forced, !track.default));
    let sane = |side: u32| if side <= MOST_PIXELS { side } else { 0 };
    Ok(Tags {
        picture: found.picture.map(|(bytes, _)| Picture { bytes }),
        sound: Sound {
            duration_ms,
            bit_rate: u32::try_from(bit_rate).unwrap_or(0),
            sample_rate: found.sample_rate,
            bit_depth: 0,
            channels: found.channels,
            hash,
        },
        video: Some(Video {
            width: sane(width),
            height: sane(height),
            audio_tracks: found.audio_tracks,
            captions,
        }),
        ..normal::tags(&Fields { layers: vec![found.tags] })
    })
}

/// The captions in a track of a file; `None` where there is no such track with captions.
pub(super) fn captions(file: &File, length: u64, track: u32) -> io::Result<Option<Captions>> {
    let head = bytes_at(file, 0, 16)?;
    let until = Instant::now() + PATIENCE;
    match head.as_slice() {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => mkv_text::captions(file, length, track, until),
        _ if boxes::begins(&head) => mp4_text::captions(file, length, track, until),
        _ => Ok(None),
    }
}

/// Fails once the time is over.
fn in_time(until: Instant) -> io::Result<()> {
    match Instant::now() < until {
        true => Ok(()),
        false => Err(io::Error::other("it takes too long to find the captions in it")),
    }
}

/// A number of the file in the bytes at a place, the highest first; `None` beyond the end.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let number = bytes.get(at..)?.first_chunk::<N>()?;
    Some(number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The same with the lowest byte first.
fn little<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let number = bytes.get(at..)?.first_chunk::<N>()?;
    Some(number.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A number as one of 32 bits; 0 where it is none.
fn small(number: Option<u64>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// So many units, of which so many are a second, in milliseconds.
fn milliseconds(units: u64, a_second: u64) -> u64 {
    let ms = u128::from(units) * 1000 / u128::from(a_second.max(1));
    if a_second == 0 { 0 } else { u64::try_from(ms).unwrap_or(u64::MAX) }
}
