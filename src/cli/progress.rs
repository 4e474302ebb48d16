//! Shows how far a scan is: one line that is drawn again on a terminal, else a log line at times.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use rustix::termios::tcgetwinsize;

/// How often the line on a terminal is drawn anew at most.
const REDRAW: Duration = Duration::from_millis(100);

/// How often the log is told.
const LOG_EVERY: Duration = Duration::from_secs(15);

/// Width of a terminal that does not tell its own.
const USUAL_WIDTH: usize = 80;

/// Width of the bar in characters.
const BAR: u64 = 20;

/// The progress of one scan. On a terminal, dropping it clears its line.
pub struct Progress {
    terminal: bool,
    shown: Option<Instant>,
}

impl Progress {
    /// For a scan that begins now; nothing is shown yet.
    pub fn start() -> Progress {
        Progress { terminal: io::stderr().is_terminal(), shown: None }
    }

    /// Shows the files seen and those read so far, of how many if that is known, and the current
    /// folder. May be called for each file: most calls do nothing.
    pub fn show(&mut self, seen: u64, read: u64, total: Option<u64>, folder: &str) {
        let pause = if self.terminal { REDRAW } else { LOG_EVERY };
        if self.shown.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        if self.terminal {
            let width = tcgetwinsize(io::stderr())
                .map_or(0, |size| usize::from(size.ws_col))
                .checked_sub(1)
                .filter(|width| *width > 0)
                .unwrap_or(USUAL_WIDTH);
            // The cursor goes back to the start, so that a message of the log begins there.
            let text = line(seen, read, total, folder, width);
            let _ = write!(io::stderr(), "\r\x1b[K{text}\r");
        } else if self.shown.is_some() {
            tracing::info!("scanning: {}", counts(seen, read, total));
        }
        self.shown = Some(Instant::now());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

fn counts(seen: u64, read: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{seen} of {total} files, {read} read"),
        None => format!("{seen} files, {read} read"),
    }
}

/// The line for a terminal of a width; the folder is shortened from its start.
fn line(seen: u64, read: u64, total: Option<u64>, folder: &str, width: usize) -> String {
    let mut text = String::new();
    if let Some(total) = total.filter(|total| *total > 0) {
        let full = BAR.saturating_mul(seen.min(total)) / total;
        text.push('[');
        text.extend((0..BAR).map(|place| if place < full { '#' } else { '.' }));
        text.push_str("] ");
    }
    text.push_str(&counts(seen, read, total));
    text.push_str("  ");
    let room = width.saturating_sub(columns(&text));
    let folder: String = folder.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let mut tail = folder.as_str();
    while columns(tail) > room {
        let mut rest = tail.chars();
        rest.next();
        tail = rest.as_str();
    }
    text.push_str(tail);
    while columns(&text) > width {
        text.pop();
    }
    text
}

/// Columns that a text takes on a terminal, rather too many than too few: letters of the far East
/// and pictures are two wide.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_tells_how_far_it_is() {
        assert_eq!(
            line(50, 7, Some(100), "Jazz/Blue", 80),
            "[##########..........] 50 of 100 files, 7 read  Jazz/Blue"
        );
        assert_eq!(line(50, 7, None, "Jazz", 80), "50 files, 7 read  Jazz");
        assert_eq!(line(0, 0, Some(0), "", 80), "0 of 0 files, 0 read  ");
    }

    #[test]
    fn a_long_folder_keeps_its_end() {
        assert_eq!(line(5, 1, None, "Very/Long/Name", 20), "5 files, 1 read  ame");
        assert_eq!(line(5, 1, None, "x\x1b[2Jy", 80), "5 files, 1 read  x?[2Jy");
    }

    proptest! {
        #[test]
        fn a_line_never_wraps(seen: u32, total: u32, folder in ".{0,60}", width in 1..100_usize) {
            let line = line(seen.into(), 0, Some(total.into()), &folder, width);
            prop_assert!(columns(&line) <= width);
            prop_assert!(!line.contains(char::is_control));
        }
    }
}
