//! Lyrics with times, as the LRC text everybody reads.

use std::fmt::Write;

/// Lines, or words where every word has its time, of one song.
pub(super) const MOST_LINES: usize = 10_000;

/// LRC from times in milliseconds and the text sung from then on. A time may stand at every
/// syllable: then a line feed in the text tells where a line begins, and the first time counts.
pub(super) fn from_timed(timed: &[(u32, String)]) -> String {
    let by_syllable = timed.iter().any(|(_, words)| words.starts_with(['\n', '\r']));
    let mut text = String::new();
    for (time, words) in timed {
        let begins_line = !by_syllable || text.is_empty() || words.starts_with(['\n', '\r']);
        if begins_line {
            if !text.is_empty() {
                text.push('\n');
            }
            let (minutes, rest) = (time / 60_000, time % 60_000);
            // Writing to a String cannot fail.
            let _ = write!(text, "[{minutes:02}:{:02}.{:02}]", rest / 1000, rest % 1000 / 10);
        }
        text.push_str(&words.trim_matches(['\n', '\r']).replace(['\n', '\r'], " "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_syllables_become_lines() {
        let line = |time, words: &str| (time, words.to_owned());
        assert_eq!(from_timed(&[line(0, "a"), line(61_230, "b\nc")]), "[00:00.00]a\n[01:01.23]b c");
        let syllables =
            [line(10, "Hel"), line(500, "lo"), line(1000, "\nyou"), line(6_000_000, "\n")];
        assert_eq!(from_timed(&syllables), "[00:00.01]Hello\n[00:01.00]you\n[100:00.00]");
        assert_eq!(from_timed(&[]), "");
    }
}
