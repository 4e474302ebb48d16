//! The sound itself: whether there is any, how long it is, of which kind, and its hash.

use std::fs::File;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_ISOMP4, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3,
};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::formats;

use super::container::{self, Container};
use super::file::{Allowance, Source, bytes_at};
use super::mpeg::{self, Kind};
use super::{MOST_PADDING_MS, MOST_PICTURE_BYTES, Sound, extent};

/// Bytes that may be read to understand a file: an index of many hours and a large picture.
const MOST_HEADER_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes that may be read to find the first packets of sound, beside video perhaps.
const MOST_PACKET_BYTES: u64 = 8 * 1024 * 1024;
/// Packets read of one file; only one that does not state its duration has so many read.
const MOST_PACKETS: usize = 100_000;
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
        .map_err(|cause| wrong_with_header(file, place, &cause))?;
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
    let states_duration =
        is_bare(&*reader) || track.duration.or(reader.media_info().duration).is_some();
    let begin = Beginning::read(&mut *reader, track.id, &codec, states_duration)?;
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
    let duration_ms = duration_ms(file, place, &*reader, &track, codec.codec)?
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

fn wrong_with_header(file: &File, place: &Place, cause: &Symphonia) -> String {
    if matches!(bytes_at(file, place.start, 4).as_deref(), Ok(b"RF64" | b"BW64")) {
        return "it is a WAV file of the kind for more than 4 GB, which cannot be read; FLAC can"
            .to_owned();
    }
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
    /// When the first of them is heard and when the last one ends, in units of the track.
    time: Option<(Timestamp, Timestamp)>,
    /// Whether there are no more.
    complete: bool,
}

impl Beginning {
    fn read(
        reader: &mut dyn FormatReader,
        track: u32,
        codec: &AudioCodecParameters,
        states_duration: bool,
    ) -> Result<Self, String> {
        let mut begin = Beginning { hash: Sha256::new(), bytes: 0, time: None, complete: false };
        let mut room = HASHED_BYTES;
        let mut damaged = 0;
        let mut checked = !is_bare(reader);
        for _ in 0..MOST_PACKETS {
            // A file that does not state how long it is is read on for its times.
            if room == 0 && states_duration {
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
                    let first = begin.time.map_or(packet.pts, |(first, _)| first);
                    begin.time = Some((first, packet.pts.saturating_add(packet.dur)));
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
        let read = self.time.and_then(|(first, end)| end.duration_from(first));
        let read = read.and_then(|read| track.time_base?.calc_duration(read));
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
    reader: &dyn FormatReader,
    track: &Track,
    codec: AudioCodecId,
) -> Result<Option<u64>, String> {
    let format = reader.format_info().format;
    let kind = if format == FORMAT_ID_ADTS { Kind::Adts } else { Kind::Mpeg };
    // Of bare frames only a Xing header with a delay (of LAME) tells exactly.
    if is_bare(reader) && track.delay.is_none() {
        return mpeg::duration(file, place.start, place.end, kind)
            .map_err(|cause| cause.to_string());
    }
    let of_track = track.duration.filter(|duration| duration.get() > 0).and_then(|duration| {
        // What an Opus decoder throws away at the start is part of the duration.
        let delay = if codec == CODEC_ID_OPUS { track.delay.unwrap_or(0) } else { 0 };
        let heard = duration.get().saturating_sub(u64::from(delay));
        track.time_base?.calc_duration(Duration::from(heard))
    });
    let info = reader.media_info();
    let of_file = info.duration.and_then(|duration| info.time_base?.calc_duration(duration));
    let [of_track, of_file] = [of_track, of_file]
        .map(|time| time.and_then(|time| u64::try_from(time.as_millis()).ok()))
        .map(|time| time.filter(|time| *time > 0));
    Ok(match (of_track, of_file) {
        // An MP4 file says without the silence of its encoder what is to be played.
        (Some(track), Some(file))
            if format == FORMAT_ID_ISOMP4 && file < track && track - file <= MOST_PADDING_MS =>
        {
            Some(file)
        }
        (track, file) => track.or(file),
    })
}

/// Bits a sample; of lossy codecs some readers give those of their decoder, which mean nothing.
fn bit_depth(codec: &AudioCodecParameters) -> u32 {
    let is_pcm = || {
        let decoder = symphonia::default::get_codecs().get_audio_decoder(codec.codec);
        decoder.is_some_and(|decoder| decoder.codec.info.short_name.starts_with("pcm_"))
    };
    match codec.codec {
        CODEC_ID_ALAC => alac_depth(codec.extra_data.as_deref().unwrap_or_default()),
        CODEC_ID_FLAC => codec.bits_per_sample.unwrap_or(0),
        _ if is_pcm() => codec.bits_per_coded_sample.or(codec.bits_per_sample).unwrap_or(0),
        _ => 0,
    }
}

/// The sixth byte of what Apple calls the magic cookie, which old files and CAF have in two atoms.
fn alac_depth(cookie: &[u8]) -> u32 {
    const ATOMS: usize = 24;
    let wrapped = cookie.get(4..8) == Some(b"frma");
    cookie.get(if wrapped { ATOMS + 5 } else { 5 }).map_or(0, |bits| u32::from(*bits))
}
