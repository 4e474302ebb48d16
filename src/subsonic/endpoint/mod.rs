//! The endpoints, a file for each category of the spec: parameters, one call of the database, types.

pub mod annotation;
pub mod bookmarks;
pub mod browsing;
pub mod chat;
pub mod information;
pub mod lists;
pub mod lyrics;
pub mod playlists;
pub mod radio;
pub mod retrieval;
pub mod scanning;
pub mod searching;
pub mod sharing;
pub mod system;
pub mod users;
pub mod videos;
