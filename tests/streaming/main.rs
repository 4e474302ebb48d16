//! Files sent over real connections: ranges, files that change or fail meanwhile, peers that stall.

// Ranges come in lists, and often there is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::single_range_in_vec_init)]

mod caps;
mod changes;
mod client;
mod disks;
mod random;
mod ranges;
mod server;
mod storm;
mod vectored;
mod windows;

use kinglet::media::send::Mode;

/// Both ways in which bytes can leave.
const MODES: [Mode; 2] = [Mode::Mapped, Mode::Read];
/// Length of the files that change while they are sent.
const LEN: usize = 3_000_000;
/// Long enough for a response to be under way while nobody reads it.
const LONG: usize = 4 << 20;
