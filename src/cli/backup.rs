//! `kinglet backup` and `kinglet restore`: what users made into one file, and back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{note, print};
use crate::clock::day;
use crate::config::Config;
use crate::db::copy;
use crate::error::{Error, Result};
use crate::keeping::{backup, database, prepare_command, restore};

/// The word that stands for the newest backup.
pub const NEWEST: &str = "newest";

/// Makes a backup, beside a running server too.
pub fn make(config: &Config, to: Option<&Path>) -> Result<ExitCode> {
    if !database(&config.data).exists() {
        return Err(Error::new(format!(
            "there is no database in {} to be backed up; name another folder by --data",
            config.data.display()
        )));
    }
    prepare_command(config)?;
    let made = backup::make(config, to)?;
    print(&format!("{}\n", made.path.display()));
    note(&format!("It holds {}, and was read back.", made.contents.in_words()));
    note(match made.contents.key {
        Some(_) => "The key of the passwords is in it too: whoever has it can read them.",
        None => "The key of the passwords lies elsewhere: keep that as well.",
    });
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup in the place of the database.
pub fn restore(config: &Config, which: Option<&Path>) -> Result<ExitCode> {
    let backup: PathBuf = match which {
        None => return Err(Error::new(choice(config))),
        Some(name) if name == Path::new(NEWEST) => {
            let newest = backup::newest_good(&config.backup_folder);
            newest
                .ok_or_else(|| {
                    Error::new(format!("there is no backup in {}", config.backup_folder.display()))
                })?
                .path
        }
        Some(path) => path.to_owned(),
    };
    let done = restore::run(config, &backup)?;
    let contents = &done.contents;
    print(&format!(
        "Restored {} of {}: {}.\n",
        backup.display(),
        day(contents.created),
        contents.in_words()
    ));
    if let Some(replaced) = &done.replaced {
        print(&format!("The database that was there is kept as {}.\n", replaced.display()));
    }
    match (&contents.key, done.key) {
        (_, true) => print("The key of the passwords came with it; the one before is kept.\n"),
        (Some(_), false) => {}
        (None, _) => print(
            "The key of the passwords was not in it: passwords work if the key is still the same.\n",
        ),
    }
    print("The next scan brings the library up to date.\n");
    Ok(ExitCode::SUCCESS)
}

/// What there is to be restored.
fn choice(config: &Config) -> String {
    let folder = config.backup_folder.display();
    let backups = backup::all(&config.backup_folder);
    if backups.is_empty() {
        return format!("name the backup, like `kinglet restore FILE`; there is none in {folder}");
    }
    let mut text =
        format!("name the backup, like `kinglet restore {NEWEST}`; in {folder} there are");
    for path in backups {
        let made = copy::glance(&path).map_or("it cannot be read".to_owned(), |(created, sums)| {
            let users = sums.iter().find(|(table, _)| table == "user");
            let users = users.map_or(0, |(_, sum)| sum.rows);
            format!("made on {}, {users} users", day(created))
        });
        text.push_str(&format!("\n  {}  {made}", path.display()));
    }
    text
}
