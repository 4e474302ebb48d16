//! Kinglet, a small music server: scans folders into SQLite, speaks OpenSubsonic, shares by link.

pub mod app;
pub mod config;
pub mod db;
pub mod error;
pub mod http;
pub mod id;
pub mod lyrics;
pub mod media;
pub mod route;
pub mod scan;
pub mod secret;
pub mod serve;
pub mod subsonic;

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
