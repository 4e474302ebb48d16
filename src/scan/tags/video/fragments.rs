//! How long an MP4 file in fragments is, where its head does not say: as far as the last one goes.

use std::fs::File;
use std::io;

use super::super::file::bytes_at;
use super::boxes::{Atom, atom};
use super::mp4::Track;
use super::{MOST_TRACKS, milliseconds, number};

/// Boxes looked at one after the other: those of a film without an index at its end.
const MOST_BOXES: usize = 2000;
/// Bytes of an index, and of the samples of a fragment.
const MOST_INDEX_BYTES: usize = 1024 * 1024;
const MOST_RUN_BYTES: usize = 64 * 1024;

/// The end of the last fragment, in ms.
pub(super) fn duration(file: &File, length: u64, moov: &Atom, tracks: &[Track]) -> io::Result<u64> {
    let mut position = last_in_index(file, length)?.unwrap_or(moov.end);
    let mut last = None;
    for _ in 0..MOST_BOXES {
        let Some(found) = atom(file, position, length)? else { break };
        if found.kind == *b"moof" {
            last = Some(found);
        }
        position = found.end;
    }
    let Some(moof) = last else { return Ok(0) };
    let mut longest = 0;
    let trafs = moof.children(file, 0)?.into_iter().filter(|child| child.kind == *b"traf");
    for traf in trafs.take(MOST_TRACKS) {
        if let Some((id, end)) = end(file, moov, &traf)?
            && let Some(track) = tracks.iter().find(|track| track.id == id)
        {
            longest = longest.max(milliseconds(end, track.timescale));
        }
    }
    Ok(longest)
}

/// Where the index at the end of a file says that its last fragment begins.
fn last_in_index(file: &File, length: u64) -> io::Result<Option<u64>> {
    let tail = bytes_at(file, length.saturating_sub(16), 16)?;
    if tail.get(4..8) != Some(b"mfro") {
        return Ok(None);
    }
    let size = number::<4>(&tail, 12).unwrap_or(0);
    let Some(index) = atom(file, length.saturating_sub(size), length)? else { return Ok(None) };
    let mut last = None;
    for list in index.children(file, 0)?.into_iter().filter(|child| child.kind == *b"tfra") {
        let bytes = list.bytes(file, MOST_INDEX_BYTES)?;
        let width = if bytes.first() == Some(&1) { 8 } else { 4 };
        let numbers = bytes.get(11).map_or(0, |sizes| {
            [4, 2, 0].iter().map(|shift| usize::from(sizes >> shift & 3) + 1).sum()
        });
        let count = usize::try_from(number::<4>(&bytes, 12).unwrap_or(0)).unwrap_or(0);
        let at = 16 + count.saturating_sub(1).saturating_mul(2 * width + numbers) + width;
        let offset = if width == 8 { number::<8>(&bytes, at) } else { number::<4>(&bytes, at) };
        last = last.max(offset.filter(|_| count > 0));
    }
    Ok(last)
}

/// The track of a fragment, and its end in units of the track.
fn end(file: &File, moov: &Atom, traf: &Atom) -> io::Result<Option<(u32, u64)>> {
    let Some(head) = traf.child(file, b"tfhd")? else { return Ok(None) };
    let bytes = head.bytes(file, 64)?;
    let flags = number::<4>(&bytes, 0).unwrap_or(0);
    let id = super::small(number::<4>(&bytes, 4));
    let before = [(1, 8), (2, 4)].iter().filter(|(bit, _)| flags & bit != 0);
    let at = 8 + before.map(|(_, bytes)| bytes).sum::<usize>();
    let usual = match flags & 8 {
        0 => usual_of(file, moov, id)?,
        _ => number::<4>(&bytes, at),
    };
    let mut time = 0;
    for child in traf.children(file, 0)? {
        match &child.kind {
            b"tfdt" => {
                let bytes = child.bytes(file, 16)?;
                let long = bytes.first() == Some(&1);
                let start = if long { number::<8>(&bytes, 4) } else { number::<4>(&bytes, 4) };
                time = start.unwrap_or(0);
            }
            b"trun" => {
                time = u64::saturating_add(time, lasts(&child.bytes(file, MOST_RUN_BYTES)?, usual));
            }
            _ => {}
        }
    }
    Ok((id != 0).then_some((id, time)))
}

/// How long the samples of a track are that do not say so.
fn usual_of(file: &File, moov: &Atom, id: u32) -> io::Result<Option<u64>> {
    let Some(extends) = moov.child(file, b"mvex")? else { return Ok(None) };
    for child in extends.children(file, 0)?.into_iter().filter(|child| child.kind == *b"trex") {
        let bytes = child.bytes(file, 64)?;
        if number::<4>(&bytes, 4) == Some(u64::from(id)) {
            return Ok(number::<4>(&bytes, 12));
        }
    }
    Ok(None)
}

/// How long a run of samples lasts.
fn lasts(run: &[u8], usual: Option<u64>) -> u64 {
    let flags = number::<4>(run, 0).unwrap_or(0);
    let count = number::<4>(run, 4).unwrap_or(0);
    if flags & 0x100 == 0 {
        return count.saturating_mul(usual.unwrap_or(0));
    }
    let optional = |bits: &[u64]| 4 * bits.iter().filter(|bit| flags & **bit != 0).count();
    let first = 8 + optional(&[0x1, 0x4]);
    let each = optional(&[0x100, 0x200, 0x400, 0x800]);
    let samples = (0..usize::try_from(count).unwrap_or(0))
        .map(|sample| number::<4>(run, first.saturating_add(sample.saturating_mul(each))));
    samples.map_while(|length| length).fold(0, u64::saturating_add)
}
