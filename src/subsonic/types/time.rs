//! A moment on the wire: ISO 8601 in UTC with milliseconds.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::clock::civil;

/// Milliseconds since 1970, written as `2026-01-02T03:04:05.678Z`, the form the strictest date
/// parsers among clients take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// By hand, since every song of a list has one and formatting would be most of its cost.
    fn text(self) -> [u8; 24] {
        // The years 0 to 9999 are those with four digits.
        let milliseconds = self.0.clamp(-62_167_219_200_000, 253_402_300_799_999);
        let (days, of_day) =
            (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, thousandth) = (of_day / 1000 % 60, of_day % 1000);
        let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or(0);
        let tens = |number: i64| digit(number / 10);
        [
            digit(year / 1000),
            digit(year / 100),
            tens(year),
            digit(year),
            b'-',
            tens(month),
            digit(month),
            b'-',
            tens(day),
            digit(day),
            b'T',
            tens(hour),
            digit(hour),
            b':',
            tens(minute),
            digit(minute),
            b':',
            tens(second),
            digit(second),
            b'.',
            digit(thousandth / 100),
            tens(thousandth),
            digit(thousandth),
            b'Z',
        ]
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_clients_read_them() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Time(milliseconds).to_string(), text);
        }
    }
}
