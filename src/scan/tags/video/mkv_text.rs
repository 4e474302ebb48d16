//! Captions in Matroska and WebM: by the index of the file where it names them, else cluster by
//! cluster.

use std::fs::File;
use std::io::{self, Read};
use std::time::Instant;

use flate2::read::ZlibDecoder;

use super::super::file::bytes_at;
use super::super::matroska::{CLUSTER, Element, LONGEST_HEAD, element, element_in, number};
use super::in_time;
use super::mkv::{
    BLOCK_GROUP, Parts, SIMPLE_BLOCK, TIME, Track, bytes, few, is_text, parts, unsigned,
};
use crate::media::captions::{
    Captions, Cue, Format, MOST_BYTES, MOST_CUES, Markup, clean, settings,
};
use crate::media::text::decode;

/// Bytes of one block of captions.
const MOST_BLOCK_BYTES: usize = 64 * 1024;
/// Bytes read at a time while looking for blocks.
const WINDOW_BYTES: usize = 4096;
/// Windows read of one file: those of a film of many hours.
const MOST_WINDOWS: usize = 500_000;
/// Entries of the index looked at.
const MOST_INDEXED: usize = 500_000;
/// How long a caption is shown that does not say so, in ms: until the next one, but not longer.
const USUAL_MS: u64 = 5000;

/// How the blocks of a track are packed.
enum Packing {
    None,
    Zlib,
    /// Without these bytes, which each begins with.
    Stripped(Vec<u8>),
}

/// A block of captions: when it is shown, in units of the file, and its bytes.
struct Block {
    start: u64,
    length: Option<u64>,
    bytes: Vec<u8>,
    /// In WebVTT before its settings were part of the block: what was added to it.
    added: Vec<u8>,
}

pub(super) fn captions(
    file: &File,
    length: u64,
    track: u32,
    until: Instant,
) -> io::Result<Option<Captions>> {
    let Some(parts) = parts(file, length)? else { return Ok(None) };
    let tracks = parts.tracks(file)?;
    let wanted = u64::from(track);
    let Some(track) = tracks.into_iter().find(|known| known.number == wanted && is_text(known))
    else {
        return Ok(None);
    };
    let Some(packing) = packing(file, &track)? else { return Ok(None) };
    let indexed = indexed(file, &parts, wanted, until)?;
    let blocks = match indexed.is_empty() {
        true => walked(file, &parts, wanted, until)?,
        false => indexed,
    };
    let scale = parts.scale(file)?;
    let ms = |units: u64| units.saturating_mul(scale) / 1_000_000;
    let starts: Vec<u64> = blocks.iter().map(|block| ms(block.start)).collect();
    let mut cues = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.into_iter().enumerate() {
        let start = starts.get(at).copied().unwrap_or(0);
        let next = starts.get(at + 1).copied().filter(|next| *next > start);
        let end = match block.length {
            Some(length) => start.saturating_add(ms(length)),
            None => next.unwrap_or(u64::MAX).min(start.saturating_add(USUAL_MS)),
        };
        let text = decode(&unpacked(block.bytes, &packing));
        let (text, settings) = shown(&track.codec, &text, &decode(&block.added));
        cues.push(Cue { start, end, text, settings });
    }
    let format = if track.codec.contains("WEBVTT") { Format::Vtt } else { Format::Srt };
    Ok(Some(Captions::of(format, cues)))
}

/// Text and settings of a block.
fn shown(codec: &str, text: &str, added: &str) -> (String, String) {
    match codec {
        "S_TEXT/ASS" | "S_TEXT/SSA" => {
            // Eight fields about order, style and margins come before the text.
            let text = text.splitn(9, ',').nth(8).unwrap_or_default();
            let (text, at) = clean(text, Markup::Ass);
            (text, at.to_owned())
        }
        "S_TEXT/UTF8" => {
            let (text, at) = clean(text, Markup::Srt);
            (text, at.to_owned())
        }
        "D_WEBVTT/SUBTITLES" => {
            // A line with a name, one with settings, the text.
            let mut lines = text.splitn(3, '\n');
            let at = settings(lines.nth(1).unwrap_or_default());
            (clean(lines.next().unwrap_or_default(), Markup::Vtt).0, at)
        }
        _ => (clean(text, Markup::Vtt).0, settings(added.lines().next().unwrap_or_default())),
    }
}

/// How blocks are packed; `None` where they cannot be read.
fn packing(file: &File, track: &Track) -> io::Result<Option<Packing>> {
    let Some(encodings) = &track.encodings else { return Ok(Some(Packing::None)) };
    let mut packing = Packing::None;
    for encoding in few(file, encodings)? {
        for child in few(file, &encoding)? {
            match child.id {
                // What is not the blocks is no matter of ours; encrypted ones cannot be read.
                0x5032 if unsigned(file, &child)? & 1 == 0 => break,
                0x5033 if unsigned(file, &child)? != 0 => return Ok(None),
                0x5034 => {
                    let (mut kind, mut front) = (0, Vec::new());
                    for child in few(file, &child)? {
                        match child.id {
                            0x4254 => kind = unsigned(file, &child)?,
                            0x4255 => front = bytes(file, &child, WINDOW_BYTES)?,
                            _ => {}
                        }
                    }
                    packing = match kind {
                        0 => Packing::Zlib,
                        3 => Packing::Stripped(front),
                        _ => return Ok(None),
                    };
                }
                _ => {}
            }
        }
    }
    Ok(Some(packing))
}

/// The bytes of a block; empty where they are damaged.
fn unpacked(bytes: Vec<u8>, packing: &Packing) -> Vec<u8> {
    match packing {
        Packing::None => bytes,
        Packing::Stripped(front) => [front.as_slice(), &bytes].concat(),
        Packing::Zlib => {
            let mut unpacked = Vec::new();
            let most = MOST_BLOCK_BYTES as u64;
            match ZlibDecoder::new(bytes.as_slice()).take(most).read_to_end(&mut unpacked) {
                Ok(_) => unpacked,
                Err(_) => Vec::new(),
            }
        }
    }
}

/// The blocks of a track that the index of the file names.
fn indexed(file: &File, parts: &Parts, track: u64, until: Instant) -> io::Result<Vec<Block>> {
    let mut found = Blocks::default();
    let Some(cues) = &parts.cues else { return Ok(found.0) };
    let mut window = Window::new(file, until);
    let mut position = cues.body;
    for _ in 0..MOST_INDEXED {
        let Some(point) = window.element(position, cues.end)? else { break };
        position = point.end;
        let Some((cluster, relative)) = place(&mut window, &point, track)? else { continue };
        in_time(until)?;
        let at = parts.segment.body.saturating_add(cluster);
        let Some(cluster) = element(file, at, parts.segment.end)? else { continue };
        if cluster.id != CLUSTER {
            continue;
        }
        let Some(time) = time_of(file, &cluster)? else { continue };
        let Some(relative) = relative else {
            // The index knows the cluster alone: all of the track in it.
            let mut near = Window::new(file, until);
            take_cluster(file, &mut near, &cluster, track, &mut found)?;
            continue;
        };
        let at = cluster.body.saturating_add(relative);
        if let Some(block) = element(file, at, cluster.end)? {
            take(file, &block, time, track, &mut found)?;
        }
        if found.is_full() {
            break;
        }
    }
    // Two entries may name one cluster.
    found.0.sort_by_key(|block| block.start);
    found.0.dedup_by(|one, other| one.start == other.start && one.bytes == other.bytes);
    Ok(found.0)
}

/// Where an entry of the index says that a block of the track is: the cluster, and the place in it.
fn place(
    window: &mut Window,
    point: &Element,
    track: u64,
) -> io::Result<Option<(u64, Option<u64>)>> {
    const POINT: u32 = 0xbb;
    const POSITIONS: u32 = 0xb7;
    if point.id != POINT {
        return Ok(None);
    }
    let mut position = point.body;
    while let Some(positions) = window.element(position, point.end)? {
        position = positions.end;
        if positions.id != POSITIONS {
            continue;
        }
        let (mut of, mut cluster, mut relative) = (0, 0, None);
        let mut inside = positions.body;
        while let Some(child) = window.element(inside, positions.end)? {
            inside = child.end;
            match child.id {
                0xf7 => of = window.unsigned(&child)?,
                0xf1 => cluster = window.unsigned(&child)?,
                0xf0 => relative = Some(window.unsigned(&child)?),
                _ => {}
            }
        }
        if of == track {
            return Ok(Some((cluster, relative)));
        }
    }
    Ok(None)
}

/// The time of a cluster, which comes before its blocks.
fn time_of(file: &File, cluster: &Element) -> io::Result<Option<u64>> {
    let mut position = cluster.body;
    for _ in 0..8 {
        let Some(child) = element(file, position, cluster.end)? else { break };
        if child.id == TIME {
            return unsigned(file, &child).map(Some);
        }
        position = child.end;
    }
    Ok(None)
}

/// All blocks of a track, cluster by cluster.
fn walked(file: &File, parts: &Parts, track: u64, until: Instant) -> io::Result<Vec<Block>> {
    let mut found = Blocks::default();
    let mut window = Window::new(file, until);
    let mut position = parts.cluster.map_or(parts.segment.end, |cluster| {
        // A head of four bytes for the id and at least one for the length comes before.
        first_byte(file, &cluster).unwrap_or(cluster.body)
    });
    while let Some(part) = window.element(position, parts.segment.end)? {
        position = part.end;
        if part.id == CLUSTER {
            position = take_cluster(file, &mut window, &part, track, &mut found)?;
        }
        if found.is_full() {
            break;
        }
    }
    Ok(found.0)
}

/// Where the head of an element begins.
fn first_byte(file: &File, of: &Element) -> io::Result<u64> {
    for length in 5..=LONGEST_HEAD as u64 {
        let at = of.body.saturating_sub(length);
        if element(file, at, of.end)?.is_some_and(|found| found == *of) {
            return Ok(at);
        }
    }
    Ok(of.body)
}

/// The blocks of a track in a cluster; says where it ends, which one that is being recorded does not.
fn take_cluster(
    file: &File,
    window: &mut Window,
    cluster: &Element,
    track: u64,
    found: &mut Blocks,
) -> io::Result<u64> {
    let (mut position, mut time) = (cluster.body, 0);
    while let Some(child) = window.element(position, cluster.end)? {
        match child.id {
            // Of unknown length: it ends where the next one begins.
            CLUSTER => return Ok(position),
            TIME => time = window.unsigned(&child)?,
            SIMPLE_BLOCK | BLOCK_GROUP if window.is_of(&child, track)? => {
                take(file, &child, time, track, found)?;
            }
            _ => {}
        }
        position = child.end;
        if found.is_full() {
            break;
        }
    }
    Ok(position)
}

/// The blocks found, within bounds.
#[derive(Default)]
struct Blocks(Vec<Block>, usize);

impl Blocks {
    fn is_full(&self) -> bool {
        self.0.len() >= MOST_CUES || self.1 >= MOST_BYTES
    }
}

/// Takes a block, if it is of the track.
fn take(file: &File, of: &Element, cluster: u64, track: u64, found: &mut Blocks) -> io::Result<()> {
    let (mut body, mut length, mut added) = (None, None, Vec::new());
    match of.id {
        SIMPLE_BLOCK => body = Some(*of),
        BLOCK_GROUP => {
            for child in few(file, of)? {
                match child.id {
                    0xa1 => body = Some(child),
                    0x9b => length = Some(unsigned(file, &child)?),
                    // Additions, one addition, its bytes.
                    0x75a1 => {
                        for more in few(file, &child)? {
                            for part in few(file, &more)?.iter().filter(|part| part.id == 0xa5) {
                                added = bytes(file, part, WINDOW_BYTES)?;
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    let Some(body) = body else { return Ok(()) };
    let block = bytes(file, &body, MOST_BLOCK_BYTES)?;
    let Some((of, after)) = track_of(&block) else { return Ok(()) };
    // The track's number, a time relative to the cluster's, flags.
    let relative = super::number::<2>(&block, after).unwrap_or(0);
    let relative = i64::from(u16::try_from(relative).unwrap_or(0).cast_signed());
    if of == track {
        let bytes = block.get(after + 3..).unwrap_or_default().to_vec();
        found.1 += bytes.len() + added.len();
        let start = cluster.saturating_add_signed(relative);
        found.0.push(Block { start, length, bytes, added });
    }
    Ok(())
}

/// The number of the track that a block is of, and the bytes of that number.
fn track_of(block: &[u8]) -> Option<(u64, usize)> {
    let (number, length) = number(block, 8)?;
    let bits = 7 * u32::try_from(length).ok()?;
    Some((number & ((1_u64 << bits) - 1), length))
}

/// A file read a window at a time, for many heads that lie near each other.
struct Window<'a> {
    file: &'a File,
    start: u64,
    bytes: Vec<u8>,
    left: usize,
    until: Instant,
}

impl<'a> Window<'a> {
    fn new(file: &'a File, until: Instant) -> Self {
        Window { file, start: 0, bytes: Vec::new(), left: MOST_WINDOWS, until }
    }

    /// Up to so many bytes at a place; fewer only at the end of the file.
    fn bytes(&mut self, position: u64, most: usize) -> io::Result<&[u8]> {
        let inside = position.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        let at = match inside.filter(|at| at.saturating_add(most) <= self.bytes.len()) {
            Some(at) => at,
            None => {
                in_time(self.until)?;
                self.left = self
                    .left
                    .checked_sub(1)
                    .ok_or_else(|| io::Error::other("more had to be read than any film needs"))?;
                self.bytes = bytes_at(self.file, position, WINDOW_BYTES.max(most))?;
                self.start = position;
                0
            }
        };
        let end = at.saturating_add(most).min(self.bytes.len());
        Ok(self.bytes.get(at..end).unwrap_or_default())
    }

    fn element(&mut self, position: u64, end: u64) -> io::Result<Option<Element>> {
        if position >= end {
            return Ok(None);
        }
        let head = self.bytes(position, LONGEST_HEAD)?;
        // An element without a length would be found for ever.
        Ok(element_in(head, position, end).filter(|found| found.body > position))
    }

    fn unsigned(&mut self, of: &Element) -> io::Result<u64> {
        let length = usize::try_from(of.end.saturating_sub(of.body)).unwrap_or(8).min(8);
        let bytes = self.bytes(of.body, length)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Whether a block, or the block in a group, is of the track.
    fn is_of(&mut self, of: &Element, track: u64) -> io::Result<bool> {
        let mut block = *of;
        if of.id == BLOCK_GROUP {
            let mut position = of.body;
            loop {
                match self.element(position, of.end)? {
                    Some(child) if child.id == 0xa1 => {
                        block = child;
                        break;
                    }
                    Some(child) => position = child.end,
                    None => return Ok(false),
                }
            }
        }
        let head = self.bytes(block.body, 8)?;
        Ok(track_of(head).is_some_and(|(number, _)| number == track))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;
    use std::time::Duration;

    /// An element with its length in two bytes.
    fn element_of(id: &[u8], body: &[u8]) -> Vec<u8> {
        let length = 0x4000 | body.len() as u16;
        [id, &length.to_be_bytes(), body].concat()
    }

    /// A file with one track of captions, packed or not, and these parts behind it.
    fn file_of(codec: &[u8], packing: &[u8], parts: &[Vec<u8>]) -> (File, u64) {
        let track = [
            element_of(b"\xd7", &[7]),
            element_of(b"\x83", &[17]),
            element_of(b"\x86", codec),
            packing.to_vec(),
        ];
        let tracks = element_of(b"\x16\x54\xae\x6b", &element_of(b"\xae", &track.concat()));
        let head =
            [&b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"[..], &tracks];
        let bytes = [head.concat(), parts.concat()].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes.len() as u64)
    }

    fn block(track: u8, at: i16, text: &[u8]) -> Vec<u8> {
        [&[0x80 | track][..], &at.to_be_bytes(), &[0], text].concat()
    }

    fn texts(file: &(File, u64)) -> Vec<(u64, u64, String)> {
        let until = Instant::now() + Duration::from_secs(60);
        let captions = captions(&file.0, file.1, 7, until).unwrap().unwrap();
        captions.cues.into_iter().map(|cue| (cue.start, cue.end, cue.text)).collect()
    }

    #[test]
    fn packed_blocks_are_unpacked() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"packed").unwrap();
        let zlib = zlib.finish().unwrap();
        let packing = |parts: &[u8]| {
            element_of(b"\x6d\x80", &element_of(b"\x62\x40", &element_of(b"\x50\x34", parts)))
        };
        let stripped = [element_of(b"\x42\x54", &[3]), element_of(b"\x42\x55", b"<i>")].concat();
        for (packing, body, text) in [
            (packing(&[]), zlib.as_slice(), "packed"),
            (packing(&stripped), b"La</i>", "<i>La</i>"),
            (Vec::new(), b"plain", "plain"),
        ] {
            let group =
                [element_of(b"\xa1", &block(7, 5, body)), element_of(b"\x9b", &[9])].concat();
            let cluster = [element_of(b"\xe7", &[100]), element_of(b"\xa0", &group)].concat();
            let file =
                file_of(b"S_TEXT/UTF8", &packing, &[element_of(b"\x1f\x43\xb6\x75", &cluster)]);
            assert_eq!(texts(&file), [(105, 114, text.to_owned())]);
        }
        let unknown = packing(&element_of(b"\x42\x54", &[1]));
        let file = file_of(b"S_TEXT/UTF8", &unknown, &[]);
        let until = Instant::now() + Duration::from_secs(60);
        assert_eq!(captions(&file.0, file.1, 7, until).unwrap(), None);
    }

    #[test]
    fn blocks_without_a_length_last_until_the_next_and_clusters_may_have_none() {
        let open = |time: u8, parts: &[Vec<u8>]| {
            let head = b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff";
            [head.to_vec(), element_of(b"\xe7", &[time]), parts.concat()].concat()
        };
        let simple = |track, at, text: &[u8]| element_of(b"\xa3", &block(track, at, text));
        let file = file_of(
            b"S_TEXT/ASS",
            &[],
            &[
                open(
                    100,
                    &[simple(1, 0, &[0; 300]), simple(7, -20, b"0,0,S,,0,0,0,,One\\Ntwo, three")],
                ),
                open(200, &[simple(7, 0, b"1,0,S,,0,0,0,,Last"), simple(7, 1, b"too,few,fields")]),
            ],
        );
        assert_eq!(
            texts(&file),
            [(80, 200, "One\ntwo, three".to_owned()), (200, 201, "Last".to_owned())]
        );
    }

    #[test]
    fn a_search_that_takes_too_long_ends() {
        let many: Vec<_> = (0..200)
            .map(|_| {
                element_of(b"\x1f\x43\xb6\x75", &element_of(b"\xa3", &block(1, 0, &[0; 9000])))
            })
            .collect();
        let (file, length) = file_of(b"S_TEXT/UTF8", &[], &many);
        assert!(captions(&file, length, 7, Instant::now()).is_err());
    }
}
