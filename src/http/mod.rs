//! Plain HTTP: bodies, ranges, forms, connections; it knows no music.

pub mod body;
