//! Where everything in a ZIP archive lies, from names, lengths and times alone (APPNOTE 6.3).
//!
//! Files are stored as they are. Their checksums are not known beforehand: they stand behind each
//! file, in a data descriptor, and in the directory at the end. All else is known, so that any part
//! of an archive can be made without the rest of it. What archives of today's size need is written
//! in the old form, which every program reads; ZIP64 comes in only where a number does not fit.

use std::ops::Range;

use crate::clock::civil;

/// What takes the place of a number of 32 bits that stands in the ZIP64 field.
const LARGE: u32 = u32::MAX;
/// The same for 16 bits.
const MANY: u16 = u16::MAX;

/// Names are UTF-8 (bit 11), and checksums follow the file (bit 3).
const FLAGS: u16 = 1 << 11 | 1 << 3;
/// Versions of the format: with descriptors, and with ZIP64.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// The directory's entries come from Unix.
const UNIX: u16 = 3 << 8;
/// A regular file that all may read and its owner write.
const MODE: u32 = 0o100_644 << 16;

/// Bytes of a local header, a descriptor, an entry of the directory without name and extra fields.
const LOCAL: u64 = 30;
const DESCRIPTOR: u64 = 16;
const DESCRIPTOR_64: u64 = 24;
const ENTRY: u64 = 46;
/// Bytes of the extra field with the time, and of the head of each extra field.
const TIME: u64 = 9;
const HEAD: u64 = 4;
/// Bytes of the ends of an archive: of the old form, and of ZIP64 with its locator.
const END: u64 = 22;
const END_64: u64 = 56 + 20;

/// What a file in an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name with folders before it, `Album/01 - Song.flac`, at most 65,535 bytes.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// Its time of change, in seconds since 1970.
    pub modified: i64,
}

/// Where the members of an archive lie.
#[derive(Clone, Debug)]
pub struct Layout {
    members: Vec<Member>,
    /// Where the header of each member and its entry in the directory begin.
    starts: Vec<(u64, u64)>,
    /// Where the directory begins, ends, and the archive ends.
    directory: u64,
    end: u64,
    len: u64,
}

/// A part of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes that depend on no file.
    Known(Vec<u8>),
    /// These bytes of the file of a member.
    File(usize, Range<u64>),
    /// These bytes of the descriptor of a member, which needs its checksum.
    Descriptor(usize, Range<usize>),
    /// These bytes of the entry of a member in the directory, which needs its checksum.
    Entry(usize, Range<usize>),
}

impl Layout {
    /// Lays out an archive of these members, in order.
    pub fn new(members: Vec<Member>) -> Layout {
        let mut headers = Vec::with_capacity(members.len());
        let mut at = 0_u64;
        for member in &members {
            headers.push(at);
            let rest = member.head() + member.descriptor();
            at = at.saturating_add(rest).saturating_add(member.len);
        }
        let directory = at;
        let mut starts = Vec::with_capacity(members.len());
        for (member, header) in members.iter().zip(headers) {
            starts.push((header, at));
            at = at.saturating_add(member.entry(header));
        }
        let mut layout = Layout { members, starts, directory, end: at, len: 0 };
        let more = if layout.is_large() { END_64 } else { 0 };
        layout.len = at.saturating_add(END + more);
        layout
    }

    /// The length of the archive in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in the archive.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The part of the archive that begins at a byte, up to the end of a range at most; `None`
    /// where there is none left.
    pub fn part(&self, range: Range<u64>) -> Option<Part> {
        let Range { start: at, end } = range;
        if at >= end.min(self.len) {
            return None;
        }
        if at >= self.end {
            let ends = self.ends();
            let part = within(ends.len() as u64, at - self.end, end - self.end);
            return Some(Part::Known(ends.get(part)?.to_vec()));
        }
        if at >= self.directory {
            let index = self.starts.partition_point(|(_, entry)| *entry <= at).checked_sub(1)?;
            let (header, start) = self.starts.get(index)?;
            let length = self.members.get(index)?.entry(*header);
            return Some(Part::Entry(index, within(length, at - start, end - start)));
        }
        let index = self.starts.partition_point(|(header, _)| *header <= at).checked_sub(1)?;
        let (member, (header, _)) = (self.members.get(index)?, self.starts.get(index)?);
        let file = header + member.head();
        let descriptor = file + member.len;
        Some(if at < file {
            let head = member.local();
            let part = within(head.len() as u64, at - header, end - header);
            Part::Known(head.get(part)?.to_vec())
        } else if at < descriptor {
            Part::File(index, at - file..(end - file).min(member.len))
        } else {
            let part = within(member.descriptor(), at - descriptor, end - descriptor);
            Part::Descriptor(index, part)
        })
    }

    /// The descriptor of a member with its checksum.
    pub fn descriptor(&self, index: usize, crc: u32) -> Vec<u8> {
        let Some(member) = self.members.get(index) else { return Vec::new() };
        let mut out = Bytes::default();
        out.u32(0x0807_4b50).u32(crc);
        match small(member.len) {
            Some(len) => out.u32(len).u32(len),
            None => out.u64(member.len).u64(member.len),
        };
        out.0
    }

    /// The entry of a member in the directory with its checksum.
    pub fn entry(&self, index: usize, crc: u32) -> Vec<u8> {
        let Some((member, (header, _))) = self.members.get(index).zip(self.starts.get(index))
        else {
            return Vec::new();
        };
        let (len, offset) = (small(member.len), small(*header));
        let mut large = Bytes::default();
        if len.is_none() {
            large.u64(member.len).u64(member.len);
        }
        if offset.is_none() {
            large.u64(*header);
        }
        let version = if large.0.is_empty() { VERSION } else { VERSION_64 };
        let extra = TIME + if large.0.is_empty() { 0 } else { HEAD + large.0.len() as u64 };
        let mut out = Bytes::default();
        out.u32(0x0201_4b50).u16(UNIX | version).u16(version);
        member.fields(&mut out, crc);
        // No comment, the first disk, no text, the mode, the place of the header.
        out.u16(low(extra)).u16(0).u16(0).u16(0).u32(MODE).u32(offset.unwrap_or(LARGE));
        out.0.extend_from_slice(member.name());
        member.time(&mut out);
        if !large.0.is_empty() {
            out.u16(1).u16(low(large.0.len() as u64));
            out.0.extend_from_slice(&large.0);
        }
        out.0
    }

    /// Whether the end of the archive needs ZIP64.
    fn is_large(&self) -> bool {
        self.members.len() >= usize::from(MANY)
            || small(self.directory).is_none()
            || small(self.end - self.directory).is_none()
    }

    /// What stands behind the directory.
    fn ends(&self) -> Vec<u8> {
        let (count, size) = (self.members.len() as u64, self.end - self.directory);
        let mut out = Bytes::default();
        if self.is_large() {
            out.u32(0x0606_4b50).u64(END_64 - 20 - 12).u16(UNIX | VERSION_64).u16(VERSION_64);
            out.u32(0).u32(0).u64(count).u64(count).u64(size).u64(self.directory);
            out.u32(0x0706_4b50).u32(0).u64(self.end).u32(1);
        }
        let count = u16::try_from(count).unwrap_or(MANY);
        out.u32(0x0605_4b50).u16(0).u16(0).u16(count).u16(count);
        out.u32(small(size).unwrap_or(LARGE)).u32(small(self.directory).unwrap_or(LARGE)).u16(0);
        out.0
    }
}

impl Member {
    /// Its name as far as it may be.
    fn name(&self) -> &[u8] {
        self.name.as_bytes().get(..usize::from(MANY)).unwrap_or(self.name.as_bytes())
    }

    /// Bytes of its local header, with name and extra fields.
    fn head(&self) -> u64 {
        let large = if small(self.len).is_none() { HEAD + 16 } else { 0 };
        LOCAL + self.name().len() as u64 + TIME + large
    }

    /// Bytes of its descriptor.
    fn descriptor(&self) -> u64 {
        if small(self.len).is_none() { DESCRIPTOR_64 } else { DESCRIPTOR }
    }

    /// Bytes of its entry in the directory where its header is at this place.
    fn entry(&self, header: u64) -> u64 {
        let large = match (small(self.len), small(header)) {
            (Some(_), Some(_)) => 0,
            (Some(_), None) => HEAD + 8,
            (None, Some(_)) => HEAD + 16,
            (None, None) => HEAD + 24,
        };
        ENTRY + self.name().len() as u64 + TIME + large
    }

    /// Its local header.
    ///
    /// The length stands there although it also follows the file: readers of streams would not
    /// know otherwise where a file ends that is stored.
    fn local(&self) -> Vec<u8> {
        let large = small(self.len).is_none();
        let mut out = Bytes::default();
        out.u32(0x0403_4b50).u16(if large { VERSION_64 } else { VERSION });
        self.fields(&mut out, 0);
        out.u16(low(TIME + if large { HEAD + 16 } else { 0 }));
        out.0.extend_from_slice(self.name());
        self.time(&mut out);
        if large {
            out.u16(1).u16(16).u64(self.len).u64(self.len);
        }
        out.0
    }

    /// What a header and an entry have in common: flags, stored, time, checksum, lengths.
    fn fields(&self, out: &mut Bytes, crc: u32) {
        let (date, time) = dos_time(self.modified);
        let len = small(self.len).unwrap_or(LARGE);
        out.u16(FLAGS).u16(0).u16(time).u16(date).u32(crc).u32(len).u32(len);
        out.u16(low(self.name().len() as u64));
    }

    /// The extra field with the time in UTC; programs that do not know it take the other one for
    /// the time of the place they are in.
    fn time(&self, out: &mut Bytes) {
        let seconds = i32::try_from(self.modified).unwrap_or_default();
        out.u16(0x5455).u16(low(TIME - HEAD)).u8(1).u32(seconds.cast_unsigned());
    }
}

/// A number that fits in 32 bits and is not the one that stands for others.
fn small(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number != LARGE)
}

fn low(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(MANY)
}

/// Which of some bytes lie between two places, as an index.
fn within(length: u64, from: u64, to: u64) -> Range<usize> {
    let place = |at: u64| usize::try_from(at.min(length)).unwrap_or(usize::MAX);
    place(from)..place(to)
}

/// Date and time as DOS wrote them, from 1980 to 2107 in steps of two seconds.
fn dos_time(seconds: i64) -> (u16, u16) {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let field = |number: i64| u16::try_from(number).unwrap_or_default();
    match year {
        ..1980 => (1 << 5 | 1, 0),
        2108.. => (127 << 9 | 12 << 5 | 31, 0xbf7d),
        _ => {
            let date = field(year - 1980) << 9 | field(month) << 5 | field(day);
            let time = field(of_day / 3600) << 11 | field(of_day / 60 % 60) << 5;
            (date, time | field(of_day % 60 / 2))
        }
    }
}

/// Bytes that numbers are written to, the low byte first.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u8(&mut self, number: u8) -> &mut Self {
        self.0.push(number);
        self
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn member(name: &str, len: u64) -> Member {
        Member { name: name.to_owned(), len, modified: 1_790_000_000 }
    }

    /// The bytes of a range, with zeros for those of files and the index as checksum.
    fn bytes(layout: &Layout, range: Range<u64>) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), range.start);
        while let Some(part) = layout.part(at..range.end) {
            let crc = |index: usize| u32::try_from(index).unwrap();
            let more = match part {
                Part::Known(bytes) => bytes,
                Part::File(_, range) => vec![0; usize::try_from(range.end - range.start).unwrap()],
                Part::Descriptor(index, range) => {
                    layout.descriptor(index, crc(index))[range].to_vec()
                }
                Part::Entry(index, range) => layout.entry(index, crc(index))[range].to_vec(),
            };
            assert!(!more.is_empty());
            at += more.len() as u64;
            out.extend(more);
        }
        out
    }

    #[test]
    fn nothing_is_an_archive_too() {
        let layout = Layout::new(Vec::new());
        assert_eq!(layout.len(), END);
        assert!(bytes(&layout, 0..layout.len()).starts_with(b"PK\x05\x06"));
    }

    #[test]
    fn numbers_that_do_not_fit_stand_in_zip64_fields() {
        let edge = u64::from(LARGE);
        for (len, large) in [(edge - 1, false), (edge, true), (edge + 1, true), (9 << 32, true)] {
            let layout = Layout::new(vec![member("a", len), member("b", 3)]);
            let start = layout.starts[1].0;
            let head = bytes(&layout, 0..layout.members[0].head());
            assert_eq!(head.len(), if large { 60 } else { 40 });
            assert_eq!(&head[18..22], &u32::try_from(len.min(edge)).unwrap().to_le_bytes());
            let descriptor = layout.descriptor(0, 7);
            assert_eq!(descriptor.len(), if large { 24 } else { 16 });
            assert_eq!(
                bytes(&layout, start - descriptor.len() as u64..start),
                layout.descriptor(0, 0)
            );
            // The second header lies behind the first file, past what 32 bits hold.
            let second = layout.entry(1, 0);
            assert_eq!(&second[42..46], &LARGE.to_le_bytes());
            assert_eq!(&second[second.len() - 8..], &start.to_le_bytes());
            let ends = bytes(&layout, layout.end..layout.len());
            assert_eq!(ends.len() as u64, END + END_64);
            assert_eq!(&ends[48..56], &layout.directory.to_le_bytes());
            assert_eq!(&ends[64..72], &layout.end.to_le_bytes());
        }
    }

    #[test]
    fn more_files_than_16_bits_count_need_zip64() {
        for (count, large) in [(65_534, false), (65_535, true), (70_000, true)] {
            let layout = Layout::new((0..count).map(|n| member(&n.to_string(), 1)).collect());
            let ends = bytes(&layout, layout.end..layout.len());
            assert_eq!(ends.starts_with(b"PK\x06\x06"), large, "{count}");
            if large {
                assert_eq!(&ends[24..32], &(count as u64).to_le_bytes());
            }
        }
    }

    #[test]
    fn dates_are_those_of_dos() {
        let date = |year: u16, month: u16, day: u16| (year - 1980) << 9 | month << 5 | day;
        assert_eq!(dos_time(951_827_696), (date(2000, 2, 29), 12 << 11 | 34 << 5 | 28));
        assert_eq!(dos_time(0), (date(1980, 1, 1), 0));
        assert_eq!(dos_time(i64::MAX / 2_000), (date(2107, 12, 31), 23 << 11 | 59 << 5 | 29));
        assert_eq!(dos_time(i64::MIN / 2_000), (date(1980, 1, 1), 0));
    }

    proptest! {
        #[test]
        fn every_range_is_a_part_of_the_whole(
            lens in prop::collection::vec((0..60_u64, "[a-z/é]{0,9}"), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let members = lens.iter().map(|(len, name)| member(name, *len)).collect();
            let layout = Layout::new(members);
            let whole = bytes(&layout, 0..layout.len());
            prop_assert_eq!(whole.len() as u64, layout.len());
            let mut places: Vec<u64> = cuts.iter().map(|cut| cut.index(whole.len() + 1) as u64).collect();
            places.extend([0, layout.len()]);
            places.sort_unstable();
            let parts: Vec<u8> = places.windows(2).flat_map(|pair| bytes(&layout, pair[0]..pair[1])).collect();
            prop_assert_eq!(parts, whole);
            prop_assert!(layout.part(layout.len()..u64::MAX).is_none());
        }
    }
}
