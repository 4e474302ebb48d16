//! The bird of the word mark, in the shapes of `share/assets/icon.svg`.

use super::canvas::{Canvas, Colour, Line};

/// Side of the square that the shapes lie in.
const SIDE: f32 = 64.0;

const DARK: Colour = [31.0, 33.0, 28.0];
const GREEN: Colour = [124.0, 136.0, 72.0];
const GOLD: Colour = [243.0, 185.0, 60.0];
const LIGHT: Colour = [233.0, 227.0, 201.0];
const WHITE: Colour = [255.0; 3];

const CAP: [Line; 5] = [
    Line::From(15.0, 33.0),
    Line::Curve(17.0, 19.0, 22.0, 11.0, 32.0, 8.0),
    Line::Curve(42.0, 11.0, 47.0, 19.0, 49.0, 33.0),
    Line::Curve(45.0, 25.0, 40.0, 21.0, 32.0, 21.0),
    Line::Curve(24.0, 21.0, 19.0, 25.0, 15.0, 33.0),
];
const CROWN: [Line; 4] = [
    Line::From(23.0, 18.0),
    Line::Curve(25.0, 13.0, 28.0, 9.0, 32.0, 6.0),
    Line::Curve(36.0, 9.0, 39.0, 13.0, 41.0, 18.0),
    Line::Curve(36.0, 16.0, 28.0, 16.0, 23.0, 18.0),
];
const BELLY: [Line; 5] = [
    Line::From(12.0, 42.0),
    Line::Curve(15.0, 52.0, 22.0, 58.0, 32.0, 60.0),
    Line::Curve(42.0, 58.0, 49.0, 52.0, 52.0, 42.0),
    Line::Curve(46.0, 48.0, 40.0, 50.0, 32.0, 50.0),
    Line::Curve(24.0, 50.0, 18.0, 48.0, 12.0, 42.0),
];
const BEAK: [Line; 3] = [Line::From(29.0, 39.0), Line::To(35.0, 39.0), Line::To(32.0, 47.0)];

/// Draws the bird in a square with this corner and side, in pixels.
pub(super) fn draw(canvas: &mut Canvas, corner: (u32, u32), side: u32) {
    let scale = side as f32 / SIDE;
    let mut shape = |outline: &[Line], colour| canvas.shape(outline, corner, scale, colour, side);
    shape(&disc(32.0, 34.0, 26.0), GREEN);
    shape(&CAP, DARK);
    shape(&CROWN, GOLD);
    shape(&BELLY, LIGHT);
    for eye in [22.0, 42.0] {
        shape(&disc(eye, 37.0, 4.0), DARK);
        shape(&disc(eye + 1.3, 35.7, 1.3), WHITE);
    }
    shape(&BEAK, DARK);
}

/// A disc as four curves, which differ from it by less than a thousandth of its radius.
fn disc(x: f32, y: f32, radius: f32) -> [Line; 5] {
    let by = radius * 0.552_285;
    [
        Line::From(x + radius, y),
        Line::Curve(x + radius, y + by, x + by, y + radius, x, y + radius),
        Line::Curve(x - by, y + radius, x - radius, y + by, x - radius, y),
        Line::Curve(x - radius, y - by, x - by, y - radius, x, y - radius),
        Line::Curve(x + by, y - radius, x + radius, y - by, x + radius, y),
    ]
}
