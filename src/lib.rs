//! Kinglet, a small music server: scans folders into SQLite, speaks OpenSubsonic, shares by link.

pub mod account;
pub mod app;
pub mod captions;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod hash;
pub mod health;
pub mod http;
pub mod id;
pub mod jobs;
pub mod keeping;
pub mod key_uses;
pub mod known_users;
pub mod limiter;
pub mod log;
pub mod lyrics;
pub mod mdns;
pub mod media;
pub mod metrics;
pub mod numbers;
pub mod passphrases;
pub mod pictures;
pub mod playing;
pub mod plays;
pub mod reload;
pub mod remembered;
pub mod route;
pub mod scan;
pub mod scrape;
pub mod secret;
pub mod seldom;
pub mod serve;
pub mod share;
pub mod sign_ins;
pub mod subsonic;
pub mod systemd;
pub mod visits;

/// The version people are told: that of the package, with the commit where it is known.
pub const VERSION: &str = env!("BUILD_VERSION");
