//! The /rest door.

pub mod encode;
pub mod fail;
