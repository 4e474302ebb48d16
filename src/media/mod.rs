//! From a song to bytes for a client.

pub mod kind;
