//! From a song to bytes for a client.

pub mod avatar;
pub mod body;
pub mod buffers;
pub mod captions;
pub mod card;
pub mod cover;
pub mod kind;
pub mod language;
pub mod pace;
pub mod places;
pub mod plan;
pub mod send;
pub mod sending;
pub mod source;
pub mod text;
pub mod turns;
pub mod window;
pub mod zip;
