//! Starts the log: to standard error, as lines for people, for systemd's journal, or as JSON.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use rustix::fs::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::LogFormat;
use crate::error::{Error, Result};

/// The log of the process.
pub struct Log(reload::Handle<LevelFilter, Registry>);

impl Log {
    /// From now on messages down to this level are logged.
    ///
    /// # Errors
    /// The log has ended.
    pub fn set_level(&self, level: Level) -> Result<()> {
        self.0
            .reload(LevelFilter::from_level(level))
            .map_err(|cause| Error::caused("the level of the log cannot be changed", cause))
    }
}

/// Starts the log of the process; messages from before are lost.
///
/// Colours are for terminals alone, and not where `NO_COLOR` is set. The journal keeps time and
/// level itself: it is given the level in its own way and no time.
///
/// # Errors
/// The log was started already.
pub fn start(level: Level, format: LogFormat) -> Result<Log> {
    let colour = io::stderr().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|no_colour| no_colour.is_empty());
    let (filter, handle) = reload::Layer::new(LevelFilter::from_level(level));
    let log = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false);
    match format {
        LogFormat::Json => log.with(lines.json().flatten_event(true).with_target(true)).try_init(),
        LogFormat::Text if is_journal(io::stderr()) => {
            log.with(lines.event_format(Journal)).try_init()
        }
        LogFormat::Text => log.with(lines.with_timer(Seconds).compact()).try_init(),
    }
    .map_err(|cause| Error::caused("the log cannot be started", cause))?;
    Ok(Log(handle))
}

/// Whether an output is the journal's own pipe: `JOURNAL_STREAM` alone is not enough, it is
/// inherited by programs whose output goes elsewhere.
pub fn is_journal(output: impl AsFd) -> bool {
    let (Ok(stream), Ok(stat)) = (env::var("JOURNAL_STREAM"), fstat(output)) else {
        return false;
    };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

/// Universal time to the second, such as `2026-03-01T18:30:00Z`.
struct Seconds;

impl FormatTime for Seconds {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let mut precise = String::new();
        SystemTime.format_time(&mut Writer::new(&mut precise))?;
        write!(writer, "{}Z", precise.split('.').next().unwrap_or_default())
    }
}

/// A line of the journal: priority (`sd-daemon(3)`) and message.
struct Journal;

impl<S, N> FormatEvent<S, N> for Journal
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The priority of syslog.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_journal_is_told_the_level_by_a_number() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(Journal)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(log, || {
            tracing::warn!(folder = "Jazz", "cannot be read");
            tracing::info!("ready");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "<4>cannot be read folder=\"Jazz\"\n<6>ready\n");
    }

    #[test]
    fn times_are_short() {
        let mut text = String::new();
        Seconds.format_time(&mut Writer::new(&mut text)).unwrap();
        assert_eq!(text.len(), "2026-03-01T18:30:00Z".len(), "{text}");
        assert!(text.ends_with('Z'));
    }
}
