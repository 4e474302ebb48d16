//! ID3v2 tags, versions 2.2 to 2.4: at the start of a file, or in a chunk of a WAV or AIFF file.
//!
//! Read by ourselves, for the rules differ with the version, which symphonia does not pass on: only
//! a 2.3 tag lists names with a slash. It also drops a comment or lyrics whose language is not three
//! letters (zero bytes are common), and the rest of a tag after one frame with odd flags or with the
//! plain size an old iTunes wrote into 2.4 tags.

use std::borrow::Cow;
use std::fs::File;
use std::io;

use super::fields::Layer;
use super::file::bytes_at;
use super::frames::{self, Tag};

/// Bytes of one tag that are looked at; a longer one, which only pictures make, loses its end.
const MOST_ID3_BYTES: usize = 20 * 1024 * 1024;
/// Frames looked at in one tag.
const MOST_FRAMES: usize = 4096;
/// Bytes of the header of a tag.
const HEADER: usize = 10;

/// A tag and how many bytes of the file it takes.
pub(super) struct Read {
    /// What it says, in its own frames.
    pub(super) own: Layer,
    /// What it says in frames named by the tagger (`TXXX`), less to be believed where both speak.
    pub(super) free: Layer,
    /// Its picture, and whether that is a front cover.
    pub(super) picture: Option<(Vec<u8>, bool)>,
    /// Length with its header and footer.
    pub(super) length: u64,
}

/// The tag at a position, `None` where there is none. `end` is where the file or the chunk ends.
pub(super) fn read(file: &File, position: u64, end: u64) -> io::Result<Option<Read>> {
    let head = bytes_at(file, position, HEADER)?;
    let &[b'I', b'D', b'3', version @ 2..=4, revision, flags, a, b, c, d] = head.as_slice() else {
        return Ok(None);
    };
    let Some(size) = syncsafe([a, b, c, d]).filter(|_| revision != 0xff) else { return Ok(None) };
    let header = HEADER as u64;
    let room = end.saturating_sub(position + header);
    let body_size = usize::try_from(u64::from(size).min(room)).unwrap_or(0);
    let mut body = bytes_at(file, position + header, body_size.min(MOST_ID3_BYTES))?;
    let footer = if version == 4 && flags & 0x10 != 0 { header } else { 0 };
    let unsynchronised = flags & 0x80 != 0;
    if unsynchronised && version < 4 {
        body = resynchronised(&body).into_owned();
    }
    let extended =
        if version > 2 && flags & 0x40 != 0 { extended_length(version, &body) } else { 0 };
    let mut tag = Tag::new(version);
    let mut used = extended;
    if let Some(frames) = body.get(extended..) {
        used += walk(&mut tag, frames, unsynchronised && version == 4);
    }
    let (own, free, picture) = tag.finish();
    // A size beyond the end is wrong, and so the sound may follow where the frames end.
    let length = if u64::from(size) > room { used as u64 } else { u64::from(size) + footer };
    Ok(Some(Read { own, free, picture, length: header + length }))
}

/// Hands every frame to the tag; returns the bytes they took.
fn walk(tag: &mut Tag, bytes: &[u8], all_unsynchronised: bool) -> usize {
    let mut position = 0;
    for _ in 0..MOST_FRAMES {
        let Some(frame) = bytes.get(position..).and_then(|rest| Frame::first(tag.version, rest))
        else {
            break;
        };
        if let Some(body) = frame.plain(all_unsynchronised) {
            frames::take(tag, frame.id, &body);
        }
        position += frame.length;
    }
    position
}

/// One frame as it lies in the tag.
struct Frame<'a> {
    /// Three letters in version 2.2, else four.
    id: &'a str,
    version: u8,
    flags: u8,
    body: &'a [u8],
    /// With its header.
    length: usize,
}

impl<'a> Frame<'a> {
    /// The frame at the start of these bytes; `None` for padding, garbage and a size beyond the end.
    fn first(version: u8, bytes: &'a [u8]) -> Option<Self> {
        let (letters, header) = if version == 2 { (3, 6) } else { (4, 10) };
        let id = frame_id(bytes, letters)?;
        let head = bytes.get(..header)?;
        let (size, flags) = match *head {
            [_, _, _, a, b, c] => (u32::from_be_bytes([0, a, b, c]), 0),
            [_, _, _, _, a, b, c, d, _, flags] if version == 3 => {
                (u32::from_be_bytes([a, b, c, d]), flags)
            }
            [_, _, _, _, a, b, c, d, _, flags] => (size_of_2_4([a, b, c, d], bytes)?, flags),
            _ => return None,
        };
        let length = usize::try_from(size).ok()?.checked_add(header)?;
        Some(Frame { id, version, flags, body: bytes.get(header..length)?, length })
    }

    /// The body without what the flags added to it; `None` where it is compressed or encrypted,
    /// which no tagger does.
    fn plain(&self, all_unsynchronised: bool) -> Option<Cow<'a, [u8]>> {
        let (hidden, grouped, stated_size, unsynchronised) = match self.version {
            4 => (0x0c, 0x40, 0x01, all_unsynchronised || self.flags & 0x02 != 0),
            _ => (0xc0, 0x20, 0x00, false),
        };
        if self.flags & hidden != 0 {
            return None;
        }
        let mut body = self.body;
        if self.flags & grouped != 0 {
            body = body.get(1..)?;
        }
        let mut stated = None;
        if self.flags & stated_size != 0 {
            let (size, rest) = body.split_first_chunk::<4>()?;
            stated = syncsafe(*size).and_then(|size| usize::try_from(size).ok());
            body = rest;
        }
        // A body that already has the size it should have after the change was never changed.
        if unsynchronised && stated != Some(body.len()) {
            Some(resynchronised(body))
        } else {
            Some(body.into())
        }
    }
}

/// The name of a frame, which is capitals and digits; anything else is padding or garbage.
fn frame_id(bytes: &[u8], letters: usize) -> Option<&str> {
    let id = bytes.get(..letters)?;
    let valid = id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    std::str::from_utf8(id).ok().filter(|_| valid)
}

/// The size of a frame in a 2.4 tag: seven bits a byte, or, as an old iTunes wrote it, eight. Which
/// of the two is told by what follows the frame.
fn size_of_2_4(size: [u8; 4], bytes: &[u8]) -> Option<u32> {
    let plain = u32::from_be_bytes(size);
    let Some(proper) = syncsafe(size) else { return Some(plain) };
    let ends_well = |size: u32| {
        let end = usize::try_from(size).ok().and_then(|size| size.checked_add(10));
        end.and_then(|end| bytes.get(end..)).is_some_and(|rest| match rest.first() {
            None | Some(0) => true,
            Some(_) => frame_id(rest, 4).is_some(),
        })
    };
    Some(if proper != plain && !ends_well(proper) && ends_well(plain) { plain } else { proper })
}

/// A number of 28 bits in four bytes, the highest bit of each being clear.
fn syncsafe(bytes: [u8; 4]) -> Option<u32> {
    let clear = bytes.iter().all(|byte| *byte < 0x80);
    clear.then(|| bytes.iter().fold(0, |number, byte| number << 7 | u32::from(*byte)))
}

/// Length of the extended header, which says nothing that matters here.
fn extended_length(version: u8, body: &[u8]) -> usize {
    let Some(size) = body.first_chunk::<4>() else { return body.len() };
    let length =
        if version == 3 { u32::from_be_bytes(*size).checked_add(4) } else { syncsafe(*size) };
    length.and_then(|length| usize::try_from(length).ok()).unwrap_or(body.len())
}

/// Takes out the zero bytes that were put after every 0xff, so that no old player hears a frame of
/// sound in the tag.
fn resynchronised(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.windows(2).any(|pair| pair == [0xff, 0]) {
        return bytes.into();
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut after_ff = false;
    for byte in bytes {
        if !(after_ff && *byte == 0) {
            plain.push(*byte);
        }
        after_ff = *byte == 0xff;
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
    use proptest::prelude::*;
    use std::io::Write;

    fn read_bytes(bytes: &[u8]) -> Option<Read> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file, 0, bytes.len() as u64).unwrap()
    }

    fn frame_2_4(id: &str, flags: u8, size: [u8; 4], body: &[u8]) -> Vec<u8> {
        [id.as_bytes(), &size, &[0, flags], body].concat()
    }

    fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len() % 128).unwrap();
        let high = u8::try_from(body.len() / 128).unwrap();
        [b"ID3", &[version, 0, flags, 0, 0, high, length][..], body].concat()
    }

    fn values(read: Read, name: &str) -> Vec<String> {
        let fields = Fields { layers: vec![read.own, read.free] };
        fields.all(&[name]).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_frame_with_the_plain_size_of_an_old_itunes_is_read_to_its_end() {
        let long = [&[3][..], "x".repeat(199).as_bytes()].concat();
        let body = [
            frame_2_4("TIT2", 0, [0, 0, 0, 200], &long),
            frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A"),
        ]
        .concat();
        assert_eq!(values(read_bytes(&tag(4, 0, &body)).unwrap(), "ALBUM"), ["A"]);
        // 0x180 is 192 in seven bits a byte and 384 in eight: what follows decides.
        let long = [&[3][..], "x".repeat(383).as_bytes()].concat();
        let body = [
            frame_2_4("TIT2", 0, [0, 0, 1, 128], &long),
            frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A"),
        ]
        .concat();
        assert_eq!(values(read_bytes(&tag(4, 0, &body)).unwrap(), "ALBUM"), ["A"]);
        let long = [&[3][..], "x".repeat(255).as_bytes()].concat();
        let body = [
            frame_2_4("TIT2", 0, [0, 0, 2, 0], &long),
            frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A"),
        ]
        .concat();
        assert_eq!(values(read_bytes(&tag(4, 0, &body)).unwrap(), "ALBUM"), ["A"]);
    }

    #[test]
    fn unsynchronised_frames_come_out_whole() {
        let text = b"\x01\xff\x00\xfeA\x00B\x00";
        let body = frame_2_4("TIT2", 0x02, [0, 0, 0, 8], text);
        assert_eq!(values(read_bytes(&tag(4, 0x80, &body)).unwrap(), "TITLE"), ["AB"]);
        let body = frame_2_4("TIT2", 0, [0, 0, 0, 7], text);
        assert_eq!(values(read_bytes(&tag(3, 0x80, &body)).unwrap(), "TITLE"), ["AB"]);
        let stated = frame_2_4("TIT2", 0x03, [0, 0, 0, 8], b"\x00\x00\x00\x04\x00\xff\x00a");
        assert_eq!(values(read_bytes(&tag(4, 0, &stated)).unwrap(), "TITLE"), ["ÿ", "a"]);
    }

    #[test]
    fn a_compressed_frame_is_passed_over() {
        let body = [
            frame_2_4("TIT2", 0x09, [0, 0, 0, 6], b"\0\0\0\x09zz"),
            frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A"),
        ]
        .concat();
        let read = read_bytes(&tag(4, 0, &body)).unwrap();
        assert_eq!(values(read, "ALBUM"), ["A"]);
    }

    #[test]
    fn an_extended_header_and_a_footer_are_no_frames() {
        let body =
            [&[0, 0, 0, 6, 0, 0, 0, 0, 0, 0][..], &frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A")]
                .concat();
        assert_eq!(values(read_bytes(&tag(3, 0x40, &body)).unwrap(), "ALBUM"), ["A"]);
        let body =
            [&[0, 0, 0, 6, 1, 0][..], &frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A")].concat();
        let read = read_bytes(&tag(4, 0x50, &body)).unwrap();
        assert_eq!(read.length, 10 + 18 + 10);
        assert_eq!(values(read, "ALBUM"), ["A"]);
    }

    #[test]
    fn a_size_beyond_the_end_leaves_what_follows_the_frames() {
        let body = [&frame_2_4("TALB", 0, [0, 0, 0, 2], b"\x03A")[..], b"\xff\xfbsound"].concat();
        let mut bytes = tag(4, 0, &body);
        bytes.splice(6..10, [0x7f; 4]);
        let read = read_bytes(&bytes).unwrap();
        assert_eq!(read.length, 10 + 12);
        assert_eq!(values(read, "ALBUM"), ["A"]);
        assert!(read_bytes(b"ID3\x04\xff\0\0\0\0\0").is_none());
        assert!(read_bytes(b"ID3\x05\0\0\0\0\0\0").is_none());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(version in 2..=4_u8, flags: u8, body in proptest::collection::vec(any::<u8>(), 0..400), id in 0..8_usize) {
            let ids = ["TIT2", "TXXX", "COMM", "APIC", "UFID", "SYLT", "RVA2", "TPE1"];
            let framed = frame_2_4(ids.get(id).unwrap(), flags, [0, 0, 1, 10], &body);
            for bytes in [tag(version, flags, &body), tag(version, 0, &framed)] {
                prop_assert!(read_bytes(&bytes).is_some());
            }
        }
    }
}
