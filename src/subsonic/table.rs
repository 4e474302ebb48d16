//! Every endpoint on one screen: its name, its function, and who may call it.

use super::endpoint::{
    annotation, bookmarks, browsing, chat, information, lists, lyrics, playlists, radio, retrieval,
    scanning, searching, sharing, system, users, videos,
};
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

/// How many endpoints there are.
pub const COUNT: usize = ENDPOINTS.len();

/// The names of all endpoints.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().map(|endpoint| endpoint.name)
}

/// The endpoint of a name.
pub fn find(name: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.get(position(name)?)
}

/// The place of a name in the list. Most of the comparisons end at the length: hashing the name
/// takes longer.
pub fn position(name: &str) -> Option<usize> {
    ENDPOINTS.iter().position(|endpoint| endpoint.name == name)
}

const fn open(name: &'static str, run: fn(&Call) -> Result<Reply>) -> Endpoint {
    Endpoint { name, run, access: Access::Open }
}

const fn all(name: &'static str, run: fn(&Call) -> Result<Reply>) -> Endpoint {
    Endpoint { name, run, access: Access::SignedIn }
}

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
    all("getVideos", videos::get_videos),
    all("getVideoInfo", videos::get_video_info),
    all("getArtistInfo", information::get_artist_info),
    all("getArtistInfo2", information::get_artist_info2),
    all("getAlbumInfo", information::get_album_info),
    all("getAlbumInfo2", information::get_album_info),
    all("getSimilarSongs", information::get_similar_songs),
    all("getSimilarSongs2", information::get_similar_songs2),
    all("getTopSongs", information::get_top_songs),
    // Lists
    all("getAlbumList", lists::get_album_list),
    all("getAlbumList2", lists::get_album_list2),
    all("getRandomSongs", lists::get_random_songs),
    all("getSongsByGenre", lists::get_songs_by_genre),
    all("getStarred", lists::get_starred),
    all("getStarred2", lists::get_starred2),
    // Searching
    all("search", searching::search),
    all("search2", searching::search2),
    all("search3", searching::search3),
    // Playlists
    all("getPlaylists", playlists::get_playlists),
    all("getPlaylist", playlists::get_playlist),
    all("createPlaylist", playlists::create_playlist),
    all("updatePlaylist", playlists::update_playlist),
    all("deletePlaylist", playlists::delete_playlist),
    // Media retrieval
    role("stream", retrieval::stream, Role::Stream, "play music"),
    role("download", retrieval::download, Role::Download, "download music"),
    all("getCoverArt", retrieval::get_cover_art),
    all("getAvatar", retrieval::get_avatar),
    all("getCaptions", videos::get_captions),
    all("getLyrics", lyrics::get_lyrics),
    all("getLyricsBySongId", lyrics::get_lyrics_by_song_id),
    // Media annotation
    all("star", annotation::star),
    all("unstar", annotation::unstar),
    all("setRating", annotation::set_rating),
    all("scrobble", annotation::scrobble),
    all("reportPlayback", annotation::report_playback),
    all("getNowPlaying", annotation::get_now_playing),
    // Bookmarks
    all("getBookmarks", bookmarks::get_bookmarks),
    all("createBookmark", bookmarks::create_bookmark),
    all("deleteBookmark", bookmarks::delete_bookmark),
    all("getPlayQueue", bookmarks::get_play_queue),
    all("savePlayQueue", bookmarks::save_play_queue),
    all("getPlayQueueByIndex", bookmarks::get_play_queue_by_index),
    all("savePlayQueueByIndex", bookmarks::save_play_queue_by_index),
    // Internet radio
    all("getInternetRadioStations", radio::get_internet_radio_stations),
    role("createInternetRadioStation", radio::create_internet_radio_station, Role::Admin, "change the radio stations"),
    role("updateInternetRadioStation", radio::update_internet_radio_station, Role::Admin, "change the radio stations"),
    role("deleteInternetRadioStation", radio::delete_internet_radio_station, Role::Admin, "change the radio stations"),
    // Chat
    all("getChatMessages", chat::get_chat_messages),
    all("addChatMessage", chat::add_chat_message),
    // Sharing
    all("getShares", sharing::get_shares),
    role("createShare", sharing::create_share, Role::Share, "share"),
    all("updateShare", sharing::update_share),
    all("deleteShare", sharing::delete_share),
    // User management
    all("getUser", users::get_user),
    role("getUsers", users::get_users, Role::Admin, "list the users"),
    role("createUser", users::create_user, Role::Admin, "make users"),
    role("updateUser", users::update_user, Role::Admin, "change users"),
    role("deleteUser", users::delete_user, Role::Admin, "remove users"),
    all("changePassword", users::change_password),
    // Media library scanning
    all("getScanStatus", scanning::get_scan_status),
    all("startScan", scanning::start_scan),
];
