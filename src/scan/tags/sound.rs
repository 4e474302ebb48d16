//! The sound itself: whether there is any, how long it is, of which kind, and its hash.

use std::fs::File;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3,
    CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3,
};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;
use symphonia::default::formats;

use super::container::{self, Container};
use super::file::{Allowance, Source};
use super::mpeg::{self, Kind};
use super::{MOST_PICTURE_BYTES, Sound, extent};

/// Bytes that may be read to understand a file: an index of many hours and a large picture.
const MOST_HEADER_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes that may be read to find the first packets of sound, beside video perhaps.
const MOST_PACKET_BYTES: u64 = 8 * 1024 * 1024;
/// Packets read of one file.
const MOST_PACKETS: usize = 10_000;
/// Damaged packets in a row after which a file has no sound.
const MOST_DAMAGED: usize = 100;
/// Bytes of sound that make the hash.
const HASHED_BYTES: usize = 32 * 1024;
/// One text of a tag, in bytes.
const MOST_TAG_BYTES: usize = 1024 * 1024;
/// A bit rate beyond this many kbit/s is garbage.
const MOST_BIT_RATE: u64 = 1_000_000;

/// What is between the tags of a file.
pub(super) struct Found {
    /// The tags of the container.
    pub(super) container: Container,
    /// The sound.
    pub(super) sound: Sound,
}

/// Where the sound of a file lies, as far as it is known.
pub(super) struct Place {
    /// Where the leading tags end.
    pub(super) start: u64,
    /// Where the trailing tags begin.
    pub(super) end: u64,
    /// Bytes of sound, where the chunks of the file tell.
    pub(super) bytes: Option<u64>,
}

/// Reads the sound and the tags of the container; the error is what is wrong, for a person.
pub(super) fn read(file: &Arc<File>, place: &Place) -> Result<Found, String> {
    let allowance = Allowance::new(MOST_HEADER_BYTES);
    let source = Source::new(file.clone(), place.start, place.end, allowance.clone());
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let limits = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(MOST_TAG_BYTES))
        .limit_visual_bytes(Limit::Maximum(MOST_PICTURE_BYTES));
    let mut reader = probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), limits)
        .map_err(|cause| wrong_with_header(&cause))?;
    let track = reader
        .first_track_known_codec(TrackType::Audio)
        .or_else(|| reader.first_track(TrackType::Audio));
    let track = track.ok_or("there is no sound in it")?.clone();
    let codec = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .cloned()
        .unwrap_or_default();
    allowance.renew(MOST_PACKET_BYTES);
    let begin = Beginning::read(&mut *reader, track.id, &codec)?;
    // Some readers know all tags only after the first packets.
    let container = container::read(&mut *reader);
    let bytes = match place.bytes {
        Some(bytes) => bytes,
        None => {
            let rest =
                place.end.saturating_sub(place.start).saturating_sub(container.picture_bytes);
            extent::of(file, place.start, place.end)
                .map_err(|cause| cause.to_string())?
                .unwrap_or(rest)
        }
    };
    let duration_ms = duration_ms(file, place, &mut *reader, &track)?
        .unwrap_or_else(|| begin.estimate(&track, bytes));
    let bit_rate = bytes.saturating_mul(8).checked_div(duration_ms).unwrap_or(0).min(MOST_BIT_RATE);
    let sound = Sound {
        duration_ms,
        bit_rate: u32::try_from(bit_rate).unwrap_or(0),
        sample_rate: if codec.codec == CODEC_ID_OPUS {
            48_000
        } else {
            codec.sample_rate.unwrap_or(0)
        },
        bit_depth: bit_depth(&codec),
        channels: codec
            .channels
            .as_ref()
            .and_then(|channels| u32::try_from(channels.count()).ok())
            .unwrap_or(0),
        hash: begin.hash(duration_ms),
    };
    Ok(Found { container, sound })
}

/// The formats without the tags around them, which are read before.
fn probe() -> &'static Probe {
    static PROBE: OnceLock<Probe> = OnceLock::new();
    PROBE.get_or_init(|| {
        let mut probe = Probe::default();
        probe.register_format::<formats::AdtsReader<'_>>();
        probe.register_format::<formats::CafReader<'_>>();
        probe.register_format::<formats::FlacReader<'_>>();
        probe.register_format::<formats::IsoMp4Reader<'_>>();
        probe.register_format::<formats::MpaReader<'_>>();
        probe.register_format::<formats::AiffReader<'_>>();
        probe.register_format::<formats::WavReader<'_>>();
        probe.register_format::<formats::OggReader<'_>>();
        probe.register_format::<formats::MkvReader<'_>>();
        probe
    })
}

fn wrong_with_header(cause: &Symphonia) -> String {
    match cause {
        Symphonia::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it is cut off in its header".to_owned()
        }
        Symphonia::IoError(cause) => cause.to_string(),
        Symphonia::Unsupported(_) => "no sound of a known format was found in it".to_owned(),
        cause => format!("its header is damaged ({cause})"),
    }
}

/// The first packets of sound.
struct Beginning {
    hash: Sha256,
    bytes: u64,
    /// From the first to the last of them, in units of the track.
    time: u64,
    /// Whether there are no more.
    complete: bool,
}

impl Beginning {
    fn read(
        reader: &mut dyn FormatReader,
        track: u32,
        codec: &AudioCodecParameters,
    ) -> Result<Self, String> {
        let mut begin = Beginning { hash: Sha256::new(), bytes: 0, time: 0, complete: false };
        let mut room = HASHED_BYTES;
        let mut damaged = 0;
        let mut checked = !is_bare(reader);
        for _ in 0..MOST_PACKETS {
            if room == 0 {
                break;
            }
            match reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == track => {
                    damaged = 0;
                    checked = checked || decodes(codec, &packet);
                    let part = packet.data.get(..packet.data.len().min(room)).unwrap_or_default();
                    begin.hash.update(part);
                    room -= part.len();
                    begin.bytes += packet.data.len() as u64;
                    begin.time += packet.dur.get();
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    begin.complete = true;
                    break;
                }
                // One damaged packet is no reason not to play the others.
                Err(Symphonia::DecodeError(_)) if damaged < MOST_DAMAGED => damaged += 1,
                Err(_) => break,
            }
        }
        match (begin.bytes, checked) {
            (0, _) => Err("there is no sound in it, only a header".to_owned()),
            (_, false) => Err("what looks like sound in it cannot be decoded".to_owned()),
            _ => Ok(begin),
        }
    }

    /// For what has no duration: that of the first packets, as many times as they are in the file.
    fn estimate(&self, track: &Track, bytes: u64) -> u64 {
        let read = track.time_base.and_then(|base| base.calc_duration(Duration::from(self.time)));
        let read = read.and_then(|time| u64::try_from(time.as_millis()).ok()).unwrap_or(0);
        let times = if self.complete { self.bytes } else { bytes.max(self.bytes) };
        u64::try_from(u128::from(read) * u128::from(times) / u128::from(self.bytes.max(1)))
            .unwrap_or(0)
    }

    /// The first eight bytes of SHA-256, which is the same on every machine and for all time.
    fn hash(self, duration_ms: u64) -> u64 {
        let digest = self.hash.chain_update(duration_ms.to_le_bytes()).finalize();
        digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// Frames without a container around them: other bytes may look like these.
fn is_bare(reader: &dyn FormatReader) -> bool {
    [FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_ADTS]
        .contains(&reader.format_info().format)
}

fn decodes(codec: &AudioCodecParameters, packet: &Packet) -> bool {
    let decoder =
        symphonia::default::get_codecs().make_audio_decoder(codec, &AudioDecoderOptions::default());
    decoder.is_ok_and(|mut decoder| decoder.decode(packet).is_ok())
}

/// The duration the file states, in milliseconds; what is stated as none is not.
fn duration_ms(
    file: &File,
    place: &Place,
    reader: &mut dyn FormatReader,
    track: &Track,
) -> Result<Option<u64>, String> {
    let format = reader.format_info().format;
    let kind = if format == FORMAT_ID_ADTS { Kind::Adts } else { Kind::Mpeg };
    // Of bare frames only a Xing header tells exactly; it alone gives a delay.
    if is_bare(reader) && track.delay.is_none() {
        return mpeg::duration(file, place.start, place.end, kind)
            .map_err(|cause| cause.to_string());
    }
    let of_track = track.duration.filter(|duration| duration.get() > 0).and_then(|duration| {
        let delay = if track
            .codec_params
            .as_ref()
            .and_then(|c| c.audio())
            .is_some_and(|c| c.codec == CODEC_ID_OPUS)
        {
            u64::from(track.delay.unwrap_or(0))
        } else {
            0
        };
        track.time_base?.calc_duration(Duration::from(duration.get().saturating_sub(delay)))
    });
    let info = reader.media_info();
    let of_file = info.duration.and_then(|duration| info.time_base?.calc_duration(duration));
    let time = of_track.or(of_file).map(|time| time.as_millis());
    Ok(time.and_then(|time| u64::try_from(time).ok()).filter(|time| *time > 0))
}

fn bit_depth(codec: &AudioCodecParameters) -> u32 {
    match codec.codec {
        // The sixth byte of what Apple calls the magic cookie.
        CODEC_ID_ALAC => codec
            .extra_data
            .as_ref()
            .and_then(|cookie| cookie.get(5))
            .map_or(0, |bits| u32::from(*bits)),
        CODEC_ID_FLAC => codec.bits_per_sample.unwrap_or(0),
        // Matroska has a depth for these as well, that of what a decoder gives.
        CODEC_ID_AAC | CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3 | CODEC_ID_OPUS
        | CODEC_ID_VORBIS => 0,
        _ => codec.bits_per_coded_sample.or(codec.bits_per_sample).unwrap_or(0),
    }
}
