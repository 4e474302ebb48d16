//! From the bytes of a picture to a smaller JPEG.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
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
        encode(&small.into_rgb8())
    }
}

/// A picture as JPEG.
pub(super) fn encode(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut jpeg = Vec::with_capacity(picture.len() / 8);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
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
