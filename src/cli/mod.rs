//! The command line: reads the arguments, runs one command, gives the exit code.

mod arguments;
mod backup;
mod check;
mod demo;
mod password;
mod progress;
mod shares;
mod usage;
mod users;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

pub use arguments::{Arguments, Command, ShareCommand, UserCommand};
pub use password::Password;
pub use progress::Progress;

use crate::app::App;
use crate::config::{self, Config, Flags, Reader};
use crate::error::{Error, Result};
use crate::keeping::{self, Prepared};
use crate::log;
use crate::reload::Reload;
use crate::scan::{self, Status, Summary};
use crate::serve::Server;

/// Exit code of a command line that was not understood.
const EXIT_USAGE: u8 = 2;

/// How often a scan is asked how far it is.
const SCAN_LOOK: Duration = Duration::from_millis(50);

/// Runs the command of the given arguments (without the program's name) to its end.
///
/// Exit codes: 0 for success, 1 for a failure, 2 for arguments that were not understood.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            complain(&error);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    dispatch(arguments).unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { command, flags } = arguments;
    match command {
        Command::Help(topic) => {
            print(usage::text(topic));
            Ok(ExitCode::SUCCESS)
        }
        Command::Version => {
            print(&format!("kinglet {}\n", crate::VERSION));
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo => demo::run(with_log(config::read_for_demo(&flags)?)?),
        Command::Check => Ok(check::run(&config::read(&flags)?)),
        Command::Serve => serve(flags),
        Command::Scan => scan(with_log(config::read(&flags)?)?),
        Command::Backup(to) => backup::make(&with_log(config::read(&flags)?)?, to.as_deref()),
        Command::Restore(from) => {
            backup::restore(&with_log(config::read(&flags)?)?, from.as_deref())
        }
        Command::User(command) => users::run(&open(with_log(config::read(&flags)?)?)?, command),
        Command::Share(command) => shares::run(&open(with_log(config::read(&flags)?)?)?, &command),
    }
}

/// Starts the log as the settings say.
fn with_log(config: Config) -> Result<Config> {
    log::start(config.log_level, config.log_format)?;
    Ok(config)
}

/// Serves until it is told to stop.
/// Opens the data folder for a command, which may run beside a server.
fn open(config: Config) -> Result<App> {
    keeping::prepare_command(&config)?;
    App::open(config)
}

fn serve(flags: Flags) -> Result<ExitCode> {
    let (config, settings) = Reader::read(flags)?;
    let log = log::start(config.log_level, config.log_format)?;
    // A name that was mistyped shows at the first start; later a disk may come after the server.
    if keeping::database(&config.data).exists() {
        for late in config.check_folders_again()? {
            tracing::warn!("{late} Its songs are there again when it is.");
        }
    } else {
        config.check_folders()?;
    }
    // Whoever closes the terminal means the end.
    let reload = (!io::stdin().is_terminal()).then_some(Reload { settings, log });
    let server = Server::bind(&config, reload)?;
    // Its lock is held until the end.
    let Prepared { server: _lock, left } = keeping::prepare(&config)?;
    server.run(App::open(config)?, left)?;
    Ok(ExitCode::SUCCESS)
}

/// Scans the music folders once; fails where one of them could not be used.
fn scan(config: Config) -> Result<ExitCode> {
    config.check_folders()?;
    let app = open(config)?;
    let mut progress = Progress::start();
    let summary = thread::scope(|scope| {
        let scan = scope.spawn(|| scan::run(&app.db, &app.config, &app.scanner));
        while !scan.is_finished() {
            let Status { walked, done, total, read, folder, .. } = app.scanner.status();
            progress.show(if total.is_some() { done } else { walked }, read, total, &folder);
            thread::sleep(SCAN_LOOK);
        }
        scan.join().unwrap_or_else(|_| {
            Err(Error::new("the scan broke down; this is a mistake in Kinglet"))
        })
    });
    drop(progress);
    let Summary { songs, new, changed, moved, gone, unreadable, problems, .. } = summary?;
    print(&format!("{songs} songs: {new} new, {changed} changed, {moved} moved, {gone} gone\n"));
    if unreadable > 0 {
        print(&format!("{unreadable} files could not be read; the log above names them\n"));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints to standard output. Where nobody reads any more (`kinglet help | head`), the rest is
/// not worth an error.
pub fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints a line to standard error, for people.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints an error to standard error.
fn complain(error: &Error) {
    let _ = writeln!(io::stderr(), "kinglet: {error}");
}
