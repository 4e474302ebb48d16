//! Draws the cover of the demo album: a small bird before a rising sun.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use crate::error::{Error, Result};

/// Side of the picture in pixels.
pub const SIDE: u32 = 900;

/// The cover as JPEG.
pub fn draw() -> Result<Vec<u8>> {
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let unit = |pixel: u32| (pixel as f32 + 0.5) / SIDE as f32;
        Rgb(colour(unit(x), unit(y)).map(byte))
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 88)
        .encode_image(&picture)
        .map_err(|cause| Error::caused("cannot make the cover of the demo album", cause))?;
    Ok(jpeg)
}

type Colour = [f32; 3];

fn byte(value: f32) -> u8 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    byte
}

/// The colour of a point of the unit square, painted from the back to the front.
fn colour(x: f32, y: f32) -> Colour {
    let sky = blend([0.98, 0.72, 0.45], [0.16, 0.22, 0.42], (1.15 - y * 1.35).clamp(0.0, 1.0));
    let from_sun = distance(x, y, 0.66, 0.6);
    let glow = (1.0 - from_sun / 0.55).clamp(0.0, 1.0).powi(2);
    let mut colour = blend(sky, [1.0, 0.85, 0.6], glow * 0.7);
    paint(&mut colour, [1.0, 0.93, 0.75], disc(from_sun, 0.16));
    for (height, wave, shift, shade) in [
        (0.70, 5.0, 0.4, [0.42, 0.40, 0.48]),
        (0.78, 7.0, 2.1, [0.25, 0.31, 0.38]),
        (0.88, 4.0, 4.0, [0.11, 0.18, 0.23]),
    ] {
        let edge = height + 0.035 * (x * wave + shift).sin() + 0.012 * (x * wave * 3.1).sin();
        paint(&mut colour, shade, ((y - edge) * SIDE as f32).clamp(0.0, 1.0));
    }
    bird(&mut colour, x, y);
    colour
}

/// A kinglet on a branch: round, with a golden stripe on its head.
fn bird(colour: &mut Colour, x: f32, y: f32) {
    const DARK: Colour = [0.10, 0.13, 0.15];
    let branch = (y - 0.745 + 0.05 * (x - 0.35)).abs();
    if x < 0.62 {
        paint(colour, DARK, disc(branch, 0.008));
    }
    let tail = (x - 0.17 - (0.80 - y) * 0.45).abs();
    if (0.62..0.84).contains(&y) {
        paint(colour, [0.27, 0.33, 0.2], disc(tail, 0.02));
    }
    paint(colour, [0.43, 0.50, 0.28], disc(distance(x, y, 0.32, 0.62), 0.125));
    paint(colour, [0.80, 0.79, 0.62], disc(distance(x, y, 0.35, 0.66), 0.085));
    paint(colour, [0.30, 0.36, 0.2], disc(distance(x * 1.35, y, 0.36, 0.64), 0.075));
    paint(colour, [0.43, 0.50, 0.28], disc(distance(x, y, 0.40, 0.49), 0.085));
    paint(colour, DARK, disc(distance(x, y * 2.2, 0.40, 0.945), 0.062));
    paint(colour, [0.98, 0.78, 0.16], disc(distance(x, y * 2.6, 0.40, 1.105), 0.045));
    paint(colour, [0.93, 0.93, 0.86], disc(distance(x, y, 0.432, 0.485), 0.024));
    paint(colour, DARK, disc(distance(x, y, 0.434, 0.486), 0.014));
    if x > 0.475 {
        paint(colour, DARK, disc((y - 0.50).abs(), (0.535 - x) * 0.22));
    }
}

fn distance(x: f32, y: f32, other_x: f32, other_y: f32) -> f32 {
    (x - other_x).hypot(y - other_y)
}

/// How much of a pixel at a distance lies within a radius.
fn disc(distance: f32, radius: f32) -> f32 {
    ((radius - distance) * SIDE as f32 + 0.5).clamp(0.0, 1.0)
}

fn paint(colour: &mut Colour, over: Colour, share: f32) {
    if share > 0.0 {
        *colour = blend(*colour, over, share);
    }
}

fn blend(under: Colour, over: Colour, share: f32) -> Colour {
    let mut mixed = under;
    for (mixed, over) in mixed.iter_mut().zip(over) {
        *mixed += (over - *mixed) * share;
    }
    mixed
}
