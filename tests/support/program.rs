//! The real program.

use std::env;
use std::process::Command;

/// A command that runs the program: the one that was built with the tests, or that of
/// `KINGLET_TEST_PROGRAM`, which may stand behind an emulator (`qemu-arm-static target/kinglet`).
pub fn program() -> Command {
    let named = env::var("KINGLET_TEST_PROGRAM").unwrap_or_default();
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(env!("CARGO_BIN_EXE_kinglet")));
    // It would be taken for a setting.
    command.args(words).env_remove("KINGLET_TEST_PROGRAM");
    command
}
