//! A little room on the disk that is given up when a server starts on a full one.
//!
//! SQLite needs some to open a database at all. A server that is running lives through a full disk
//! without; one that starts would not come up, and nothing would play.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use rustix::fs::statvfs;

/// What is kept back: room for the index of a log and some changes, such as those that make room.
const BYTES: usize = 1 << 20;
/// With less room than this, a disk counts as full.
const FULL: u64 = 512 << 10;
/// With more room than this, room is kept back again.
const EMPTY: u64 = 64 << 20;

/// Gives up what was kept back where the disk is full, and keeps some back where there is plenty.
/// Whatever fails here is no reason not to start.
pub fn look(data: &Path) {
    let path = data.join("reserve");
    let Ok(system) = statvfs(data) else { return };
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    if free < FULL {
        tracing::error!(
            "the disk of {} is full ({} KiB are free): make room, or nothing can be changed",
            data.display(),
            free >> 10
        );
        let _ = fs::remove_file(&path);
    } else if free > EMPTY && !path.exists() {
        let kept = File::create(&path).and_then(|mut file| file.write_all(&vec![0; BYTES]));
        if let Err(error) = kept {
            tracing::debug!("no room is kept back: {error}");
        }
    }
}
