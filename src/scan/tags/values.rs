//! Numbers and dates as people and programs write them into tags.

use super::Date;

/// The largest track, disc or movement number, and the fastest beat, that is no garbage.
const MOST_NUMBER: u32 = 9_999;
/// A gain beyond this many dB, either way, is garbage.
const MOST_GAIN_DB: f32 = 100.0;
/// A peak beyond this, where 1 is full scale, is garbage.
const MOST_PEAK: f32 = 100.0;
/// R128 gains of Opus aim at -23 LUFS, ReplayGain at -18: the difference in dB.
const R128_BELOW_REPLAY_GAIN: f32 = 5.0;

/// The number a text begins with; 0 where it begins with none, or with one beyond `MOST_NUMBER`.
pub(super) fn number(text: &str) -> u32 {
    let text = text.trim_start();
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().ok().filter(|number| *number <= MOST_NUMBER).unwrap_or(0)
}

/// A number and the total after a slash, as in `3/12`.
pub(super) fn number_of_total(text: &str) -> (u32, u32) {
    match text.split_once('/') {
        Some((one, total)) => (number(one), number(total)),
        None => (number(text), 0),
    }
}

/// Whether a flag is set: `1`, `true`, `yes`.
pub(super) fn flag(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    number(&text) > 0 || matches!(text.as_str(), "true" | "yes")
}

/// Beats a minute, rounded.
pub(super) fn beats(text: &str) -> u32 {
    let whole = number(text);
    let tenths = text.trim_start().split_once(['.', ',']).and_then(|(_, rest)| rest.bytes().next());
    if whole > 0 && tenths.is_some_and(|tenths| (b'5'..=b'9').contains(&tenths)) {
        whole + 1
    } else {
        whole
    }
}

/// A gain such as `-7.30 dB`.
pub(super) fn gain(text: &str) -> Option<f32> {
    let text = text.trim();
    let number = match text.len().checked_sub(2).and_then(|unit| text.split_at_checked(unit)) {
        Some((number, unit)) if unit.eq_ignore_ascii_case("dB") => number,
        _ => text,
    };
    decimal(number).filter(|gain| gain.abs() <= MOST_GAIN_DB)
}

/// A gain of Opus, in 1/256 dB, on the scale of ReplayGain.
pub(super) fn r128_gain(text: &str) -> Option<f32> {
    let gain: i16 = text.trim().parse().ok()?;
    Some(f32::from(gain) / 256.0 + R128_BELOW_REPLAY_GAIN)
}

/// A peak, where 1 is full scale.
pub(super) fn peak(text: &str) -> Option<f32> {
    decimal(text).filter(|peak| (0.0..=MOST_PEAK).contains(peak))
}

fn decimal(text: &str) -> Option<f32> {
    text.trim().replace(',', ".").parse::<f32>().ok().filter(|number| number.is_finite())
}

/// A date as `2001`, `2001-05`, `2001-05-06`, with what may follow, and `20010506`; in any other
/// text the first four digits that stand alone are the year. Zeros where a part is not known.
pub(super) fn date(text: &str) -> Date {
    let text = text.trim();
    let runs: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let (year, month, day) = match *runs.as_slice() {
        [all, ..] if all.len() == 8 && text.starts_with(all) => {
            let (year, rest) = all.split_at_checked(4).unwrap_or_default();
            let (month, day) = rest.split_at_checked(2).unwrap_or_default();
            (year, month, day)
        }
        [year, ref rest @ ..] if year.len() == 4 && text.starts_with(year) => {
            let part = |place: usize| {
                rest.get(place).copied().filter(|part| part.len() <= 2).unwrap_or("")
            };
            (year, part(0), part(1))
        }
        _ => (runs.iter().copied().find(|run| run.len() == 4).unwrap_or_default(), "", ""),
    };
    let Some(year) = year.parse::<u16>().ok().filter(|year| (1..=9999).contains(year)) else {
        return Date::default();
    };
    let month = month.parse::<u8>().ok().filter(|month| (1..=12).contains(month)).unwrap_or(0);
    let day = day
        .parse::<u8>()
        .ok()
        .filter(|day| month > 0 && (1..=days_of(year, month)).contains(day))
        .unwrap_or(0);
    Date { year, month, day }
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn of(year: u16, month: u8, day: u8) -> Date {
        Date { year, month, day }
    }

    #[test]
    fn dates_are_read_as_far_as_they_are_sure() {
        assert_eq!(date("2001"), of(2001, 0, 0));
        assert_eq!(date("2001-05"), of(2001, 5, 0));
        assert_eq!(date(" 2001-05-06T12:34 "), of(2001, 5, 6));
        assert_eq!(date("2001/5/6"), of(2001, 5, 6));
        assert_eq!(date("20010506"), of(2001, 5, 6));
        assert_eq!(date("05/06/2001"), of(2001, 0, 0));
        assert_eq!(date("(c) 1999 Label"), of(1999, 0, 0));
        assert_eq!(date("2001-13-06"), of(2001, 0, 0));
        assert_eq!(date("2001-02-29"), of(2001, 2, 0));
        assert_eq!(date("2000-02-29"), of(2000, 2, 29));
        assert_eq!(date("2001-00-00"), of(2001, 0, 0));
        for text in ["", "0000", "99", "99999", "no date"] {
            assert_eq!(date(text), Date::default(), "{text}");
        }
    }

    #[test]
    fn numbers_stay_within_reason() {
        assert_eq!(number_of_total("3/12"), (3, 12));
        assert_eq!(number_of_total(" 03 / 12 "), (3, 12));
        assert_eq!(number_of_total("7"), (7, 0));
        assert_eq!(number_of_total("99999999999999/x"), (0, 0));
        assert_eq!(number_of_total("10000"), (0, 0));
        assert_eq!(number_of_total("-1"), (0, 0));
        assert_eq!(beats("127.50"), 128);
        assert_eq!(beats("128"), 128);
        assert_eq!(beats("fast"), 0);
        assert!(flag("1") && flag(" True ") && !flag("0") && !flag(""));
    }

    #[test]
    fn gains_are_decibels() {
        assert_eq!(gain("-7.30 dB"), Some(-7.3));
        assert_eq!(gain("+3,5dB"), Some(3.5));
        assert_eq!(gain("0"), Some(0.0));
        assert_eq!(gain("-1.5 db"), Some(-1.5));
        for text in ["", "dB", "é", "loud", "nan", "inf dB", "1e9", "-200 dB", "3 apples"] {
            assert_eq!(gain(text), None, "{text}");
        }
        assert_eq!(r128_gain("-512"), Some(3.0));
        assert_eq!(r128_gain("99999"), None);
        assert_eq!(peak("0.998000"), Some(0.998));
        assert_eq!(peak("-1"), None);
    }

    proptest! {
        #[test]
        fn nothing_is_beyond_its_limits(text in "[0-9/T.:, -]{0,24}|.{0,24}") {
            let found = date(&text);
            prop_assert!(found.year <= 9999 && found.month <= 12 && found.day <= 31);
            let (one, total) = number_of_total(&text);
            prop_assert!(one <= MOST_NUMBER && total <= MOST_NUMBER && beats(&text) <= MOST_NUMBER + 1);
            prop_assert!(gain(&text).is_none_or(|gain| gain.abs() <= MOST_GAIN_DB));
        }

        #[test]
        fn a_valid_date_is_read_as_it_is(year in 1..=9999_u16, month in 1..=12_u8, day in 1..=28_u8) {
            prop_assert_eq!(date(&format!("{year:04}-{month:02}-{day:02}")), of(year, month, day));
        }
    }
}
