//! From a song to bytes for a client.

pub mod avatar;
pub mod cover;
pub mod kind;
