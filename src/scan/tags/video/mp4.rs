//! MP4 and QuickTime: what the `moov` box says of the tracks, and of the whole.

use std::fs::File;
use std::io;

use super::super::fields::Layer;
use super::super::{MOST_PICTURE_BYTES, Shown, offer};
use super::boxes::{Atom, atom};
use super::fragments;
use super::{AudioTrack, CaptionTrack, Found, MOST_TRACKS, milliseconds, number, small};
use crate::media::language;

/// Boxes looked at before `moov` and the first pictures must have come.
const MOST_BOXES: usize = 1000;
/// Bytes of a box that are read, of those that are small.
const MOST_BYTES: usize = 1024;
/// Bytes of the description of samples that are kept.
const MOST_ENTRY_BYTES: usize = 256;
/// Bytes of one text.
const MOST_TEXT_BYTES: usize = 64 * 1024;
/// Pictures that stand still: one of them is a cover.
const STILL: [&[u8; 4]; 4] = [b"jpeg", b"png ", b"gif ", b"tiff"];

/// A track as far as all kinds have it.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) id: u32,
    pub(super) enabled: bool,
    /// Sides as they are shown, turned.
    pub(super) shown: (u32, u32),
    /// `vide`, `soun`, `sbtl`, ...
    pub(super) handler: [u8; 4],
    /// The first of the kinds of its samples: `avc1`, `mp4a`, `tx3g`, ...
    pub(super) codec: [u8; 4],
    /// The start of the description of its samples.
    entry: Vec<u8>,
    pub(super) timescale: u64,
    pub(super) duration: u64,
    language: String,
    name: String,
    /// Tracks that hold the names or pictures of its chapters.
    chapters: Vec<u32>,
    /// Where its samples are listed.
    pub(super) samples: Option<Atom>,
    sample_count: u64,
}

/// Where the parts of a file are.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) moov: Option<Atom>,
    mdat: Option<Atom>,
}

/// Finds the parts of a file.
pub(super) fn parts(file: &File, length: u64) -> io::Result<Parts> {
    let (mut position, mut parts) = (0, Parts::default());
    for _ in 0..MOST_BOXES {
        let Some(found) = atom(file, position, length)? else { break };
        match &found.kind {
            b"moov" => parts.moov = parts.moov.or(Some(found)),
            b"mdat" => parts.mdat = parts.mdat.or(Some(found)),
            _ => {}
        }
        if parts.moov.is_some() && parts.mdat.is_some() {
            break;
        }
        position = found.end;
    }
    Ok(parts)
}

/// The tracks of a file.
pub(super) fn tracks(file: &File, moov: &Atom) -> io::Result<Vec<Track>> {
    let traks = moov.children(file, 0)?.into_iter().filter(|child| child.kind == *b"trak");
    let tracks = traks.take(MOST_TRACKS).map(|trak| track(file, &trak));
    Ok(tracks.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Found>> {
    let parts = parts(file, length)?;
    let Some(moov) = parts.moov else { return Ok(None) };
    let tracks = tracks(file, &moov)?;
    let chapters: Vec<u32> = tracks.iter().flat_map(|track| track.chapters.clone()).collect();
    let is_own = |track: &&Track| !chapters.contains(&track.id);
    let moves = |track: &&Track| {
        track.handler == *b"vide" && (track.sample_count != 1 || !STILL.contains(&&track.codec))
    };
    let mut videos = tracks.iter().filter(is_own).filter(moves);
    let first = videos.clone().find(|track| track.enabled).or_else(|| videos.next());
    let sounds = || tracks.iter().filter(|track| track.handler == *b"soun");
    let captions = tracks.iter().filter(is_own).filter(|track| is_text(track));
    let (tags, picture) = tags(file, &moov)?;
    let sound = sounds().find(|track| track.enabled).or_else(|| sounds().next());
    let entry = sound.map(|sound| sound.entry.as_slice()).unwrap_or_default();
    Ok(Some(Found {
        frame: first.map(frame),
        audio_tracks: sounds()
            .map(|track| AudioTrack {
                id: track.id,
                name: track.name.clone(),
                language: track.language.clone(),
            })
            .collect(),
        captions: captions
            .map(|track| CaptionTrack {
                number: track.id,
                name: track.name.clone(),
                language: track.language.clone(),
                default: track.enabled,
                forced: false,
            })
            .collect(),
        duration_ms: duration(file, length, &moov, &tracks)?,
        sample_rate: small(number::<2>(entry, 32)),
        channels: channels(entry).unwrap_or_else(|| small(number::<2>(entry, 24))),
        tags,
        picture,
        media: parts.mdat.map_or(moov.end, |mdat| mdat.body),
    }))
}

/// Whether a track has captions that can be read.
pub(super) fn is_text(track: &Track) -> bool {
    [b"tx3g", b"text", b"wvtt"].contains(&&track.codec) && track.sample_count > 0
}

/// The sides of a picture: as shown, else as coded.
fn frame(track: &Track) -> (u32, u32) {
    match track.shown {
        (0, _) | (_, 0) => {
            (small(number::<2>(&track.entry, 32)), small(number::<2>(&track.entry, 34)))
        }
        shown => shown,
    }
}

fn track(file: &File, trak: &Atom) -> io::Result<Option<Track>> {
    let mut track = Track::default();
    for child in trak.parts(file, 0)? {
        match &child.kind {
            b"tkhd" => head(&child.bytes(file, MOST_BYTES)?, &mut track),
            b"mdia" => media(file, &child, &mut track)?,
            b"tref" => {
                if let Some(chapters) = child.child(file, b"chap")? {
                    let bytes = chapters.bytes(file, MOST_BYTES)?;
                    let (ids, _) = bytes.as_chunks::<4>();
                    track.chapters = ids.iter().map(|id| u32::from_be_bytes(*id)).collect();
                }
            }
            b"udta" => {
                if let Some(name) = child.child(file, b"name")? {
                    track.name = text(&name.bytes(file, MOST_BYTES)?);
                }
            }
            _ => {}
        }
    }
    Ok((track.id != 0).then_some(track))
}

fn head(bytes: &[u8], track: &mut Track) {
    let long = bytes.first() == Some(&1);
    let (id, matrix) = if long { (20, 52) } else { (12, 40) };
    track.id = small(number::<4>(bytes, id));
    track.enabled = bytes.get(3).is_some_and(|flags| flags & 1 == 1);
    // Sides are in parts of 65536.
    let [width, height] =
        [36, 40].map(|at| small(number::<4>(bytes, matrix + at).map(|side| side >> 16)));
    let turned = [0, 16].iter().all(|at| number::<4>(bytes, matrix + at) == Some(0))
        && [4, 12].iter().all(|at| number::<4>(bytes, matrix + at).is_some_and(|side| side != 0));
    track.shown = if turned { (height, width) } else { (width, height) };
}

fn media(file: &File, mdia: &Atom, track: &mut Track) -> io::Result<()> {
    let mut extended = String::new();
    for child in mdia.parts(file, 0)? {
        match &child.kind {
            b"mdhd" => {
                let bytes = child.bytes(file, MOST_BYTES)?;
                let packed;
                (track.timescale, track.duration, packed) = if bytes.first() == Some(&1) {
                    let duration = number::<8>(&bytes, 24).filter(|time| *time != u64::MAX);
                    (
                        number::<4>(&bytes, 20).unwrap_or(0),
                        duration.unwrap_or(0),
                        number::<2>(&bytes, 32),
                    )
                } else {
                    let duration = number::<4>(&bytes, 16).filter(|time| *time != 0xffff_ffff);
                    (
                        number::<4>(&bytes, 12).unwrap_or(0),
                        duration.unwrap_or(0),
                        number::<2>(&bytes, 20),
                    )
                };
                track.language = language_of(packed.unwrap_or(0));
            }
            b"elng" => extended = text(child.bytes(file, MOST_BYTES)?.get(4..).unwrap_or_default()),
            b"hdlr" => {
                let bytes = child.bytes(file, MOST_BYTES)?;
                if let Some(handler) = bytes.get(8..).and_then(|rest| rest.first_chunk::<4>()) {
                    track.handler = *handler;
                }
            }
            b"minf" => {
                let Some(table) = child.child(file, b"stbl")? else { continue };
                track.samples = Some(table);
                for list in table.parts(file, 0)? {
                    match &list.kind {
                        b"stsd" => describe(&list.bytes(file, MOST_BYTES)?, track),
                        b"stsz" | b"stz2" => {
                            let bytes = list.bytes(file, 12)?;
                            track.sample_count = number::<4>(&bytes, 8).unwrap_or(0);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let extended = language::tag(&extended);
    if !extended.is_empty() {
        track.language = extended;
    }
    Ok(())
}

fn describe(bytes: &[u8], track: &mut Track) {
    let entry = bytes.get(8..).unwrap_or_default();
    if let Some(codec) = entry.get(4..).and_then(|rest| rest.first_chunk::<4>()) {
        track.codec = *codec;
        track.entry = entry.get(..entry.len().min(MOST_ENTRY_BYTES)).unwrap_or_default().to_vec();
    }
}

/// The channels of AAC, which its own head tells: the box around it says 2 of most.
fn channels(entry: &[u8]) -> Option<u32> {
    let at = entry.windows(4).position(|four| four == b"esds")?;
    let mut rest = entry.get(at + 8..)?;
    // Descriptions inside each other: of the stream, its decoder, what that must know.
    for (kind, own) in [(3, 3), (4, 13), (5, 0)] {
        let (first, after) = rest.split_first()?;
        let length = after.iter().position(|byte| byte & 0x80 == 0)? + 1;
        rest = after.get(length + own..).filter(|_| *first == kind)?;
    }
    let bits = number::<2>(rest, 0)?;
    // Five bits of kind, four of rate, four of channels; 15 is a rate in full.
    let (rate, channels) = (bits >> 7 & 15, u32::try_from(bits >> 3 & 15).ok()?);
    match channels {
        1..=6 if rate != 15 => Some(channels),
        7 if rate != 15 => Some(8),
        _ => None,
    }
}

/// Three letters in five bits each.
fn language_of(packed: u64) -> String {
    let letter = |shift: u32| {
        let bits = u8::try_from(packed >> shift & 0x1f).unwrap_or(0);
        char::from(bits + 0x60)
    };
    language::tag(&[10, 5, 0].map(letter).iter().collect::<String>())
}

/// A text that may end with a zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).trim().to_owned()
}

/// What the head says, else the longest track, else the last of the fragments.
fn duration(file: &File, length: u64, moov: &Atom, tracks: &[Track]) -> io::Result<u64> {
    let mut scale = 0;
    if let Some(head) = moov.child(file, b"mvhd")? {
        let bytes = head.bytes(file, MOST_BYTES)?;
        let (units, duration) = if bytes.first() == Some(&1) {
            (number::<4>(&bytes, 20), number::<8>(&bytes, 24).filter(|time| *time != u64::MAX))
        } else {
            (number::<4>(&bytes, 12), number::<4>(&bytes, 16).filter(|time| *time != 0xffff_ffff))
        };
        scale = units.unwrap_or(0);
        if let Some(duration) = duration.filter(|duration| *duration > 0) {
            return Ok(milliseconds(duration, scale));
        }
    }
    if let Some(head) = moov.at(file, &[b"mvex", b"mehd"])? {
        let bytes = head.bytes(file, MOST_BYTES)?;
        let long = bytes.first() == Some(&1);
        let duration = if long { number::<8>(&bytes, 4) } else { number::<4>(&bytes, 4) };
        if let Some(duration) = duration.filter(|duration| *duration > 0) {
            return Ok(milliseconds(duration, scale));
        }
    }
    let longest = tracks.iter().map(|track| milliseconds(track.duration, track.timescale)).max();
    match longest.filter(|longest| *longest > 0) {
        Some(longest) => Ok(longest),
        None => fragments::duration(file, length, moov, tracks),
    }
}

/// The texts and the picture of the whole: those of iTunes, else those of QuickTime.
fn tags(file: &File, moov: &Atom) -> io::Result<(Layer, Shown)> {
    let (mut layer, mut picture) = (Layer::default(), None);
    let Some(own) = moov.child(file, b"udta")? else { return Ok((layer, picture)) };
    for child in own.parts(file, 0)? {
        if child.kind == *b"meta" {
            // QuickTime has no version there, where all others have four bytes of it.
            let bare = child.bytes(file, 8)?.get(4..8) == Some(b"hdlr");
            let lists = child.parts(file, if bare { 0 } else { 4 })?;
            for list in lists.into_iter().filter(|list| list.kind == *b"ilst") {
                for item in list.children(file, 0)? {
                    take_item(file, &item, &mut layer, &mut picture)?;
                }
            }
        } else if let Some(name) = name_of(child.kind) {
            let bytes = child.bytes(file, MOST_TEXT_BYTES)?;
            let length = usize::try_from(number::<2>(&bytes, 0).unwrap_or(0)).unwrap_or(0);
            let words = bytes.get(4..).unwrap_or_default();
            layer.push(name, &text(words.get(..length.min(words.len())).unwrap_or_default()));
        }
    }
    Ok((layer, picture))
}

fn take_item(file: &File, item: &Atom, layer: &mut Layer, picture: &mut Shown) -> io::Result<()> {
    let Some(data) = item.child(file, b"data")? else { return Ok(()) };
    if item.kind == *b"covr" {
        // The kind of the value and its country come first.
        if picture.is_none() && data.len() <= MOST_PICTURE_BYTES as u64 {
            let bytes = data.bytes(file, MOST_PICTURE_BYTES)?;
            offer(picture, bytes.get(8..).unwrap_or_default(), true);
        }
    } else if let Some(name) = name_of(item.kind) {
        let bytes = data.bytes(file, MOST_TEXT_BYTES)?;
        layer.push(name, &text(bytes.get(8..).unwrap_or_default()));
    }
    Ok(())
}

fn name_of(kind: [u8; 4]) -> Option<&'static str> {
    Some(match &kind {
        b"\xa9nam" => "TITLE",
        b"\xa9ART" => "ARTIST",
        b"\xa9day" => "DATE",
        b"\xa9cmt" => "COMMENT",
        b"desc" => "DESCRIPTION",
        b"sonm" => "TITLESORT",
        _ => return None,
    })
}
