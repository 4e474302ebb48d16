//! One scan from its start to its end: music folders, walk, what is gone, what is to be read.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::read::{Failure, Outcome, Readers};
use super::survey::Survey;
use super::walk::{root_name, shown};
use super::write::{Job, Writer, Written};
use super::{Scanner, Summary};
use crate::config::Config;
use crate::db::scanned::folders::{self, Root};
use crate::db::scanned::songs::{self, Unreadable};
use crate::db::scanned::{artists, song_count, video_count};
use crate::db::{Db, display_name, settings};
use crate::error::Result;

/// Songs written in one transaction: while it runs, nothing else is written.
const BATCH: usize = 200;

/// A transaction begins at the latest after this time of reading.
const BATCH_TIME: Duration = Duration::from_secs(2);

/// Scans all music folders of the settings.
pub(super) fn scan(db: &Db, config: &Config, scanner: &Scanner, now: i64) -> Result<Summary> {
    let mut scan = Scan {
        db,
        scanner,
        now,
        writer: Writer::new(&config.ignored_articles, now),
        summary: Summary::default(),
        changed: false,
    };
    let roots = scan.music_folders(config)?;
    scan.sort_anew(config)?;
    let surveys = scan.survey(&roots)?;
    scan.remove(&surveys)?;
    scan.read(surveys)?;
    scan.finish(&roots)?;
    Ok(scan.summary)
}

struct Scan<'a> {
    db: &'a Db,
    scanner: &'a Scanner,
    now: i64,
    writer: Writer<'a>,
    summary: Summary,
    changed: bool,
}

impl Scan<'_> {
    /// Runs a writing function, and makes anew what it touched in the same transaction.
    fn write(
        &mut self,
        function: impl FnOnce(&mut Self, &rusqlite::Transaction) -> Result<()>,
    ) -> Result<()> {
        self.changed = true;
        let db = self.db;
        db.write_catalogue(|db| {
            function(self, db)?;
            self.writer.refresh(db)
        })
    }

    /// Brings the music folders in line with the settings; gives those that are configured.
    fn music_folders(&mut self, config: &Config) -> Result<Vec<Root>> {
        let known = self.db.read(folders::roots)?;
        let is_set =
            |path: &[u8]| config.music.iter().any(|set| set.as_os_str().as_bytes() == path);
        let new: Vec<&PathBuf> = config
            .music
            .iter()
            .filter(|set| known.iter().all(|root| root.path != set.as_os_str().as_bytes()))
            .collect();
        let away: Vec<&Root> =
            known.iter().filter(|root| root.configured && !is_set(&root.path)).collect();
        let back: Vec<&Root> =
            known.iter().filter(|root| !root.configured && is_set(&root.path)).collect();
        if let ([new], [old], []) = (new.as_slice(), away.as_slice(), back.as_slice()) {
            tracing::info!(
                "the music folder {} is now {}",
                shown(Path::new(OsStr::from_bytes(&old.path))),
                shown(new)
            );
            self.write(|_, db| {
                Ok(folders::move_root(db, old.id, new.as_os_str().as_bytes(), &root_name(new))?)
            })?;
        } else if !(new.is_empty() && away.is_empty() && back.is_empty()) {
            for root in &away {
                self.write(|_, db| Ok(folders::set_configured(db, root.id, false)?))?;
                let songs = self.db.read(|db| songs::in_root(db, root.id))?;
                self.remove_songs(&songs)?;
            }
            self.write(|_, db| {
                for root in &back {
                    folders::set_configured(db, root.id, true)?;
                }
                for path in &new {
                    folders::add_root(db, path.as_os_str().as_bytes(), &root_name(path))?;
                }
                Ok(())
            })?;
        }
        let roots = self.db.read(folders::roots)?;
        Ok(roots.into_iter().filter(|root| root.configured).collect())
    }

    /// Sorts artists anew where the articles that do not count were changed in the settings.
    fn sort_anew(&mut self, config: &Config) -> Result<()> {
        const NAME: &str = "ignored_articles";
        let articles = config.ignored_articles.join(" ");
        let was = self.db.read(|db| settings::get(db, NAME))?;
        if was.as_deref() == Some(articles.as_str()) {
            return Ok(());
        }
        self.write(|_, db| {
            for artist in artists::all(db)? {
                artists::rekey(db, artist, &config.ignored_articles)?;
            }
            Ok(settings::set(db, NAME, &articles)?)
        })
    }

    /// Walks through the music folders. One that cannot be used is told and left as it is.
    fn survey(&mut self, roots: &[Root]) -> Result<Vec<Survey>> {
        let paths: Vec<PathBuf> = roots
            .iter()
            .map(|root| PathBuf::from(OsStr::from_bytes(&root.path)))
            .map(|path| std::fs::canonicalize(&path).unwrap_or(path))
            .collect();
        let mut surveys = Vec::new();
        for root in roots {
            let scanner = self.scanner;
            let survey = Survey::of(self.db, root, &paths, &mut |folder, files| {
                scanner.update(|status| {
                    status.walked += files as u64;
                    status.folder = display_name(folder);
                });
                scanner.go_on()
            });
            match survey {
                Ok(survey) => surveys.push((root.id, survey)),
                Err(error) if self.scanner.go_on().is_err() => return Err(error),
                Err(error) => self.problem(&error.to_string()),
            }
        }
        let mut done = Vec::new();
        for (root, mut survey) in surveys {
            self.summary.files += survey.files;
            if survey.has_news() {
                let first = self.is_first(root)?;
                self.write(|scan, db| survey.write_folders(db, &mut scan.writer, first, scan.now))?;
            }
            done.push(survey);
        }
        Ok(done)
    }

    /// Takes out the songs whose files are gone.
    fn remove(&mut self, surveys: &[Survey]) -> Result<()> {
        for survey in surveys {
            self.remove_songs(&survey.gone)?;
        }
        Ok(())
    }

    fn remove_songs(&mut self, songs: &[i64]) -> Result<()> {
        for songs in songs.chunks(BATCH) {
            self.write(|scan, db| {
                for song in songs {
                    songs::set_missing(db, *song, scan.now, &mut scan.writer.touched)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads and writes what is new or changed.
    fn read(&mut self, surveys: Vec<Survey>) -> Result<()> {
        let mut jobs = VecDeque::new();
        for mut survey in surveys {
            let first = self.is_first(survey.root())?;
            jobs.extend(survey.jobs(self.db, first)?);
        }
        if jobs.is_empty() {
            return Ok(());
        }
        let mut left = jobs.len() as u64;
        let total = self.summary.files.max(left);
        self.scanner.update(|status| {
            status.total = Some(total);
            status.done = total - left;
        });
        self.writer.any_lost = self.db.read(songs::any_lost)?;
        let mut readers = Readers::start()?;
        let (mut batch, mut since) = (Vec::new(), Instant::now());
        loop {
            while readers.has_room()
                && let Some(job) = jobs.pop_front()
            {
                let path = job.spot.absolute.join(OsStr::from_bytes(&job.file.name));
                readers.give(path, job.file.sidecar != 0, job)?;
            }
            let scanner = self.scanner;
            let Some((job, outcome)) = readers.take(&|| scanner.go_on())? else { break };
            left = left.saturating_sub(1);
            self.scanner.update(|status| {
                status.read += 1;
                status.done = total.saturating_sub(left);
                if batch.is_empty() {
                    status.folder = job.spot.place.album_folder_name.clone();
                }
            });
            batch.push((job, outcome));
            if batch.len() >= BATCH || since.elapsed() >= BATCH_TIME || left == 0 {
                let put_off = self.write_batch(std::mem::take(&mut batch))?;
                left += put_off.len() as u64;
                jobs.extend(put_off);
                since = Instant::now();
            }
        }
        Ok(())
    }

    /// Writes files that were read; gives those to be read again at the end.
    fn write_batch(&mut self, batch: Vec<(Job, Outcome)>) -> Result<Vec<Job>> {
        let mut put_off = Vec::new();
        self.write(|scan, db| {
            for (mut job, outcome) in batch {
                let loaded = match outcome {
                    Ok(loaded) => loaded,
                    Err(failure) => {
                        scan.unreadable(db, &job, failure)?;
                        continue;
                    }
                };
                match scan.writer.song(db, &job, &loaded)? {
                    Written::New => scan.summary.new += 1,
                    Written::Changed => scan.summary.changed += 1,
                    Written::Moved => scan.summary.moved += 1,
                    Written::PutOff => {
                        job.last_chance = true;
                        put_off.push(job);
                    }
                }
            }
            Ok(())
        })?;
        Ok(put_off)
    }

    fn unreadable(
        &mut self,
        db: &rusqlite::Transaction,
        job: &Job,
        failure: Failure,
    ) -> Result<()> {
        self.summary.unreadable += 1;
        self.scanner.update(|status| status.unreadable += 1);
        match failure {
            Failure::Broken(reason) => {
                let reason = display_name(reason.as_bytes());
                tracing::warn!("left out: {reason}");
                let (file_name, size) = (job.file.name.clone(), job.file.size);
                let file = Unreadable { file_name, size, modified: job.file.modified };
                songs::set_unreadable(db, job.spot.folder, &file, &reason)?;
            }
            Failure::Passing(reason) => {
                let reason = display_name(reason.as_bytes());
                tracing::warn!("left out until the next scan: {reason}");
            }
        }
        Ok(())
    }

    /// Brings albums together again, and notes when the library changed.
    fn finish(&mut self, roots: &[Root]) -> Result<()> {
        if self.writer.has_left() {
            self.write(|scan, db| scan.writer.reunite_albums(db))?;
            self.write(|scan, db| scan.writer.reunite_artists(db))?;
        }
        for root in roots {
            if self.is_first(root.id)? && self.db.read(|db| folders::has_songs(db, root.id))? {
                let now = self.now.to_string();
                self.write(|_, db| Ok(settings::set(db, &scanned_name(root.id), &now)?))?;
            }
        }
        if self.changed {
            self.write(|scan, db| Ok(settings::set_library_changed(db, scan.now)?))?;
            let gone = self.db.read(|db| songs::gone_since(db, self.now))?;
            self.summary.gone = u64::try_from(gone).unwrap_or(0);
        }
        self.summary.songs = self.db.read(song_count)?;
        self.summary.videos = self.db.read(video_count)?;
        Ok(())
    }

    /// Whether a music folder was never scanned to the end: its songs are as old as their files
    /// then, else as old as the scan that finds them.
    fn is_first(&self, root: i64) -> Result<bool> {
        Ok(self.db.read(|db| settings::get(db, &scanned_name(root)))?.is_none())
    }

    fn problem(&mut self, problem: &str) {
        tracing::warn!("{problem}");
        self.summary.problems.push(problem.to_owned());
        self.scanner.update(|status| status.problems.push(problem.to_owned()));
    }
}

fn scanned_name(root: i64) -> String {
    format!("scanned_{root}")
}
