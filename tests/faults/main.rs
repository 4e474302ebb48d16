//! Faults of the machine: kills, damage, full and read-only disks, wrong clocks. What takes long is
//! run by `cargo test --test faults -- --ignored --nocapture`, which prints its figures.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

#[path = "../disk/mod.rs"]
mod disk;
#[path = "../support/program.rs"]
mod program_file;

mod backups;
mod chance;
mod clocks;
mod damage;
mod disks;
mod idle;
mod kills;
mod late;
mod old;
mod program;
