//! The `kinglet` program: arguments, a command, an exit code.

use std::process::ExitCode;

// For the static programs: large answers take half the time that musl's allocator needs.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kinglet::cli::run(std::env::args_os().skip(1))
}
