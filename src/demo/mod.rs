//! The demo album: composed here, written as real files with tags, cover and words.

mod cover;
mod flac;
mod score;
mod synth;

use std::fs;
use std::path::Path;

use self::flac::Sample;
use self::score::{ALBUM, Piece};
use crate::error::{Error, Result};

/// The name of the album.
pub const TITLE: &str = "First Light";
/// Who made it.
const ARTIST: &str = "The Kinglets";
const YEAR: &str = "2026";
/// The loudness in LUFS to which `REPLAYGAIN_TRACK_GAIN` leads (ReplayGain 2.0).
const REFERENCE_LOUDNESS: f64 = -18.0;

/// Composes the album into a folder: `The Kinglets/First Light`, five pieces as FLAC, a cover,
/// and the words of one piece. The same files each time; one piece in memory at a time.
///
/// Before each piece `stop` tells whether to leave it at that.
pub fn compose(folder: &Path, stop: impl Fn() -> bool) -> Result<()> {
    let album = folder.join(ARTIST).join(TITLE);
    let failed = |cause| Error::caused(format!("cannot write to {}", album.display()), cause);
    fs::create_dir_all(&album).map_err(failed)?;
    let cover = cover::draw()?;
    fs::write(album.join("cover.jpg"), &cover).map_err(failed)?;
    for (number, piece) in (1..).zip(&ALBUM) {
        if stop() {
            break;
        }
        let name = album.join(format!("{number:02} - {}", piece.title));
        let sound = synth::play(piece);
        let file = flac::encode(&tags(piece, number, &sound), &cover, cover::SIDE, &sound);
        fs::write(name.with_extension("flac"), file).map_err(failed)?;
        if let Some(words) = piece.words {
            fs::write(name.with_extension("lrc"), words).map_err(failed)?;
        }
    }
    Ok(())
}

fn tags(piece: &Piece, number: usize, sound: &[Sample]) -> Vec<(&'static str, String)> {
    let mut tags = vec![
        ("TITLE", piece.title.to_owned()),
        ("ALBUM", TITLE.to_owned()),
        ("ALBUMARTIST", ARTIST.to_owned()),
        ("TRACKNUMBER", number.to_string()),
        ("TRACKTOTAL", ALBUM.len().to_string()),
        ("DATE", YEAR.to_owned()),
        ("GENRE", piece.genre.to_owned()),
        ("COMMENT", "Composed by Kinglet, for its demo".to_owned()),
        ("REPLAYGAIN_TRACK_GAIN", format!("{:.2} dB", REFERENCE_LOUDNESS - loudness(sound))),
    ];
    tags.extend(piece.artists.iter().map(|artist| ("ARTIST", (*artist).to_owned())));
    tags.extend(piece.lyrics.map(|lyrics| ("LYRICS", lyrics.to_owned())));
    tags
}

/// The loudness in LUFS (ITU-R BS.1770) but for its filter, which hardly counts for these pieces.
fn loudness(sound: &[Sample]) -> f64 {
    let square = |sample: i16| (f64::from(sample) / -f64::from(i16::MIN)).powi(2);
    let power: f64 = sound.iter().map(|[left, right]| square(*left) + square(*right)).sum();
    10.0 * (power / sound.len().max(1) as f64).max(f64::MIN_POSITIVE).log10() - 0.691
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use std::fs::File;

    use symphonia::core::codecs::audio::AudioDecoderOptions;
    use symphonia::core::formats::probe::Hint;
    use symphonia::core::formats::{FormatOptions, TrackType};
    use symphonia::core::io::MediaSourceStream;
    use symphonia::core::meta::MetadataOptions;

    use super::*;
    use crate::scan::tags;

    /// The samples of a FLAC file, decoded by somebody else.
    pub fn decoded(path: &Path) -> Vec<flac::Sample> {
        let stream =
            MediaSourceStream::new(Box::new(File::open(path).unwrap()), Default::default());
        let mut format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .unwrap();
        let track = format.default_track(TrackType::Audio).unwrap();
        let parameters = track.codec_params.as_ref().unwrap().audio().unwrap().clone();
        let options = AudioDecoderOptions::default().verify(true);
        let mut decoder =
            symphonia::default::get_codecs().make_audio_decoder(&parameters, &options).unwrap();
        let mut samples: Vec<i16> = Vec::new();
        while let Some(packet) = format.next_packet().unwrap() {
            let buffer = decoder.decode(&packet).unwrap();
            let mut part = Vec::new();
            buffer.copy_to_vec_interleaved::<i16>(&mut part);
            samples.extend(part);
        }
        assert_ne!(decoder.finalize().verify_ok, Some(false), "the checksum of the sound is wrong");
        samples.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
    }

    #[test]
    fn the_album_is_sound_that_fades_with_its_tags() {
        let folder = tempfile::tempdir().unwrap();
        compose(folder.path(), || false).unwrap();
        let album = folder.path().join("The Kinglets/First Light");
        let mut bytes = 0;
        for (number, piece) in (1..).zip(&ALBUM) {
            let path = album.join(format!("{number:02} - {}.flac", piece.title));
            bytes += fs::metadata(&path).unwrap().len();
            let sound = decoded(&path);
            let seconds = sound.len() as f32 / flac::RATE as f32;
            assert!((20.0..40.0).contains(&seconds), "{seconds}");
            let loudest = |part: &[Sample]| {
                part.iter().flatten().map(|sample| sample.unsigned_abs()).max().unwrap()
            };
            assert!((20_000..30_000).contains(&loudest(&sound)), "{}", piece.title);
            assert!(loudest(&sound[sound.len() - 500..]) < 300, "{}", piece.title);

            let read = tags::read(&path).unwrap();
            assert_eq!((read.title.as_str(), read.album.as_str()), (piece.title, TITLE));
            assert_eq!((read.track, read.date.year), (number, 2026));
            assert_eq!(read.artists.len(), piece.artists.len());
            assert_eq!(read.lyrics.len(), usize::from(piece.lyrics.is_some()));
            assert!(read.gain.track.unwrap() < 0.0);
            assert_eq!(read.picture.unwrap().bytes, fs::read(album.join("cover.jpg")).unwrap());
        }
        assert!(bytes < 10_000_000, "{bytes}");
    }

    #[test]
    fn a_piece_is_the_same_another_time() {
        let [.., piece] = &ALBUM;
        assert!(synth::play(piece) == synth::play(piece));
    }

    #[test]
    fn composing_can_be_left() {
        let folder = tempfile::tempdir().unwrap();
        compose(folder.path(), || true).unwrap();
        let album = folder.path().join("The Kinglets/First Light");
        assert_eq!(fs::read_dir(album).unwrap().count(), 1);
    }

    #[test]
    fn every_piece_has_notes_that_can_be_played() {
        for piece in &ALBUM {
            assert!(piece.chords.iter().flatten().all(|key| (36..100).contains(key)));
            let beats = piece.chords.len() as f32 * 4.0;
            assert!(piece.tune.iter().all(|(begin, key, _)| {
                (0.0..beats).contains(begin) && (60..100).contains(key)
            }));
        }
    }

    #[test]
    fn the_tune_sounds_over_the_chords_it_was_made_for() {
        for piece in &ALBUM {
            let (mut all, mut within) = (0.0, 0.0);
            for (begin, key, beats) in piece.tune {
                // The tune begins with the second bar.
                let bar = 1 + (0..16).rfind(|bar| *bar as f32 * 4.0 <= *begin).unwrap();
                let chord = synth::chord(piece, bar).map(|tone| tone % 12);
                all += beats;
                if chord.contains(&(key % 12)) {
                    within += beats;
                }
                assert!(
                    *beats < 1.0
                        || chord.contains(&(key % 12))
                        || !chord.contains(&((key - 1) % 12)),
                    "{}: {key} rubs against the chord of bar {bar}",
                    piece.title,
                );
            }
            assert!(within / all > 0.7, "{}: {}", piece.title, within / all);
        }
    }
}
