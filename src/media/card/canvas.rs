//! The pixels of a card: backdrops, rounded pictures, shapes and what is blended over them.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use image::{Rgb, RgbImage};

/// A colour as red, green and blue, each 0 to 255.
pub(super) type Colour = [f32; 3];

/// White, for letters.
pub(super) const WHITE: Colour = [255.0; 3];

/// Most luminance of a backdrop, 0 to 1: white letters then have a contrast of 6 to 1 at least.
const MOST_LUMINANCE: f32 = 0.12;

/// How far the shadow of a picture reaches, in pixels.
const SHADOW: f32 = 48.0;

/// A rectangle: left, top, width, height, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// A part of an outline, in the units of its shape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    /// Begins a shape.
    From(f32, f32),
    /// A straight line.
    To(f32, f32),
    /// A curve with two control points.
    Curve(f32, f32, f32, f32, f32, f32),
}

/// What is drawn on.
pub(super) struct Canvas {
    pixels: RgbImage,
}

impl Canvas {
    /// A canvas with soft patches of the colours given, row by row from the left; `columns` of them
    /// make a row. Each is darkened until white letters can be read on it.
    pub(super) fn patched(width: u32, height: u32, patches: &[Colour], columns: usize) -> Canvas {
        let patches: Vec<Colour> = patches.iter().map(|colour| darkened(*colour)).collect();
        let columns = columns.max(1);
        let rows = patches.len().div_ceil(columns);
        let [across, down] = [(width, columns), (height, rows)].map(|(pixels, count)| {
            (0..pixels).map(|at| spline(at as f32, pixels as f32, count)).collect::<Vec<_>>()
        });
        // Along the rows first, so that each pixel of the canvas needs four values and not sixteen.
        let lines: Vec<Vec<Colour>> = patches
            .chunks(columns)
            .map(|row| across.iter().map(|weights| mixed(weights, |at| row.get(at))).collect())
            .collect();
        let mut canvas = Canvas { pixels: RgbImage::new(width, height) };
        for (row, weights) in canvas.pixels.rows_mut().zip(&down) {
            for (x, pixel) in row.enumerate() {
                let colour = mixed(weights, |at| lines.get(at).and_then(|line| line.get(x)));
                *pixel = Rgb(colour.map(nearest));
            }
        }
        canvas
    }

    /// The picture.
    pub(super) fn into_picture(self) -> RgbImage {
        self.pixels
    }

    /// Blends a colour over a pixel; `share` is 0 to 1. Outside the canvas nothing happens.
    pub(super) fn blend(&mut self, x: i64, y: i64, over: Colour, share: f32) {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        let Some(pixel) = place.and_then(|(x, y)| self.pixels.get_pixel_mut_checked(x, y)) else {
            return;
        };
        for (under, over) in pixel.0.iter_mut().zip(over) {
            let below = f32::from(*under);
            *under = nearest(below + (over - below) * share.clamp(0.0, 1.0));
        }
    }

    /// Puts a picture with round corners and a shadow on the canvas; the picture has the size of
    /// the area, and what it lacks stays as it is.
    pub(super) fn picture(&mut self, area: Area, radius: f32, picture: &RgbImage) {
        let lower = Area { top: area.top.saturating_add(14), ..area };
        let reach = SHADOW.ceil();
        for (x, y) in around(lower, reach) {
            // It begins within the picture, or its own edge would be seen below that.
            let dark = (SHADOW - outside(lower, radius, x, y)) / (1.5 * SHADOW);
            let dark = dark.clamp(0.0, 1.0);
            if dark > 0.0 {
                self.blend(x, y, [0.0; 3], 0.5 * dark * dark);
            }
        }
        for (x, y, pixel) in picture.enumerate_pixels() {
            let (x, y) = (i64::from(x) + i64::from(area.left), i64::from(y) + i64::from(area.top));
            let share = (0.5 - outside(area, radius, x, y)).clamp(0.0, 1.0);
            self.blend(x, y, pixel.0.map(f32::from), share);
        }
    }

    /// Fills a shape in a colour, moved and then made so many times larger.
    pub(super) fn shape(
        &mut self,
        outline: &[Line],
        (left, top): (u32, u32),
        scale: f32,
        colour: Colour,
        side: u32,
    ) {
        let side = side.min(self.pixels.width()) as usize;
        let mut rasterizer = Rasterizer::new(side, side);
        let place = |x: f32, y: f32| point(x * scale, y * scale);
        let (mut start, mut at) = (Point::default(), Point::default());
        for line in outline {
            match *line {
                Line::From(x, y) => {
                    rasterizer.draw_line(at, start);
                    (start, at) = (place(x, y), place(x, y));
                }
                Line::To(x, y) => {
                    rasterizer.draw_line(at, place(x, y));
                    at = place(x, y);
                }
                Line::Curve(x1, y1, x2, y2, x, y) => {
                    rasterizer.draw_cubic(at, place(x1, y1), place(x2, y2), place(x, y));
                    at = place(x, y);
                }
            }
        }
        rasterizer.draw_line(at, start);
        rasterizer.for_each_pixel_2d(|x, y, share| {
            if share > 0.0 {
                let (x, y) = (i64::from(left) + i64::from(x), i64::from(top) + i64::from(y));
                self.blend(x, y, colour, share);
            }
        });
    }
}

/// The pixels of an area and of so many more on each side.
fn around(area: Area, reach: f32) -> impl Iterator<Item = (i64, i64)> {
    let reach = i64::from(nearest(reach));
    let span = move |start: u32, length: u32| {
        let start = i64::from(start);
        start - reach..start + i64::from(length) + reach
    };
    span(area.top, area.height).flat_map(move |y| span(area.left, area.width).map(move |x| (x, y)))
}

/// How far the middle of a pixel lies outside an area with round corners; below 0 inside.
fn outside(area: Area, radius: f32, x: i64, y: i64) -> f32 {
    let beyond = |at: i64, start: u32, length: u32| {
        let half = length as f32 / 2.0;
        ((at as f32 + 0.5 - start as f32) - half).abs() - half + radius
    };
    let (dx, dy) = (beyond(x, area.left, area.width), beyond(y, area.top, area.height));
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
}

/// The four patches that count at a pixel, and how much: a cubic B-spline, which has no edges.
fn spline(at: f32, length: f32, count: usize) -> [(usize, f32); 4] {
    let last = count.saturating_sub(1);
    // The outer patches lie on the edges, so that the whole range of colours is seen.
    let place = at / (length - 1.0).max(1.0) * last as f32;
    let first = place.floor();
    let t = place - first;
    let weights = [
        (1.0 - t).powi(3),
        3.0 * t.powi(3) - 6.0 * t.powi(2) + 4.0,
        -3.0 * t.powi(3) + 3.0 * t.powi(2) + 3.0 * t + 1.0,
        t.powi(3),
    ];
    let mut index = usize::from(nearest(first));
    let mut before = index.saturating_sub(1);
    weights.map(|weight| {
        let here = (before.min(last), weight / 6.0);
        before = index;
        index += 1;
        here
    })
}

/// The sum of colours by their weights.
fn mixed<'a>(weights: &[(usize, f32); 4], colour: impl Fn(usize) -> Option<&'a Colour>) -> Colour {
    weights.iter().fold([0.0; 3], |mut sum, (at, weight)| {
        for (sum, value) in sum.iter_mut().zip(colour(*at).copied().unwrap_or_default()) {
            *sum += value * weight;
        }
        sum
    })
}

/// The same hue, dark enough for white letters.
fn darkened(colour: Colour) -> Colour {
    let linear = |value: f32| (value / 255.0).clamp(0.0, 1.0).powf(2.2);
    let [red, green, blue] = colour.map(linear);
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let share = if luminance > MOST_LUMINANCE { MOST_LUMINANCE / luminance } else { 1.0 };
    // A little darker throughout, so that the picture stands out from its own colours.
    colour.map(|value| value * share.powf(1.0 / 2.2) * 0.86)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn nearest(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(pixel: &Rgb<u8>) -> f32 {
        let [red, green, blue] = pixel.0.map(|value| (f32::from(value) / 255.0).powf(2.2));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn white_letters_can_be_read_on_every_backdrop() {
        for colour in [WHITE, [255.0, 255.0, 0.0], [0.0, 255.0, 0.0], [90.0, 200.0, 255.0]] {
            let canvas = Canvas::patched(40, 20, &[colour; 12], 4);
            assert!(canvas.into_picture().pixels().all(|pixel| luminance(pixel) < 0.125));
        }
        let black = Canvas::patched(40, 20, &[[0.0; 3]; 12], 4).into_picture();
        assert!(black.pixels().all(|pixel| pixel.0 == [0; 3]));
    }

    #[test]
    fn patches_run_into_each_other_from_edge_to_edge() {
        let red = [100.0, 0.0, 0.0];
        let blue = [0.0, 0.0, 100.0];
        let canvas = Canvas::patched(101, 3, &[red, red, blue, blue], 4).into_picture();
        let [left, middle, right] = [0, 50, 100].map(|x| canvas.get_pixel(x, 1).0);
        assert!(left[0] > 80 && left[2] < 5, "{left:?}");
        assert!(right[2] > 80 && right[0] < 5, "{right:?}");
        assert_eq!(middle[0], middle[2]);
        for x in 1..101 {
            let step = canvas.get_pixel(x, 1).0[2].abs_diff(canvas.get_pixel(x - 1, 1).0[2]);
            assert!(step < 4, "{step} at {x}");
        }
    }

    #[test]
    fn a_picture_has_round_corners_and_a_shadow() {
        let mut canvas = Canvas::patched(200, 200, &[[80.0, 80.0, 80.0]; 4], 2);
        let plain = canvas.pixels.get_pixel(0, 0).0[0];
        let area = Area { left: 50, top: 50, width: 100, height: 100 };
        canvas.picture(area, 20.0, &RgbImage::from_pixel(100, 100, Rgb([255; 3])));
        let at = |x, y| canvas.pixels.get_pixel(x, y).0[0];
        assert_eq!((at(100, 100), at(50, 100), at(149, 149 - 40)), (255, 255, 255));
        assert!(at(51, 51) < 100 && at(100, 155) < plain && at(0, 0) == plain);
    }

    #[test]
    fn shapes_are_filled_and_cut_at_the_edge() {
        let mut canvas = Canvas::patched(20, 20, &[[0.0; 3]; 4], 2);
        let square =
            [Line::From(0.0, 0.0), Line::To(2.0, 0.0), Line::To(2.0, 2.0), Line::To(0.0, 2.0)];
        canvas.shape(&square, (15, 15), 4.0, WHITE, 8);
        let lit = canvas.into_picture().pixels().filter(|pixel| pixel.0[0] > 250).count();
        assert_eq!(lit, 25);
    }
}
