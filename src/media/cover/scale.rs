//! From the bytes of a picture to a smaller JPEG.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage,
};

use super::disk::END_OF_IMAGE;
use super::header;
use crate::error::{Error, Result};

/// Memory a decoder may need for a picture, in bytes: enough for a JPEG of 6000 x 6000 pixels, a
/// progressive one or a PNG of about 4000 x 4000, and half of what a server on the smallest
/// machines can have.
const MOST_MEMORY: u64 = 128 << 20;

/// Pictures that need more memory than this are scaled one at a time.
const LARGE_MEMORY: u64 = 16 << 20;

/// Longest side, in pixels; JPEG, WebP and GIF cannot have a longer one.
const MOST_SIDE: u32 = 65_535;

/// Quality of the JPEGs, 1 to 100: one sees no difference at the size it is made for.
const QUALITY: u8 = 85;

/// A picture of which the head is read and found sane.
pub(super) struct Opened<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    format: ImageFormat,
    width: u32,
    height: u32,
    memory: u64,
}

/// Reads the head of a picture.
pub(super) fn open(picture: &[u8]) -> Result<Opened<'_>> {
    if picture.len() > super::MOST_BYTES {
        return Err(super::too_long());
    }
    let format = match super::content_type(picture) {
        Some("image/jpeg") => ImageFormat::Jpeg,
        Some("image/png") => ImageFormat::Png,
        Some("image/gif") => ImageFormat::Gif,
        Some("image/webp") => ImageFormat::WebP,
        _ => return Err(Error::new("the picture is no JPEG, PNG, WebP or GIF")),
    };
    let mut reader = ImageReader::with_format(Cursor::new(picture), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Error::new("the picture has no pixels"));
    }
    let pixels = decoder.total_bytes();
    // Beside the pixels, a progressive JPEG needs all coefficients, and the others a second frame
    // or the pixels once more in our own form.
    let more = if format == ImageFormat::Jpeg { header::coefficients(picture) } else { pixels };
    let memory = pixels.saturating_add(more);
    if memory > MOST_MEMORY {
        return Err(Error::new(format!(
            "the picture of {width} x {height} pixels is too large to be scaled; \
             use one of at most 4000 x 4000"
        )));
    }
    Ok(Opened { decoder: Box::new(decoder), format, width, height, memory })
}

fn broken(cause: image::ImageError) -> Error {
    Error::caused("the picture is broken", cause)
}

impl Opened<'_> {
    /// Whether it is a JPEG that needs no scaling.
    pub(super) fn fits(&self, size: u32) -> bool {
        self.format == ImageFormat::Jpeg && self.width.max(self.height) <= size
    }

    /// Whether it is best to have no other such picture in memory at the same time.
    pub(super) fn large(&self) -> bool {
        self.memory > LARGE_MEMORY
    }

    /// The pixels, three bytes each, in no order that matters.
    pub(super) fn pixels(self) -> Result<Vec<u8>> {
        Ok(on_white(DynamicImage::from_decoder(self.decoder).map_err(broken)?))
    }

    /// Decodes the picture and makes a JPEG of it whose longer side is at most `size`.
    pub(super) fn scale(mut self, size: u32) -> Result<Vec<u8>> {
        let orientation = self.decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let pixels = DynamicImage::from_decoder(self.decoder).map_err(broken)?;
        let from = (self.width, self.height);
        let to = fitted(from, size);
        let mut rgb = on_white(pixels);
        if to != from {
            rgb = shrink(&rgb, from, to);
        }
        let small = RgbImage::from_raw(to.0, to.1, rgb)
            .ok_or_else(|| Error::new("the picture is broken: pixels are missing"))?;
        let mut small = DynamicImage::ImageRgb8(small);
        // Turning the small one costs less and needs little memory.
        small.apply_orientation(orientation);
        encode(&small.into_rgb8(), QUALITY)
    }

    /// Decodes the picture and gives its middle as a square with sides of so many pixels; a
    /// smaller one is made larger.
    pub(super) fn square(mut self, side: u32) -> Result<RgbImage> {
        let orientation = self.decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let pixels = DynamicImage::from_decoder(self.decoder).map_err(broken)?;
        let shorter = self.width.min(self.height);
        let (left, top) = ((self.width - shorter) / 2, (self.height - shorter) / 2);
        let middle = pixels.crop_imm(left, top, shorter, shorter);
        let square = if shorter > side {
            let rgb = shrink(&on_white(middle), (shorter, shorter), (side, side));
            RgbImage::from_raw(side, side, rgb)
                .ok_or_else(|| Error::new("the picture is broken: pixels are missing"))?
        } else {
            resize(&middle.into_rgb8(), side, side, FilterType::CatmullRom)
        };
        let mut square = DynamicImage::ImageRgb8(square);
        square.apply_orientation(orientation);
        Ok(square.into_rgb8())
    }
}

/// A picture as JPEG of a quality of 1 to 100.
pub(super) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut jpeg = Vec::with_capacity(picture.len() / 8);
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|cause| Error::caused("cannot make a JPEG", cause))?;
    Ok(jpeg)
}

/// A JPEG file that ends with the end of the picture; what follows that end is ignored anyway.
pub(super) fn ended(mut jpeg: Vec<u8>) -> Vec<u8> {
    if !jpeg.ends_with(&END_OF_IMAGE) {
        jpeg.extend(END_OF_IMAGE);
    }
    jpeg
}

/// The width and height within a square of `size`, in the same proportion and never larger.
fn fitted((width, height): (u32, u32), size: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= size {
        return (width, height);
    }
    let scaled = |side: u32| {
        let rounded =
            (u64::from(side) * u64::from(size) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(size).max(1)
    };
    (scaled(width), scaled(height))
}

/// The pixels as red, green and blue; what is transparent lets white through.
fn on_white(pixels: DynamicImage) -> Vec<u8> {
    if !pixels.color().has_alpha() {
        return pixels.into_rgb8().into_raw();
    }
    let mut rgb = Vec::with_capacity(pixels.width() as usize * pixels.height() as usize * 3);
    for pixel in pixels.into_rgba8().pixels() {
        let [red, green, blue, alpha] = pixel.0;
        rgb.extend([red, green, blue].map(|colour| {
            let alpha = u16::from(alpha);
            let mixed = (u16::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        }));
    }
    rgb
}

/// The pixels along one direction that a smaller pixel is made of.
struct Share {
    first: usize,
    /// How much each of them counts; the sum is 1.
    weights: Vec<f32>,
}

/// Cuts a side of `from` pixels into `to` equal parts.
fn shares(from: u32, to: u32) -> Vec<Share> {
    // A pixel is `to` long and a part `from`, so that all ends are whole numbers.
    let (from, to) = (u64::from(from), u64::from(to));
    (0..to)
        .map(|part| {
            let (start, end) = (part * from, (part + 1) * from);
            let weights = (start / to..end.div_ceil(to))
                .map(|pixel| {
                    let inside = end.min((pixel + 1) * to) - start.max(pixel * to);
                    inside as f32 / from as f32
                })
                .collect();
            Share { first: usize::try_from(start / to).unwrap_or(usize::MAX), weights }
        })
        .collect()
}

/// Makes a picture smaller; each new pixel is the mean of the area it covers.
fn shrink(rgb: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    let stride = from.0 as usize * 3;
    let columns = shares(from.0, to.0);
    let mut small = Vec::with_capacity(to.0 as usize * to.1 as usize * 3);
    // Rows are added up first: those are long even loops, which compilers do many at a time.
    let mut sums = vec![0_f32; stride];
    for share in shares(from.1, to.1) {
        sums.fill(0.0);
        for (row, weight) in rgb.chunks_exact(stride).skip(share.first).zip(&share.weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += weight * f32::from(*value);
            }
        }
        for column in &columns {
            let mut pixel = [0_f32; 3];
            let pixels = sums.chunks_exact(3).skip(column.first);
            for (values, weight) in pixels.zip(&column.weights) {
                for (sum, value) in pixel.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
            small.extend(pixel.map(nearest));
        }
    }
    small
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn nearest(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::io::Write;
    use std::path::Path;

    use flate2::write::ZlibEncoder;
    use flate2::{Compression, Crc};
    use proptest::prelude::*;

    const FIXTURES: [&str; 6] =
        ["baseline.jpg", "progressive.jpg", "turned.jpg", "alpha.png", "lossy.webp", "picture.gif"];

    fn fixture(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/pictures");
        std::fs::read(folder.join(name)).unwrap()
    }

    fn scaled(picture: &[u8], size: u32) -> RgbImage {
        let jpeg = open(picture).unwrap().scale(size).unwrap();
        assert_eq!(super::super::content_type(&jpeg), Some("image/jpeg"));
        assert!(jpeg.ends_with(&END_OF_IMAGE));
        image::load_from_memory(&jpeg).unwrap().into_rgb8()
    }

    /// A picture of a few kB that is `side` x `side` pixels large, all black.
    fn flat_png(side: u32) -> Vec<u8> {
        let mut rows = ZlibEncoder::new(Vec::new(), Compression::best());
        let row = vec![0; 1 + side.div_ceil(8) as usize];
        for _ in 0..side {
            rows.write_all(&row).unwrap();
        }
        let head = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, content) in
            [(b"IHDR", head), (b"IDAT", rows.finish().unwrap()), (b"IEND", Vec::new())]
        {
            let mut sum = Crc::new();
            sum.update(kind);
            sum.update(&content);
            png.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
            png.extend(kind);
            png.extend(content);
            png.extend(sum.sum().to_be_bytes());
        }
        png
    }

    #[test]
    fn every_format_is_scaled_in_its_proportion() {
        for (name, dimensions) in [
            ("baseline.jpg", (99, 66)),
            ("progressive.jpg", (99, 66)),
            ("turned.jpg", (50, 99)),
            ("alpha.png", (99, 74)),
            ("lossy.webp", (99, 66)),
            ("picture.gif", (99, 66)),
        ] {
            assert_eq!(scaled(&fixture(name), 99).dimensions(), dimensions, "{name}");
        }
    }

    #[test]
    fn nothing_is_scaled_up() {
        assert_eq!(scaled(&fixture("alpha.png"), 1600).dimensions(), (160, 120));
        assert!(open(&fixture("baseline.jpg")).unwrap().fits(240));
        assert!(!open(&fixture("baseline.jpg")).unwrap().fits(239));
        assert!(!open(&fixture("alpha.png")).unwrap().fits(1600));
    }

    #[test]
    fn a_turned_picture_stands_upright() {
        let picture = scaled(&fixture("turned.jpg"), 80);
        let [red, _, blue] = picture.get_pixel(20, 10).0;
        assert!(red > 200 && blue < 50, "{red} {blue}");
        let [red, _, blue] = picture.get_pixel(20, 70).0;
        assert!(red < 50 && blue > 200, "{red} {blue}");
    }

    #[test]
    fn white_shines_through() {
        let [red, green, blue] = scaled(&fixture("alpha.png"), 50).get_pixel(25, 20).0;
        assert!(red > 245 && (120..136).contains(&green) && (120..136).contains(&blue));
    }

    #[test]
    fn the_middle_is_a_square_of_any_side_and_upright() {
        for name in FIXTURES {
            let square = |side| open(&fixture(name)).unwrap().square(side).unwrap();
            for side in [20, 120, 500] {
                assert_eq!(square(side).dimensions(), (side, side), "{name}");
            }
        }
        let turned = open(&fixture("turned.jpg")).unwrap().square(100).unwrap();
        let [red, _, blue] = turned.get_pixel(50, 10).0;
        assert!(red > 200 && blue < 50, "{red} {blue}");
    }

    #[test]
    fn one_pixel_may_be_all_that_stays() {
        for name in FIXTURES {
            assert_eq!(scaled(&fixture(name), 1).dimensions(), (1, 1), "{name}");
        }
        assert_eq!(fitted((65_535, 1), 300), (300, 1));
        assert_eq!(fitted((1, 65_535), MOST_SIDE), (1, 65_535));
    }

    #[test]
    fn a_bomb_is_refused_by_its_head() {
        for side in [30_000, 70_000] {
            let Err(error) = open(&flat_png(side)) else { panic!("{side} was taken") };
            let error = error.to_string();
            assert!(error.contains("too large") || error.contains("imit"), "{error}");
        }
        let mut jpeg = fixture("baseline.jpg");
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].fill(0xff);
        assert!(open(&jpeg).is_err());
    }

    #[test]
    fn a_large_picture_is_taken() {
        let picture = flat_png(4000);
        let opened = open(&picture).unwrap();
        assert!(opened.large());
        assert!(opened.scale(10).is_ok());
    }

    #[test]
    fn a_cut_picture_fails_or_shows_what_is_there() {
        for name in FIXTURES {
            let picture = fixture(name);
            for length in [0, 3, 12, 40, picture.len() / 2, picture.len() - 1] {
                let _ = open(&picture[..length]).and_then(|opened| opened.scale(50));
            }
        }
    }

    #[test]
    fn parts_cover_a_side_evenly() {
        for (from, to) in [(600, 300), (7, 3), (5, 5), (1000, 999), (65_535, 1)] {
            let shares = shares(from, to);
            let mut counted = vec![0_f32; from as usize];
            for share in &shares {
                assert!((share.weights.iter().sum::<f32>() - 1.0).abs() < 1e-3);
                for (pixel, weight) in share.weights.iter().enumerate() {
                    counted[share.first + pixel] += weight;
                }
            }
            let each = to as f32 / from as f32;
            assert!(counted.iter().all(|sum| (sum - each).abs() < 1e-4), "{from} {to}");
        }
    }

    #[test]
    fn even_colours_stay_what_they_are() {
        for value in [0, 1, 127, 254, 255] {
            let small = shrink(&vec![value; 1000 * 37 * 3], (1000, 37), (271, 10));
            assert_eq!(small, vec![value; 271 * 10 * 3]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_never_makes_it_panic(
            which in 0..FIXTURES.len(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut picture = fixture(FIXTURES[which]);
            for (place, byte) in damage {
                let place = place.index(picture.len());
                picture[place] = byte;
            }
            if let Ok(opened) = open(&picture) {
                let _ = opened.scale(50);
            }
        }

        #[test]
        fn scaling_keeps_within_the_square(width in 1..=MOST_SIDE, height in 1..=MOST_SIDE, size in 1..=1600_u32) {
            let (to_width, to_height) = fitted((width, height), size);
            prop_assert!(to_width >= 1 && to_height >= 1);
            prop_assert!(to_width <= width && to_height <= height);
            prop_assert_eq!(to_width.max(to_height), size.min(width.max(height)));
        }
    }
}
