//! Tags at the end of a file: APEv2 and ID3v1.
//!
//! Read by ourselves, so that the sound ends where the tags begin: the duration of a file without
//! one of its own is told by the length of its sound.

use std::fs::File;
use std::io;

use super::fields::{Layer, canonical};
use super::file::bytes_at;
use super::{Shown, genres, text};

/// Bytes of an ID3v1 tag.
const ID3V1: usize = 128;
/// Bytes of the footer of an APE tag, and of its header.
const APE_FOOTER: usize = 32;
/// Bytes of an APE tag that are looked at; a longer one, which only pictures make, is not read.
const MOST_APE_BYTES: usize = 20 * 1024 * 1024;
/// Items of one APE tag.
const MOST_ITEMS: usize = 1000;

/// Names of APE items that are another name in our vocabulary.
const APE_NAMES: [(&str, &str); 4] = [
    ("TRACK", "TRACKNUMBER"),
    ("DISC", "DISCNUMBER"),
    ("YEAR", "DATE"),
    ("RECORDDATE", "RECORDINGDATE"),
];

/// The tags at the end of a file.
#[derive(Debug, Default)]
pub(super) struct Trailer {
    /// APE before ID3v1, which cuts everything at 30 letters.
    pub(super) layers: Vec<Layer>,
    /// The picture, and whether it is a front cover.
    pub(super) picture: Shown,
    /// Where the sound ends.
    pub(super) end: u64,
}

/// The tags before `end`, as far as they begin after `start`.
pub(super) fn read(file: &File, start: u64, end: u64) -> io::Result<Trailer> {
    let mut trailer = Trailer { end, ..Trailer::default() };
    let mut v1 = None;
    let tail_start = end.saturating_sub((ID3V1 + APE_FOOTER) as u64).max(start);
    let tail =
        bytes_at(file, tail_start, usize::try_from(end.saturating_sub(tail_start)).unwrap_or(0))?;
    let mut before = tail.as_slice();
    if let Some((rest, bytes)) =
        tail.split_last_chunk::<ID3V1>().filter(|(_, bytes)| bytes.starts_with(b"TAG"))
    {
        v1 = Some(id3v1(bytes));
        trailer.end -= ID3V1 as u64;
        before = rest;
    }
    if let Some((_, footer)) = before.split_last_chunk::<APE_FOOTER>() {
        ape(file, start, footer, &mut trailer)?;
    }
    trailer.layers.extend(v1);
    Ok(trailer)
}

fn id3v1(bytes: &[u8; ID3V1]) -> Layer {
    let mut layer = Layer::default();
    let field = |from: usize, to: usize| {
        let field = bytes.get(from..to).unwrap_or_default();
        text::latin1(field.split(|byte| *byte == 0).next().unwrap_or_default())
            .trim_end()
            .to_owned()
    };
    layer.push("TITLE", &field(3, 33));
    layer.push("ARTIST", &field(33, 63));
    layer.push("ALBUM", &field(63, 93));
    layer.push("YEAR", &field(93, 97));
    layer.push("COMMENT", &field(97, 127));
    let [.., zero, track, genre] = *bytes;
    // Version 1.1 took the last two bytes of the comment for the track.
    if zero == 0 {
        layer.push("TRACKNUMBER", &track.to_string());
    }
    layer.push("GENRE", genres::by_number(genre).unwrap_or_default());
    layer
}

/// Reads the APE tag that ends with this footer, if it is one.
fn ape(
    file: &File,
    start: u64,
    footer: &[u8; APE_FOOTER],
    trailer: &mut Trailer,
) -> io::Result<()> {
    let number = |place: usize| {
        let bytes = footer.get(place..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    let (size, flags) = (number(12), number(20));
    let begin = trailer.end.checked_sub(u64::from(size)).filter(|begin| *begin >= start);
    let items = usize::try_from(size).ok().and_then(|size| size.checked_sub(APE_FOOTER));
    let (b"APETAGEX", Some(begin), Some(length)) =
        (footer.first_chunk::<8>().unwrap_or(&[0; 8]), begin, items)
    else {
        return Ok(());
    };
    let header = if flags & 0x8000_0000 != 0 { APE_FOOTER as u64 } else { 0 };
    trailer.end = begin.saturating_sub(header).max(start);
    if length <= MOST_APE_BYTES {
        let mut layer = Layer::default();
        let bytes = bytes_at(file, begin, length)?;
        let mut rest = bytes.as_slice();
        for _ in 0..MOST_ITEMS {
            let Some((item, after)) = Item::first(rest) else { break };
            item.take(&mut layer, &mut trailer.picture);
            rest = after;
        }
        trailer.layers.push(layer);
    }
    Ok(())
}

struct Item<'a> {
    key: &'a [u8],
    binary: bool,
    value: &'a [u8],
}

impl<'a> Item<'a> {
    fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (size, rest) = bytes.split_first_chunk::<4>()?;
        let (flags, rest) = rest.split_first_chunk::<4>()?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (key, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
        let (value, after) =
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
        // Two bits tell the kind: 0 is text, 1 bytes, 2 an address.
        Some((Item { key, binary: u32::from_le_bytes(*flags) >> 1 & 3 != 0, value }, after))
    }

    fn take(&self, layer: &mut Layer, picture: &mut Shown) {
        let key = canonical(&String::from_utf8_lossy(self.key));
        if key.starts_with("COVERART") {
            // The name of the picture file, a zero, and the picture.
            let image = self
                .value
                .iter()
                .position(|byte| *byte == 0)
                .and_then(|zero| self.value.get(zero + 1..));
            super::offer(picture, image.unwrap_or_default(), key == "COVERARTFRONT");
        } else if !self.binary {
            let name = APE_NAMES
                .iter()
                .find(|(ape, _)| *ape == key)
                .map_or(key.as_str(), |(_, ours)| ours);
            for value in text::list(3, self.value) {
                if matches!(name, "LYRICS" | "UNSYNCEDLYRICS") {
                    layer.push_lyrics("", &value);
                } else {
                    layer.push(name, &value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
    use proptest::prelude::*;
    use std::io::Write;

    fn read_bytes(bytes: &[u8]) -> Trailer {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file, 0, bytes.len() as u64).unwrap()
    }

    fn v1(comment: &[u8]) -> Vec<u8> {
        let mut bytes = b"TAGTitle   \0junk".to_vec();
        bytes.resize(93, 0);
        bytes.extend(b"1999");
        bytes.extend(comment);
        bytes.resize(125, 0);
        bytes.extend([0, 9, 17]);
        bytes
    }

    fn item(key: &str, flags: u8, value: &[u8]) -> Vec<u8> {
        [
            &u32::try_from(value.len()).unwrap().to_le_bytes(),
            &[flags, 0, 0, 0],
            key.as_bytes(),
            b"\0",
            value,
        ]
        .concat()
    }

    fn ape_tag(items: &[Vec<u8>], flags: u32) -> Vec<u8> {
        let body = items.concat();
        let size = u32::try_from(body.len() + 32).unwrap().to_le_bytes();
        let end =
            [b"APETAGEX\xd0\x07\0\0", &size[..], &[2, 0, 0, 0], &flags.to_le_bytes(), &[0; 8]]
                .concat();
        if flags == 0 { [body, end].concat() } else { [end.clone(), body, end].concat() }
    }

    #[test]
    fn both_tags_are_taken_off_the_sound() {
        let ape = ape_tag(
            &[
                item("Artist", 0, b"A\0B"),
                item("Cover Art (Front)", 2, b"cover.jpg\0JPEG"),
                item("Track", 0, b"3/7"),
            ],
            0x8000_0000,
        );
        let trailer = read_bytes(&[&b"sound"[..], &ape, &v1(b"note")].concat());
        assert_eq!(trailer.end, 5);
        assert_eq!(trailer.picture, Some((b"JPEG".to_vec(), true)));
        let fields = Fields { layers: trailer.layers };
        assert_eq!(fields.all(&["ARTIST"]), ["A", "B"]);
        assert_eq!(fields.all(&["TRACKNUMBER"]), ["3/7"]);
        assert_eq!(fields.all(&["TITLE"]), ["Title"]);
        assert_eq!(fields.all(&["YEAR"]), ["1999"]);
        assert_eq!(fields.all(&["GENRE"]), ["Rock"]);
        assert_eq!(fields.all(&["COMMENT"]), ["note"]);
    }

    #[test]
    fn sound_without_tags_keeps_its_end() {
        for bytes in [&b""[..], b"TAG", b"sound that is longer than both kinds of tags would be"] {
            let trailer = read_bytes(bytes);
            assert_eq!(trailer.end, bytes.len() as u64);
            assert!(trailer.layers.is_empty());
        }
    }

    #[test]
    fn a_tag_larger_than_its_file_is_none() {
        let mut ape = ape_tag(&[item("Artist", 0, b"A")], 0);
        let size = ape.len() - 20;
        ape[size] = 0xff;
        assert_eq!(read_bytes(&ape).end, ape.len() as u64);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), size in 0..300_u32) {
            let footer = [b"APETAGEX\xd0\x07\0\0", &size.to_le_bytes()[..], &[9, 0, 0, 0], &[0; 12]].concat();
            let bytes = [body, footer].concat();
            prop_assert!(read_bytes(&bytes).end <= bytes.len() as u64);
        }
    }
}
