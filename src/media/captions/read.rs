//! Reads SubRip and WebVTT, also such as no standard would have.

use super::clean::{Markup, clean};
use super::{Captions, Cue, Format, MOST_CUES};
use crate::media::text::decode;

/// Bytes of the settings of one caption.
const MOST_SETTINGS: usize = 120;

/// The captions of a file: WebVTT where it says so, SubRip else.
pub fn read(bytes: &[u8]) -> Captions {
    let text = decode(bytes);
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    // Files of an old Mac end their lines with CR alone.
    let of_mac: Vec<&str>;
    let lines = if lines.len() == 1 && text.contains('\r') {
        of_mac = text.split('\r').collect();
        of_mac.as_slice()
    } else {
        lines.as_slice()
    };
    if text.starts_with("WEBVTT") { vtt(lines) } else { srt(lines) }
}

/// WebVTT: a caption ends with an empty line; notes and styles are left out.
fn vtt(lines: &[&str]) -> Captions {
    let mut cues = Vec::new();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        let Some((start, end, settings)) = timing(line) else { continue };
        let text: Vec<&str> =
            lines.by_ref().take_while(|line| !line.trim().is_empty()).copied().collect();
        let (text, _) = clean(&text.join("\n"), Markup::Vtt);
        cues.push(Cue { start, end, text, settings: self::settings(settings) });
        if cues.len() >= MOST_CUES {
            break;
        }
    }
    Captions::of(Format::Vtt, cues)
}

/// SubRip: a caption ends where the next one begins, whatever empty lines are in it.
fn srt(lines: &[&str]) -> Captions {
    let mut cues: Vec<Cue> = Vec::new();
    let mut open: Option<(u64, u64, Vec<&str>)> = None;
    for line in lines {
        if let Some((start, end, _)) = timing(line) {
            // The line before is the number of this caption.
            cues.extend(open.take().and_then(|open| closed(open, true)));
            if cues.len() >= MOST_CUES {
                break;
            }
            open = Some((start, end, Vec::new()));
        } else if let Some((_, _, text)) = &mut open {
            text.push(line);
        }
    }
    cues.extend(open.and_then(|open| closed(open, false)));
    Captions::of(Format::Srt, cues)
}

fn closed((start, end, mut text): (u64, u64, Vec<&str>), numbered: bool) -> Option<Cue> {
    let is_number = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
    };
    if numbered && text.last().is_some_and(is_number) {
        text.pop();
    }
    let (text, settings) = clean(&text.join("\n"), Markup::Srt);
    (!text.is_empty()).then(|| Cue { start, end, text, settings: settings.to_owned() })
}

/// Start, end and settings of a caption, where a line is the timing of one.
fn timing(line: &str) -> Option<(u64, u64, &str)> {
    let (start, rest) = line.split_once("-->")?;
    let rest = rest.trim_start();
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (end, settings) = rest.split_at_checked(end)?;
    Some((time(start.trim())?, time(end)?, settings.trim()))
}

/// `01:02:03,456`, `02:03.456` and the like in milliseconds.
fn time(text: &str) -> Option<u64> {
    let (clock, parts) = text.split_once([',', '.']).unwrap_or((text, ""));
    let mut seconds = 0_u64;
    let mut places = 0;
    for part in clock.split(':') {
        let number: u64 = Some(part.trim()).filter(|part| part.len() <= 9)?.parse().ok()?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
        places += 1;
    }
    if !(2..=3).contains(&places) {
        return None;
    }
    let parts = parts.trim();
    if !parts.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{parts:0<3}");
    seconds.checked_mul(1000)?.checked_add(thousandths.get(..3)?.parse().ok()?)
}

/// Settings of WebVTT without anything that could be something else.
pub fn settings(text: &str) -> String {
    let known = ["vertical", "line", "position", "size", "align"];
    let good = text.split_whitespace().filter(|setting| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":%,.-".contains(&byte);
        setting.bytes().all(plain)
            && setting.split_once(':').is_some_and(|(name, _)| known.contains(&name))
    });
    let mut kept = String::new();
    for setting in good {
        if kept.len() + setting.len() < MOST_SETTINGS {
            kept.push_str(if kept.is_empty() { "" } else { " " });
            kept.push_str(setting);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn told(captions: &Captions) -> Vec<(u64, u64, &str)> {
        captions.cues.iter().map(|cue| (cue.start, cue.end, cue.text.as_str())).collect()
    }

    #[test]
    fn subrip_is_read_as_people_write_it() {
        let text = "\u{feff}1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\n\r\nstill one\r\n\r\n2\r\n\
            0:0:3.5 -->  00:00:04,000 X1:3 X2:4\r\nTwo\r\n3\r\n00:00:05,000 --> 00:00:06,000\r\n1999\r\n\r\n\
            4\n00:00:09,000 --> 00:00:08,000\nnever\n\nx --> y\n";
        let captions = read(text.as_bytes());
        assert_eq!(captions.format, Format::Srt);
        assert_eq!(
            told(&captions),
            [(1000, 2500, "One\nstill one"), (3500, 4000, "Two"), (5000, 6000, "1999")]
        );
        assert_eq!(told(&read(b"1\r00:01,0 --> 00:02,0\rMac\r")), [(1000, 2000, "Mac")]);
        assert_eq!(told(&read(b"00:01,0 --> 00:02,0\ncaf\xe9\n")), [(1000, 2000, "café")]);
        assert!(read(b"").cues.is_empty());
    }

    #[test]
    fn webvtt_is_read_without_notes_and_styles() {
        let text = "WEBVTT - x\n\nSTYLE\n::cue { color: red }\n\nNOTE a --> b\n\nintro\n\
            00:02.000 --> 00:03.000 line:0 position:10%,line-left evil:<x>\n<v Ann>Hi\n\n\
            00:00:01.000 --> 00:00:01.500\nfirst\n";
        let captions = read(text.as_bytes());
        assert_eq!(captions.format, Format::Vtt);
        assert_eq!(told(&captions), [(1000, 1500, "first"), (2000, 3000, "Hi")]);
        assert_eq!(captions.cues[1].settings, "line:0 position:10%,line-left");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>, front in 0..3_usize) {
            let fronts: [&[u8]; 3] = [b"", b"WEBVTT\n\n00:01.000 --> 00:02.000 ", b"1\n00:01,0 --> 9:00,1\n"];
            let captions = read(&[fronts[front], &bytes].concat());
            prop_assert!(captions.cues.windows(2).all(|pair| pair[0].start <= pair[1].start));
        }

        #[test]
        fn what_is_written_is_read_again(
            cues in proptest::collection::vec((0..9_000_000_u64, 1..99_999_u64, "[a-zé<>&{}\\\\ -]{1,20}(\n[a-z<>&]{1,9})?"), 0..6),
        ) {
            let cues = cues.into_iter().map(|(start, length, text)| {
                let (text, _) = clean(&text, Markup::Plain);
                Cue { start, end: start + length, text, settings: String::new() }
            });
            let captions = Captions::of(Format::Vtt, cues.collect());
            let again = read(captions.to_text(Format::Vtt).as_bytes());
            prop_assert_eq!(&again, &captions);
            // SubRip has no way to write some signs: the times and the number of captions stay.
            let srt = read(captions.to_text(Format::Srt).as_bytes());
            prop_assert!(srt.cues.len() <= captions.cues.len());
            prop_assert_eq!(read(srt.to_text(Format::Vtt).as_bytes()).cues, srt.cues);
        }
    }
}
