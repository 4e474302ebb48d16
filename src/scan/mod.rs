//! From the disk to the database: one scan at a time.

pub mod tags;
