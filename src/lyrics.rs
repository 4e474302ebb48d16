//! Words of a song: plain text, or LRC, where lines carry the time at which they are sung.

/// Lines beyond this number are left out; no song has so many.
const MOST_LINES: usize = 10_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it is sung, in milliseconds; `None` in text without times.
    pub start: Option<i64>,
    /// The words.
    pub words: String,
}

/// The words of a song.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lyrics {
    /// Whether the lines carry times; they are in the order of times then.
    pub synced: bool,
    /// Milliseconds by which all times are to be shifted; positive shows lines sooner.
    pub offset: i64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// Reads LRC, or plain text where no line begins with a time.
///
/// A line may begin with several times (a refrain) and is repeated for each. `[ar:...]` and other
/// tags are left out, but `[offset:...]` is kept; times of single words (`<00:12.30>`) are dropped.
pub fn read(text: &str) -> Lyrics {
    let mut lyrics = Lyrics::default();
    let mut plain = Vec::new();
    for line in text.lines().take(MOST_LINES) {
        let (starts, rest) = leading_times(line);
        if !starts.is_empty() {
            let words = without_word_times(rest.trim());
            lyrics.lines.extend(
                starts.into_iter().map(|start| Line { start: Some(start), words: words.clone() }),
            );
        } else if let Some((name, value)) = tag(line) {
            if name.eq_ignore_ascii_case("offset") {
                lyrics.offset = value.trim().parse().unwrap_or(0);
            }
        } else {
            plain.push(Line { start: None, words: line.trim_end().to_owned() });
        }
    }
    lyrics.synced = !lyrics.lines.is_empty();
    if lyrics.synced {
        lyrics.lines.truncate(MOST_LINES);
        lyrics.lines.sort_by_key(|line| line.start);
    } else {
        let from = plain.iter().position(|line| !line.words.is_empty()).unwrap_or(plain.len());
        let to =
            plain.iter().rposition(|line| !line.words.is_empty()).map_or(from, |last| last + 1);
        lyrics.lines = plain.drain(from..to).collect();
    }
    lyrics
}

/// The times in front of a line, in milliseconds, and what follows them.
fn leading_times(line: &str) -> (Vec<i64>, &str) {
    let (mut starts, mut rest) = (Vec::new(), line.trim_start());
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let Some(start) = time(inside) else { break };
        starts.push(start);
        rest = after;
    }
    (starts, rest)
}

/// `mm:ss`, `mm:ss.xx`, `mm:ss:xx` or `mm:ss.xxx` in milliseconds.
fn time(text: &str) -> Option<i64> {
    let (minutes, rest) = text.trim().split_once(':')?;
    let (seconds, fraction) = rest.split_once(['.', ':']).unwrap_or((rest, ""));
    let number = |digits: &str| -> Option<i64> {
        let fits =
            (1..=4).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        fits.then(|| digits.parse().ok())?
    };
    let fraction = match fraction.len() {
        0 => 0,
        1 => number(fraction)? * 100,
        2 => number(fraction)? * 10,
        3 => number(fraction)?,
        _ => return None,
    };
    let seconds = number(seconds).filter(|seconds| *seconds < 100)?;
    Some((number(minutes)? * 60 + seconds) * 1000 + fraction)
}

fn tag(line: &str) -> Option<(&str, &str)> {
    let inside = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    let (name, value) = inside.split_once(':')?;
    let is_name = !name.is_empty()
        && name.len() <= 8
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'#');
    is_name.then_some((name, value))
}

fn without_word_times(words: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(words.len()), words);
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        match from.strip_prefix('<').and_then(|from| from.split_once('>')) {
            Some((inside, after)) if time(inside).is_some() => rest = after.trim_start(),
            _ => {
                plain.push('<');
                rest = from.strip_prefix('<').unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(start: i64, words: &str) -> Line {
        Line { start: Some(start), words: words.to_owned() }
    }

    #[test]
    fn times_order_the_lines_and_a_refrain_is_repeated() {
        let lyrics = read(
            "[ar:Somebody]\n[offset:+250]\n[00:12.5][01:02:03]Refrain\n[00:01.00] First <b>\n[00:20.123]\n",
        );
        assert_eq!((lyrics.synced, lyrics.offset), (true, 250));
        let expected = [
            line(1000, "First <b>"),
            line(12_500, "Refrain"),
            line(20_123, ""),
            line(62_030, "Refrain"),
        ];
        assert_eq!(lyrics.lines, expected);
    }

    #[test]
    fn times_of_words_are_dropped() {
        let lyrics = read("[00:01.00]<00:01.00> One <00:01.50> two");
        assert_eq!(lyrics.lines, [line(1000, "One two")]);
    }

    #[test]
    fn text_without_times_stays_as_it_is() {
        let lyrics = read("\n\nOne\n\n  [Chorus]\nTwo: [x]\n\n");
        let words: Vec<_> = lyrics.lines.iter().map(|line| line.words.as_str()).collect();
        assert_eq!(words, ["One", "", "  [Chorus]", "Two: [x]"]);
        assert!(!lyrics.synced);
    }

    #[test]
    fn broken_times_are_words() {
        assert!(!read("[99:99:99999]x\n[aa:bb]y\n[1]z").synced);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]<>:.0-9a-z\\n é]*") {
            let lyrics = read(&text);
            prop_assert!(lyrics.lines.iter().all(|line| line.start.is_some() == lyrics.synced));
        }
    }
}
