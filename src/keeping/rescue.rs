//! A damaged database is moved aside, and made anew of what can be read of it and the newest backup.

use std::fs;
use std::path::{Path, PathBuf};

use super::backup::{self, Made};
use super::lock::Alone;
use super::{beside, database, link, remove, report, restore};
use crate::clock::{day, now, stamp};
use crate::config::Config;
use crate::db::check::{self, Damage};
use crate::db::salvage::{self, Outcome};
use crate::db::{checksums, copy, wal};
use crate::error::{Error, Result};

/// Where the database is gone, puts the newest good backup in its place; where there is none, this
/// is the first start.
pub fn from_backup(config: &Config) -> Result<()> {
    let Some(made) = backup::newest_good(&config.backup_folder) else { return Ok(()) };
    let _alone = Alone::take(&config.data)?;
    let file = database(&config.data);
    let new = restore::take_in(&made.path, &file)?;
    restore::put_in_place(&new, &file)?;
    report::tell(
        config,
        &[
            format!("the database {} was gone", file.display()),
            format!("in its place is the backup {}, {}", made.path.display(), age(&made)),
            format!("to begin anew, move the folder {} away too", config.backup_folder.display()),
        ],
    )?;
    Ok(())
}

/// Moves a damaged database aside and makes a new one.
///
/// # Errors
/// Somebody else has it open, or there is no room for the new one.
pub fn from_damaged(config: &Config, damage: &Damage) -> Result<()> {
    let _alone = Alone::take(&config.data)?;
    // SQLite may write to what it opens, so it is given copies.
    let file = database(&config.data);
    let work = Work::make(&file)?;
    if copy::mend_head(&work.damaged)
        .and_then(|()| check::examine(&work.damaged))
        .is_ok_and(|left| left.is_none())
    {
        copy::join_log(&work.damaged)?;
        let aside = beside(&file, &format!(".damaged-{}", stamp(now())));
        link(&file, &aside)?;
        restore::put_in_place(&work.damaged, &file)?;
        tracing::warn!(
            "the head of the database was damaged ({}); it could be mended, nothing is lost (the \
             file is kept as {})",
            damage.in_words(),
            aside.display()
        );
        return Ok(());
    }
    make_anew(config, &work, damage, newest_backup(config))
}

/// Looks what can be had of a database whose write-ahead log is damaged, so that these last changes
/// cannot be read: all, where no page of them is harmed that was not written again later.
///
/// # Errors
/// As for [`from_damaged`].
pub fn from_log(config: &Config, log: &Path, lost: u64) -> Result<()> {
    let _alone = Alone::take(&config.data)?;
    let kept = report::keep_log(config, log)?;
    let file = database(&config.data);
    let work = Work::make(&file)?;
    let [work_log, _] = copy::beside(&work.damaged);
    let mended = wal::mend(log, &work_log, copy::page_size(&file))
        .map_err(|cause| Error::caused(format!("cannot write {}", work_log.display()), cause));
    let damage = match mended.and_then(|()| check::examine(&work.damaged)) {
        Ok(damage) if damage.is_none() => {
            copy::join_log(&work.damaged)?;
            restore::put_in_place(&work.damaged, &file)?;
            tracing::warn!(
                "the log of the database was damaged; all of it could be read, nothing is lost \
                 (it is kept as {})",
                kept.display()
            );
            return Ok(());
        }
        Ok(damage) => damage,
        Err(error) => Damage { structure: vec![error.to_string()], altered: Vec::new() },
    };
    // Without what cannot be read it is whole, as of some changes earlier, unless it is harmed too.
    let earlier = check::examine(&file)?;
    if lost > 1 || !earlier.is_none() {
        let earlier = earlier.is_none().then(|| Source {
            file: file.clone(),
            name: "the state of the database some changes earlier".to_owned(),
        });
        return make_anew(config, &work, &damage, earlier.or_else(|| newest_backup(config)));
    }
    let line = format!(
        "the last change before Kinglet stopped cannot be read; it was being written then, or it is \
         damaged and lost; it lies in {}",
        kept.display()
    );
    report::tell(config, &[line])?;
    Ok(())
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

fn make_anew(config: &Config, work: &Work, damage: &Damage, source: Option<Source>) -> Result<()> {
    tracing::error!("the database is damaged, making it anew: {}", damage.in_words());
    let file = database(&config.data);
    let aside = beside(&file, &format!(".damaged-{}", stamp(now())));
    remove(&aside)?;
    link(&file, &aside)?;
    let ([log, _], [aside_log, _]) = (copy::beside(&file), copy::beside(&aside));
    remove(&aside_log)?;
    if log.exists() {
        link(&log, &aside_log)?;
    }
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
            let left = check::examine(&work.new)?;
            match left.is_none() {
                true => Ok(outcomes),
                false => Err(Error::new(left.in_words())),
            }
        }) {
            Ok(outcomes) => {
                restore::put_in_place(&work.new, &file)?;
                let source = source.as_ref().filter(|_| backup.is_some());
                let lines = told(damage, &aside, source, damaged.is_some(), &outcomes);
                report::tell(config, &lines)?;
                return Ok(());
            }
            Err(error) => {
                tracing::warn!("this way of making it anew failed: {error}");
                failure = Some(error);
            }
        }
    }
    Err(failure.unwrap_or_else(|| Error::new("the database could not be made anew")))
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
        let ([log, _], [work_log, _]) = (copy::beside(file), copy::beside(&work.damaged));
        for (from, to) in [(file, &work.damaged), (&log, &work_log)] {
            if from.exists() {
                fs::copy(from, to).map_err(|cause| {
                    Error::caused(format!("cannot write {}", to.display()), cause)
                })?;
            }
        }
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
