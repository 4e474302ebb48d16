//! The `kinglet` program: arguments, a command, an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    kinglet::cli::run(std::env::args_os().skip(1))
}
