//! The demo album: composed here, written as real files with tags, cover and words.

mod cover;
mod flac;
mod score;
mod synth;

use std::fs;
use std::path::Path;

use self::score::{ALBUM, Piece};
use crate::error::{Error, Result};

/// The name of the album.
pub const TITLE: &str = "First Light";
/// Who made it.
const ARTIST: &str = "The Kinglets";
const YEAR: &str = "2026";

/// Composes the album into a folder: `The Kinglets/First Light`, five pieces as FLAC, a cover,
/// and the words of one piece. The same files each time; one piece in memory at a time.
pub fn compose(folder: &Path) -> Result<()> {
    let album = folder.join(ARTIST).join(TITLE);
    let failed = |cause| Error::caused(format!("cannot write to {}", album.display()), cause);
    fs::create_dir_all(&album).map_err(failed)?;
    let cover = cover::draw()?;
    fs::write(album.join("cover.jpg"), &cover).map_err(failed)?;
    for (number, piece) in (1..).zip(&ALBUM) {
        let name = album.join(format!("{number:02} - {}", piece.title));
        let sound = synth::play(piece);
        let track = number.to_string();
        let file = flac::encode(&tags(piece, &track), &cover, cover::SIDE, &sound);
        fs::write(name.with_extension("flac"), file).map_err(failed)?;
        if let Some(words) = piece.words {
            fs::write(name.with_extension("lrc"), words).map_err(failed)?;
        }
    }
    Ok(())
}

fn tags<'a>(piece: &Piece, track: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut tags = vec![
        ("TITLE", piece.title),
        ("ALBUM", TITLE),
        ("ALBUMARTIST", ARTIST),
        ("TRACKNUMBER", track),
        ("TRACKTOTAL", "5"),
        ("DATE", YEAR),
        ("GENRE", piece.genre),
        ("COMMENT", "Composed by Kinglet, for its demo"),
    ];
    tags.extend(piece.artists.iter().map(|artist| ("ARTIST", *artist)));
    tags
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
    fn a_piece_is_sound_of_the_right_length_that_fades() {
        let piece = &ALBUM[4];
        let sound = synth::play(piece);
        assert_eq!(sound.len() % flac::FRAME, 0);
        let seconds = sound.len() as f32 / flac::RATE as f32;
        assert!((20.0..40.0).contains(&seconds), "{seconds}");
        let loudest = |part: &[flac::Sample]| {
            part.iter().flatten().map(|sample| sample.unsigned_abs()).max().unwrap()
        };
        assert!((20_000..=i16::MAX.unsigned_abs()).contains(&loudest(&sound)));
        assert!(loudest(&sound[sound.len() - 500..]) < 300);
        assert!(synth::play(piece) == sound, "another time it sounds different");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.flac");
        let cover = cover::draw().unwrap();
        fs::write(&path, flac::encode(&super::tags(piece, "5"), &cover, cover::SIDE, &sound))
            .unwrap();
        assert!(decoded(&path) == sound);
        let read = tags::read(&path).unwrap();
        assert_eq!((read.title.as_str(), read.album.as_str()), ("Moss and Fern", TITLE));
        assert_eq!((read.track, read.date.year), (5, 2026));
        assert_eq!(read.picture.unwrap().bytes, cover);
    }

    #[test]
    fn every_piece_has_notes_that_can_be_played() {
        for piece in &ALBUM {
            assert!(piece.chords.iter().flatten().all(|key| (36..100).contains(key)));
            assert!(
                piece
                    .tune
                    .iter()
                    .all(|(begin, key, _)| *begin < piece.round && (60..100).contains(key))
            );
        }
    }
}
