//! Pictures for people who have none: five by five mirrored blocks in a colour of their own.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use sha2::{Digest, Sha256};

/// Smallest and largest side, in pixels.
const SIZES: (u32, u32) = (16, 512);

/// Blocks along a side.
const BLOCKS: u32 = 5;

/// Colour around the blocks.
const BACKGROUND: [u8; 3] = [0xf1, 0xf0, 0xee];

/// Draws the picture of a name as PNG; a name always looks the same. The size is that of a side
/// in pixels, 16 to 512; one outside gets the nearest.
pub fn draw(name: &str, size: u32) -> Vec<u8> {
    let size = size.clamp(SIZES.0, SIZES.1);
    let [high, low, hue_high, hue_low, light, ..] = <[u8; 32]>::from(Sha256::digest(name));
    let blocks = shape(u16::from_be_bytes([high, low]));
    let colour = colour(u16::from_be_bytes([hue_high, hue_low]), light);
    png(size, colour, |x, y| {
        // Half a block of background stays on each side.
        let cell =
            |along: u32| (along * 2 * (BLOCKS + 1) / size).checked_sub(1).map(|half| half / 2);
        match (cell(x), cell(y)) {
            (Some(column), Some(row)) if column < BLOCKS && row < BLOCKS => {
                blocks >> (row * 3 + column.min(BLOCKS - 1 - column)) & 1 == 1
            }
            _ => false,
        }
    })
}

/// Which blocks are filled: 3 bits for each of the 5 rows, the outer column first. Neither almost
/// none nor almost all, which nobody could tell apart.
fn shape(bits: u16) -> u16 {
    let bits = bits & 0x7fff;
    match bits.count_ones() {
        0..=4 => bits ^ 0x7fff,
        11.. => bits ^ 0x2aaa,
        _ => bits,
    }
}

/// A colour of any hue that stands out from the background.
fn colour(hue: u16, light: u8) -> [u8; 3] {
    let (lowest, highest) = (40 + u32::from(light % 40), 150 + u32::from(light % 40));
    let hue = u32::from(hue) * 6;
    // Where in its sixth of the circle of hues; up in one sixth, down in the next.
    let (sixth, within) = (hue >> 16, hue & 0xffff);
    let rising = lowest + ((highest - lowest) * within >> 16);
    let falling = lowest + highest - rising;
    let channels = match sixth {
        0 => [highest, rising, lowest],
        1 => [falling, highest, lowest],
        2 => [lowest, highest, rising],
        3 => [lowest, falling, highest],
        4 => [rising, lowest, highest],
        _ => [highest, lowest, falling],
    };
    channels.map(|channel| u8::try_from(channel).unwrap_or(u8::MAX))
}

/// A square PNG of two colours.
fn png(size: u32, colour: [u8; 3], filled: impl Fn(u32, u32) -> bool) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..size {
        // Each row begins with its filter: none.
        rows.push(0);
        for x in (0..size).step_by(8) {
            let bit = |bits, x| bits << 1 | u8::from(filled(x, y));
            rows.extend([(x..x + 8).fold(0_u8, bit)]);
        }
    }
    let mut head = Vec::from(size.to_be_bytes());
    head.extend(size.to_be_bytes());
    // One bit a pixel, colours from a palette, no interlacing.
    head.extend([1, 3, 0, 0, 0]);
    let palette = [BACKGROUND, colour].concat();
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut picture, *b"IHDR", &head);
    chunk(&mut picture, *b"PLTE", &palette);
    chunk(&mut picture, *b"IDAT", &zlib(&rows));
    chunk(&mut picture, *b"IEND", &[]);
    picture
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = zlib.write_all(bytes);
    zlib.finish().unwrap_or_default()
}

/// A chunk: length, kind, content, and a checksum of the latter two.
fn chunk(picture: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(content);
    picture.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    picture.extend(kind);
    picture.extend(content);
    picture.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_picture_is_mirrored_and_has_two_colours() {
        let picture = image::load_from_memory(&draw("anna", 120)).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (120, 120));
        assert_eq!(picture.get_pixel(0, 0).0, BACKGROUND);
        let filled = picture.pixels().filter(|pixel| pixel.0 != BACKGROUND).count();
        assert!((1500..9000).contains(&filled), "{filled}");
        for (x, y, pixel) in picture.enumerate_pixels() {
            assert_eq!(pixel, picture.get_pixel(119 - x, y));
        }
    }

    #[test]
    fn names_have_pictures_of_their_own() {
        assert_eq!(draw("anna", 64), draw("anna", 64));
        assert_ne!(draw("anna", 64), draw("ben", 64));
    }

    proptest! {
        #[test]
        fn any_name_and_size_gives_a_small_picture(name in ".*", size in any::<u32>()) {
            let png = draw(&name, size);
            let picture = image::load_from_memory(&png).unwrap();
            prop_assert_eq!(picture.width(), size.clamp(SIZES.0, SIZES.1));
            prop_assert!(png.len() < 1000, "{} bytes", png.len());
        }

        #[test]
        fn every_colour_stands_out(hue in any::<u16>(), light in any::<u8>()) {
            let [red, green, blue] = colour(hue, light).map(u32::from);
            prop_assert!(red * 3 + green * 6 + blue < 240 * 10 * 8 / 10);
        }
    }
}
