//! Which file suffixes are sound and videos, and the content type each is served with.

/// Suffix (lower case) and content types of every kind of file the scanner takes: without and with
/// pictures that move. What cannot be the one has no type for it.
///
/// The types are those browsers and phone players accept for the container.
const KINDS: [(&str, &str, &str); 31] = [
    ("mp3", "audio/mpeg", ""),
    ("flac", "audio/flac", ""),
    ("ogg", "audio/ogg", ""),
    ("oga", "audio/ogg", ""),
    ("opus", "audio/ogg", ""),
    ("m4a", "audio/mp4", ""),
    ("m4b", "audio/mp4", ""),
    ("mp4", "audio/mp4", "video/mp4"),
    ("aac", "audio/aac", ""),
    ("wav", "audio/wav", ""),
    ("aif", "audio/aiff", ""),
    ("aiff", "audio/aiff", ""),
    ("aifc", "audio/aiff", ""),
    ("mka", "audio/x-matroska", ""),
    ("webm", "audio/webm", "video/webm"),
    ("weba", "audio/webm", ""),
    ("caf", "audio/x-caf", ""),
    ("mp2", "audio/mpeg", ""),
    ("m4v", "audio/mp4", "video/mp4"),
    ("mov", "audio/mp4", "video/quicktime"),
    ("mkv", "audio/x-matroska", "video/x-matroska"),
    ("ogv", "audio/ogg", "video/ogg"),
    ("avi", "", "video/x-msvideo"),
    ("mpg", "", "video/mpeg"),
    ("mpeg", "", "video/mpeg"),
    ("ts", "", "video/mp2t"),
    ("m2ts", "", "video/mp2t"),
    ("mts", "", "video/mp2t"),
    ("3gp", "audio/3gpp", "video/3gpp"),
    ("3g2", "audio/3gpp2", "video/3gpp2"),
    ("vob", "", "video/mpeg"),
];

/// What a file name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The suffix in the spelling of our table.
    pub suffix: &'static str,
    /// Whether it may be sound alone.
    pub may_be_sound: bool,
    /// Whether it may be a video.
    pub may_be_video: bool,
}

/// The kind of file a name promises; `None` where it promises neither sound nor a video.
pub fn of_name(name: &[u8]) -> Option<Kind> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let suffix = name.get(dot + 1..).filter(|_| dot > 0)?;
    let known = KINDS.iter().find(|(known, ..)| suffix.eq_ignore_ascii_case(known.as_bytes()));
    known.map(|(suffix, sound, video)| Kind {
        suffix,
        may_be_sound: !sound.is_empty(),
        may_be_video: !video.is_empty(),
    })
}

/// The content type of a song or a video with a suffix as the database holds it.
pub fn content_type(suffix: &str, video: bool) -> &'static str {
    let known = KINDS.iter().find(|(known, ..)| *known == suffix);
    let of_kind =
        known.map(|(_, sound, with_pictures)| if video { *with_pictures } else { *sound });
    of_kind.filter(|kind| !kind.is_empty()).unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_kind() {
        let kind = |name: &[u8]| of_name(name).map(|kind| (kind.suffix, kind.may_be_video));
        assert_eq!(kind(b"01 - Song.FLAC"), Some(("flac", false)));
        assert_eq!(kind(b"odd\xff.mp3"), Some(("mp3", false)));
        assert_eq!(kind(b"Film.Mkv"), Some(("mkv", true)));
        for name in [&b"cover.jpg"[..], b"mp3", b".mp3", b"song.", b""] {
            assert_eq!(of_name(name), None);
        }
    }

    #[test]
    fn one_container_has_two_types() {
        assert_eq!(content_type("mp4", false), "audio/mp4");
        assert_eq!(content_type("mp4", true), "video/mp4");
        assert_eq!(content_type("flac", true), "application/octet-stream");
        assert_eq!(content_type("exe", false), "application/octet-stream");
    }
}
