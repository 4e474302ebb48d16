//! The title of a Matroska or WebM file, which many programs write at the head of the file and not
//! among its tags; symphonia reads it and does not pass it on.

use std::fs::File;
use std::io;

use super::fields::Layer;
use super::file::bytes_at;

/// The head of every file.
pub(super) const EBML: u32 = 0x1a45_dfa3;
/// All the rest of a file.
pub(super) const SEGMENT: u32 = 0x1853_8067;
/// Title, duration and units.
pub(super) const INFO: u32 = 0x1549_a966;
/// In `INFO`: the title.
pub(super) const TITLE: u32 = 0x7ba9;
/// Pictures and sounds of a while.
pub(super) const CLUSTER: u32 = 0x1f43_b675;

/// Bytes of the head of an element: an id of four at most, a length of eight.
pub(super) const LONGEST_HEAD: usize = 12;
/// Elements looked at in one file.
const MOST_ELEMENTS: usize = 200;
/// Bytes of the head of a segment, and so of its title.
const MOST_INFO_BYTES: u64 = 16 * 1024;

/// The title; empty where there is none, `None` where it is no such file.
pub(super) fn read(file: &File, start: u64, end: u64) -> io::Result<Option<Layer>> {
    let Some(head) = element(file, start, end)?.filter(|head| head.id == EBML) else {
        return Ok(None);
    };
    let mut layer = Layer::default();
    let mut position = head.end;
    for _ in 0..MOST_ELEMENTS {
        let Some(found) = element(file, position, end)? else { break };
        position = match found.id {
            SEGMENT => found.body,
            CLUSTER => break,
            INFO => {
                title(file, &found, &mut layer)?;
                break;
            }
            _ => found.end,
        };
    }
    Ok(Some(layer))
}

fn title(file: &File, info: &Element, layer: &mut Layer) -> io::Result<()> {
    let stop = info.end.min(info.body.saturating_add(MOST_INFO_BYTES));
    let mut position = info.body;
    for _ in 0..MOST_ELEMENTS {
        let Some(found) = element(file, position, stop)? else { break };
        if found.id == TITLE {
            let length = usize::try_from(found.end.saturating_sub(found.body)).unwrap_or(0);
            let bytes = bytes_at(file, found.body, length)?;
            layer.push("TITLE", &String::from_utf8_lossy(&bytes));
            break;
        }
        position = found.end;
    }
    Ok(())
}

/// An element as it lies in the file; its end is never beyond that of what it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its id with the bit that marks the length.
    pub(super) id: u32,
    /// Where its body begins.
    pub(super) body: u64,
    /// Where it ends.
    pub(super) end: u64,
}

/// The element at a place of a file; `None` at the end, and where there is none.
pub(super) fn element(file: &File, position: u64, end: u64) -> io::Result<Option<Element>> {
    if position >= end {
        return Ok(None);
    }
    Ok(element_in(&bytes_at(file, position, LONGEST_HEAD)?, position, end))
}

/// The element whose head these bytes are, which lie at a place of a file.
pub(super) fn element_in(head: &[u8], position: u64, end: u64) -> Option<Element> {
    let (id, id_length) = number(head, 4)?;
    let (size, size_length) = number(head.get(id_length..)?, 8)?;
    let bits = 7 * u32::try_from(size_length).unwrap_or(0);
    let body = position.saturating_add((id_length + size_length) as u64);
    let mask = (1_u64 << bits) - 1;
    // All ones: a length that was not known when it was written.
    let stop = if size & mask == mask { end } else { body.saturating_add(size & mask).min(end) };
    u32::try_from(id).ok().map(|id| Element { id, body, end: stop })
}

/// A number of EBML with the bit that marks its length, and that length.
pub(super) fn number(bytes: &[u8], most: usize) -> Option<(u64, usize)> {
    let length = usize::try_from(bytes.first()?.leading_zeros()).ok()? + 1;
    let bytes = bytes.get(..length).filter(|_| length <= most)?;
    Some((bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), length))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::scan::tags::fields::Fields;
    use proptest::prelude::*;
    use std::io::Write;

    const HEAD: &[u8] = b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff";

    fn titles(bytes: &[u8]) -> Option<Vec<String>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let layer = read(&file, 0, bytes.len() as u64).unwrap()?;
        let fields = Fields { layers: vec![layer] };
        Some(fields.all(&["TITLE"]).into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn the_title_of_the_segment_is_found() {
        let info = b"\xec\x82\0\0\x15\x49\xa9\x66\x8b\x4d\x80\x81x\x7b\xa9\x84Song";
        assert_eq!(titles(&[HEAD, info].concat()).unwrap(), ["Song"]);
        let after_sound = [HEAD, b"\x1f\x43\xb6\x75\x80", info].concat();
        assert!(titles(&after_sound).unwrap().is_empty());
        let beyond = [HEAD, b"\x15\x49\xa9\x66\x8b\x7b\xa9\x0f\xff\xff\xff\xffcut"].concat();
        assert!(titles(&beyond).is_some());
        assert_eq!(titles(b"fLaC"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), info: bool) {
            let head = if info { [HEAD, b"\x15\x49\xa9\x66\xa0"].concat() } else { HEAD.to_vec() };
            prop_assert!(titles(&[&head[..], &body].concat()).is_some());
        }
    }
}
