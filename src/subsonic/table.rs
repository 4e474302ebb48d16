//! Every endpoint on one screen: its name, its function, and who may call it.

use super::endpoint::{browsing, lyrics, scanning, system};
use super::fail::Result;
use super::{Call, Reply};
use crate::db::users::Role;

/// An endpoint.
pub struct Endpoint {
    name: &'static str,
    /// Does the work.
    pub run: fn(&Call) -> Result<Reply>,
    /// Who may call it.
    pub access: Access,
}

/// Who may call an endpoint.
#[derive(Clone, Copy)]
pub enum Access {
    /// Anybody, signed in or not.
    Open,
    /// Every user.
    SignedIn,
    /// Users with this right; the text says for what: "The user is not allowed to ...".
    Role(Role, &'static str),
}

/// The endpoint of a name. A dozen string comparisons take less time than hashing the name would.
pub fn find(name: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.name == name)
}

const fn open(name: &'static str, run: fn(&Call) -> Result<Reply>) -> Endpoint {
    Endpoint { name, run, access: Access::Open }
}

const fn all(name: &'static str, run: fn(&Call) -> Result<Reply>) -> Endpoint {
    Endpoint { name, run, access: Access::SignedIn }
}

#[allow(dead_code)]
const fn role(
    name: &'static str,
    run: fn(&Call) -> Result<Reply>,
    role: Role,
    what: &'static str,
) -> Endpoint {
    Endpoint { name, run, access: Access::Role(role, what) }
}

#[rustfmt::skip]
static ENDPOINTS: &[Endpoint] = &[
    // System
    all("ping", system::ping),
    all("getLicense", system::get_license),
    open("getOpenSubsonicExtensions", system::get_open_subsonic_extensions),
    all("tokenInfo", system::token_info),
    // Browsing
    all("getMusicFolders", browsing::get_music_folders),
    all("getIndexes", browsing::get_indexes),
    all("getMusicDirectory", browsing::get_music_directory),
    all("getGenres", browsing::get_genres),
    all("getArtists", browsing::get_artists),
    all("getArtist", browsing::get_artist),
    all("getAlbum", browsing::get_album),
    all("getSong", browsing::get_song),
    // Media retrieval
    all("getLyrics", lyrics::get_lyrics),
    all("getLyricsBySongId", lyrics::get_lyrics_by_song_id),
    // Media library scanning
    all("getScanStatus", scanning::get_scan_status),
    all("startScan", scanning::start_scan),
];
