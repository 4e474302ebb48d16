//! Scanning the media library: its state, and the wish for a scan.

use serde::Serialize;

use crate::db::scanned;
use crate::subsonic::fail::Result;
use crate::subsonic::{Call, Reply};

#[derive(Serialize)]
struct ScanStatus {
    scanning: bool,
    count: i64,
}

/// `getScanStatus`: whether a scan runs; the files it has seen, else the songs there are.
pub fn get_scan_status(call: &Call) -> Result<Reply> {
    let status = call.app.scanner.status();
    let count = match status.scanning {
        true => i64::try_from(status.walked).unwrap_or(i64::MAX),
        false => call.app.db.read(scanned::song_count)?,
    };
    call.answer("scanStatus", &ScanStatus { scanning: status.scanning, count })
}

/// `startScan`: asks for a scan. Where one runs already, another follows it.
pub fn start_scan(call: &Call) -> Result<Reply> {
    call.app.scanner.request();
    get_scan_status(call)
}
