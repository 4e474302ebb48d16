//! The colours of a page, from those of its cover, readable in light and dark by construction.

use std::fmt::Write;

use crate::media::cover::colours::Colours;
use crate::media::cover::oklab::{Rgb, contrast, to_rgb};

/// What text needs on its ground (WCAG 2.2, 1.4.3).
const READABLE: f32 = 4.5;

/// The colours of pages without a cover, or with a grey one: the gold of the kinglet's crown.
const OURS: Colours = Colours { hue: 82, chroma: 110, other: 118 };

/// Chroma beyond which colours of a page shout.
const LOUD: f32 = 0.16;

/// Hues from orange to lime, which are themselves only when they are light.
const BRIGHT: std::ops::Range<u16> = 50..130;

/// All colours of a page in one of its two dresses.
#[derive(Clone, Copy, Debug)]
struct Dress {
    /// The ground.
    paper: Rgb,
    /// What lies on it.
    lift: Rgb,
    /// What is pointed at.
    tint: Rgb,
    /// Lines.
    line: Rgb,
    /// Text.
    ink: Rgb,
    /// Text of less weight.
    soft: Rgb,
    /// Links, and what plays.
    accent: Rgb,
    /// The button.
    fill: Rgb,
    /// Text on the button.
    on_fill: Rgb,
    /// The light at the top of the page, from one side.
    glow: Rgb,
    /// And from the other.
    glow_too: Rgb,
}

/// The custom properties of a page as a style sheet of their own.
pub fn css(colours: Option<Colours>) -> String {
    let colours = chosen(colours);
    format!(
        ":root{{{}}}@media(prefers-color-scheme:dark){{:root{{{}}}}}",
        properties(&light(colours)),
        properties(&dark(colours))
    )
}

/// The grounds in light and dark, for the frame of the browser.
pub fn grounds(colours: Option<Colours>) -> [String; 2] {
    let colours = chosen(colours);
    [light(colours), dark(colours)].map(|dress| hex(dress.paper))
}

fn chosen(colours: Option<Colours>) -> Colours {
    colours.filter(|colours| colours.chroma > 0).unwrap_or(OURS)
}

fn light(colours: Colours) -> Dress {
    let (hue, other) = (f32::from(colours.hue), f32::from(colours.other));
    let chroma = chroma(colours);
    let some = (chroma / 0.1).min(1.0);
    let [paper, lift, tint] =
        [(0.982, 0.007), (0.995, 0.003), (0.945, 0.016)].map(|(l, c)| to_rgb(l, c * some, hue));
    let glow = to_rgb(0.905, 0.055 * some, hue);
    let grounds = [paper, lift, tint, glow];
    let (fill, on_fill) = if BRIGHT.contains(&colours.hue) {
        let on_fill = to_rgb(0.2, 0.03 * some, hue);
        (readable(&[on_fill], 0.8, 0.01, chroma.max(0.125 * some), hue), on_fill)
    } else {
        (readable(&[[255; 3], paper], 0.6, -0.01, chroma, hue), [255; 3])
    };
    Dress {
        paper,
        lift,
        tint,
        line: to_rgb(0.885, 0.018 * some, hue),
        ink: to_rgb(0.22, 0.022 * some, hue),
        soft: readable(&grounds, 0.48, -0.01, 0.026 * some, hue),
        accent: readable(&grounds, 0.56, -0.01, chroma, hue),
        fill,
        on_fill,
        glow,
        glow_too: to_rgb(0.925, 0.05 * some, other),
    }
}

fn dark(colours: Colours) -> Dress {
    let (hue, other) = (f32::from(colours.hue), f32::from(colours.other));
    let chroma = chroma(colours);
    let some = (chroma / 0.1).min(1.0);
    let [paper, lift, tint] =
        [(0.175, 0.012), (0.222, 0.015), (0.265, 0.02)].map(|(l, c)| to_rgb(l, c * some, hue));
    let glow = to_rgb(0.335, 0.065 * some, hue);
    let grounds = [paper, lift, tint, glow];
    let on_fill = to_rgb(0.17, 0.02 * some, hue);
    Dress {
        paper,
        lift,
        tint,
        line: to_rgb(0.325, 0.02 * some, hue),
        ink: to_rgb(0.955, 0.01 * some, hue),
        soft: readable(&grounds, 0.74, 0.01, 0.02 * some, hue),
        accent: readable(&grounds, 0.8, 0.01, chroma.min(0.13), hue),
        fill: readable(&[on_fill], 0.8, 0.01, chroma.clamp(0.11 * some, 0.14), hue),
        on_fill,
        glow,
        glow_too: to_rgb(0.29, 0.06 * some, other),
    }
}

fn chroma(colours: Colours) -> f32 {
    // The mean of a picture is duller than what one remembers of it.
    (1.25 * f32::from(colours.chroma) / 1000.0).clamp(0.03, LOUD)
}

/// The first colour, going from a lightness by steps, that can be read on all of the grounds.
fn readable(grounds: &[Rgb], lightness: f32, step: f32, chroma: f32, hue: f32) -> Rgb {
    let mut lightness = lightness;
    while (0.0..=1.0).contains(&lightness) {
        let colour = to_rgb(lightness, chroma, hue);
        // A little more than is asked for, since colours are rounded again when they are mixed.
        if grounds.iter().all(|ground| contrast(colour, *ground) >= READABLE + 0.1) {
            return colour;
        }
        lightness += step;
    }
    if step < 0.0 { [0; 3] } else { [255; 3] }
}

fn properties(dress: &Dress) -> String {
    let mut text = String::new();
    for (name, colour) in [
        ("paper", dress.paper),
        ("lift", dress.lift),
        ("tint", dress.tint),
        ("line", dress.line),
        ("ink", dress.ink),
        ("soft", dress.soft),
        ("accent", dress.accent),
        ("fill", dress.fill),
        ("on-fill", dress.on_fill),
        ("glow", dress.glow),
        ("glow-too", dress.glow_too),
    ] {
        let _ = write!(text, "--{name}:{};", hex(colour));
    }
    text.pop();
    text
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grey_and_missing_covers_get_our_colours() {
        let grey = Colours { hue: 0, chroma: 0, other: 0 };
        assert_eq!(css(Some(grey)), css(None));
        assert_eq!(css(None).matches("--").count(), 2 * 11);
    }

    proptest! {
        #[test]
        fn everything_can_be_read(hue in 0..360_u16, chroma in 1..400_u16, other in 0..360_u16) {
            let colours = Colours { hue, chroma, other };
            for dress in [light(colours), dark(colours)] {
                let grounds = [dress.paper, dress.lift, dress.tint, dress.glow, dress.glow_too];
                for ground in grounds {
                    for text in [dress.ink, dress.soft, dress.accent] {
                        prop_assert!(contrast(text, ground) >= READABLE, "{:?}", dress);
                    }
                    prop_assert!(contrast(dress.ink, ground) >= 7.0, "{:?}", dress);
                }
                prop_assert!(contrast(dress.on_fill, dress.fill) >= READABLE, "{:?}", dress);
                // What shows a state stands out from its ground (1.4.11).
                prop_assert!(contrast(dress.accent, dress.line) >= 3.0, "{:?}", dress);
            }
        }
    }
}
