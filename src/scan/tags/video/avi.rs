//! AVI: the lists of its head.

use std::fs::File;
use std::io;

use super::super::fields::Layer;
use super::super::file::bytes_at;
use super::{AudioTrack, Found, MOST_TRACKS, little, milliseconds, small};

/// Chunks looked at in one list.
const MOST_CHUNKS: usize = 256;
/// Bytes of a chunk of the head, of a text.
const MOST_BYTES: u64 = 4096;
/// Bytes of the head of a chunk, and of a list with its kind.
const HEAD: u64 = 8;
const LIST_HEAD: u64 = 12;

/// A chunk: its letters, its place and the end of its body; of a list, the letters of its kind.
struct Chunk {
    name: [u8; 4],
    body: u64,
    end: u64,
}

/// The chunks between two places; a list comes under the name of its kind.
fn chunks(file: &File, start: u64, end: u64) -> io::Result<Vec<Chunk>> {
    let (mut position, mut found) = (start, Vec::new());
    while found.len() < MOST_CHUNKS && position < end {
        let head = bytes_at(file, position, 12)?;
        let (Some(name), Some(size)) = (head.first_chunk::<4>(), little::<4>(&head, 4)) else {
            break;
        };
        let stop = position.saturating_add(HEAD).saturating_add(size).min(end);
        let kind = head.get(8..).and_then(|rest| rest.first_chunk::<4>());
        let (name, body) = match (name, kind) {
            (b"LIST", Some(kind)) => (*kind, position + LIST_HEAD),
            _ => (*name, position + HEAD),
        };
        found.push(Chunk { name, body: body.min(stop), end: stop });
        // Chunks begin at even places.
        position = stop + (stop & 1);
    }
    Ok(found)
}

fn bytes(file: &File, chunk: &Chunk) -> io::Result<Vec<u8>> {
    let length = chunk.end.saturating_sub(chunk.body).min(MOST_BYTES);
    bytes_at(file, chunk.body, usize::try_from(length).unwrap_or(0))
}

pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Found>> {
    let mut found = Found::default();
    let parts = chunks(file, LIST_HEAD, length)?;
    let part = |name: &[u8; 4]| parts.iter().find(|chunk| chunk.name == *name);
    if let Some(list) = part(b"hdrl") {
        head(file, list, &mut found)?;
    }
    if let Some(list) = part(b"INFO") {
        info(file, list, &mut found.tags)?;
    }
    found.media = part(b"movi").map_or(0, |list| list.body);
    Ok(Some(found))
}

fn head(file: &File, list: &Chunk, found: &mut Found) -> io::Result<()> {
    let (mut streams, mut sides) = (0, (0, 0));
    for chunk in chunks(file, list.body, list.end)? {
        match &chunk.name {
            b"avih" => {
                let bytes = bytes(file, &chunk)?;
                sides = (small(little::<4>(&bytes, 32)), small(little::<4>(&bytes, 36)));
                let frame_us = little::<4>(&bytes, 0).unwrap_or(0);
                let frames = little::<4>(&bytes, 16).unwrap_or(0);
                found.duration_ms = frame_us.saturating_mul(frames) / 1000;
            }
            b"strl" if streams < MOST_TRACKS => {
                streams += 1;
                stream(file, &chunk, u32::try_from(streams).unwrap_or(0), found)?;
            }
            _ => {}
        }
    }
    // A file whose head lists no stream of pictures has none, whatever sides it states.
    found.frame = found.frame.map(|_| sides);
    Ok(())
}

fn stream(file: &File, list: &Chunk, id: u32, found: &mut Found) -> io::Result<()> {
    let (mut is_sound, mut name) = (false, String::new());
    for chunk in chunks(file, list.body, list.end)? {
        let bytes = bytes(file, &chunk)?;
        match (&chunk.name, bytes.get(..4)) {
            (b"strh", Some(b"vids")) => {
                found.frame = Some((0, 0));
                let [scale, rate, length] =
                    [20, 24, 32].map(|at| little::<4>(&bytes, at).unwrap_or(0));
                let ms = milliseconds(length.saturating_mul(scale), rate);
                // The first head counts the frames of the first of several parts alone.
                found.duration_ms = found.duration_ms.max(ms);
            }
            (b"strh", Some(b"auds")) => is_sound = true,
            (b"strf", _) if is_sound && found.channels == 0 => {
                found.channels = small(little::<2>(&bytes, 2));
                found.sample_rate = small(little::<4>(&bytes, 4));
            }
            (b"strn", _) => {
                let text = crate::media::text::decode(&bytes);
                name = text.trim_end_matches('\0').trim().to_owned();
            }
            _ => {}
        }
    }
    if is_sound {
        found.audio_tracks.push(AudioTrack { id, name, language: String::new() });
    }
    Ok(())
}

fn info(file: &File, list: &Chunk, layer: &mut Layer) -> io::Result<()> {
    const NAMES: [(&[u8; 4], &str); 4] =
        [(b"INAM", "TITLE"), (b"IART", "ARTIST"), (b"ICRD", "DATE"), (b"ICMT", "COMMENT")];
    for chunk in chunks(file, list.body, list.end)? {
        if let Some((_, name)) = NAMES.iter().find(|(known, _)| **known == chunk.name) {
            layer.push(name, crate::media::text::decode(&bytes(file, &chunk)?).trim());
        }
    }
    Ok(())
}
