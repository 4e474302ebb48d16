//! A database in which bytes were changed, each by five of the input: whatever it has become, it is
//! judged, and what is made of it is sound.

#![no_main]

use std::cell::LazyCell;
use std::fs;
use std::path::PathBuf;

use kinglet::db::check::{self, Depth};
use kinglet::db::{copy, salvage};
use kinglet_fuzz::{folder, server};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// Changes of one input at most.
const MOST_CHANGES: usize = 64;

struct Database {
    folder: TempDir,
    sound: Vec<u8>,
}

impl Database {
    fn new() -> Database {
        let (app, data) = server();
        let folder = folder();
        let file = folder.path().join("copy");
        let from = kinglet::keeping::database(&app.config.data);
        copy::make(&from, &file, 0, "0", None).expect("a copy");
        drop((app, data));
        Database { sound: fs::read(&file).expect("a copy"), folder }
    }

    /// A file of this name, without what SQLite left beside an earlier one.
    fn anew(&self, name: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        for old in copy::beside(&file).into_iter().chain([file.clone()]) {
            let _ = fs::remove_file(old);
        }
        let _ = fs::remove_file(self.folder.path().join(format!("{name}-journal")));
        file
    }
}

thread_local! {
    static DATABASE: LazyCell<Database> = LazyCell::new(Database::new);
}

fuzz_target!(|data: &[u8]| {
    DATABASE.with(|database| {
        let mut bytes = database.sound.clone();
        let length = u32::try_from(bytes.len()).expect("a small file");
        for [place @ .., change] in data.as_chunks::<5>().0.iter().take(MOST_CHANGES) {
            let place = u32::from_le_bytes(*place) % length;
            bytes[place as usize] ^= change;
        }
        let (damaged, new) = (database.anew("damaged"), database.anew("new"));
        fs::write(&damaged, &bytes).expect("a file");
        let seen = copy::examine(&damaged);
        if bytes == database.sound {
            seen.expect("nothing was changed");
        }
        if salvage::rebuild(&new, Some(&damaged), None).is_err() {
            // Then as if there were nothing to be read.
            salvage::rebuild(&database.anew("new"), None, None).expect("a new database");
        }
        let left = check::examine(&new, Depth::All).expect("a new database");
        assert!(left.is_none(), "{}", left.in_words());
    });
});
