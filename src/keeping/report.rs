//! What was done to save the data, told in the log and kept for `kinglet check` until somebody removes it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{beside, database};
use crate::clock::{day, now, stamp};
use crate::config::Config;
use crate::error::{Error, Result};

/// What the names of reports begin and end with.
const NAME: [&str; 2] = ["rescue-", ".txt"];
/// Most bytes read of a report.
const MOST_BYTES: u64 = 1 << 16;
/// Reports that are told of, the newest.
const MOST_REPORTS: usize = 5;

/// Tells lines in the log, and writes them down.
pub fn tell(config: &Config, lines: &[String]) -> Result<PathBuf> {
    let now = now();
    let path = config.data.join(format!("{}{}{}", NAME[0], stamp(now), NAME[1]));
    for line in lines {
        tracing::error!("{line}");
    }
    let mut text = format!("{}\n", day(now));
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut options = File::options();
    options.create(true).append(true).mode(0o600);
    options
        .open(&path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|cause| Error::caused(format!("cannot write {}", path.display()), cause))?;
    Ok(path)
}

/// The reports of a data folder that nobody has removed, the newest first, with their text.
pub fn all(data: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(data) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(NAME[0]) && name.ends_with(NAME[1])
        })
        .collect();
    paths.sort_unstable();
    paths.reverse();
    paths.truncate(MOST_REPORTS);
    paths
        .into_iter()
        .map(|path| {
            let mut text = String::new();
            // One that cannot be read is still told of by its name.
            let _ =
                File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
            (path, text)
        })
        .collect()
}

/// Keeps a damaged log under a name of its own; gives the name.
pub fn keep_log(config: &Config, log: &Path) -> Result<PathBuf> {
    let kept = beside(&database(&config.data), &format!("-wal.damaged-{}", stamp(now())));
    fs::copy(log, &kept)
        .map_err(|cause| Error::caused(format!("cannot write {}", kept.display()), cause))?;
    Ok(kept)
}
