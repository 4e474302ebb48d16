//! Frames of MPEG audio and of AAC in ADTS, which follow each other without a container: how long
//! they play is known only from the frames themselves.
//!
//! symphonia estimates it from the first frames of a file that has no Xing header: by half a second
//! and more off where the bit rate varies.

use std::fs::File;
use std::io;

use super::file::bytes_at;

/// Bytes of frames that are counted one by one; what follows is taken to be like them.
const MOST_COUNTED_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes read at a time while frames are counted.
const BLOCK: usize = 256 * 1024;
/// Bytes read at each place where a file is tried for a constant bit rate.
const SAMPLE: usize = 8 * 1024;
/// Places in a file that are tried, the same way apart.
const PLACES: u64 = 8;
/// Bytes within which the first frame has to be found.
const MOST_JUNK: usize = 64 * 1024;

/// What the header of a frame says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    /// Bytes, with the header.
    length: usize,
    /// Samples of each channel.
    samples: u64,
    /// Samples a second.
    rate: u64,
    /// Bits a second; 0 where the header does not say it.
    bit_rate: u64,
}

/// The kinds of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// MPEG audio, layers 1 to 3.
    Mpeg,
    /// AAC in ADTS.
    Adts,
}

/// How long the frames between two places of a file play, in milliseconds; `None` where there are
/// no frames. Reads little where the bit rate is constant, else everything.
pub(super) fn duration(file: &File, start: u64, end: u64, kind: Kind) -> io::Result<Option<u64>> {
    let head = bytes_at(
        file,
        start,
        MOST_JUNK.min(usize::try_from(end.saturating_sub(start)).unwrap_or(MOST_JUNK)),
    )?;
    let Some((junk, first)) = find(&head, kind) else { return Ok(None) };
    if let Some(frames) = head.get(junk..).and_then(|bytes| stated(bytes, first)) {
        return Ok(Some(rounded(frames * first.samples * 1000, first.rate)));
    }
    let start = start + junk as u64;
    if kind == Kind::Mpeg
        && let Some(padded) = constant(file, start, end, first)?
    {
        let bytes = end.saturating_sub(start);
        // Padding brings frames to the bit rate in the mean; an encoder may leave it out.
        return Ok(Some(if padded {
            rounded(bytes.saturating_mul(8 * 1000), first.bit_rate)
        } else {
            let samples = bytes.saturating_mul(first.samples) / (first.length as u64).max(1);
            rounded(samples.saturating_mul(1000), first.rate)
        }));
    }
    let (mut position, mut samples) = (start, 0);
    let stop = end.min(start.saturating_add(MOST_COUNTED_BYTES));
    while position < stop {
        let block =
            bytes_at(file, position, BLOCK.min(usize::try_from(end - position).unwrap_or(BLOCK)))?;
        let counted = count(&block, first.rate, kind);
        samples += counted.samples;
        if counted.bytes == 0 {
            break;
        }
        position += counted.bytes as u64;
    }
    let counted = u128::from(position.min(stop).saturating_sub(start).max(1));
    let whole = u128::from(samples)
        * u128::from(if position < end { end - start } else { position - start })
        / counted;
    Ok(Some(rounded(u64::try_from(whole).unwrap_or(0).saturating_mul(1000), first.rate)))
}

/// The count of frames that a Xing or VBRI header states in the first frame, which has no sound.
fn stated(bytes: &[u8], first: Frame) -> Option<u64> {
    // Xing stands after the side information, whose size depends on version and channels.
    const XING_PLACES: [usize; 3] = [13, 21, 36];
    const VBRI: usize = 36;
    const VBRI_FRAMES: usize = VBRI + 14;
    const HAS_FRAMES: u32 = 1;
    let frame = bytes.get(..first.length)?;
    let number = |place: usize| {
        let bytes = frame.get(place..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let has = |place: usize, names: &[&[u8]]| {
        frame.get(place..).is_some_and(|rest| names.iter().any(|name| rest.starts_with(name)))
    };
    let frames = if let Some(place) =
        XING_PLACES.into_iter().find(|at| has(*at, &[b"Xing", b"Info"]))
    {
        number(place + 8).filter(|_| number(place + 4).is_some_and(|flags| flags & HAS_FRAMES != 0))
    } else if has(VBRI, &[b"VBRI"]) {
        number(VBRI_FRAMES)
    } else {
        None
    };
    frames.map(u64::from).filter(|frames| *frames > 0)
}

/// A quotient, rounded.
fn rounded(number: u64, by: u64) -> u64 {
    number.saturating_add(by / 2).checked_div(by).unwrap_or(0)
}

/// Whether frames are of two lengths, where every place that is tried has the bit rate of the first
/// frame; `None` where one has another.
fn constant(file: &File, start: u64, end: u64, first: Frame) -> io::Result<Option<bool>> {
    let mut padded = false;
    let step = end.saturating_sub(start) / PLACES;
    for place in 0..PLACES {
        let block = bytes_at(
            file,
            start + place * step,
            SAMPLE.min(usize::try_from(step).unwrap_or(SAMPLE)),
        )?;
        let Some((mut at, _)) = find(&block, Kind::Mpeg) else { continue };
        while let Some(frame) = block.get(at..).and_then(|bytes| header(bytes, Kind::Mpeg)) {
            if (frame.bit_rate, frame.rate) != (first.bit_rate, first.rate) {
                return Ok(None);
            }
            padded = padded || frame.length != first.length;
            at += frame.length;
        }
    }
    Ok((first.bit_rate > 0).then_some(padded))
}

/// The first frame that another one follows, or that ends with the bytes, and where it begins.
fn find(bytes: &[u8], kind: Kind) -> Option<(usize, Frame)> {
    (0..bytes.len()).find_map(|at| {
        let frame = header(bytes.get(at..)?, kind)?;
        let rest = bytes.get(at + frame.length..).unwrap_or_default();
        (rest.is_empty() || header(rest, kind).is_some_and(|next| next.rate == frame.rate))
            .then_some((at, frame))
    })
}

/// Frames that were counted, and the bytes they and the junk between them take.
struct Counted {
    samples: u64,
    bytes: usize,
}

/// Counts the frames that begin in a block. The last one may end beyond it.
fn count(block: &[u8], rate: u64, kind: Kind) -> Counted {
    let mut counted = Counted { samples: 0, bytes: 0 };
    while let Some(bytes) = block.get(counted.bytes..).filter(|bytes| !bytes.is_empty()) {
        match header(bytes, kind).filter(|frame| frame.rate == rate) {
            Some(frame) => {
                counted.samples += frame.samples;
                counted.bytes += frame.length;
            }
            // The header of a frame may lie across two blocks.
            None if bytes.len() < 7 && counted.bytes > 0 => break,
            None => counted.bytes += find(bytes, kind).map_or(bytes.len(), |(junk, _)| junk.max(1)),
        }
    }
    counted
}

fn header(bytes: &[u8], kind: Kind) -> Option<Frame> {
    match kind {
        Kind::Mpeg => mpeg(bytes),
        Kind::Adts => adts(bytes),
    }
}

/// ISO 11172-3 and 13818-3, with the half rates of "MPEG 2.5".
fn mpeg(bytes: &[u8]) -> Option<Frame> {
    let &[0xff, b, c, _] = bytes.first_chunk::<4>()? else { return None };
    let (version, layer) = (b >> 3 & 3, 4 - (b >> 1 & 3));
    if b & 0xe0 != 0xe0 || version == 1 || layer == 4 {
        return None;
    }
    let kbit: [u64; 14] = match (version, layer) {
        (3, 1) => [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        (3, 2) => [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        (3, _) => [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        (_, 1) => [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        _ => [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    };
    let bit_rate = 1000 * kbit.get(usize::from(c >> 4).checked_sub(1)?)?;
    let rate = [44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3))?
        / [4, 1, 2, 1].get(usize::from(version))?;
    let samples = match (version, layer) {
        (_, 1) => 384,
        (3, _) | (_, 2) => 1152,
        _ => 576,
    };
    let padding = u64::from(c >> 1 & 1);
    // Layer 1 counts in slots of four bytes.
    let length = if layer == 1 {
        (12 * bit_rate / rate + padding) * 4
    } else {
        samples / 8 * bit_rate / rate + padding
    };
    Some(Frame { length: usize::try_from(length).ok()?, samples, rate, bit_rate })
}

/// ISO 13818-7, annex A.
fn adts(bytes: &[u8]) -> Option<Frame> {
    let &[0xff, b, c, d, e, f, g] = bytes.first_chunk::<7>()? else { return None };
    let rates = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let rate = rates.get(usize::from(c >> 2 & 15)).copied()?;
    let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
    (b & 0xf6 == 0xf0 && length > 7).then_some(Frame {
        length,
        samples: 1024 * (u64::from(g & 3) + 1),
        rate,
        bit_rate: 0,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn duration_of(bytes: &[u8], kind: Kind) -> Option<u64> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        duration(&file, 0, bytes.len() as u64, kind).unwrap()
    }

    /// A frame of MPEG 1, layer 3, 44.1 kHz: 9 is 128 kbit/s, 11 is 192.
    fn frame(bit_rate: u8) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xfb, bit_rate << 4, 0];
        bytes.resize(mpeg(&bytes).unwrap().length, 0);
        bytes
    }

    #[test]
    fn headers_say_length_and_samples() {
        let of = |bytes: [u8; 4]| {
            mpeg(&bytes).map(|frame| (frame.length, frame.samples, frame.rate, frame.bit_rate))
        };
        assert_eq!(of([0xff, 0xfb, 0x92, 0]), Some((418, 1152, 44_100, 128_000)));
        assert_eq!(of([0xff, 0xf3, 0x84, 0]), Some((192, 576, 24_000, 64_000)));
        assert_eq!(of([0xff, 0xfd, 0xa4, 0]), Some((576, 1152, 48_000, 192_000)));
        assert_eq!(of([0xff, 0xff, 0x14, 0]), Some((32, 384, 48_000, 32_000)));
        for bytes in [
            [0xff, 0xfb, 0x02, 0],
            [0xff, 0xfb, 0xf2, 0],
            [0xff, 0xfb, 0x9c, 0],
            [0xff, 0xeb, 0x90, 0],
            [0xff, 0xf9, 0x90, 0],
        ] {
            assert_eq!(mpeg(&bytes), None);
        }
    }

    #[test]
    fn a_varying_bit_rate_is_counted_and_a_constant_one_is_not() {
        let frames: Vec<u8> =
            (0..2000).flat_map(|place| frame(if place % 3 == 0 { 9 } else { 11 })).collect();
        let exact = (2000 * 1152 * 1000 + 22_050) / 44_100;
        assert_eq!(duration_of(&frames, Kind::Mpeg), Some(exact));
        let frames: Vec<u8> = (0..2000).flat_map(|_| frame(9)).collect();
        assert_eq!(duration_of(&[b"junk", &frames[..]].concat(), Kind::Mpeg), Some(exact));
        // Of 49 frames 47 have a byte more, which makes 128 kbit/s.
        let frames: Vec<u8> = (0..2000)
            .flat_map(|place| {
                let mut bytes = frame(9);
                if place % 49 != 0 && place % 49 != 25 {
                    bytes[2] |= 2;
                    bytes.push(0);
                }
                bytes
            })
            .collect();
        let found = duration_of(&frames, Kind::Mpeg).unwrap();
        assert!(found.abs_diff(exact) < 5, "{found}");
    }

    #[test]
    fn a_count_that_is_stated_is_taken_where_there_is_one() {
        let with = |place: usize, header: &[u8]| {
            let mut first = frame(9);
            first[place..place + header.len()].copy_from_slice(header);
            let frames = (0..20).flat_map(|place| frame(if place % 3 == 0 { 9 } else { 11 }));
            duration_of(&first.into_iter().chain(frames).collect::<Vec<_>>(), Kind::Mpeg)
        };
        let ms = |frames: u64| Some((frames * 1152 * 1000 + 22_050) / 44_100);
        assert_eq!(with(36, b"Xing\0\0\0\x0f\0\0\x01\0"), ms(256));
        assert_eq!(with(21, b"Info\0\0\0\x01\0\0\x01\0"), ms(256));
        assert_eq!(with(36, b"VBRI\0\x01\0\0\0\0\0\0\0\0\0\0\x01\0"), ms(256));
        assert_eq!(with(36, b"Xing\0\0\0\x0e\0\0\x01\0"), ms(21));
        assert_eq!(with(36, b"Xing\0\0\0\x0f\0\0\0\0"), ms(21));
    }

    #[test]
    fn frames_of_adts_are_counted_over_junk() {
        let frame = [&[0xff, 0xf1, 0x50, 0x80, 0x0c, 0x9f, 0xfc][..], &[0; 93]].concat();
        let frames = [frame.repeat(3), b"some junk".to_vec(), frame.repeat(4000)].concat();
        assert_eq!(duration_of(&frames, Kind::Adts), Some((4003 * 1024 * 1000 + 22_050) / 44_100));
        assert_eq!(duration_of(b"no frames", Kind::Adts), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_or_go_on_for_ever(bytes in proptest::collection::vec(prop_oneof![Just(0xff_u8), Just(0xfb), any::<u8>()], 0..600)) {
            for kind in [Kind::Mpeg, Kind::Adts] {
                let _ = duration_of(&bytes, kind);
            }
        }
    }
}
