//! Writes captions as WebVTT and as SubRip.

use std::fmt::Write;

use super::Cue;

/// WebVTT.
pub(super) fn vtt(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for cue in cues {
        let space = if cue.settings.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n{} --> {}{space}{}\n{}\n",
            time(cue.start, '.'),
            time(cue.end, '.'),
            cue.settings,
            cue.text
        );
    }
    out
}

/// SubRip. It has tags and no entities: what stood for a sign becomes the sign.
pub(super) fn srt(cues: &[Cue]) -> String {
    let mut out = String::new();
    for (number, cue) in (1..).zip(cues) {
        let text = cue.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let _ = write!(
            out,
            "{number}\n{} --> {}\n{}\n\n",
            time(cue.start, ','),
            time(cue.end, ','),
            // The arrow of signs would make a line the timing of another caption.
            text.replace("-->", "→")
        );
    }
    out
}

/// `01:02:03,456`.
fn time(ms: u64, point: char) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}{point}{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_as_their_readers_want_them() {
        let cue = |start, text: &str, settings: &str| Cue {
            start,
            end: 3_723_004,
            text: text.to_owned(),
            settings: settings.to_owned(),
        };
        let cues =
            [cue(1500, "<i>La</i> &lt;3 --&gt; &amp;", "line:0"), cue(3_600_000, "Two\nlines", "")];
        assert_eq!(
            vtt(&cues),
            "WEBVTT\n\n00:00:01.500 --> 01:02:03.004 line:0\n<i>La</i> &lt;3 --&gt; &amp;\n\n\
             01:00:00.000 --> 01:02:03.004\nTwo\nlines\n"
        );
        assert_eq!(
            srt(&cues),
            "1\n00:00:01,500 --> 01:02:03,004\n<i>La</i> <3 → &\n\n\
             2\n01:00:00,000 --> 01:02:03,004\nTwo\nlines\n\n"
        );
    }
}
