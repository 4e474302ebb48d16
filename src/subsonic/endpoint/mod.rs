//! The endpoints, a file for each category of the spec: parameters, one call of the database, types.

pub mod browsing;
pub mod lyrics;
pub mod scanning;
pub mod system;
