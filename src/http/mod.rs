//! Plain HTTP: bodies, ranges, forms, connections; it knows no music.

pub mod accept;
pub mod accepted;
pub mod body;
pub mod client;
pub mod connections;
pub mod form;
pub mod listen;
pub mod range;
pub mod request;
pub mod stall;
pub mod tls;
pub mod work;
