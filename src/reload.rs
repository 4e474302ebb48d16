//! Reads the settings again when it is asked to, and goes on with those that can change.

use crate::app::App;
use crate::config::{Reader, Reloaded};
use crate::log::Log;

/// What a server needs to read its settings again.
pub struct Reload {
    /// Knows where they came from.
    pub settings: Reader,
    /// Its level is one of them.
    pub log: Log,
}

impl Reload {
    /// Reads them and goes on with them; the log tells what came of it. Settings that cannot be
    /// used leave all as it is.
    pub fn run(&mut self, app: &App) {
        let running = app.current();
        let Reloaded { config, changed, waiting } = match self.settings.again(&running) {
            Ok(reloaded) => reloaded,
            Err(error) => return tracing::error!("{error}"),
        };
        if config.log_level != running.log_level
            && let Err(error) = self.log.set_level(config.log_level)
        {
            tracing::warn!("{error}");
        }
        app.reload(config);
        match changed.as_slice() {
            [] => tracing::info!("read the settings again: nothing changed"),
            changed => tracing::info!("read the settings again: changed {}", changed.join(", ")),
        }
        if !waiting.is_empty() {
            tracing::warn!(
                "changed in the settings, but not before the next start: {}",
                waiting.join(", ")
            );
        }
    }
}
