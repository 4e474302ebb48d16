//! Lyrics with and without times.

#![no_main]

use kinglet::lyrics;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let lyrics = lyrics::read(data);
    assert!(lyrics.lines.windows(2).all(|pair| pair[0].start <= pair[1].start) || !lyrics.synced);
});
