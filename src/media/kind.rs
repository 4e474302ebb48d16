//! Which file suffixes are sound, and the content type each is served with.

/// Suffix (lower case) and content type of every kind of sound file the scanner takes.
///
/// The types are those browsers and phone players accept for the container.
const KINDS: [(&str, &str); 18] = [
    ("mp3", "audio/mpeg"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("mp4", "audio/mp4"),
    ("aac", "audio/aac"),
    ("wav", "audio/wav"),
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("aifc", "audio/aiff"),
    ("mka", "audio/x-matroska"),
    ("webm", "audio/webm"),
    ("weba", "audio/webm"),
    ("caf", "audio/x-caf"),
    ("mp2", "audio/mpeg"),
];

/// The suffix of a file name in the spelling of our table and its content type; `None` where the
/// name does not promise sound.
pub fn of_name(name: &[u8]) -> Option<(&'static str, &'static str)> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let suffix = name.get(dot + 1..).filter(|_| dot > 0)?;
    KINDS.iter().find(|(known, _)| suffix.eq_ignore_ascii_case(known.as_bytes())).copied()
}

/// The content type of a suffix as the database holds it.
pub fn content_type(suffix: &str) -> &'static str {
    KINDS
        .iter()
        .find(|(known, _)| *known == suffix)
        .map_or("application/octet-stream", |(_, content_type)| content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_kind() {
        assert_eq!(of_name(b"01 - Song.FLAC"), Some(("flac", "audio/flac")));
        assert_eq!(of_name(b"odd\xff.mp3"), Some(("mp3", "audio/mpeg")));
        for name in [&b"cover.jpg"[..], b"mp3", b".mp3", b"song.", b""] {
            assert_eq!(of_name(name), None);
        }
    }
}
