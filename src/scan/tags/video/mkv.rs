//! Matroska and WebM: what the heads of the segment say, wherever in the file they are.

use std::fs::File;
use std::io;
use std::time::Duration;

use super::super::fields::Layer;
use super::super::file::bytes_at;
use super::super::matroska::{CLUSTER, EBML, Element, INFO, SEGMENT, TITLE, element, number};
use super::super::{MOST_PICTURE_BYTES, Shown, offer};
use super::{AudioTrack, CaptionTrack, Found, MOST_TRACKS, milliseconds};
use crate::media::language;

const SEEK_HEAD: u32 = 0x114d_9b74;
const TRACKS: u32 = 0x1654_ae6b;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const CUES: u32 = 0x1c53_bb6b;
/// In a cluster: its time, and what is in it.
pub(super) const TIME: u32 = 0xe7;
pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
pub(super) const BLOCK_GROUP: u32 = 0xa0;

/// Elements looked at in one element.
const MOST_ELEMENTS: usize = 1000;
/// Elements looked at in one element of which there are many.
const MOST_FEW: usize = 64;
/// Bytes of a number, of a text.
const MOST_TEXT_BYTES: usize = 8 * 1024;
/// What is looked through for the last cluster of a file that does not state its duration.
const TAIL_BYTES: u64 = 1024 * 1024;
/// Nanoseconds of a unit of time where the file names none.
const USUAL_SCALE: u64 = 1_000_000;

/// Captions by what the file calls their kind.
const TEXTS: [&str; 5] =
    ["S_TEXT/UTF8", "S_TEXT/WEBVTT", "S_TEXT/ASS", "S_TEXT/SSA", "D_WEBVTT/SUBTITLES"];

/// The parts of a file, and what captions need of them.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) segment: Element,
    info: Option<Element>,
    pub(super) tracks: Option<Element>,
    tags: Option<Element>,
    attachments: Option<Element>,
    pub(super) cues: Option<Element>,
    pub(super) cluster: Option<Element>,
}

/// A track.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) number: u64,
    /// 1 picture, 2 sound, 17 captions.
    kind: u64,
    pub(super) codec: String,
    name: String,
    language: String,
    default: bool,
    forced: bool,
    sides: [u64; 2],
    shown: [u64; 2],
    unit: u64,
    rate: f64,
    channels: u64,
    /// How its blocks are packed.
    pub(super) encodings: Option<Element>,
}

/// The elements in an element.
pub(super) fn children(file: &File, of: &Element) -> io::Result<Vec<Element>> {
    inside(file, of, MOST_ELEMENTS)
}

/// The elements in an element that has few, and of which there are many.
pub(super) fn few(file: &File, of: &Element) -> io::Result<Vec<Element>> {
    inside(file, of, MOST_FEW)
}

fn inside(file: &File, of: &Element, most: usize) -> io::Result<Vec<Element>> {
    let (mut position, mut found) = (of.body, Vec::new());
    while found.len() < most
        && let Some(child) = element(file, position, of.end)?
    {
        position = child.end;
        found.push(child);
    }
    Ok(found)
}

/// The bytes of an element, at most so many.
pub(super) fn bytes(file: &File, of: &Element, most: usize) -> io::Result<Vec<u8>> {
    let length = usize::try_from(of.end.saturating_sub(of.body)).unwrap_or(most);
    bytes_at(file, of.body, length.min(most))
}

/// A number.
pub(super) fn unsigned(file: &File, of: &Element) -> io::Result<u64> {
    Ok(bytes(file, of, 8)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn float(file: &File, of: &Element) -> io::Result<f64> {
    let bytes = bytes(file, of, 8)?;
    let long = bytes.first_chunk::<8>().map(|bytes| f64::from_be_bytes(*bytes));
    let short = bytes.first_chunk::<4>().map(|bytes| f64::from(f32::from_be_bytes(*bytes)));
    Ok(long.or(short).filter(|number| number.is_finite() && *number >= 0.0).unwrap_or(0.0))
}

fn text(file: &File, of: &Element) -> io::Result<String> {
    let bytes = bytes(file, of, MOST_TEXT_BYTES)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).trim().to_owned())
}

/// A number without its fraction; 0 where it is beyond all reason.
fn whole(number: f64) -> u64 {
    Duration::try_from_secs_f64(number).map_or(0, |number| number.as_secs())
}

/// Finds the parts of a file: those before the first cluster, then those that an index of them names.
pub(super) fn parts(file: &File, length: u64) -> io::Result<Option<Parts>> {
    let Some(head) = element(file, 0, length)?.filter(|head| head.id == EBML) else {
        return Ok(None);
    };
    let Some(segment) = element(file, head.end, length)?.filter(|found| found.id == SEGMENT) else {
        return Ok(None);
    };
    let (tracks, info, tags, attachments, cues, cluster) = (None, None, None, None, None, None);
    let mut parts = Parts { segment, info, tracks, tags, attachments, cues, cluster };
    let mut indexes = Vec::new();
    let mut position = segment.body;
    for _ in 0..MOST_ELEMENTS {
        let Some(found) = element(file, position, segment.end)? else { break };
        if found.id == CLUSTER {
            parts.cluster = Some(found);
            break;
        }
        if found.id == SEEK_HEAD {
            indexes.push(found);
        }
        parts.take(found);
        position = found.end;
    }
    // An index may name another one, which names no third.
    for _ in 0..2 {
        for index in std::mem::take(&mut indexes) {
            for place in places(file, &index)? {
                let at = segment.body.saturating_add(place);
                match element(file, at, segment.end)? {
                    Some(found) if found.id == SEEK_HEAD => indexes.push(found),
                    Some(found) => parts.take(found),
                    None => {}
                }
            }
        }
        indexes.truncate(1);
    }
    Ok(Some(parts))
}

/// The places that an index names.
fn places(file: &File, index: &Element) -> io::Result<Vec<u64>> {
    const SEEK: u32 = 0x4dbb;
    const POSITION: u32 = 0x53ac;
    let mut places = Vec::new();
    for seek in children(file, index)?.iter().filter(|child| child.id == SEEK).take(MOST_TRACKS) {
        for child in few(file, seek)?.iter().filter(|child| child.id == POSITION) {
            places.push(unsigned(file, child)?);
        }
    }
    Ok(places)
}

impl Parts {
    fn take(&mut self, found: Element) {
        let place = match found.id {
            INFO => &mut self.info,
            TRACKS => &mut self.tracks,
            TAGS => &mut self.tags,
            ATTACHMENTS => &mut self.attachments,
            CUES => &mut self.cues,
            _ => return,
        };
        *place = place.or(Some(found));
    }

    /// Nanoseconds of a unit of time.
    pub(super) fn scale(&self, file: &File) -> io::Result<u64> {
        const SCALE: u32 = 0x002a_d7b1;
        let Some(info) = &self.info else { return Ok(USUAL_SCALE) };
        match children(file, info)?.iter().find(|child| child.id == SCALE) {
            Some(scale) => Ok(unsigned(file, scale)?.max(1)),
            None => Ok(USUAL_SCALE),
        }
    }

    /// The tracks.
    pub(super) fn tracks(&self, file: &File) -> io::Result<Vec<Track>> {
        const ENTRY: u32 = 0xae;
        let Some(tracks) = &self.tracks else { return Ok(Vec::new()) };
        let entries = children(file, tracks)?.into_iter().filter(|child| child.id == ENTRY);
        entries.take(MOST_TRACKS).map(|entry| track(file, &entry)).collect()
    }
}

pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Found>> {
    let Some(parts) = parts(file, length)? else { return Ok(None) };
    let tracks = parts.tracks(file)?;
    let first = |kind: u64| {
        let mut of_kind = tracks.iter().filter(move |track| track.kind == kind);
        of_kind.clone().find(|track| track.default).or_else(|| of_kind.next())
    };
    let sound = first(2);
    let mut tags = Layer::default();
    if let Some(info) = &parts.info
        && let Some(title) = children(file, info)?.iter().find(|child| child.id == TITLE)
    {
        tags.push("TITLE", &text(file, title)?);
    }
    if let Some(of_file) = &parts.tags {
        take_tags(file, of_file, &mut tags)?;
    }
    Ok(Some(Found {
        frame: first(1).map(frame),
        audio_tracks: tracks
            .iter()
            .filter(|track| track.kind == 2)
            .map(|track| AudioTrack {
                id: u32::try_from(track.number).unwrap_or(0),
                name: track.name.clone(),
                language: track.language.clone(),
            })
            .collect(),
        captions: tracks.iter().filter(|track| is_text(track)).map(caption).collect(),
        duration_ms: duration(file, length, &parts)?,
        sample_rate: u32::try_from(whole(sound.map_or(0.0, |track| track.rate))).unwrap_or(0),
        channels: sound.map_or(0, |track| u32::try_from(track.channels).unwrap_or(0)),
        tags,
        picture: match &parts.attachments {
            Some(attachments) => picture(file, attachments)?,
            None => None,
        },
        media: parts.cluster.map_or(parts.segment.body, |cluster| cluster.body),
    }))
}

/// Whether a track has captions that can be read.
pub(super) fn is_text(track: &Track) -> bool {
    track.kind == 17 && TEXTS.contains(&track.codec.as_str())
}

fn caption(track: &Track) -> CaptionTrack {
    CaptionTrack {
        number: u32::try_from(track.number).unwrap_or(0),
        name: track.name.clone(),
        language: track.language.clone(),
        default: track.default,
        forced: track.forced,
    }
}

/// The sides as shown, else as coded.
fn frame(track: &Track) -> (u32, u32) {
    let side = |number: u64| u32::try_from(number).unwrap_or(0);
    let [width, height] = track.sides;
    match (track.unit, track.shown) {
        (_, [0, _] | [_, 0]) => (side(width), side(height)),
        (0, [width, height]) => (side(width), side(height)),
        // Centimetres, inches, or the ratio alone.
        (_, [x, y]) => (side(height.saturating_mul(x) / y), side(height)),
    }
}

fn track(file: &File, entry: &Element) -> io::Result<Track> {
    // What is not written is so.
    let mut track = Track { default: true, language: "en".to_owned(), ..Track::default() };
    let mut tag = None;
    for child in children(file, entry)? {
        match child.id {
            0xd7 => track.number = unsigned(file, &child)?,
            0x83 => track.kind = unsigned(file, &child)?,
            0x88 => track.default = unsigned(file, &child)? != 0,
            0x55aa => track.forced = unsigned(file, &child)? != 0,
            0x536e => track.name = text(file, &child)?,
            0x86 => track.codec = text(file, &child)?,
            0x0022_b59c => track.language = language::tag(&text(file, &child)?),
            0x0022_b59d => tag = Some(language::tag(&text(file, &child)?)),
            0x6d80 => track.encodings = Some(child),
            0xe0 => {
                for child in few(file, &child)? {
                    let number = || unsigned(file, &child);
                    match child.id {
                        0xb0 => track.sides[0] = number()?,
                        0xba => track.sides[1] = number()?,
                        0x54b0 => track.shown[0] = number()?,
                        0x54ba => track.shown[1] = number()?,
                        0x54b2 => track.unit = number()?,
                        _ => {}
                    }
                }
            }
            0xe1 => {
                track.channels = 1;
                for child in few(file, &child)? {
                    match child.id {
                        0xb5 => track.rate = float(file, &child)?,
                        0x9f => track.channels = unsigned(file, &child)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    track.language = tag.unwrap_or(track.language);
    Ok(track)
}

/// The tags of the whole file: those for one of its tracks or chapters are left out.
fn take_tags(file: &File, tags: &Element, layer: &mut Layer) -> io::Result<()> {
    const TARGETS: u32 = 0x63c0;
    const OF_PARTS: [u32; 4] = [0x63c5, 0x63c9, 0x63c4, 0x63c6];
    const SIMPLE: u32 = 0x67c8;
    for tag in few(file, tags)? {
        let parts = few(file, &tag)?;
        let mut of_part = false;
        for targets in parts.iter().filter(|child| child.id == TARGETS) {
            of_part |= few(file, targets)?.iter().any(|child| OF_PARTS.contains(&child.id));
        }
        for simple in parts.iter().filter(|child| child.id == SIMPLE && !of_part) {
            let (mut name, mut value) = (String::new(), String::new());
            for child in few(file, simple)? {
                match child.id {
                    0x45a3 => name = text(file, &child)?,
                    0x4487 => value = text(file, &child)?,
                    _ => {}
                }
            }
            match name.to_ascii_uppercase().as_str() {
                name @ ("TITLE" | "ARTIST" | "DATE" | "COMMENT" | "DESCRIPTION") => {
                    layer.push(name, &value);
                }
                "DATE_RELEASED" => layer.push("DATE", &value),
                "SYNOPSIS" | "SUMMARY" => layer.push("DESCRIPTION", &value),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The attached picture that is named as a cover, else the first one.
fn picture(file: &File, attachments: &Element) -> io::Result<Shown> {
    const ATTACHED: u32 = 0x61a7;
    let mut best: Option<(bool, Element)> = None;
    let files = children(file, attachments)?.into_iter().filter(|child| child.id == ATTACHED);
    for attached in files.take(MOST_TRACKS) {
        let (mut name, mut kind, mut data) = (String::new(), String::new(), None);
        for child in few(file, &attached)? {
            match child.id {
                0x466e => name = text(file, &child)?.to_ascii_lowercase(),
                0x4660 => kind = text(file, &child)?,
                0x465c => data = Some(child),
                _ => {}
            }
        }
        let is_cover = name.starts_with("cover") && !name.starts_with("cover_land");
        if let Some(data) = data.filter(|_| kind.starts_with("image/"))
            && best.is_none_or(|(had, _)| is_cover && !had)
        {
            best = Some((is_cover, data));
        }
    }
    let mut shown = None;
    if let Some((is_cover, data)) = best
        && data.end.saturating_sub(data.body) <= MOST_PICTURE_BYTES as u64
    {
        offer(&mut shown, &bytes(file, &data, MOST_PICTURE_BYTES)?, is_cover);
    }
    Ok(shown)
}

/// What the head says, else the time of the last block.
fn duration(file: &File, length: u64, parts: &Parts) -> io::Result<u64> {
    const DURATION: u32 = 0x4489;
    let scale = parts.scale(file)?;
    if let Some(info) = &parts.info
        && let Some(stated) = children(file, info)?.iter().find(|child| child.id == DURATION)
    {
        // The file counts in units of its own, of so many nanoseconds.
        let units = float(file, stated)?;
        let ms = units * scale as f64 / 1e6;
        if ms > 0.0 {
            return Ok(whole(ms.round()));
        }
    }
    last_time(file, length, scale)
}

/// The time of the last block of the last cluster, where that is near the end.
fn last_time(file: &File, length: u64, scale: u64) -> io::Result<u64> {
    let start = length.saturating_sub(TAIL_BYTES);
    let tail = bytes_at(file, start, usize::try_from(length - start).unwrap_or(0))?;
    let marks =
        tail.windows(4).enumerate().rev().filter(|(_, four)| *four == CLUSTER.to_be_bytes());
    for (at, _) in marks.take(MOST_TRACKS) {
        let Some(cluster) = element(file, start + at as u64, length)? else { continue };
        let (mut position, mut time, mut last) = (cluster.body, None, 0);
        for _ in 0..MOST_ELEMENTS {
            let Some(child) = element(file, position, cluster.end)? else { break };
            match child.id {
                TIME => time = Some(unsigned(file, &child)?),
                SIMPLE_BLOCK => {
                    let head = bytes(file, &child, 12)?;
                    let after = number(&head, 8).map_or(0, |(_, length)| length);
                    // Negative times are those of blocks before the cluster's own.
                    let relative = super::number::<2>(&head, after);
                    last = last.max(relative.filter(|time| *time < 0x8000).unwrap_or(0));
                }
                _ => {}
            }
            position = child.end;
        }
        if let Some(time) = time {
            let end = u64::saturating_add(time, last).saturating_mul(scale);
            return Ok(milliseconds(end, 1_000_000_000));
        }
    }
    Ok(0)
}
