//! The settings file and the variables: never more than an error, and what is taken keeps its promises.

#![no_main]

use kinglet::config::{File, Flags, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    // Some lines for the environment, the rest for the file.
    let (variables, text) = data.split_once("\n\n").unwrap_or(("", data));
    let variables: Vec<(String, String)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let file = File { path: "/etc/kinglet/kinglet.toml".into(), text: text.to_owned() };
    if let Ok(config) = load(&Flags::default(), &variables, Some(&file)) {
        assert!(
            config.data.is_absolute() && config.music.iter().all(|folder| folder.is_absolute())
        );
        assert!((8..=65_536).contains(&config.connections));
        assert!(config.base_path.is_empty() || config.base_path.starts_with('/'));
    }
});
