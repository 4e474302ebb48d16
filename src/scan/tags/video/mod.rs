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
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => {
            avi::read(file, length)?
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    /// The head of a file of each kind, and words that its parts begin with.
    const KINDS: [(&[u8], &[&[u8]]); 6] = [
        (
            b"\0\0\0\x10ftypisom\0\0\0\0\0\0\x02\0moov\0\0\x01\0trak",
            &[
                b"\0\0\0\x40trak",
                b"\0\0\0\x30mdia",
                b"\0\0\0\x20tkhd",
                b"\0\0\0\x20mdhd",
                b"\0\0\0\x18hdlr\0\0\0\0\0\0\0\0vide",
                b"\0\0\0\x30minf",
                b"\0\0\0\x28stbl",
                b"\0\0\0\x20stsd\0\0\0\0\0\0\0\x01\0\0\0\x10tx3g",
                b"\0\0\0\x14stsz",
                b"\0\0\0\x10stsc",
                b"\0\0\0\x10stco",
                b"\0\0\0\x10stts",
                b"\0\0\0\x40udta",
                b"\0\0\0\x38meta",
                b"\0\0\0\x30ilst",
                b"\0\0\0\x20\xa9nam",
                b"\0\0\0\x18data",
                b"\0\0\0\x20moof",
                b"\0\0\0\x18traf",
                b"\0\0\0\x10trun",
                b"\0\0\0\x10tfhd",
                b"\0\0\0\x10mdat",
                b"\0\0\0\x01free\0\0\0\0\0\0\0\x20",
                b"\0\0\0\x10mfro\0\0\0\0\0\0\0\x20",
                b"\0\0\0\x20tfra",
                b"\0\0\0\0skip",
            ],
        ),
        (
            b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
            &[
                b"\x16\x54\xae\x6b\xa0",
                b"\xae\x90",
                b"\xd7\x81\x01",
                b"\x83\x81\x11",
                b"\x83\x81\x01",
                b"\x86\x8bS_TEXT/UTF8",
                b"\x86\x8aS_TEXT/ASS",
                b"\xe0\x88",
                b"\xb0\x82\x01\x00",
                b"\x15\x49\xa9\x66\x90",
                b"\x44\x89\x88",
                b"\x1f\x43\xb6\x75\xa0",
                b"\x1f\x43\xb6\x75\xff",
                b"\xe7\x81\x05",
                b"\xa0\x88",
                b"\xa1\x85\x81\0\0\0x",
                b"\xa3\x85\x81\0\0\0x",
                b"\x9b\x81\x09",
                b"\x1c\x53\xbb\x6b\x90",
                b"\xbb\x8e",
                b"\xb7\x89",
                b"\xf7\x81\x01",
                b"\xf1\x81\x20",
                b"\xf0\x81\x02",
                b"\x11\x4d\x9b\x74\x90",
                b"\x4d\xbb\x8b",
                b"\x53\xac\x81\x10",
                b"\x6d\x80\x90",
                b"\x62\x40\x88",
                b"\x50\x34\x84",
                b"\x12\x54\xc3\x67\x90",
                b"\x73\x73\x88",
                b"\x67\xc8\x85",
                b"\x19\x41\xa4\x69\x90",
                b"\x61\xa7\x8a",
                b"\x46\x5c\x84",
            ],
        ),
        (
            b"RIFF\xff\xff\0\0AVI ",
            &[
                b"LIST\x40\0\0\0hdrl",
                b"avih\x38\0\0\0",
                b"LIST\x20\0\0\0strl",
                b"strh\x30\0\0\0vids",
                b"strh\x30\0\0\0auds",
                b"strf\x10\0\0\0",
                b"LIST\x20\0\0\0INFO",
                b"INAM\x04\0\0\0",
                b"LIST\0\0\0\0movi",
            ],
        ),
        (
            b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x2a",
            &[
                b"\x80theora\x03\x02\x01",
                b"\x81theora",
                b"OggS\0\x02",
                b"\x01vorbis",
                b"OpusHead",
                b"\x04\0\0\0A=bc",
            ],
        ),
        (b"\0\0\x01\xba\x44\0\x04\0\x04\x01", &[b"\0\0\x01\xba", b"\0\0\x01\xb3", b"\0\0\x01\xe0"]),
        (b"\x47", &[b"\x47", b"\x47\x01\0\x20\x07\x10"]),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn nothing_makes_a_reader_panic(
            kind in 0..KINDS.len(),
            parts in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..12), any::<bool>()), 0..30),
        ) {
            let (head, words) = KINDS[kind];
            let mut bytes = head.to_vec();
            for (word, noise, padded) in parts {
                bytes.extend(words[word.index(words.len())]);
                bytes.extend(noise);
                bytes.extend(vec![0; if padded { 180 - bytes.len() % 180 } else { 0 }]);
            }
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let length = bytes.len() as u64;
            let tags = read(&file, length).unwrap();
            if let Some(tags) = tags {
                prop_assert!(tags.sound.duration_ms <= LONGEST_MS);
                prop_assert!(tags.video.is_some());
            }
            for track in 0..3 {
                let _ = captions(&file, length, track);
            }
        }
    }
}
