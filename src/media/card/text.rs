//! Lines of text for the card: what the fonts can show, how it breaks, and its letters as pixels.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScaleFont, ScaleFont, point};
use unicode_normalization::UnicodeNormalization;

use super::canvas::{Canvas, Colour};

/// Letters of a text that are looked at; more never fit on a card.
const MOST_LETTERS: usize = 400;

const ELLIPSIS: char = '…';

/// A font, read when it is first needed; the bytes stay where they are in the program.
type Embedded = LazyLock<Option<FontRef<'static>>>;

static TITLE: Embedded =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("fonts/title.otf")).ok());
static TEXT: Embedded =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("fonts/text.otf")).ok());

/// Which of the two fonts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Face {
    /// For the title.
    Title,
    /// For everything else.
    Text,
}

/// A font in a size.
pub(super) struct Type {
    font: PxScaleFont<&'static FontRef<'static>>,
}

impl Type {
    /// A font whose em square is so many pixels high; `None` where it cannot be read.
    pub(super) fn new(face: Face, size: f32) -> Option<Type> {
        let font = match face {
            Face::Title => TITLE.as_ref(),
            Face::Text => TEXT.as_ref(),
        }?;
        // The library measures a font from its highest to its lowest letter.
        let em = font.units_per_em()?;
        let font = font.as_scaled(size / em * font.height_unscaled());
        Some(Type { font })
    }

    /// Width of a line in pixels.
    pub(super) fn width(&self, line: &str) -> f32 {
        self.place(line).1
    }

    /// The letters of a line from 0 on, and where it ends.
    fn place(&self, line: &str) -> (Vec<Glyph>, f32) {
        let (mut glyphs, mut at, mut previous) = (Vec::new(), 0.0, None);
        for letter in line.chars() {
            let id = self.font.glyph_id(letter);
            if let Some(previous) = previous {
                at += self.font.kern(previous, id);
            }
            glyphs.push(id.with_scale_and_position(self.font.scale(), point(at, 0.0)));
            at += self.font.h_advance(id);
            previous = Some(id);
        }
        (glyphs, at)
    }

    /// Breaks a text into at most so many lines of at most this width, between words where it can;
    /// what does not fit is cut and ends with an ellipsis. Says whether anything was cut.
    pub(super) fn lines(&self, text: &str, width: f32, most: usize) -> (Vec<String>, bool) {
        let mut lines: Vec<String> = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() && lines.len() < most {
            let end = self.fitting(rest, width);
            let (line, after) = rest.split_at(end);
            lines.push(line.trim_end().to_owned());
            rest = after.trim_start();
        }
        let cut = !rest.is_empty();
        if cut && let Some(last) = lines.last_mut() {
            while !last.is_empty() && self.width(last) + self.width("…") > width {
                last.pop();
            }
            let end = last
                .trim_end_matches(|letter: char| {
                    letter.is_whitespace() || ",.;:-–—(".contains(letter)
                })
                .len();
            last.truncate(end);
            last.push(ELLIPSIS);
        }
        (lines, cut)
    }

    /// Where the first line of a text ends: after the last word that fits, else within the first
    /// word, but not before its first letter.
    fn fitting(&self, text: &str, width: f32) -> usize {
        let (mut at, mut previous, mut word) = (0.0, None, 0);
        for (place, letter) in text.char_indices() {
            let id = self.font.glyph_id(letter);
            if let Some(previous) = previous {
                at += self.font.kern(previous, id);
            }
            if letter == ' ' {
                word = place;
            }
            at += self.font.h_advance(id);
            if at > width && letter != ' ' {
                return match (word, place) {
                    (0, 0) => letter.len_utf8(),
                    (0, place) => place,
                    (word, _) => word,
                };
            }
            previous = Some(id);
        }
        text.len()
    }

    /// Draws a line from `left` on, its letters standing on `base`.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        line: &str,
        (left, base): (f32, f32),
        colour: Colour,
        opacity: f32,
    ) {
        for mut glyph in self.place(line).0 {
            glyph.position.x += left;
            glyph.position.y = base;
            let Some(outline) = self.font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            let (x0, y0) = (corner.x as i64, corner.y as i64);
            outline.draw(|x, y, share| {
                canvas.blend(x0 + i64::from(x), y0 + i64::from(y), colour, share * opacity);
            });
        }
    }
}

/// A text as the fonts can show it, in one line: composed letters, single spaces, without pictures
/// such as emoji. `None` where a letter is missing, since one that reads the rest would read
/// something else, and where nothing is left.
pub(super) fn shown(text: &str) -> Option<String> {
    let font = TITLE.as_ref()?;
    let mut shown = String::new();
    for letter in text.nfc().take(MOST_LETTERS) {
        if letter.is_whitespace() || letter.is_control() {
            if !shown.is_empty() && !shown.ends_with(' ') {
                shown.push(' ');
            }
        } else if font.glyph_id(letter).0 != 0 {
            shown.push(letter);
        } else if letter.is_alphabetic() || letter.is_numeric() {
            return None;
        }
    }
    let shown = shown.trim_end();
    shown
        .contains(|letter: char| letter.is_alphanumeric() || letter.is_ascii_punctuation())
        .then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn title() -> Type {
        Type::new(Face::Title, 60.0).unwrap()
    }

    #[test]
    fn letters_of_europe_are_shown_and_others_are_not() {
        for text in [
            "Ænima – Ünder “Łódź”",
            "Ελληνικά τραγούδια",
            "Пісні зі Львова",
            "Tiếng Việt",
            "AC/DC (1980) №5 €",
        ] {
            assert_eq!(shown(text).as_deref(), Some(text));
        }
        for text in ["夜のうた", "أغاني", "שיר", "ไทย", "Mixed 夜", "", "  ", "🎵🎶"]
        {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(shown(" Summer\t\n☀️ 🎵 Hits ").as_deref(), Some("Summer Hits"));
        assert_eq!(shown("Bjo\u{308}rk").as_deref(), Some("Björk"));
        assert_eq!(shown("???").as_deref(), Some("???"));
    }

    #[test]
    fn both_fonts_have_the_same_letters() {
        let text = TEXT.as_ref().unwrap();
        for letter in TITLE.as_ref().unwrap().codepoint_ids().map(|(_, letter)| letter) {
            assert_ne!(text.glyph_id(letter).0, 0, "{letter}");
        }
    }

    #[test]
    fn pairs_of_letters_are_kerned() {
        let alone = title().width("A") + title().width("V");
        assert!(title().width("AV") < alone - 1.0);
    }

    #[test]
    fn a_word_breaks_between_letters_of_any_length() {
        let (lines, cut) = title().lines("mΩЖ…a", 80.0, 9);
        assert_eq!((lines.concat().as_str(), cut), ("mΩЖ…a", false));
        assert!(lines.len() > 1);
        // One letter stands on a line, however narrow that is.
        assert_eq!(title().lines("ЖΩ", 1.0, 9).0, ["Ж", "Ω"]);
    }

    #[test]
    fn text_breaks_between_words_and_is_cut_at_the_last_line() {
        let (lines, cut) = title().lines("Songs from the Spruce", 400.0, 3);
        assert_eq!((lines, cut), (vec!["Songs from".to_owned(), "the Spruce".to_owned()], false));
        let (lines, cut) = title().lines(&"and on ".repeat(40), 400.0, 2);
        assert_eq!((lines.len(), cut), (2, true));
        assert!(lines[1].ends_with("o…"), "{lines:?}");
        let (lines, _) = title().lines(&"W".repeat(30), 400.0, 3);
        assert_eq!(lines.len(), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn no_line_is_wider_than_it_may_be(text in "[A-Za-z ,.Ωж]{0,120}", width in 80_u16..600, most in 1..4_usize) {
            let width = f32::from(width);
            let (lines, cut) = title().lines(&text, width, most);
            prop_assert!(lines.len() <= most);
            for line in &lines {
                prop_assert!(title().width(line) <= width, "{} in {}", line, width);
            }
            if !cut {
                let squeezed: String = lines.concat().split_whitespace().collect();
                prop_assert_eq!(squeezed, text.split_whitespace().collect::<String>());
            }
        }
    }
}
