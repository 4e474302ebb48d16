//! Holds the source to its plan: who may import whom, one opening sentence a file, the README's Map.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use of the crate, besides itself: arrows go down only.
const MAY_USE: &[(&str, &[&str])] = &[
    // The ground.
    ("clock", &[]),
    ("error", &[]),
    ("id", &[]),
    ("lyrics", &[]),
    ("numbers", &[]),
    ("systemd", &[]),
    ("seldom", &[]),
    ("mdns", &[]),
    ("secret", &["error"]),
    ("http", &["error", "seldom"]),
    ("config", &["error"]),
    ("log", &["config", "error"]),
    ("hash", &[]),
    ("db", &["error", "hash", "id", "secret", "seldom"]),
    // The rooms.
    ("media", &["clock", "db", "error", "http", "id", "seldom"]),
    ("scan", &["clock", "config", "db", "error", "id", "media"]),
    ("demo", &["error"]),
    ("playing", &["db", "error", "id"]),
    ("visits", &["db", "error", "id"]),
    ("metrics", &["clock", "http"]),
    ("plays", &["db", "id", "visits"]),
    ("limiter", &[]),
    ("passphrases", &["error", "limiter", "secret"]),
    ("remembered", &["db"]),
    ("known_users", &["db", "remembered", "secret"]),
    ("keeping", &["clock", "config", "db", "error", "hash", "secret", "VERSION"]),
    ("key_uses", &["db", "error"]),
    ("sign_ins", &["http", "seldom"]),
    (
        "app",
        &[
            "config",
            "db",
            "error",
            "keeping",
            "key_uses",
            "known_users",
            "limiter",
            "media",
            "metrics",
            "passphrases",
            "playing",
            "plays",
            "remembered",
            "scan",
            "secret",
            "sign_ins",
            "visits",
        ],
    ),
    ("account", &["app", "clock", "config", "db", "error", "secret"]),
    ("pictures", &["app", "db", "error", "http", "id", "media", "scan"]),
    ("captions", &["db", "error", "http", "media", "scan"]),
    // The doors: neither knows the other. `crate::VERSION` is everybody's.
    (
        "subsonic",
        &[
            "account",
            "app",
            "captions",
            "clock",
            "db",
            "error",
            "http",
            "id",
            "lyrics",
            "media",
            "pictures",
            "passphrases",
            "playing",
            "scan",
            "secret",
            "VERSION",
            "visits",
        ],
    ),
    (
        "share",
        &[
            "app",
            "captions",
            "clock",
            "db",
            "error",
            "http",
            "id",
            "lyrics",
            "media",
            "numbers",
            "passphrases",
            "pictures",
            "plays",
            "visits",
        ],
    ),
    ("route", &["app", "config", "error", "http", "media", "metrics", "share", "subsonic"]),
    ("reload", &["app", "config", "log"]),
    // What watches over the server looks at all of it.
    ("health", &["app", "db", "http", "numbers", "route", "scan", "systemd"]),
    (
        "scrape",
        &["app", "db", "error", "http", "metrics", "media", "route", "scan", "subsonic", "VERSION"],
    ),
];

/// They wire everything.
const WIRING: [&str; 5] = ["cli", "serve", "jobs", "main", "lib"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
}

/// All source files, as paths below `src`.
fn all_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found.sort();
    found.into_iter().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect()
}

fn text(source: &Path) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(source)).unwrap()
}

/// `db` of `db/songs.rs` and of `db.rs`.
fn module(source: &Path) -> String {
    let first = source.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for source in all_sources() {
        let (module, text) = (module(&source), text(&source));
        if WIRING.contains(&module.as_str()) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        let used: BTreeSet<&str> = code
            .match_indices("crate::")
            .map(|(at, _)| {
                let rest = &code[at + "crate::".len()..];
                &rest[..rest
                    .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .unwrap()]
            })
            .filter(|used| *used != module)
            .collect();
        let (_, may) = MAY_USE
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} has no place in the plan"));
        for used in used {
            if !may.contains(&used) {
                wrong.push(format!("{} uses {used}", source.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    for source in all_sources() {
        assert!(text(&source).starts_with("//! "), "{} has no opening sentence", source.display());
    }
}

#[test]
fn unsafe_code_lives_in_one_file() {
    for source in all_sources() {
        let has = text(&source).lines().any(|line| {
            let code = line.split("//").next().unwrap();
            code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("allow(unsafe_code")
        });
        assert!(!has || source == Path::new("media/window.rs"), "unsafe in {}", source.display());
    }
}

#[test]
fn the_map_of_the_readme_names_every_file() {
    let readme = include_str!("../README.md");
    let map = readme.split("## Map").nth(1).expect("a Map").split("```").nth(1).expect("a tree");
    for source in all_sources() {
        let name = source.file_name().unwrap().to_str().unwrap();
        let known = map.split_whitespace().any(|word| word == name);
        let parent = source.parent().unwrap().file_name();
        let parent_known = parent.is_none_or(|parent| {
            let parent = format!("{}/", parent.to_str().unwrap());
            map.split_whitespace().any(|word| word == parent)
        });
        assert!(known && parent_known, "the Map lacks {}", source.display());
    }
}

/// Of the settings that a reload changes, a running server reads those that are, not those that were.
#[test]
fn settings_that_a_reload_changes_are_read_as_they_are() {
    for source in all_sources() {
        // A command reads the settings as it starts.
        if module(&source) == "cli" {
            continue;
        }
        let text = text(&source);
        for setting in kinglet::config::SETTINGS.iter().filter(|setting| setting.reloads) {
            let at_start = format!("app.config.{}", setting.name);
            assert!(!text.contains(&at_start), "{at_start} in {}", source.display());
        }
    }
}
