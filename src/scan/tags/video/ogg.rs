//! Theora in Ogg: the first packets of its streams, and the time of the last page.

use std::fs::File;
use std::io;

use super::super::fields::Layer;
use super::super::file::bytes_at;
use super::{AudioTrack, Found, little, milliseconds, number, small};
use crate::media::text::decode;

/// Bytes looked at for the first packets: comments come with them.
const HEAD_BYTES: usize = 64 * 1024;
/// Bytes looked at for the last page, which has 64 KiB at most.
const TAIL_BYTES: u64 = 256 * 1024;
/// Pages looked at.
const MOST_PAGES: usize = 64;
/// Comments looked at.
const MOST_COMMENTS: usize = 200;

/// The stream of pictures: its number, and how its times are to be read.
struct Pictures {
    serial: u64,
    shift: u64,
    frames: u64,
    seconds: u64,
}

pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Found>> {
    let head = bytes_at(file, 0, HEAD_BYTES)?;
    let (mut found, mut pictures, mut position) = (Found::default(), None, 0);
    for stream in 1..=u32::try_from(MOST_PAGES).unwrap_or(0) {
        let page = head.get(position..).unwrap_or_default();
        // Only pages on which a stream begins, which all come first.
        let (Some(b"OggS"), Some(flags)) = (page.get(..4), page.get(5)) else { break };
        if flags & 2 == 0 {
            break;
        }
        let segments = usize::from(page.get(26).copied().unwrap_or(0));
        let lengths = page.get(27..27 + segments).unwrap_or_default();
        let body = 27 + segments;
        let packet = page.get(body..).unwrap_or_default();
        if packet.starts_with(b"\x80theora") {
            let [frames, seconds] = [22, 26].map(|at| number::<4>(packet, at).unwrap_or(0));
            found.frame = Some((small(number::<3>(packet, 14)), small(number::<3>(packet, 17))));
            let shift = number::<2>(packet, 40).unwrap_or(0) >> 5 & 0x1f;
            let serial = little::<4>(page, 14).unwrap_or(0);
            pictures = pictures.or(Some(Pictures { serial, shift, frames, seconds }));
        } else if packet.starts_with(b"\x01vorbis") || packet.starts_with(b"OpusHead") {
            let is_opus = packet.starts_with(b"Opus");
            let channels = packet.get(if is_opus { 9 } else { 11 });
            let rate = if is_opus { 48_000 } else { small(little::<4>(packet, 12)) };
            if found.audio_tracks.is_empty() {
                found.channels = channels.map_or(0, |channels| u32::from(*channels));
                found.sample_rate = rate;
            }
            found.audio_tracks.push(AudioTrack { id: stream, ..AudioTrack::default() });
        }
        position += body + lengths.iter().map(|length| usize::from(*length)).sum::<usize>();
    }
    let Some(pictures) = pictures else { return Ok(None) };
    found.media = position as u64;
    if let Some(at) = head.windows(7).position(|seven| seven == b"\x81theora") {
        comments(head.get(at + 7..).unwrap_or_default(), &mut found.tags);
    }
    found.duration_ms = duration(file, length, &pictures)?;
    Ok(Some(found))
}

/// Who wrote them, then each with its length.
fn comments(bytes: &[u8], layer: &mut Layer) {
    let size = |at: usize| little::<4>(bytes, at).and_then(|size| usize::try_from(size).ok());
    let Some(vendor) = size(0) else { return };
    let mut position = vendor.saturating_add(8);
    let count = size(position.saturating_sub(4)).unwrap_or(0).min(MOST_COMMENTS);
    for _ in 0..count {
        let Some(length) = size(position) else { break };
        let end = position.saturating_add(4).saturating_add(length);
        let Some(comment) = bytes.get(position + 4..end) else { break };
        if let Some((name, value)) = decode(comment).split_once('=') {
            layer.push(name, value);
        }
        position = end;
    }
}

/// The time of the last page of the pictures, in ms.
fn duration(file: &File, length: u64, pictures: &Pictures) -> io::Result<u64> {
    let start = length.saturating_sub(TAIL_BYTES);
    let tail = bytes_at(file, start, usize::try_from(length - start).unwrap_or(0))?;
    let mut pages = tail
        .windows(18)
        .rev()
        .filter(|page| page.starts_with(b"OggS") && little::<4>(page, 14) == Some(pictures.serial));
    let time = pages.find_map(|page| little::<8>(page, 6).filter(|time| *time != u64::MAX));
    let time = time.unwrap_or(0);
    // The number of the last whole picture, and how many came after it.
    let frames = (time >> pictures.shift).saturating_add(time & ((1 << pictures.shift) - 1));
    Ok(milliseconds(frames.saturating_mul(pictures.seconds), pictures.frames))
}
