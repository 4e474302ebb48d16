//! What the frames of an ID3v2 tag mean.

use super::fields::{Layer, canonical, cut};
use super::lists;
use super::{Shown, lrc, text};

/// A tag while its frames are read.
pub(super) struct Tag {
    /// 2, 3 or 4.
    pub(super) version: u8,
    own: Layer,
    free: Layer,
    picture: Shown,
    /// Year and "day and month" of a 2.3 tag, which are one date.
    year: String,
    day_and_month: String,
}

/// Whether a list in a 2.3 tag is written with slashes.
#[derive(Clone, Copy, PartialEq)]
enum Slash {
    Keep,
    Split,
}
use Slash::{Keep, Split};

/// Text frames, the name of each in our vocabulary, and what a slash means in a 2.3 tag: the
/// standard has it between several people; taggers write everything so that may have many values.
const TEXT_FRAMES: [(&str, &str, Slash); 32] = [
    ("TIT2", "TITLE", Keep),
    ("TSOT", "TITLESORT", Keep),
    ("TALB", "ALBUM", Keep),
    ("TSOA", "ALBUMSORT", Keep),
    ("TPE1", "ARTIST", Split),
    ("TSOP", "ARTISTSORT", Split),
    ("TPE2", "ALBUMARTIST", Split),
    ("TSO2", "ALBUMARTISTSORT", Split),
    ("TPE3", "CONDUCTOR", Split),
    ("TPE4", "REMIXER", Split),
    ("TCOM", "COMPOSER", Split),
    ("TEXT", "LYRICIST", Split),
    ("TCON", "GENRE", Split),
    ("TPUB", "LABEL", Split),
    ("TSRC", "ISRC", Split),
    ("TMOO", "MOOD", Split),
    ("TRCK", "TRACKNUMBER", Keep),
    ("TPOS", "DISCNUMBER", Keep),
    ("TSST", "DISCSUBTITLE", Keep),
    ("TDRC", "DATE", Keep),
    ("TDRL", "RELEASEDATE", Keep),
    ("TDOR", "ORIGINALDATE", Keep),
    ("TORY", "ORIGINALYEAR", Keep),
    ("TBPM", "BPM", Keep),
    ("TCMP", "COMPILATION", Keep),
    ("TIT1", "GROUPING", Keep),
    ("GRP1", "GROUPING", Keep),
    ("MVNM", "MOVEMENTNAME", Keep),
    ("MVIN", "MOVEMENT", Keep),
    ("TYER", "", Keep),
    ("TDAT", "", Keep),
    ("WORK", "WORK", Keep),
];

/// Names of free frames whose values a 2.3 tag lists with slashes.
const SLASHED_FREE: [&str; 13] = [
    "ARTISTS",
    "ALBUMARTISTS",
    "ARTISTSSORT",
    "ALBUMARTISTSSORT",
    "MUSICBRAINZARTISTID",
    "MUSICBRAINZALBUMARTISTID",
    "MUSICBRAINZALBUMID",
    "MUSICBRAINZALBUMTYPE",
    "RELEASETYPE",
    "LABEL",
    "ISRC",
    "MOOD",
    "GENRE",
];

/// The frames of version 2.2 that are text frames of later versions, and the others we know.
const OLD_NAMES: [(&str, &str); 39] = [
    ("TT1", "TIT1"),
    ("TT2", "TIT2"),
    ("TST", "TSOT"),
    ("TAL", "TALB"),
    ("TSA", "TSOA"),
    ("TP1", "TPE1"),
    ("TSP", "TSOP"),
    ("TP2", "TPE2"),
    ("TS2", "TSO2"),
    ("TP3", "TPE3"),
    ("TP4", "TPE4"),
    ("TCM", "TCOM"),
    ("TXT", "TEXT"),
    ("TCO", "TCON"),
    ("TPB", "TPUB"),
    ("TRC", "TSRC"),
    ("TRK", "TRCK"),
    ("TPA", "TPOS"),
    ("TPS", "TSST"),
    ("TYE", "TYER"),
    ("TDA", "TDAT"),
    ("TOR", "TORY"),
    ("TBP", "TBPM"),
    ("TCP", "TCMP"),
    ("GP1", "GRP1"),
    ("MVN", "MVNM"),
    ("MVI", "MVIN"),
    ("TDR", "TDRL"),
    ("TXX", "TXXX"),
    ("COM", "COMM"),
    ("ULT", "USLT"),
    ("SLT", "SYLT"),
    ("UFI", "UFID"),
    ("RVA", "RVAD"),
    ("IPL", "IPLS"),
    ("PIC", "PIC"),
    ("TSC", "TSOC"),
    ("TDY", "TDLY"),
    ("TT3", "TIT3"),
];

/// Descriptions of comments that programs wrote for themselves.
const MACHINE_COMMENTS: [&str; 5] = ["ITUN", "ID3V1", "SONGSDB", "MUSICMATCH", "IRIVER"];

impl Tag {
    /// An empty tag of a version.
    pub(super) fn new(version: u8) -> Self {
        let (own, free) = (Layer::default(), Layer::default());
        Tag { version, own, free, picture: None, year: String::new(), day_and_month: String::new() }
    }

    /// The fields of the standard's own frames, those of `TXXX`, and the picture.
    pub(super) fn finish(mut self) -> (Layer, Layer, Shown) {
        let (year, rest) = (self.year.trim(), self.day_and_month.trim());
        let date = match rest.split_at_checked(2) {
            Some((day, month)) if year.len() == 4 && rest.len() == 4 => {
                format!("{year}-{month}-{day}")
            }
            _ => year.to_owned(),
        };
        self.own.push("YEAR", &date);
        (self.own, self.free, self.picture)
    }
}

/// Takes one frame into the tag; a frame we do not know, or cannot make out, is left.
pub(super) fn take(tag: &mut Tag, id: &str, body: &[u8]) {
    let id = OLD_NAMES.iter().find(|(old, _)| *old == id).map_or(id, |(_, new)| new);
    // Each reader gives `None` where the frame is cut off.
    let _ = match id {
        "TXXX" => free_text(tag, body),
        "COMM" => comment(tag, body),
        "USLT" => lyrics(tag, body),
        "SYLT" => timed_lyrics(tag, body),
        "UFID" => recording(tag, body),
        "RVA2" => volume(tag, body),
        "APIC" | "PIC" => picture(tag, id, body),
        "TMCL" | "TIPL" | "IPLS" => people(tag, body),
        _ => named_text(tag, id, body),
    };
}

fn named_text(tag: &mut Tag, id: &str, body: &[u8]) -> Option<()> {
    let (_, name, slash) = TEXT_FRAMES.iter().find(|(known, ..)| *known == id)?;
    let (encoding, bytes) = body.split_first()?;
    for value in text::list(*encoding, bytes) {
        match id {
            "TYER" if tag.year.is_empty() => tag.year = value,
            "TDAT" if tag.day_and_month.is_empty() => tag.day_and_month = value,
            _ => push(&mut tag.own, tag.version, name, &value, *slash),
        }
    }
    Some(())
}

fn push(layer: &mut Layer, version: u8, name: &str, value: &str, slash: Slash) {
    if slash == Split && version < 4 {
        for part in lists::at_slashes(value) {
            layer.push(name, &part);
        }
    } else {
        layer.push(name, value);
    }
}

fn free_text(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (encoding, bytes) = body.split_first()?;
    let (name, rest) = text::first(*encoding, bytes);
    let name = canonical(&name);
    let slash = if SLASHED_FREE.contains(&name.as_str()) { Split } else { Keep };
    for value in text::list(*encoding, rest) {
        if matches!(name.as_str(), "LYRICS" | "UNSYNCEDLYRICS" | "SYNCEDLYRICS") {
            tag.free.push_lyrics("", &value);
        } else {
            push(&mut tag.free, tag.version, &name, &value, slash);
        }
    }
    Some(())
}

/// Encoding, language, description and the bytes after them: the start of three kinds of frames.
fn described(body: &[u8]) -> Option<(u8, String, &[u8])> {
    let (head, rest) = body.split_first_chunk::<4>()?;
    let [encoding, language @ ..] = *head;
    Some((encoding, language_of(language), rest))
}

/// A language as ISO 639 writes it; empty for "unknown" and for what is none.
fn language_of(code: [u8; 3]) -> String {
    let language = String::from_utf8_lossy(&code).to_ascii_lowercase();
    let known =
        code.iter().all(u8::is_ascii_alphabetic) && !matches!(language.as_str(), "xxx" | "und");
    if known { language } else { String::new() }
}

fn comment(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (encoding, _, rest) = described(body)?;
    let (description, rest) = text::first(encoding, rest);
    let description = canonical(&description);
    if MACHINE_COMMENTS.iter().any(|machine| description.starts_with(machine)) {
        return None;
    }
    let name = if description.is_empty() { "COMMENT" } else { "DESCRIPTION" };
    for value in text::list(encoding, rest) {
        tag.own.push(name, &value);
    }
    Some(())
}

fn lyrics(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (encoding, language, rest) = described(body)?;
    let (_, rest) = text::first(encoding, rest);
    tag.own.push_lyrics(&language, &text::whole(encoding, rest));
    Some(())
}

fn timed_lyrics(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (encoding, language, rest) = described(body)?;
    let (&[unit, content], rest) = rest.split_first_chunk::<2>()?;
    // Milliseconds, and lyrics or a transcription of what is spoken: not chords, not movements.
    if unit != 2 || !matches!(content, 0..=2) {
        return None;
    }
    let (_, mut rest) = text::first(encoding, rest);
    let mut timed = Vec::new();
    while !rest.is_empty() && timed.len() < lrc::MOST_LINES {
        let (words, after) = text::first(encoding, rest);
        let Some((time, after)) = after.split_first_chunk::<4>() else { break };
        timed.push((u32::from_be_bytes(*time), words));
        rest = after;
    }
    tag.own.push_lyrics(&language, &lrc::from_timed(&timed));
    Some(())
}

fn recording(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (owner, id) = text::first(0, body);
    if owner.to_ascii_lowercase().ends_with("musicbrainz.org") {
        tag.own.push("MUSICBRAINZTRACKID", &String::from_utf8_lossy(id));
    }
    Some(())
}

/// `RVA2`: adjustment in 1/512 dB and a peak of any width, channel by channel; 1 is all channels.
fn volume(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (name, mut rest) = text::first(0, body);
    let kind = if name.to_ascii_lowercase().contains("album") { "ALBUM" } else { "TRACK" };
    while let Some((&[channel, high, low, bits], after)) = rest.split_first_chunk::<4>() {
        let (peak, after) = after.split_at_checked(usize::from(bits).div_ceil(8))?;
        if channel == 1 {
            let gain = f32::from(i16::from_be_bytes([high, low])) / 512.0;
            tag.own.push(&format!("RVA2{kind}GAIN"), &format!("{gain:.4} dB"));
            if let Some(first) = peak.first_chunk::<2>() {
                // Full scale is the highest bit of the peak; two bytes say it exactly enough.
                let peak = f32::from(u16::from_be_bytes(*first)) / 32768.0;
                tag.own.push(&format!("RVA2{kind}PEAK"), &format!("{peak:.6}"));
            }
        }
        rest = after;
    }
    Some(())
}

fn picture(tag: &mut Tag, id: &str, body: &[u8]) -> Option<()> {
    let (encoding, rest) = body.split_first()?;
    let (format, rest) = match id {
        "PIC" => rest
            .split_first_chunk::<3>()
            .map(|(format, rest)| (String::from_utf8_lossy(format).into_owned(), rest))?,
        _ => text::first(0, rest),
    };
    let (kind, rest) = rest.split_first()?;
    let (_, bytes) = text::first(*encoding, rest);
    // "-->" says that the bytes are an address.
    if format != "-->" {
        super::offer(&mut tag.picture, bytes, *kind == 3);
    }
    Some(())
}

/// Pairs of a role and a name: the people involved, and the musicians with their instruments.
fn people(tag: &mut Tag, body: &[u8]) -> Option<()> {
    let (encoding, bytes) = body.split_first()?;
    for pair in text::list(*encoding, bytes).chunks_exact(2) {
        let [role, name] = pair else { break };
        let (role, name) = (role.trim(), name.trim());
        if name.is_empty() {
            continue;
        }
        let known = match canonical(role).as_str() {
            "PRODUCER" => "PRODUCER",
            "ENGINEER" => "ENGINEER",
            "MIX" | "MIXER" => "MIXER",
            "DJMIX" | "DJMIXER" => "DJMIXER",
            "ARRANGER" => "ARRANGER",
            "COMPOSER" => "COMPOSER",
            "CONDUCTOR" => "CONDUCTOR",
            "LYRICIST" => "LYRICIST",
            "REMIXER" => "REMIXER",
            "DIRECTOR" => "DIRECTOR",
            _ => "",
        };
        match (known, role) {
            ("", "") => tag.own.push("PERFORMER", name),
            ("", role) => tag.own.push("PERFORMER", &format!("{name} ({})", cut(role, 200))),
            (known, _) => tag.own.push(known, name),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;

    fn tagged(version: u8, frames: &[(&str, &[u8])]) -> Fields {
        let mut tag = Tag::new(version);
        for (id, body) in frames {
            take(&mut tag, id, body);
        }
        let (own, free, _) = tag.finish();
        Fields { layers: vec![own, free] }
    }

    #[test]
    fn a_slash_separates_people_in_2_3_only() {
        let body = &b"\x03AC/DC/Queen"[..];
        assert_eq!(tagged(3, &[("TPE1", body)]).all(&["ARTIST"]), ["AC/DC", "Queen"]);
        assert_eq!(tagged(4, &[("TPE1", body)]).all(&["ARTIST"]), ["AC/DC/Queen"]);
        assert_eq!(tagged(3, &[("TIT2", body)]).all(&["TITLE"]), ["AC/DC/Queen"]);
        assert_eq!(tagged(2, &[("TP1", b"\0A/B")]).all(&["ARTIST"]), ["A", "B"]);
        assert_eq!(tagged(3, &[("TXXX", b"\0Artists\0A/B")]).all(&["ARTISTS"]), ["A", "B"]);
        assert_eq!(tagged(3, &[("TXXX", b"\0Note\0A/B")]).all(&["NOTE"]), ["A/B"]);
    }

    #[test]
    fn year_day_and_month_are_one_date() {
        let frames: [(&str, &[u8]); 2] = [("TYER", b"\x002001"), ("TDAT", b"\x000605")];
        assert_eq!(tagged(3, &frames).all(&["YEAR"]), ["2001-05-06"]);
        assert_eq!(tagged(3, &frames[..1]).all(&["YEAR"]), ["2001"]);
        assert_eq!(
            tagged(3, &[("TYER", b"\x002001"), ("TDAT", "\x03é05".as_bytes())]).all(&["YEAR"]),
            ["2001-05-\u{e9}"]
        );
    }

    #[test]
    fn comments_of_programs_are_left() {
        let frames: [(&str, &[u8]); 3] = [
            ("COMM", b"\0engiTunNORM\0 0000"),
            ("COMM", b"\0\0\0\0note\0described"),
            ("COMM", b"\0eng\0plain"),
        ];
        let fields = tagged(4, &frames);
        assert_eq!(fields.all(&["COMMENT"]), ["plain"]);
        assert_eq!(fields.all(&["DESCRIPTION"]), ["described"]);
    }

    #[test]
    fn lyrics_have_a_language_and_may_have_times() {
        let plain = tagged(4, &[("USLT", b"\0GER\0la\nla"), ("USLT", b"\0XXX\0lo")]);
        let lyrics: Vec<_> =
            plain.layers[0].lyrics.iter().map(|l| (l.language.as_str(), l.text.as_str())).collect();
        assert_eq!(lyrics, [("ger", "la\nla"), ("", "lo")]);
        let timed = tagged(4, &[("SYLT", b"\0eng\x02\x01\0one\0\0\0\x04\x00two\0\0\x01\0\0")]);
        assert_eq!(timed.layers[0].lyrics[0].text, "[00:01.02]one\n[01:05.53]two");
        assert!(
            tagged(4, &[("SYLT", b"\0eng\x01\x01\0one\0\0\0\x04\x00")]).layers[0].lyrics.is_empty()
        );
    }

    #[test]
    fn people_come_by_role_and_instrument() {
        let fields = tagged(
            4,
            &[("TIPL", b"\0producer\0P\0DJ-mix\0D\0mix\0M\0"), ("TMCL", b"\0violin\0V\0\0N")],
        );
        assert_eq!(fields.all(&["PRODUCER"]), ["P"]);
        assert_eq!(fields.all(&["DJMIXER"]), ["D"]);
        assert_eq!(fields.all(&["MIXER"]), ["M"]);
        assert_eq!(fields.all(&["PERFORMER"]), ["V (violin)", "N"]);
    }

    #[test]
    fn relative_volume_is_gain_and_peak() {
        let fields = tagged(4, &[("RVA2", b"track\0\x01\xfb\x80\x10\x40\x00")]);
        assert_eq!(fields.all(&["RVA2TRACKGAIN"]), ["-2.2500 dB"]);
        assert_eq!(fields.all(&["RVA2TRACKPEAK"]), ["0.500000"]);
    }

    #[test]
    fn the_front_cover_is_preferred() {
        let mut tag = Tag::new(4);
        for (kind, bytes) in [(4, "back"), (3, "front"), (0, "other")] {
            take(
                &mut tag,
                "APIC",
                &[b"\0image/jpeg\0", &[kind][..], b"\0", bytes.as_bytes()].concat(),
            );
        }
        take(&mut tag, "APIC", b"\0-->\0\x03\0http://example.org");
        assert_eq!(tag.finish().2, Some((b"front".to_vec(), true)));
        let mut tag = Tag::new(2);
        take(&mut tag, "PIC", b"\0JPG\x00\0old");
        assert_eq!(tag.finish().2, Some((b"old".to_vec(), false)));
    }

    #[test]
    fn only_musicbrainz_names_the_recording() {
        let fields = tagged(
            4,
            &[("UFID", b"http://example.org\0x"), ("UFID", b"http://musicbrainz.org\0abc")],
        );
        assert_eq!(fields.all(&["MUSICBRAINZTRACKID"]), ["abc"]);
    }
}
