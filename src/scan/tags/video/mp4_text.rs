//! Captions in MP4: samples of timed text (`tx3g`) and of WebVTT (`wvtt`).

use std::fs::File;
use std::io;
use std::time::Instant;

use super::super::file::bytes_at;
use super::boxes::Atom;
use super::mp4::{self, is_text};
use super::{in_time, milliseconds, number};
use crate::media::captions::{Captions, Cue, Format, MOST_BYTES, MOST_CUES, Markup, clean};
use crate::media::text::decode;

/// Bytes of the lists of samples.
const MOST_LIST_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one sample.
const MOST_SAMPLE_BYTES: u64 = 16 * 1024;

/// A sample: when it is shown and for how long, in units of its track, and where it is.
struct Sample {
    start: u64,
    length: u64,
    offset: u64,
    size: u64,
}

pub(super) fn captions(
    file: &File,
    length: u64,
    track: u32,
    until: Instant,
) -> io::Result<Option<Captions>> {
    let Some(moov) = mp4::parts(file, length)?.moov else { return Ok(None) };
    let tracks = mp4::tracks(file, &moov)?;
    let Some(track) = tracks.into_iter().find(|known| known.id == track && is_text(known)) else {
        return Ok(None);
    };
    let Some(table) = track.samples else { return Ok(None) };
    let is_vtt = track.codec == *b"wvtt";
    let (mut cues, mut bytes) = (Vec::new(), 0);
    for sample in samples(file, &table)? {
        in_time(until)?;
        let most = usize::try_from(sample.size.min(MOST_SAMPLE_BYTES)).unwrap_or(0);
        bytes += most;
        if bytes > MOST_BYTES {
            break;
        }
        let body = bytes_at(file, sample.offset, most)?;
        let time = |units| milliseconds(units, track.timescale);
        let (start, end) = (time(sample.start), time(sample.start.saturating_add(sample.length)));
        if is_vtt {
            cues.extend(vtt(&body).into_iter().map(|(text, settings)| Cue {
                start,
                end,
                text,
                settings,
            }));
        } else {
            cues.push(Cue { start, end, text: plain(&body), settings: String::new() });
        }
    }
    let format = if is_vtt { Format::Vtt } else { Format::Srt };
    Ok(Some(Captions::of(format, cues)))
}

/// A length in two bytes, the text, and boxes about its looks, which are left out.
fn plain(sample: &[u8]) -> String {
    let length = usize::try_from(number::<2>(sample, 0).unwrap_or(0)).unwrap_or(0);
    let text = sample.get(2..).unwrap_or_default();
    clean(&decode(text.get(..length.min(text.len())).unwrap_or_default()), Markup::Plain).0
}

/// The captions of a sample, each a box with boxes for its settings and its text.
fn vtt(sample: &[u8]) -> Vec<(String, String)> {
    let captions = boxes(sample).filter(|(kind, _)| *kind == b"vttc");
    captions
        .map(|(_, body)| {
            let part = |wanted: &[u8; 4]| {
                let found = boxes(body).find(|(kind, _)| *kind == wanted);
                decode(found.map(|(_, text)| text).unwrap_or_default())
            };
            let (text, _) = clean(&part(b"payl"), Markup::Vtt);
            (text, crate::media::captions::settings(&part(b"sttg")))
        })
        .collect()
}

/// The boxes in some bytes.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let size = usize::try_from(number::<4>(rest, 0)?).ok().filter(|size| *size >= 8)?;
        let (this, after) = rest.split_at_checked(size)?;
        rest = after;
        Some((this.get(4..8)?, this.get(8..)?))
    })
}

/// The samples of a track, at most as many as captions are kept.
fn samples(file: &File, table: &Atom) -> io::Result<Vec<Sample>> {
    let (mut sizes, mut times, mut runs, mut chunks) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for list in table.parts(file, 0)? {
        let bytes = || list.bytes(file, MOST_LIST_BYTES);
        match &list.kind {
            b"stsz" => sizes = sizes_of(&bytes()?),
            b"stts" => times = rows::<2>(&bytes()?),
            b"stsc" => runs = rows::<3>(&bytes()?),
            b"stco" => chunks = rows::<1>(&bytes()?).into_iter().flatten().collect(),
            b"co64" => {
                let bytes = bytes()?;
                let (offsets, _) = bytes.get(8..).unwrap_or_default().as_chunks::<8>();
                chunks = offsets.iter().map(|offset| u64::from_be_bytes(*offset)).collect();
            }
            _ => {}
        }
    }
    let mut offsets = offsets(&sizes, &runs, &chunks).into_iter();
    let (mut sizes, mut start, mut found) = (sizes.into_iter(), 0_u64, Vec::new());
    for [count, length] in times {
        for _ in 0..count {
            let (Some(size), Some(offset)) = (sizes.next(), offsets.next()) else {
                return Ok(found);
            };
            found.push(Sample { start, length, offset, size });
            start = start.saturating_add(length);
        }
    }
    Ok(found)
}

/// One size for all, or one for each.
fn sizes_of(bytes: &[u8]) -> Vec<u64> {
    let count = usize::try_from(number::<4>(bytes, 8).unwrap_or(0)).unwrap_or(0).min(MOST_CUES);
    match number::<4>(bytes, 4).unwrap_or(0) {
        0 => (0..count).map_while(|sample| number::<4>(bytes, 12 + 4 * sample)).collect(),
        size => vec![size; count],
    }
}

/// The rows of a list after its head: version, and how many there are.
fn rows<const N: usize>(bytes: &[u8]) -> Vec<[u64; N]> {
    let (words, _) = bytes.get(8..).unwrap_or_default().as_chunks::<4>();
    let (rows, _) = words.as_chunks::<N>();
    rows.iter().map(|row| row.map(|word| u64::from(u32::from_be_bytes(word)))).collect()
}

/// Where each sample is: runs say how many samples the chunks from one on have.
fn offsets(sizes: &[u64], runs: &[[u64; 3]], chunks: &[u64]) -> Vec<u64> {
    let mut found = Vec::with_capacity(sizes.len());
    let mut run = runs.iter().peekable();
    let mut in_chunk = 0;
    for (number, chunk) in (1..).zip(chunks) {
        while let Some([first, count, _]) = run.peek()
            && *first <= number
        {
            in_chunk = *count;
            run.next();
        }
        let mut offset = *chunk;
        for _ in 0..in_chunk {
            let Some(size) = sizes.get(found.len()) else { return found };
            found.push(offset);
            offset = offset.saturating_add(*size);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap_or(0);
        [&size.to_be_bytes()[..], kind, body].concat()
    }

    #[test]
    fn a_sample_of_webvtt_holds_several_captions() {
        let first = [boxed(b"sttg", b"line:0 x:<y>"), boxed(b"payl", b"<v Ann>Hi</v> &amp;\nyou")];
        let second = boxed(b"payl", b"Two");
        let sample =
            [boxed(b"vtte", b""), boxed(b"vttc", &first.concat()), boxed(b"vttc", &second)];
        let told = [("Hi &amp;\nyou", "line:0"), ("Two", "")];
        let told: Vec<_> =
            told.iter().map(|(text, at)| ((*text).to_owned(), (*at).to_owned())).collect();
        assert_eq!(vtt(&sample.concat()), told);
        assert!(vtt(b"\0\0\0\x01vttc").is_empty());
    }

    #[test]
    fn timed_text_ends_where_it_says() {
        assert_eq!(plain(b"\0\x05a < bstyl"), "a &lt; b");
        assert_eq!(plain(b"\0\x00"), "");
        assert_eq!(plain(b"\xff\xffcut"), "cut");
        assert_eq!(plain(b"\0\x06\xfe\xff\0A\0B"), "AB");
    }

    #[test]
    fn samples_lie_in_chunks_one_after_the_other() {
        let sizes = [10, 20, 30, 40, 50];
        let runs = [[1, 2, 1], [2, 1, 1]];
        assert_eq!(offsets(&sizes, &runs, &[100, 500, 900]), [100, 110, 500, 900]);
        assert_eq!(offsets(&sizes, &[[1, u64::MAX, 1]], &[0]), [0, 10, 30, 60, 100]);
        assert!(offsets(&sizes, &[], &[1, 2]).is_empty());
    }
}
