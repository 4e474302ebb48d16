//! The write-ahead log of a database, damaged: it is judged, and one that was mended lacks nothing.

#![no_main]

use std::cell::LazyCell;

use kinglet::db::wal;
use kinglet_fuzz::Input;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FILE: LazyCell<Input> = LazyCell::new(|| Input::new("log"));
}

fuzz_target!(|data: &[u8]| {
    FILE.with(|file| {
        let (log, mended) = (file.with(data), file.folder().join("mended"));
        wal::lost_transactions(log, &file.folder().join("index")).expect("a file that can be read");
        if wal::mend(log, &mended).expect("a file that can be written") {
            assert_eq!(wal::lost_transactions(&mended, &file.folder().join("index")).expect("a file"), 0);
        }
    });
});
