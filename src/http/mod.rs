//! Plain HTTP: bodies, ranges, forms, connections; it knows no music.

pub mod body;
pub mod range;
pub mod stall;
