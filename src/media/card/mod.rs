//! The card of a share for link previews: 1200 x 630 pixels with cover, title, artist and length.
//!
//! Its text is in the embedded fonts, which have the letters of Europe. A title or a name with
//! others (Chinese, Arabic) is left out, as preview shows both beside the picture anyway; where
//! neither is left, the cover stands in the middle.

mod bird;
mod canvas;
mod text;

use image::{Rgb, RgbImage};
use sha2::{Digest, Sha256};

use self::canvas::{Area, Canvas, Colour, WHITE};
use self::text::{Face, Type, shown};
use super::cover;
use crate::error::{Error, Result};

/// Width and height in pixels: what Facebook asks for, in the proportion that all others take.
pub const SIZE: (u32, u32) = (1200, 630);

/// Side of the cover that a card is drawn from, at most.
pub const COVER: u32 = 600;

/// Qualities of the JPEG, the first that is short enough.
const QUALITIES: [u8; 3] = [88, 75, 50];
/// Most bytes of a card: WhatsApp shows no larger picture.
pub const MOST_BYTES: usize = 300_000;

/// Counted up with every change of the drawing, so that kept cards are drawn anew.
const DRAWING: u8 = 1;

/// Pixels around everything.
const MARGIN: u32 = 64;
/// Side of the cover on the card.
const SIDE: u32 = 486;
/// Where the cover begins from above.
const TOP: u32 = (SIZE.1 - SIDE) / 2;
/// Where the text begins.
const COLUMN: u32 = MARGIN + SIDE + 56;
/// Radius of the corners of the cover.
const RADIUS: f32 = 20.0;
/// Sizes of the title, the first in which it fits on `TITLE_LINES`.
const TITLE_SIZES: [f32; 4] = [76.0, 66.0, 56.0, 48.0];
const TITLE_LINES: usize = 3;
/// Patches of colour taken from a cover: columns and rows.
const PATCHES: (u32, u32) = (7, 4);

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card<'a> {
    /// The name of what is shared.
    pub title: &'a str,
    /// Who plays all of it; empty where that is not one.
    pub artist: &'a str,
    /// How much there is, in words.
    pub facts: &'a str,
}

impl Card<'_> {
    /// A stamp of the card with a cover of this stamp: another card, another stamp.
    pub fn stamp(&self, cover: Option<i64>) -> i64 {
        let mut hash = Sha256::new();
        hash.update([DRAWING, u8::from(cover.is_some())]);
        hash.update(cover.unwrap_or_default().to_le_bytes());
        for text in [self.title, self.artist, self.facts] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
        i64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Draws the card with a cover, a JPEG whose sides have at most [`COVER`] pixels, or without.
    ///
    /// Needs 6 MiB of memory: the card, the cover, and its part that is shown.
    ///
    /// # Errors
    /// A cover that is broken.
    pub fn draw(&self, cover: Option<&[u8]>) -> Result<Vec<u8>> {
        let picture = cover.map(|jpeg| cover::square(jpeg, SIDE)).transpose()?;
        let mut canvas = match &picture {
            Some(picture) => Canvas::patched(SIZE.0, SIZE.1, &patches(picture), PATCHES.0 as usize),
            None => Canvas::patched(SIZE.0, SIZE.1, &NO_COVER, 3),
        };
        let lines = self.lines()?;
        let left = if lines.is_empty() { (SIZE.0 - SIDE) / 2 } else { MARGIN };
        let area = Area { left, top: TOP, width: SIDE, height: SIDE };
        match &picture {
            Some(picture) => canvas.picture(area, RADIUS, picture),
            None => {
                let plain = RgbImage::from_fn(SIDE, SIDE, |_, y| Rgb(shade(y)));
                canvas.picture(area, RADIUS, &plain);
                bird::draw(&mut canvas, (left + SIDE / 6, TOP + SIDE / 6 - 8), SIDE / 3 * 2);
            }
        }
        self.write(&mut canvas, &lines)?;
        encode(&canvas.into_picture())
    }

    /// Title and artist as far as they can be shown, broken into lines.
    fn lines(&self) -> Result<Vec<Set>> {
        let width = (SIZE.0 - MARGIN - COLUMN) as f32;
        let mut lines = Vec::new();
        if let Some(title) = shown(self.title) {
            for size in TITLE_SIZES {
                let font = font(Face::Title, size)?;
                let (broken, cut) = font.lines(&title, width, TITLE_LINES);
                // A long word that is broken looks worse than small letters.
                let whole = title.split(' ').all(|word| font.width(word) <= width);
                if (whole && !cut) || Some(&size) == TITLE_SIZES.last() {
                    let set = |text| Set { text, face: Face::Title, size, opacity: 1.0, gap: 0.19 };
                    lines.extend(broken.into_iter().map(set));
                    break;
                }
            }
        }
        if let Some(artist) = shown(self.artist) {
            let size = 36.0;
            let (broken, _) = font(Face::Text, size)?.lines(&artist, width, 2);
            for (number, text) in broken.into_iter().enumerate() {
                let gap = if number == 0 { 0.75 } else { 0.22 };
                lines.push(Set { text, face: Face::Text, size, opacity: 0.9, gap });
            }
        }
        Ok(lines)
    }

    /// Writes the lines beside the cover, how much there is below them, and the word mark.
    fn write(&self, canvas: &mut Canvas, lines: &[Set]) -> Result<()> {
        let facts = Set {
            text: shown(self.facts).unwrap_or_default(),
            face: Face::Text,
            size: 28.0,
            opacity: 0.72,
            gap: 0.9,
        };
        let bottom = (TOP + SIDE) as f32;
        let mut column: Vec<&Set> = lines.iter().collect();
        if lines.is_empty() {
            font(facts.face, facts.size)?.draw(
                canvas,
                &facts.text,
                (MARGIN as f32, bottom),
                WHITE,
                facts.opacity,
            );
        } else if !facts.text.is_empty() {
            column.push(&facts);
        }
        let height: f32 = column.iter().map(|line| line.size * (0.73 + line.gap)).sum();
        // In the middle of what is left above the word mark.
        let mut base = TOP as f32 + ((SIDE - 64) as f32 - height).max(0.0) / 2.0;
        for (number, line) in column.into_iter().enumerate() {
            base += line.size * (0.73 + if number == 0 { 0.0 } else { line.gap });
            // Letters have some room on their left; large ones would seem to stand out of line.
            let left = COLUMN as f32 - line.size * 0.04;
            font(line.face, line.size)?.draw(canvas, &line.text, (left, base), WHITE, line.opacity);
            base += line.size * 0.2;
        }
        let name = font(Face::Title, 30.0)?;
        let width = name.width("Kinglet");
        let left =
            if lines.is_empty() { (SIZE.0 - MARGIN) as f32 - width } else { COLUMN as f32 + 54.0 };
        name.draw(canvas, "Kinglet", (left, bottom - 8.0), WHITE, 0.85);
        bird::draw(canvas, (at(left) - 54, TOP + SIDE - 42), 44);
        Ok(())
    }
}

/// A line that is set.
struct Set {
    text: String,
    face: Face,
    /// Pixels.
    size: f32,
    opacity: f32,
    /// Room above it, in parts of its size.
    gap: f32,
}

fn font(face: Face, size: f32) -> Result<Type> {
    Type::new(face, size).ok_or_else(|| Error::new("the font of the card cannot be read"))
}

/// The colours behind a card without a cover: those of the bird.
const NO_COVER: [Colour; 6] = [
    [112.0, 124.0, 66.0],
    [84.0, 98.0, 60.0],
    [58.0, 74.0, 58.0],
    [74.0, 88.0, 56.0],
    [52.0, 66.0, 52.0],
    [36.0, 46.0, 44.0],
];

/// The ground behind the bird where there is no cover, from above to below.
fn shade(y: u32) -> [u8; 3] {
    let part =
        |from: u32, to: u32| u8::try_from((from * (SIDE - y) + to * y) / SIDE).unwrap_or(u8::MAX);
    [part(224, 170), part(222, 178), part(196, 130)]
}

/// The mean colours of the parts of a picture.
fn patches(picture: &RgbImage) -> Vec<Colour> {
    let (columns, rows) = PATCHES;
    let mut sums = vec![([0.0_f32; 3], 0.0_f32); (columns * rows) as usize];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let part = y * rows / picture.height() * columns + x * columns / picture.width();
        let Some((sum, count)) = sums.get_mut(part as usize) else { continue };
        for (sum, value) in sum.iter_mut().zip(pixel.0) {
            *sum += f32::from(value);
        }
        *count += 1.0;
    }
    sums.into_iter().map(|(sum, count)| sum.map(|sum| sum / count.max(1.0))).collect()
}

/// The card as JPEG of at most [`MOST_BYTES`].
fn encode(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        jpeg = cover::encode(picture, quality)?;
        if jpeg.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(jpeg)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn at(place: f32) -> u32 {
    place.round() as u32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    const ALBUM: Card<'_> = Card {
        title: "Songs from the Spruce",
        artist: "The Goldcrests",
        facts: "12 tracks · 48 min",
    };

    /// A cover of four quarters: red, green, blue, white.
    fn quarters(side: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(side, side, |x, y| {
            Rgb(match (x < side / 2, y < side / 2) {
                (true, true) => [220, 30, 30],
                (false, true) => [30, 200, 30],
                (true, false) => [30, 30, 220],
                (false, false) => [255, 255, 255],
            })
        });
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&picture).unwrap();
        jpeg
    }

    fn drawn(card: &Card<'_>, cover: Option<&[u8]>) -> RgbImage {
        let jpeg = card.draw(cover).unwrap();
        assert!(jpeg.len() <= MOST_BYTES, "{} bytes", jpeg.len());
        if let Some(folder) = std::env::var_os("KINGLET_CARDS") {
            let name = format!("{:016x}.jpg", card.stamp(cover.map(|cover| cover.len() as i64)));
            std::fs::write(std::path::Path::new(&folder).join(name), &jpeg).unwrap();
        }
        let picture = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), SIZE);
        picture
    }

    /// How many pixels of a column of the card are nearly white.
    fn white(picture: &RgbImage, from: u32, to: u32) -> usize {
        picture
            .enumerate_pixels()
            .filter(|(x, _, pixel)| {
                (from..to).contains(x) && pixel.0.iter().all(|value| *value > 225)
            })
            .count()
    }

    #[test]
    fn the_cover_stands_where_it_should_and_text_beside_it() {
        for side in [200, 486, 600] {
            let picture = drawn(&ALBUM, Some(&quarters(side)));
            let [red, _, blue] = picture.get_pixel(MARGIN + 100, TOP + 100).0;
            assert!(red > 200 && blue < 60);
            let [red, _, blue] = picture.get_pixel(MARGIN + 100, TOP + SIDE - 100).0;
            assert!(red < 60 && blue > 200);
            assert!(picture.get_pixel(MARGIN + SIDE - 100, TOP + SIDE - 100).0[1] > 250);
            let letters = white(&picture, COLUMN, SIZE.0 - MARGIN);
            assert!((4_000..60_000).contains(&letters), "{letters} white pixels");
            assert_eq!(white(&picture, SIZE.0 - MARGIN + 4, SIZE.0), 0);
            assert_eq!(white(&picture, MARGIN + SIDE + 2, COLUMN - 6), 0);
        }
    }

    #[test]
    fn the_backdrop_has_the_colours_of_the_cover() {
        let picture = drawn(&ALBUM, Some(&quarters(600)));
        let [red, green, blue] = picture.get_pixel(4, 4).0;
        assert!(red > 2 * green.max(blue) && red > 60, "{red} {green} {blue}");
        let [red, _, blue] = picture.get_pixel(4, SIZE.1 - 4).0;
        assert!(blue > 2 * red);
    }

    #[test]
    fn a_card_without_a_cover_has_the_bird() {
        let picture = drawn(&ALBUM, None);
        let at = |x: f32, y: f32| {
            let scale = (SIDE / 3 * 2) as f32 / 64.0;
            let place = |by: f32, start: u32| start + super::at(by * scale);
            picture.get_pixel(place(x, MARGIN + SIDE / 6), place(y, TOP + SIDE / 6 - 8)).0
        };
        let [red, green, blue] = at(32.0, 12.0);
        assert!(red > 225 && green > 165 && blue < 90, "crown: {red} {green} {blue}");
        assert!(at(24.0, 38.5).iter().all(|value| *value < 60));
        assert!(white(&picture, COLUMN, SIZE.0 - MARGIN) > 4_000);
    }

    #[test]
    fn names_in_other_letters_leave_the_cover_in_the_middle() {
        let cover = quarters(600);
        let picture = drawn(&Card { title: "夜のうた", artist: "夜", ..ALBUM }, Some(&cover));
        let middle = picture.get_pixel(SIZE.0 / 2 - 100, TOP + 100).0;
        assert!(middle[0] > 200 && middle[1] < 60, "{middle:?}");
        // One of the two is enough for text beside it.
        let picture = drawn(&Card { title: "夜のうた", ..ALBUM }, Some(&cover));
        assert!(picture.get_pixel(MARGIN + 100, TOP + 100).0[0] > 200);
        assert!(white(&picture, COLUMN, SIZE.0 - MARGIN) > 1_000);
    }

    #[test]
    fn long_titles_stay_on_the_card() {
        let long =
            "A Very Long Title That Tells the Whole Story of the Album and of Those Who Made It, "
                .repeat(3);
        for title in [
            long.as_str(),
            "Supercalifragilisticexpialidocious Songs",
            "Für Elise – Ünïçödé",
            "I",
            &"W".repeat(500),
        ] {
            let artist =
                "The Philharmonic Orchestra of a Town with a Rather Long Name and Its Guests";
            let picture = drawn(&Card { title, artist, ..ALBUM }, Some(&quarters(600)));
            assert_eq!(white(&picture, SIZE.0 - MARGIN + 6, SIZE.0), 0, "{title}");
            let high = |(_, y, pixel): &(u32, u32, &Rgb<u8>)| {
                *y < TOP - 20 && pixel.0.iter().all(|value| *value > 225)
            };
            assert_eq!(picture.enumerate_pixels().filter(high).count(), 0, "{title}");
        }
    }

    #[test]
    fn another_card_has_another_stamp() {
        let stamps = [
            ALBUM.stamp(None),
            ALBUM.stamp(Some(0)),
            ALBUM.stamp(Some(1)),
            Card { title: "Songs from the Spruc", ..ALBUM }.stamp(None),
            Card { artist: "", ..ALBUM }.stamp(None),
            Card { title: "Songs", artist: "from the SpruceThe Goldcrests", ..ALBUM }.stamp(None),
        ];
        let different: std::collections::BTreeSet<_> = stamps.iter().collect();
        assert_eq!(different.len(), stamps.len());
        assert_eq!(ALBUM.stamp(Some(1)), ALBUM.stamp(Some(1)));
    }

    #[test]
    fn a_broken_cover_is_an_error() {
        assert!(ALBUM.draw(Some(b"\xff\xd8\xff junk")).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn no_text_makes_it_panic(title in ".{0,80}", artist in "\\PC{0,80}", facts in ".{0,20}") {
            drawn(&Card { title: &title, artist: &artist, facts: &facts }, None);
        }
    }
}
