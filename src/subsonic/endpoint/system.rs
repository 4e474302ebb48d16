//! System: ping, licence, extensions, API keys.

use serde::Serialize;

use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::{Call, Reply};

/// The extensions of OpenSubsonic we speak, each with its versions.
const EXTENSIONS: [(&str, &[u8]); 7] = [
    ("apiKeyAuthentication", &[1]),
    ("formPost", &[1]),
    ("indexBasedQueue", &[1]),
    // Our own: options of shares, as the README tells.
    ("kingletShare", &[1]),
    ("playbackReport", &[1]),
    ("songLyrics", &[1]),
    ("topSongsByArtistId", &[1]),
];

/// `ping`: whether the server is there and the credentials are right.
pub fn ping(call: &Call) -> Result<Reply> {
    call.ok()
}

#[derive(Serialize)]
struct License {
    valid: bool,
}

/// `getLicense`: always valid, the server is free.
pub fn get_license(call: &Call) -> Result<Reply> {
    call.answer("license", &License { valid: true })
}

#[derive(Serialize)]
struct Extension {
    name: &'static str,
    versions: &'static [u8],
}

/// `getOpenSubsonicExtensions`: what we speak; open to all, as the spec demands.
pub fn get_open_subsonic_extensions(call: &Call) -> Result<Reply> {
    let extensions = EXTENSIONS.map(|(name, versions)| Extension { name, versions });
    call.answer("openSubsonicExtensions", &extensions)
}

#[derive(Serialize)]
struct TokenInfo<'a> {
    username: &'a str,
}

/// `tokenInfo`: whose API key it is.
pub fn token_info(call: &Call) -> Result<Reply> {
    if call.params.text("apiKey").is_none() {
        return Err(Fail::missing("apiKey"));
    }
    call.answer("tokenInfo", &TokenInfo { username: &call.user.name })
}
