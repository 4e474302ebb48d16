//! Captions in either form, in any letters: what is written is read again as it is.

#![no_main]

use kinglet::media::captions::{Format, read};
use kinglet::media::{language, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let captions = read(data);
    assert!(captions.cues.iter().all(|cue| cue.start < cue.end && !cue.text.is_empty()));
    assert!(captions.cues.iter().all(|cue| cue.text.lines().all(|line| !line.trim().is_empty())));
    let written = captions.to_text(Format::Vtt);
    assert!(written.starts_with("WEBVTT"));
    let again = read(written.as_bytes());
    assert_eq!(again.cues, captions.cues, "{written}");
    read(captions.to_text(Format::Srt).as_bytes());

    let letters = text::decode(data);
    let tag = language::tag(&letters);
    assert_eq!(language::tag(&tag), tag);
    language::label(&tag, &letters);
});
