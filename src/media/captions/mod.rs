//! Captions of videos: read from SubRip, WebVTT and what containers hold, written as either.

mod clean;
mod kept;
mod read;
mod write;

pub use clean::{Markup, clean};
pub use kept::{Kept, Key};
pub use read::{read, settings};

/// Bytes of one file or track of captions that are read; a film has about 100 KiB.
pub const MOST_BYTES: usize = 4 << 20;
/// Captions kept of one file or track.
pub const MOST_CUES: usize = 50_000;

/// The two forms in which captions are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// SubRip.
    Srt,
    /// WebVTT.
    Vtt,
}

impl Format {
    /// The content type, with its encoding.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Srt => "application/x-subrip; charset=utf-8",
            Format::Vtt => "text/vtt; charset=utf-8",
        }
    }
}

/// What is shown for a while. Times are in milliseconds from the start of the video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cue {
    /// When it appears.
    pub start: u64,
    /// When it is gone, after `start`.
    pub end: u64,
    /// Lines in the markup of WebVTT: `<i>`, `<b>` and `<u>`, all else escaped; none is empty.
    pub text: String,
    /// Where it is shown, as WebVTT says it (`line:0`), or empty.
    pub settings: String,
}

/// Captions and the form they came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captions {
    /// The form they came in, or the one nearest to it.
    pub format: Format,
    /// In the order of their times.
    pub cues: Vec<Cue>,
}

impl Captions {
    /// Brings what was read into order: what shows nothing, or for no time, is left out.
    pub fn of(format: Format, mut cues: Vec<Cue>) -> Captions {
        cues.retain(|cue| cue.start < cue.end && !cue.text.is_empty());
        cues.truncate(MOST_CUES);
        cues.sort_by_key(|cue| cue.start);
        Captions { format, cues }
    }

    /// Bytes in memory, nearly.
    pub fn bytes(&self) -> usize {
        let each = size_of::<Cue>();
        self.cues.iter().map(|cue| each + cue.text.len() + cue.settings.len()).sum()
    }

    /// The text of a file in this form.
    pub fn to_text(&self, format: Format) -> String {
        match format {
            Format::Srt => write::srt(&self.cues),
            Format::Vtt => write::vtt(&self.cues),
        }
    }
}
