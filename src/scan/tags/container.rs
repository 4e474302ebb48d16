//! Tags that are part of a container: Vorbis comments, MP4 atoms, Matroska tags, as symphonia
//! hands them over, in our vocabulary.

use symphonia::core::formats::{Attachment, FormatReader};
use symphonia::core::meta::well_known::{METADATA_ID_FLAC, METADATA_ID_VORBIS_COMMENT};
use symphonia::core::meta::well_known::{METADATA_ID_ISOMP4, METADATA_ID_MATROSKA};
use symphonia::core::meta::{MetadataRevision, RawValue, StandardTag, StandardVisualKey, Tag};

use super::Shown;
use super::fields::Layer;

/// Atoms of MP4 in our vocabulary. Those symphonia gives no name for are known by what they mean.
const ATOMS: [(&str, &str); 28] = [
    ("\u{a9}nam", "TITLE"),
    ("sonm", "TITLESORT"),
    ("\u{a9}alb", "ALBUM"),
    ("soal", "ALBUMSORT"),
    ("\u{a9}ART", "ARTIST"),
    ("soar", "ARTISTSORT"),
    ("aART", "ALBUMARTIST"),
    ("soaa", "ALBUMARTISTSORT"),
    ("\u{a9}day", "DATE"),
    ("\u{a9}gen", "GENRE"),
    ("\u{a9}grp", "GROUPING"),
    ("\u{a9}wrt", "COMPOSER"),
    ("\u{a9}com", "COMPOSER"),
    ("\u{a9}con", "CONDUCTOR"),
    ("\u{a9}arg", "ARRANGER"),
    ("\u{a9}prd", "PRODUCER"),
    ("\u{a9}lab", "LABEL"),
    ("\u{a9}pub", "LABEL"),
    ("\u{a9}isr", "ISRC"),
    ("\u{a9}wrk", "WORK"),
    ("\u{a9}cmt", "COMMENT"),
    ("desc", "DESCRIPTION"),
    ("ldes", "DESCRIPTION"),
    ("cpil", "COMPILATION"),
    ("rtng", "ITUNESADVISORY"),
    ("tmpo", "BPM"),
    ("\u{a9}sol", "PERFORMER"),
    ("\u{a9}enc", "ENCODEDBY"),
];

/// Names of Matroska's own vocabulary that differ from ours, for a song and for its album.
const MATROSKA_NAMES: [(&str, &str, &str); 13] = [
    ("TITLE", "TITLE", "ALBUM"),
    ("ARTIST", "ARTIST", "ALBUMARTIST"),
    ("TITLE/SORT_WITH", "TITLESORT", "ALBUMSORT"),
    ("ARTIST/SORT_WITH", "ARTISTSORT", "ALBUMARTISTSORT"),
    ("PART_NUMBER", "TRACKNUMBER", ""),
    ("TOTAL_PARTS", "", ""),
    ("TRACK", "TRACKNUMBER", "TRACKNUMBER"),
    ("DISC", "DISCNUMBER", "DISCNUMBER"),
    ("DATE_RELEASED", "DATE", "DATE"),
    ("DATE_RECORDED", "RECORDINGDATE", "RECORDINGDATE"),
    ("REPLAYGAIN_GAIN", "REPLAYGAINTRACKGAIN", "REPLAYGAINALBUMGAIN"),
    ("REPLAYGAIN_PEAK", "REPLAYGAINTRACKPEAK", "REPLAYGAINALBUMPEAK"),
    ("PUBLISHER", "LABEL", "LABEL"),
];

/// Targets of Matroska above the song.
const ALBUM_TARGETS: [&str; 5] = ["ALBUM", "COLLECTION", "EDITION", "CONCERT", "OPERA"];

/// The tags and the picture of a container.
#[derive(Debug, Default)]
pub(super) struct Container {
    /// What the format itself has a place for.
    pub(super) own: Layer,
    /// What a tagger named itself (`----` in MP4).
    pub(super) free: Layer,
    /// The picture, and whether it is a front cover.
    pub(super) picture: Shown,
    /// Bytes of all pictures.
    pub(super) picture_bytes: u64,
}

/// Takes everything the reader knows by now. ID3 and APE tags are left: they were read before.
pub(super) fn read(reader: &mut dyn FormatReader) -> Container {
    let mut container = Container::default();
    let mut metadata = reader.metadata();
    // Every revision counts, and `pop` never gives the last one.
    while let Some(revision) = metadata.pop() {
        container.take(&revision);
    }
    if let Some(revision) = metadata.current() {
        container.take(revision);
    }
    for attachment in reader.attachments() {
        if let Attachment::File(file) = attachment {
            let image = file.media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
            if image {
                container.offer(&file.data, file.name.to_ascii_lowercase().starts_with("cover"));
            }
        }
    }
    container
}

impl Container {
    fn take(&mut self, revision: &MetadataRevision) {
        let ours = [
            METADATA_ID_VORBIS_COMMENT,
            METADATA_ID_FLAC,
            METADATA_ID_ISOMP4,
            METADATA_ID_MATROSKA,
        ];
        if !ours.contains(&revision.info.metadata) {
            return;
        }
        let tracks = revision.per_track.iter().map(|track| &track.metadata);
        let tags =
            std::iter::once(&revision.media).chain(tracks).flat_map(|container| &container.tags);
        let flat = is_flat(tags.clone());
        for tag in tags {
            if let Some(value) = value_of(&tag.raw.value) {
                match revision.info.metadata {
                    METADATA_ID_ISOMP4 => self.take_atom(tag, &value),
                    METADATA_ID_MATROSKA => self.take_matroska(tag, &value, flat),
                    _ => self.take_comment(tag, &value),
                }
            }
        }
        for visual in &revision.media.visuals {
            self.offer(&visual.data, visual.usage == Some(StandardVisualKey::FrontCover));
        }
    }

    fn offer(&mut self, bytes: &[u8], front: bool) {
        self.picture_bytes += bytes.len() as u64;
        super::offer(&mut self.picture, bytes, front);
    }

    fn take_comment(&mut self, tag: &Tag, value: &str) {
        let upper = tag.raw.key.to_ascii_uppercase();
        if matches!(
            upper.as_str(),
            "LYRICS" | "UNSYNCEDLYRICS" | "UNSYNCED LYRICS" | "SYNCEDLYRICS"
        ) {
            self.own.push_lyrics("", value);
        } else {
            self.own.push(&upper, value);
        }
    }

    fn take_atom(&mut self, tag: &Tag, value: &str) {
        // A number and its total are two tags of one name, and a genre number is one too high.
        match (&tag.std, tag.raw.key.as_str()) {
            (Some(StandardTag::TrackNumber(number)), _) => {
                self.own.push("TRACKNUMBER", &number.to_string())
            }
            (Some(StandardTag::DiscNumber(number)), _) => {
                self.own.push("DISCNUMBER", &number.to_string())
            }
            (Some(StandardTag::DiscTotal(number)), _) => {
                self.own.push("DISCTOTAL", &number.to_string())
            }
            (Some(StandardTag::TrackTotal(_)), _) => {}
            (Some(StandardTag::MovementName(name)), "") => self.own.push("MOVEMENTNAME", name),
            (Some(StandardTag::MovementNumber(number)), "") => {
                self.own.push("MOVEMENT", &number.to_string())
            }
            (Some(StandardTag::MovementTotal(number)), "") => {
                self.own.push("MOVEMENTTOTAL", &number.to_string())
            }
            (Some(StandardTag::Genre(genre)), "gnre") => self.own.push("GENRE", genre),
            (_, "gnre") => {}
            (_, "\u{a9}lyr") => self.own.push_lyrics("", value),
            (_, key) => match (ATOMS.iter().find(|(atom, _)| *atom == key), key.rsplit_once(':')) {
                (Some((_, name)), _) => self.own.push(name, value),
                (None, Some((_, name))) if is_lyrics(name) => self.free.push_lyrics("", value),
                (None, Some((_, name))) => self.free.push(name, value),
                (None, None) => {}
            },
        }
    }

    fn take_matroska(&mut self, tag: &Tag, value: &str, flat: bool) {
        let (target, name) = tag.raw.key.split_once('@').unwrap_or(("", &tag.raw.key));
        let of_song = flat || !ALBUM_TARGETS.contains(&target);
        if is_lyrics(name) {
            self.own.push_lyrics("", value);
            return;
        }
        match MATROSKA_NAMES.iter().find(|(theirs, ..)| theirs.eq_ignore_ascii_case(name)) {
            Some((_, song, _)) if of_song => self.own.push(song, value),
            Some((.., album)) => self.own.push(album, value),
            None => self.own.push(name, value),
        }
    }
}

/// Whether the tags of a Matroska file, which are those of its album by default, are all meant for
/// its song: so write programs that know no targets, and an album has no `ALBUM` of its own.
fn is_flat<'a>(mut tags: impl Iterator<Item = &'a Tag>) -> bool {
    tags.any(|tag| {
        let (target, name) = tag.raw.key.split_once('@').unwrap_or(("", &tag.raw.key));
        name.eq_ignore_ascii_case("ALBUM") && ALBUM_TARGETS.contains(&target)
    })
}

fn is_lyrics(name: &str) -> bool {
    ["LYRICS", "UNSYNCEDLYRICS", "SYNCEDLYRICS"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// A value as text: numbers and flags in digits, bytes only where they are a number or text.
fn value_of(value: &RawValue) -> Option<String> {
    Some(match value {
        RawValue::String(text) => text.to_string(),
        RawValue::StringList(texts) => texts.join("; "),
        RawValue::UnsignedInt(number) => number.to_string(),
        RawValue::SignedInt(number) => number.to_string(),
        RawValue::Float(number) => number.to_string(),
        RawValue::Boolean(flag) => u8::from(*flag).to_string(),
        RawValue::Binary(bytes) => match ***bytes {
            [byte] => byte.to_string(),
            ref bytes => std::str::from_utf8(bytes).ok()?.to_owned(),
        },
        _ => return None,
    })
}
