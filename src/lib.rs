//! Kinglet, a small music server: scans folders into SQLite, speaks OpenSubsonic, shares by link.

pub mod error;
pub mod http;
pub mod id;
pub mod media;
pub mod scan;
pub mod share;
