//! Pictures of every format, scaled.

#![no_main]

use std::cell::{Cell, LazyCell};

use kinglet::media::cover::Covers;
use kinglet_fuzz::{folder, let_others_panic};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static COVERS: LazyCell<(Covers, TempDir)> = LazyCell::new(|| {
        let folder = folder();
        (Covers::new(folder.path().join("covers"), 1, 1 << 20), folder)
    });
    static STAMP: Cell<i64> = const { Cell::new(0) };
}

fuzz_target!(init: let_others_panic(), |data: &[u8]| {
    // A picture of its own each time: none is kept.
    let stamp = STAMP.with(|stamp| stamp.replace(stamp.get() + 1));
    COVERS.with(|covers| {
        let scaled = covers.0.scaled(stamp, Some(100), || Ok(data.to_vec()));
        if let Ok(picture) = scaled {
            assert!(picture.bytes.starts_with(b"\xff\xd8\xff") && picture.bytes.ends_with(b"\xff\xd9"));
        }
        let _ = covers.0.scaled(stamp, None, || Ok(data.to_vec()));
    });
});
