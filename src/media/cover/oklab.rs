//! Colours by how they look: OKLab (Björn Ottosson, 2020), there and back, and contrast.

/// A colour of a screen, each part 0 to 255.
pub type Rgb = [u8; 3];

/// Lightness 0 to 1, and how far to red and to yellow, about -0.4 to 0.4.
pub type Lab = [f32; 3];

/// A colour as it looks.
pub fn from_rgb(rgb: Rgb) -> Lab {
    let [r, g, b] = rgb.map(linear);
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// The colour of a screen with a lightness, a chroma and a hue in degrees; where a screen has no
/// such colour, the nearest of less chroma.
pub fn to_rgb(lightness: f32, chroma: f32, hue: f32) -> Rgb {
    let (sin, cos) = hue.to_radians().sin_cos();
    let mut chroma = chroma.max(0.0);
    loop {
        let linear = to_linear([lightness, chroma * cos, chroma * sin]);
        let shown = linear.iter().all(|part| (-0.0001..=1.0001).contains(part));
        if shown || chroma < 0.002 {
            return linear.map(byte);
        }
        chroma *= 0.95;
    }
}

fn to_linear([lightness, a, b]: Lab) -> [f32; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
}

/// A part of a colour as an amount of light, 0 to 1.
fn linear(part: u8) -> f32 {
    let part = f32::from(part) / 255.0;
    if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

fn byte(light: f32) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let part =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = (part * 255.0).round() as u8;
    byte
}

/// The contrast of two colours, 1 to 21 (WCAG 2.2).
pub fn contrast(one: Rgb, other: Rgb) -> f32 {
    let light = |rgb: Rgb| {
        let [r, g, b] = rgb.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_colours_have_their_place() {
        let near = |lab: Lab, expected: Lab| {
            assert!(
                lab.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-3),
                "{lab:?}"
            );
        };
        near(from_rgb([255, 255, 255]), [1.0, 0.0, 0.0]);
        near(from_rgb([255, 0, 0]), [0.628, 0.2249, 0.1258]);
        near(from_rgb([0, 0, 255]), [0.452, -0.0325, -0.3115]);
        assert_eq!(to_rgb(0.0, 0.0, 0.0), [0, 0, 0]);
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-3);
        assert!((contrast([118; 3], [255; 3]) - 4.54).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(rgb in any::<[u8; 3]>()) {
            let [lightness, a, b] = from_rgb(rgb);
            let back = to_rgb(lightness, a.hypot(b), b.atan2(a).to_degrees());
            prop_assert!(rgb.iter().zip(back).all(|(one, other)| one.abs_diff(other) <= 2), "{:?} {:?}", rgb, back);
        }

        #[test]
        fn every_wish_has_a_colour_of_its_lightness(lightness in 0.0..=1.0_f32, chroma in 0.0..0.5_f32, hue in 0.0..360.0_f32) {
            let [shown, ..] = from_rgb(to_rgb(lightness, chroma, hue));
            prop_assert!((shown - lightness).abs() < 0.05, "{} {}", lightness, shown);
        }
    }
}
