//! The `/share` door: what a friend with a link sees, without a login.

pub mod assets;
pub mod page;
