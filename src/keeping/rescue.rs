//! A damaged database is moved aside, and made anew of what can be read of it and the newest backup.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::backup::{self, Made};
use super::lock::Alone;
use super::{beside, database, link, remove, report, restore};
use crate::clock::{day, now, stamp};
use crate::config::Config;
use crate::db::check::{self, Damage, Depth};
use crate::db::checksums::{self, Sum};
use crate::db::salvage::{self, Outcome};
use crate::db::trouble::Trouble;
use crate::db::{Db, copy, wal};
use crate::error::{Error, Result};

/// Where the database is gone, puts the newest good backup in its place; where there is none, this
/// is the first start.
pub fn from_backup(config: &Config) -> Result<()> {
    let Some(made) = backup::newest_good(&config.backup_folder) else { return Ok(()) };
    let _alone = Alone::take(&config.data)?;
    let file = database(&config.data);
    let new = restore::take_in(&made.path, &file)?;
    report::tell(
        config,
        &[
            format!("the database {} was gone", file.display()),
            format!("in its place is the backup {}, {}", made.path.display(), age(&made)),
            format!("to begin anew, move the folder {} away too", config.backup_folder.display()),
        ],
    )?;
    restore::put_in_place(&new, &file)
}

/// Makes a damaged database sound: takes its rows as they are where that is all, mends its head, or
/// moves it aside and makes a new one.
///
/// # Errors
/// Somebody else has it open, or there is no room for the new one.
pub fn from_damaged(config: &Config, damage: &Damage) -> Result<()> {
    let file = database(&config.data);
    if damage.is_of_rows_alone() {
        return Db::open(&file)?.alone(|writer| accept(config, writer, damage));
    }
    let _alone = Alone::take(&config.data)?;
    // SQLite may write to what it opens, so it is given copies.
    let work = Work::make(&file)?;
    if copy::mend_head(&work.damaged)
        .and_then(|()| check::examine(&work.damaged, Depth::All))
        .is_ok_and(|left| left.is_none())
    {
        copy::join_log(&work.damaged)?;
        let aside = Aside::keep(&file)?;
        restore::put_in_place(&work.damaged, &file)?;
        let kept = aside.stay();
        tracing::warn!(
            "the head of the database was damaged ({}); it could be mended, nothing is lost (the \
             file is kept as {})",
            damage.in_words(),
            kept.display()
        );
        return Ok(());
    }
    make_anew(config, &work, damage)
}

/// Takes rows as they are that are not as they were written, in a database that is sound otherwise:
/// somebody changed them by another program, or the disk did. It is told before it is done.
///
/// # Errors
/// The database or the report cannot be written.
pub fn accept(config: &Config, writer: &mut Connection, damage: &Damage) -> Result<()> {
    let transaction = writer.transaction()?;
    let orphans = salvage::accept(&transaction, &damage.altered)?;
    let mut lines = vec![
        format!("another program or the disk changed the database: {}", damage.in_words()),
        "it holds together, and is used as it is now".to_owned(),
    ];
    if orphans > 0 {
        lines.push(format!("{orphans} rows were left out, since what they belong to is gone"));
    }
    if damage.altered.iter().any(|altered| checksums::is_of_library(&altered.table)) {
        lines.push("the library was changed too: all music files are read again".to_owned());
    }
    lines.push(match backup::all(&config.backup_folder).first() {
        Some(path) => format!(
            "where nobody meant to change it, `kinglet restore` brings back an earlier state, like {}",
            path.display()
        ),
        None => "there is no backup to go back to".to_owned(),
    });
    report::tell(config, &lines)?;
    transaction.commit()?;
    Ok(())
}

/// Mends a write-ahead log that is damaged, so that the last changes cannot be read: takes all,
/// where no page of them is harmed that was not written again later, else what is before the damage.
///
/// # Errors
/// As for [`from_damaged`].
pub fn mend_log(config: &Config, log: &Path) -> Result<()> {
    let _alone = Alone::take(&config.data)?;
    let file = database(&config.data);
    let work = Work::make(&file)?;
    // SQLite reads a damaged log up to the damage, and forgets the rest.
    let earlier = copy_with_log(&file, &work.backup).and_then(|()| users_sums(&work.backup));
    let [work_log, _] = copy::beside(&work.damaged);
    let is_end = wal::mend(log, &work_log)
        .map_err(|cause| Error::caused(format!("cannot write {}", work_log.display()), cause))?;
    let is_sound = check::examine(&work.damaged, Depth::All).is_ok_and(|damage| damage.is_none());
    let all = users_sums(&work.damaged);
    if is_end && is_sound {
        tracing::warn!(
            "the log of the database was damaged; all of it could be read, nothing is lost"
        );
    } else if is_end && matches!((&earlier, &all), (Ok(earlier), Ok(all)) if earlier == all) {
        // As after a power cut during a scan, whose changes are not waited for.
        tracing::warn!("the last changes of a scan are lost; the next scan finds them again");
    } else {
        let kept = report::keep_log(config, log)?;
        let lines = [
            "the last changes before Kinglet stopped cannot be read: the log of the database breaks \
             off; all before them is there"
                .to_owned(),
            "the very last one may have been under way when the power went; others are lost"
                .to_owned(),
            format!("the log is kept as {}", kept.display()),
        ];
        if let Err(error) = report::tell(config, &lines) {
            let _ = remove(&kept);
            return Err(error);
        }
    }
    if is_sound {
        copy::join_log(&work.damaged)?;
        restore::put_in_place(&work.damaged, &file)
    } else {
        copy::join_log(&file)
    }
}

/// What the sums of the tables of users are, as they were written.
fn users_sums(file: &Path) -> Result<Vec<(String, Sum)>> {
    Ok(checksums::written_of_users(&Connection::open(file)?)?)
}

/// Where what cannot be read comes from.
struct Source {
    file: PathBuf,
    name: String,
}

fn newest_backup(config: &Config) -> Option<Source> {
    let made = backup::newest_good(&config.backup_folder)?;
    let name = format!("the backup {}, {}", made.path.display(), age(&made));
    Some(Source { file: made.path, name })
}

fn make_anew(config: &Config, work: &Work, damage: &Damage) -> Result<()> {
    tracing::error!("the database is damaged, making it anew: {}", damage.in_words());
    let file = database(&config.data);
    let aside = Aside::keep(&file)?;
    let source = newest_backup(config);
    let backup = source.as_ref().and_then(|source| ready_copy(source, &work.backup));
    let attempts = [
        (Some(work.damaged.as_path()), backup),
        (None, backup),
        (Some(work.damaged.as_path()), None),
        (None, None),
    ];
    let mut failure = None;
    for (damaged, backup) in attempts {
        remove(&work.new)?;
        match salvage::rebuild(&work.new, damaged, backup).and_then(|outcomes| {
            let left = check::examine(&work.new, Depth::All)?;
            match left.is_none() {
                true => Ok(outcomes),
                false => Err(Error::new(left.in_words())),
            }
        }) {
            Ok(outcomes) => {
                let source = source.as_ref().filter(|_| backup.is_some());
                let lines = told(damage, &aside.path, source, damaged.is_some(), &outcomes);
                // Told before it is done: told twice is better than never.
                report::tell(config, &lines)?;
                restore::put_in_place(&work.new, &file)?;
                aside.stay();
                return Ok(());
            }
            // Another way needs no less room.
            Err(error) if Trouble::behind(&error).is_some_and(Trouble::is_of_writing) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!("this way of making it anew failed: {error}");
                failure = Some(error);
            }
        }
    }
    Err(failure.unwrap_or_else(|| Error::new("the database could not be made anew")))
}

/// A damaged database kept under another name; forgotten where nothing takes its place, so that
/// one attempt after another leaves nothing behind.
struct Aside {
    path: PathBuf,
    stays: bool,
}

impl Aside {
    fn keep(file: &Path) -> Result<Aside> {
        let path = beside(file, &format!(".damaged-{}", stamp(now())));
        let aside = Aside { path, stays: false };
        aside.forget();
        link(file, &aside.path)?;
        let ([log, _], [aside_log, _]) = (copy::beside(file), copy::beside(&aside.path));
        if log.exists() {
            link(&log, &aside_log)?;
        }
        Ok(aside)
    }

    /// Something has taken its place; gives where it is kept.
    fn stay(mut self) -> PathBuf {
        self.stays = true;
        self.path.clone()
    }

    fn forget(&self) {
        for file in copy::beside(&self.path).iter().chain([&self.path]) {
            let _ = remove(file);
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.stays {
            self.forget();
        }
    }
}

/// A copy of a source that can be worked with; `None` where it is of no use.
fn ready_copy<'a>(source: &Source, to: &'a Path) -> Option<&'a Path> {
    let ready = || {
        fs::copy(&source.file, to)
            .map_err(|cause| Error::caused(format!("cannot write {}", to.display()), cause))?;
        copy::make_ready(to)
    };
    match ready() {
        Ok(()) => Some(to),
        Err(error) => {
            tracing::warn!("the backup is left out: {error}");
            None
        }
    }
}

/// Files that are needed for a while.
struct Work {
    damaged: PathBuf,
    backup: PathBuf,
    new: PathBuf,
}

impl Work {
    fn make(file: &Path) -> Result<Work> {
        let work = Work {
            damaged: beside(file, ".work"),
            backup: beside(file, ".work-backup"),
            new: beside(file, ".new"),
        };
        work.clear();
        copy_with_log(file, &work.damaged)?;
        Ok(work)
    }

    fn clear(&self) {
        for file in [&self.damaged, &self.backup, &self.new] {
            for file in copy::beside(file).iter().chain([file]) {
                if let Err(error) = remove(file) {
                    tracing::warn!("{error}");
                }
            }
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.clear();
    }
}

fn copy_with_log(file: &Path, to: &Path) -> Result<()> {
    let ([log, _], [log_to, _]) = (copy::beside(file), copy::beside(to));
    for (from, to) in [(file, to), (&log, &log_to)] {
        if from.exists() {
            fs::copy(from, to)
                .map_err(|cause| Error::caused(format!("cannot write {}", to.display()), cause))?;
        }
    }
    Ok(())
}

fn age(made: &Made) -> String {
    format!("made on {} with {}", day(made.contents.created), made.contents.in_words())
}

/// What is told of a rescue.
fn told(
    damage: &Damage,
    aside: &Path,
    source: Option<&Source>,
    read: bool,
    outcomes: &[Outcome],
) -> Vec<String> {
    let mut lines = vec![
        format!("the database was damaged: {}", damage.in_words()),
        format!("it is kept as {} and a new one is in its place", aside.display()),
    ];
    match (source, read) {
        (Some(Source { name, .. }), false) => lines.push(format!(
            "nothing could be read of it: everything is as in {name}; what was changed since is lost"
        )),
        (Some(Source { name, .. }), true) => {
            lines.push(format!("what could not be read came from {name}"));
        }
        (None, true) => {
            lines.push("there is no backup to fill in what could not be read".to_owned())
        }
        (None, false) => lines.push(
            "nothing could be read of it, and there is no backup: users, playlists, stars and \
             shares are lost; the library is scanned anew"
                .to_owned(),
        ),
    }
    let (library, users): (Vec<_>, Vec<_>) =
        outcomes.iter().partition(|outcome| checksums::is_of_library(&outcome.table));
    let harmed: Vec<_> = users.into_iter().filter(|outcome| !outcome.whole).collect();
    if harmed.is_empty() {
        lines.push("all that users made is as it was".to_owned());
    }
    lines.extend(harmed.into_iter().map(fate));
    if library.iter().any(|outcome| !outcome.whole) {
        lines.push("the library was harmed too: all music files are read again".to_owned());
    }
    lines
}

/// What became of a table that users made.
fn fate(outcome: &Outcome) -> String {
    let Outcome { table, had, read, filled, orphans, .. } = outcome;
    let mut text = match had {
        Some(had) if had == read && *orphans == 0 => {
            format!(
                "{table}: all {had} rows are there, at least one of them is not as it was written"
            )
        }
        Some(had) => format!("{table}: {read} of {had} rows could be read"),
        None => format!("{table}: {read} rows could be read, how many there were is unknown"),
    };
    if *filled > 0 {
        text.push_str(&format!(
            ", {filled} came from there (what was removed since may be there again)"
        ));
    }
    if *orphans > 0 {
        text.push_str(&format!(", {orphans} were left out because what they belong to is lost"));
    }
    text
}
