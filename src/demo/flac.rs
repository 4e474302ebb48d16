//! Writes FLAC (RFC 9639): enough of it for what is composed here, sixteen bits and two channels.

use md5::{Digest, Md5};

/// Samples of a frame; sound is composed in whole frames.
pub const FRAME: usize = 4096;
/// Samples a second.
pub const RATE: u32 = 44_100;
/// Highest order of the fixed predictors (RFC 9639 9.2.5).
const HIGHEST_ORDER: usize = 4;
/// Parts of a frame that have a Rice parameter each; a power of two.
const PARTS: usize = 16;
/// Highest Rice parameter of the short form (RFC 9639 9.2.7).
const HIGHEST_PARAMETER: u32 = 14;

/// A stereo sample.
pub type Sample = [i16; 2];

/// A whole file: tags as names and values, a JPEG for the front cover, and the sound, whose length
/// must be a multiple of `FRAME`.
pub fn encode(tags: &[(&str, String)], cover: &[u8], side: u32, sound: &[Sample]) -> Vec<u8> {
    let mut file = b"fLaC".to_vec();
    block(&mut file, 0, false, &stream_info(sound));
    block(&mut file, 4, false, &comments(tags));
    block(&mut file, 6, true, &picture(cover, side));
    for (number, frame) in (0_u32..).zip(sound.chunks_exact(FRAME)) {
        write_frame(&mut file, number, frame);
    }
    file
}

/// A metadata block: kind, whether it is the last, length, content.
fn block(file: &mut Vec<u8>, kind: u8, last: bool, content: &[u8]) {
    file.push(kind | if last { 0x80 } else { 0 });
    file.extend_from_slice(length(content).to_be_bytes().get(1..).unwrap_or_default());
    file.extend_from_slice(content);
}

/// What is composed here is far smaller than 4 GiB.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn stream_info(sound: &[Sample]) -> Vec<u8> {
    let mut digest = Md5::new();
    for [left, right] in sound {
        digest.update(left.to_le_bytes());
        digest.update(right.to_le_bytes());
    }
    let mut bits = Bits::default();
    bits.put(FRAME as u64, 16);
    bits.put(FRAME as u64, 16);
    // The lengths of frames are not told.
    bits.put(0, 48);
    bits.put(RATE.into(), 20);
    bits.put(2 - 1, 3);
    bits.put(16 - 1, 5);
    bits.put(sound.len() as u64, 36);
    let mut info = bits.bytes;
    info.extend_from_slice(&digest.finalize());
    info
}

fn comments(tags: &[(&str, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&length(text.as_bytes()).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    text(&mut out, "Kinglet");
    out.extend_from_slice(&u32::try_from(tags.len()).unwrap_or(0).to_le_bytes());
    for (name, value) in tags {
        text(&mut out, &format!("{name}={value}"));
    }
    out
}

/// A front cover with 24 bits a pixel and equal sides.
fn picture(jpeg: &[u8], side: u32) -> Vec<u8> {
    let mut out = 3_u32.to_be_bytes().to_vec();
    let kind = b"image/jpeg";
    out.extend_from_slice(&length(kind).to_be_bytes());
    out.extend_from_slice(kind);
    for number in [0, side, side, 24, 0, length(jpeg)] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(jpeg);
    out
}

fn write_frame(file: &mut Vec<u8>, number: u32, frame: &[Sample]) {
    let start = file.len();
    let mut bits = Bits { bytes: std::mem::take(file), ..Bits::default() };
    bits.put(0b11_1111_1111_1110, 14);
    // Blocks of one size: 4096 samples, 44.1 kHz, two channels, 16 bits.
    bits.put(0b00, 2);
    bits.put(0b1100_1001, 8);
    bits.put(0b0001_1000, 8);
    for byte in coded_number(number) {
        bits.put(byte.into(), 8);
    }
    let check = crc8(bits.bytes.get(start..).unwrap_or_default());
    bits.put(check.into(), 8);
    for channel in 0..2 {
        let samples: Vec<i32> = frame.iter().map(|sample| i32::from(sample[channel])).collect();
        subframe(&mut bits, &samples);
    }
    bits.align();
    *file = bits.bytes;
    let check = crc16(file.get(start..).unwrap_or_default());
    file.extend_from_slice(&check.to_be_bytes());
}

/// The number of a frame, coded as UTF-8 codes characters.
fn coded_number(number: u32) -> Vec<u8> {
    let mut buffer = [0; 4];
    // Twenty minutes are 13,000 frames: below the surrogates, which are no characters.
    char::from_u32(number).unwrap_or('\0').encode_utf8(&mut buffer).as_bytes().to_vec()
}

/// One channel of a frame: the fixed predictor that leaves least, what it leaves in Rice code.
fn subframe(bits: &mut Bits, samples: &[i32]) {
    let mut residual = samples.to_vec();
    let (mut best, mut least) = ((0, residual.clone()), weight(&residual));
    for order in 1..=HIGHEST_ORDER {
        // A predictor of one order more is the difference of what the one before leaves.
        residual = residual.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let weight = weight(&residual);
        if weight < least {
            (best, least) = ((order, residual.clone()), weight);
        }
    }
    let (order, residual) = best;
    bits.put(0b001_000 | order as u64, 7);
    bits.put(0, 1);
    for sample in samples.iter().take(order) {
        bits.put_signed(*sample, 16);
    }
    // The first part is shorter by the samples that stand before it.
    let (first, rest) = residual.split_at(FRAME / PARTS - order);
    bits.put(0, 2);
    bits.put(PARTS.ilog2().into(), 4);
    for part in std::iter::once(first).chain(rest.chunks(FRAME / PARTS)) {
        rice(bits, part);
    }
}

/// Values in Rice code, with the parameter that suits them.
fn rice(bits: &mut Bits, values: &[i32]) {
    let parameter = parameter(weight(values), values.len());
    bits.put(parameter.into(), 4);
    for value in values {
        let folded = u64::from(((value << 1) ^ (value >> 31)).cast_unsigned());
        bits.put_zeros(folded >> parameter);
        // The one that ends the zeros, with the rest.
        bits.put(1 << parameter | folded & ((1 << parameter) - 1), parameter + 1);
    }
}

fn weight(residual: &[i32]) -> u64 {
    residual.iter().map(|value| u64::from(value.unsigned_abs())).sum()
}

/// The Rice parameter near the mean of the folded values.
fn parameter(weight: u64, count: usize) -> u32 {
    let mean = 2 * weight / count.max(1) as u64;
    mean.max(1).ilog2().min(HIGHEST_PARAMETER)
}

/// Bits, most significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits that are no whole byte yet, at the low end.
    pending: u64,
    count: u32,
}

impl Bits {
    /// Appends the low bits of a value, at most 48.
    fn put(&mut self, value: u64, count: u32) {
        self.pending = self.pending << count | value;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let [.., byte] = (self.pending >> self.count).to_be_bytes();
            self.bytes.push(byte);
        }
        self.pending &= (1 << self.count) - 1;
    }

    fn put_zeros(&mut self, mut count: u64) {
        while count > 32 {
            self.put(0, 32);
            count -= 32;
        }
        self.put(0, u32::try_from(count).unwrap_or(0));
    }

    fn put_signed(&mut self, value: i32, count: u32) {
        self.put(u64::from(value.cast_unsigned()) & ((1 << count) - 1), count);
    }

    /// Fills the last byte.
    fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| crc << 1 ^ if crc & 0x80 != 0 { 0x07 } else { 0 })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 256] = {
        let (mut table, mut at) = ([0; 256], 0_u16);
        while at < 256 {
            let (mut crc, mut bit) = (at << 8, 0);
            while bit < 8 {
                crc = crc << 1 ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
                bit += 1;
            }
            table[at as usize] = crc;
            at += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc: u16, byte| {
        let [high, _] = crc.to_be_bytes();
        crc << 8 ^ TABLE[usize::from(high ^ byte)]
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::demo::tests::decoded;

    #[test]
    fn every_kind_of_sound_comes_back_bit_by_bit() {
        let mut chance = 1_u32;
        let mut noise = || {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i16::from_be_bytes([chance.to_be_bytes()[0], chance.to_be_bytes()[1]])
        };
        let mut sound: Vec<Sample> = vec![[0, 0]; FRAME];
        sound.extend((0..FRAME).map(|_| [noise(), noise()]));
        sound.extend((0..FRAME).map(|at| [if at % 2 == 0 { i16::MAX } else { i16::MIN }, 1]));
        sound.extend((0..i16::try_from(FRAME).unwrap()).map(|at| [at * 3, -at]));
        let file = encode(&[("TITLE", "x".to_owned())], b"\xff\xd8", 1, &sound);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.flac");
        std::fs::write(&path, file).unwrap();
        assert!(decoded(&path) == sound);
    }

    #[test]
    fn checks_are_those_of_the_standard() {
        assert_eq!((crc8(b"123456789"), crc16(b"123456789")), (0xf4, 0xfee8));
    }
}
