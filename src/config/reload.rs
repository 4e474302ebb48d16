//! Reads the settings once more while the server runs, and tells what has changed.

use super::sources::{self, File, Flags, Settings};
use super::{Config, SETTINGS, read_sources};
use crate::error::{Error, Result};

/// Knows where the settings came from, so that they can be read again.
///
/// It has no `Debug`, so that the password of the environment cannot end up in a log.
pub struct Reader {
    flags: Flags,
    environment: Vec<(String, String)>,
    /// As it was at the start.
    first: Option<File>,
    /// As it was when it was last read and found good.
    last: Option<File>,
}

/// What reading the settings again has brought.
pub struct Reloaded {
    /// The settings as they are to be from now on.
    pub config: Config,
    /// The names of the settings that have changed.
    pub changed: Vec<&'static str>,
    /// The names of those that were written otherwise, but change at the next start alone.
    pub waiting: Vec<&'static str>,
}

impl Reader {
    /// Reads the settings of this process, see [`read`](super::read).
    ///
    /// # Errors
    /// As for [`read`](super::read).
    pub fn read(flags: Flags) -> Result<(Config, Reader)> {
        let environment = sources::environment()?;
        let (config, file) = read_sources(&flags, &environment)?;
        Ok((config, Reader { flags, environment, first: file.clone(), last: file }))
    }

    /// Reads them again. `running` is how they are; the flags and the environment of a process do
    /// not change.
    ///
    /// # Errors
    /// As for [`read`](super::read); then all stays as it is.
    pub fn again(&mut self, running: &Config) -> Result<Reloaded> {
        let (new, file) = read_sources(&self.flags, &self.environment)
            .map_err(|cause| Error::caused("the settings stay as they are", cause))?;
        let gather =
            |file: &Option<File>| Settings::gather(&self.flags, &self.environment, file.as_ref());
        let now = gather(&file);
        let reloads =
            |name: &&str| SETTINGS.iter().any(|setting| setting.name == *name && setting.reloads);
        let mut changed = now.differing(&gather(&self.last));
        changed.retain(|name| reloads(name));
        let mut waiting = now.differing(&gather(&self.first));
        waiting.retain(|name| !reloads(name));
        let config = running.reloaded(&new);
        // What is only spelt in another way is no change.
        if config == *running {
            changed.clear();
        }
        if config == new {
            waiting.clear();
        }
        self.last = file;
        Ok(Reloaded { config, changed, waiting })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::load;
    use std::fs;

    /// Values that some setting takes which is not that of the default.
    const OTHERS: [&str; 12] = [
        "\"127.0.0.9:9\"",
        "\"https://else.example.org\"",
        "[\"/else\"]",
        "[\"10.9.8.7\"]",
        "\"/var/lib/else\"",
        "false",
        "true",
        "\"error\"",
        "\"json\"",
        "7",
        "77",
        "\"/else\"",
    ];
    const SIZES_AND_TIMES: [&str; 4] = ["\"77KiB\"", "\"77MiB\"", "\"77s\"", "\"7h\""];

    fn config(text: &str) -> Result<Config> {
        let file = File { path: "/etc/kinglet/kinglet.toml".into(), text: text.to_owned() };
        load(&Flags::default(), &[("HOME".into(), "/home/anna".into())], Some(&file))
    }

    /// A setting, and the one that has to come with it.
    fn with_its_pair(name: &str, value: &str) -> String {
        let pair = match name {
            "tls_certificate" => "tls_key = '/k'",
            "tls_key" => "tls_certificate = '/c'",
            _ => "",
        };
        format!("{name} = {value}\n{pair}")
    }

    #[test]
    fn a_reload_changes_the_settings_of_which_it_is_told_and_no_others() {
        let before = config("").unwrap();
        for setting in &SETTINGS {
            let another = OTHERS
                .iter()
                .chain(&SIZES_AND_TIMES)
                .filter_map(|value| config(&with_its_pair(setting.name, value)).ok())
                .find(|config| *config != before);
            let another = another.unwrap_or_else(|| panic!("no other value: {}", setting.name));
            let reloads = before.reloaded(&another) == another;
            assert_eq!(reloads, setting.reloads, "{}", setting.name);
            assert!(reloads || before.reloaded(&another) == before, "{}", setting.name);
        }
    }

    #[test]
    fn a_reload_tells_what_changed_and_what_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kinglet.toml");
        let write = |text: &str| fs::write(&path, text).unwrap();
        write("music = '/m'\nshare_rate = '1MiB'");
        let flags = Flags {
            config: Some(path.clone()),
            data: Some("/data".into()),
            log_level: Some("warn".into()),
            ..Flags::default()
        };
        let (started, mut reader) = Reader::read(flags).unwrap();

        let all = reader.again(&started).unwrap();
        assert!(all.config == started && all.changed.is_empty() && all.waiting.is_empty());

        write("music = '/n'\nshare_rate = '2MiB'\nlog_level = 'debug'");
        let first = reader.again(&started).unwrap();
        assert_eq!((first.changed, first.waiting), (vec!["share_rate"], vec!["music"]));
        assert_eq!(first.config.share_rate, std::num::NonZeroU64::new(2 << 20));
        assert_eq!(first.config.music, started.music);
        assert_eq!(first.config.log_level, started.log_level, "a flag beats the file");

        let told = reader.again(&first.config).unwrap();
        assert_eq!((told.changed, told.waiting), (vec![], vec!["music"]), "it still waits");

        write("music = '/n'\nshare_rate = 'fast'");
        let problem = reader.again(&first.config).err().unwrap().to_string();
        assert!(problem.starts_with("the settings stay as they are: share_rate in "), "{problem}");

        write("music = '/m'\nshare_rate = '2048KiB'");
        let last = reader.again(&first.config).unwrap();
        assert!(last.changed.is_empty() && last.waiting.is_empty());
        assert!(last.config == first.config);
    }
}
