//! MPEG program and transport streams (DVDs, camcorders, broadcasts): the clock at both ends, and the
//! sides where the pictures are MPEG-1 or MPEG-2.

use std::fs::File;
use std::io;

use super::super::file::bytes_at;
use super::{Found, milliseconds, number, small};

/// Bytes looked at at each end.
const LOOKED_AT: u64 = 1024 * 1024;
/// Ticks of the clock in a second.
const CLOCK: u64 = 90_000;
/// Ticks after which the clock begins anew.
const CLOCK_END: u64 = 1 << 33;
/// What packets of a transport stream begin with, and their length.
const SYNC: u8 = 0x47;
const PACKET: usize = 188;
/// Packets in a row that make a transport stream.
const PACKETS: usize = 5;

pub(super) fn read(file: &File, length: u64) -> io::Result<Option<Found>> {
    let most = usize::try_from(LOOKED_AT.min(length)).unwrap_or(0);
    let head = bytes_at(file, 0, most)?;
    let clock: fn(&[u8]) -> Vec<(u64, u64)> = if head.starts_with(b"\0\0\x01\xba") {
        program_clock
    } else if transport(&head).is_some() {
        transport_clock
    } else {
        return Ok(None);
    };
    let tail = bytes_at(file, length.saturating_sub(LOOKED_AT), most)?;
    let first = clock(&head).first().copied();
    let last =
        first.and_then(|(id, _)| clock(&tail).into_iter().rev().find(|(other, _)| *other == id));
    let ticks = match (first, last) {
        (Some((_, first)), Some((_, last))) => (last + CLOCK_END - first) % CLOCK_END,
        _ => 0,
    };
    Ok(Some(Found {
        // Files of this kind that are sound alone have other names.
        frame: Some(sides(&head).unwrap_or_default()),
        duration_ms: milliseconds(ticks, CLOCK),
        ..Found::default()
    }))
}

/// The sides in the first head of a sequence of pictures.
fn sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let at = bytes.windows(4).position(|four| four == b"\0\0\x01\xb3")?;
    let sides = number::<3>(bytes, at + 4)?;
    Some((small(Some(sides >> 12)), small(Some(sides & 0xfff))))
}

/// Where packets begin, and how far they are from each other: cameras put a time before each.
fn transport(bytes: &[u8]) -> Option<(usize, usize)> {
    let lengths = [PACKET, PACKET + 4];
    (0..PACKET + 4).find_map(|start| {
        lengths.into_iter().find_map(|length| {
            let is_packet = |packet: usize| bytes.get(start + packet * length) == Some(&SYNC);
            (0..PACKETS).all(is_packet).then_some((start, length))
        })
    })
}

/// The clock of each packet that tells it, with the number of what it is the clock of.
fn transport_clock(bytes: &[u8]) -> Vec<(u64, u64)> {
    let Some((start, length)) = transport(bytes) else { return Vec::new() };
    let packets = bytes.get(start..).unwrap_or_default().chunks_exact(length);
    packets
        .filter_map(|packet| {
            let [SYNC, high, low, flags, long, adaptation, clock @ ..] = packet else {
                return None;
            };
            // An adaptation field that is long enough and says that it has a clock.
            let has_clock = flags & 0x20 != 0 && *long >= 7 && adaptation & 0x10 != 0;
            let id = u64::from(high & 0x1f) << 8 | u64::from(*low);
            number::<5>(clock, 0).filter(|_| has_clock).map(|clock| (id, clock >> 7))
        })
        .collect()
}

/// The clock of each pack.
fn program_clock(bytes: &[u8]) -> Vec<(u64, u64)> {
    let packs = bytes.windows(10).filter(|pack| pack.starts_with(b"\0\0\x01\xba"));
    packs
        .filter_map(|pack| {
            let clock = number::<5>(pack, 4)?;
            // Three parts with a bit between them: MPEG-2 begins with 01, MPEG-1 with 0010.
            let (high, rest) = match pack.get(4)? >> 6 {
                1 => (clock >> 35 & 7, clock >> 3),
                _ => (clock >> 33 & 7, clock >> 1),
            };
            let (middle, low) = (rest >> 16 & 0x7fff, rest & 0x7fff);
            Some((0, high << 30 | middle << 15 | low))
        })
        .collect()
}
