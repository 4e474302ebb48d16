//! The boxes that MP4 and QuickTime files are made of.

use std::fs::File;
use std::io;

use super::super::file::bytes_at;

/// Boxes looked at in one box.
const MOST_BOXES: usize = 256;
/// Boxes that files begin with.
const FIRST: [&[u8; 4]; 8] =
    [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot"];

/// A box as it lies in the file; its end is never beyond that of what it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    /// Its four letters.
    pub(super) kind: [u8; 4],
    /// Where it begins.
    pub(super) start: u64,
    /// Where its body begins.
    pub(super) body: u64,
    /// Where it ends.
    pub(super) end: u64,
}

/// Whether a file that begins so is made of boxes.
pub(super) fn begins(head: &[u8]) -> bool {
    head.get(4..8).is_some_and(|kind| FIRST.iter().any(|known| kind == *known))
}

/// The box at a place; `None` at the end.
pub(super) fn atom(file: &File, start: u64, end: u64) -> io::Result<Option<Atom>> {
    if start >= end {
        return Ok(None);
    }
    let head = bytes_at(file, start, 16)?;
    let Some((size, rest)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let Some(kind) = rest.first_chunk::<4>() else { return Ok(None) };
    let long = rest.get(4..).and_then(|rest| rest.first_chunk::<8>());
    let (size, header) = match (u32::from_be_bytes(*size), long) {
        (0, _) => (end - start, 8),
        (1, Some(long)) => (u64::from_be_bytes(*long), 16),
        (size, _) => (u64::from(size), 8),
    };
    if size < header {
        return Ok(None);
    }
    let stop = start.saturating_add(size).min(end);
    Ok(Some(Atom { kind: *kind, start, body: start.saturating_add(header).min(stop), end: stop }))
}

impl Atom {
    /// The boxes in it, after so many bytes of its own.
    pub(super) fn children(&self, file: &File, own: u64) -> io::Result<Vec<Atom>> {
        let (mut position, mut found) = (self.body.saturating_add(own), Vec::new());
        while found.len() < MOST_BOXES
            && let Some(child) = atom(file, position, self.end)?
        {
            position = child.end;
            found.push(child);
        }
        Ok(found)
    }

    /// The first box in it of each kind: where one is expected, a thousand would take a thousand times
    /// as long.
    pub(super) fn parts(&self, file: &File, own: u64) -> io::Result<Vec<Atom>> {
        let mut parts: Vec<Atom> = Vec::new();
        for child in self.children(file, own)? {
            if parts.iter().all(|part| part.kind != child.kind) {
                parts.push(child);
            }
        }
        Ok(parts)
    }

    /// The first box in it of this kind.
    pub(super) fn child(&self, file: &File, kind: &[u8; 4]) -> io::Result<Option<Atom>> {
        Ok(self.children(file, 0)?.into_iter().find(|child| child.kind == *kind))
    }

    /// The box at the end of a way through boxes.
    pub(super) fn at(&self, file: &File, way: &[&[u8; 4]]) -> io::Result<Option<Atom>> {
        let mut at = *self;
        for kind in way {
            match at.child(file, kind)? {
                Some(child) => at = child,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Bytes of its body.
    pub(super) fn len(&self) -> u64 {
        self.end.saturating_sub(self.body)
    }

    /// Its body, at most so many bytes.
    pub(super) fn bytes(&self, file: &File, most: usize) -> io::Result<Vec<u8>> {
        bytes_at(file, self.body, usize::try_from(self.len()).unwrap_or(most).min(most))
    }
}
