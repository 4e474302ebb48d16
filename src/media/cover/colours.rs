//! What colours a picture has, for a page that is to go with it.

use super::oklab;

/// Parts of the circle of hues in which pixels are counted.
const PARTS: usize = 36;
/// Chroma below which a pixel counts as grey.
const LEAST_CHROMA: f32 = 0.025;
/// Share of pixels that must have a hue; below it the picture counts as grey.
const LEAST_COLOURED: f32 = 0.02;
/// Degrees between the two hues at least.
const APART: usize = 40;
/// Weight of the second hue beside the first at least.
const SECOND: f32 = 0.12;

/// The hues of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// The strongest hue in OKLab, in degrees, below 360.
    pub hue: u16,
    /// Its chroma in OKLab, in thousandths; 0 in a grey picture.
    pub chroma: u16,
    /// Another hue, well apart; the same where there is none.
    pub other: u16,
}

/// The colours of pixels of three bytes each: red, green, blue.
pub fn of(pixels: &[u8]) -> Colours {
    let mut parts = [Part::default(); PARTS];
    let (mut pixels_in_all, mut coloured) = (0_u32, 0_u32);
    for pixel in pixels.as_chunks::<3>().0 {
        pixels_in_all += 1;
        let [lightness, a, b] = oklab::from_rgb(*pixel);
        let chroma = a.hypot(b);
        if chroma < LEAST_CHROMA {
            continue;
        }
        coloured += 1;
        let hue = b.atan2(a).to_degrees().rem_euclid(360.0);
        // Very dark and very light pixels show their hue less.
        let weight = chroma * (1.0 - (2.0 * lightness - 1.1).powi(2).min(0.9));
        if let Some(part) = parts.get_mut(part_of(hue)) {
            part.weight += weight;
            part.chroma += weight * chroma;
            part.a += weight * a;
            part.b += weight * b;
        }
    }
    if (coloured as f32) < LEAST_COLOURED * pixels_in_all.max(1) as f32 {
        return Colours { hue: 0, chroma: 0, other: 0 };
    }
    // Hues have no borders: each part counts with its neighbours.
    let around = |middle: usize| {
        let mut sum = Part::default();
        for at in [middle + PARTS - 1, middle, middle + 1] {
            let part = parts.get(at % PARTS).copied().unwrap_or_default();
            sum.weight += part.weight;
            sum.chroma += part.chroma;
            sum.a += part.a;
            sum.b += part.b;
        }
        sum
    };
    let strongest = |far: &dyn Fn(usize) -> bool| {
        let sums = (0..PARTS).filter(|at| far(*at)).map(|at| (at, around(at)));
        sums.max_by(|(_, one), (_, other)| one.weight.total_cmp(&other.weight))
    };
    let Some((first, sum)) = strongest(&|_| true) else {
        return Colours { hue: 0, chroma: 0, other: 0 };
    };
    let apart = APART * PARTS / 360;
    let distance = |at: usize| at.abs_diff(first).min(PARTS - at.abs_diff(first));
    let second = strongest(&|at| distance(at) >= apart).map(|(_, sum)| sum);
    let second = second.filter(|second| second.weight >= SECOND * sum.weight);
    Colours {
        hue: sum.hue(),
        chroma: whole(1000.0 * sum.chroma / sum.weight.max(f32::MIN_POSITIVE)),
        other: second.unwrap_or(sum).hue(),
    }
}

/// The pixels of a part of the circle.
#[derive(Clone, Copy, Default)]
struct Part {
    weight: f32,
    chroma: f32,
    a: f32,
    b: f32,
}

impl Part {
    fn hue(self) -> u16 {
        whole(self.b.atan2(self.a).to_degrees().rem_euclid(360.0)) % 360
    }
}

fn part_of(hue: f32) -> usize {
    usize::from(whole(hue) % 360) * PARTS / 360
}

fn whole(number: f32) -> u16 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = number as u16;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(colours: &[([u8; 3], usize)]) -> Vec<u8> {
        colours.iter().flat_map(|(rgb, count)| rgb.repeat(*count)).collect()
    }

    #[test]
    fn the_strongest_hue_comes_first() {
        // Blue has the hue 264 in OKLab, red 29.
        let blue =
            of(&picture(&[([20, 40, 220], 500), ([240, 240, 240], 3000), ([220, 30, 30], 200)]));
        assert!((255..275).contains(&blue.hue) && (15..45).contains(&blue.other), "{blue:?}");
        assert!(blue.chroma > 150, "{blue:?}");
    }

    #[test]
    fn grey_pictures_have_no_colour() {
        assert_eq!(of(&picture(&[([90, 90, 90], 5000), ([255, 0, 0], 50)])).chroma, 0);
        assert_eq!(of(&[]).chroma, 0);
        assert_eq!(of(&[1, 2]).chroma, 0);
    }

    #[test]
    fn one_colour_is_both() {
        let green = of(&picture(&[([30, 140, 60], 900)]));
        assert_eq!(green.hue, green.other);
    }

    proptest! {
        #[test]
        fn any_pixels_have_hues_on_the_circle(pixels in prop::collection::vec(any::<u8>(), 0..300)) {
            let colours = of(&pixels);
            prop_assert!(colours.hue < 360 && colours.other < 360 && colours.chroma < 400);
        }
    }
}
