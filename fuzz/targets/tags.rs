//! Files of every format: their tags, sound, pictures and captions.

#![no_main]

use std::cell::LazyCell;

use kinglet::scan::tags;
use kinglet_fuzz::{Input, let_others_panic};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FILE: LazyCell<Input> = LazyCell::new(|| Input::new("song"));
}

fuzz_target!(init: let_others_panic(), |data: &[u8]| {
    FILE.with(|file| {
        let path = file.with(data);
        let first = tags::read(path).ok();
        // The same file says the same a second time.
        assert_eq!(format!("{first:?}"), format!("{:?}", tags::read(path).ok()));
        if data.starts_with(b"\x1a\x45\xdf\xa3") || data.get(4..8) == Some(b"ftyp") {
            let _ = tags::captions(path, 1);
            let _ = tags::captions(path, 2);
        }
    });
});
