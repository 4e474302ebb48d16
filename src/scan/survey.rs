//! What a walk through a music folder found, against what is known of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Transaction;

use super::plan::{self, Plan};
use super::renamed::{self, Gone};
use super::walk::{self, File, Picture};
use super::write::{self, Job, Spot, Writer};
use crate::db::scanned::folders::{self, Known, Root};
use crate::db::scanned::songs;
use crate::db::{Db, display_name};
use crate::error::{Error, Result};

/// A folder that was walked through.
struct Walked {
    picture: Option<Picture>,
    modified: i64,
    read: Vec<(File, Option<i64>)>,
    forget: Vec<Vec<u8>>,
    has_files: bool,
    /// Whether it is a folder that was known by another path.
    renamed: bool,
}

/// What was found in one music folder, and what of it is news. Files that are as they were are
/// only counted: what is kept grows with the changes, not with the library.
pub struct Survey {
    root: i64,
    path: PathBuf,
    known: HashMap<Vec<u8>, Known>,
    walked: BTreeMap<Vec<u8>, Walked>,
    failed: Vec<Vec<u8>>,
    /// Songs whose files are gone.
    pub gone: Vec<i64>,
    /// Sound files and videos found.
    pub files: u64,
}

impl Survey {
    /// Walks through a music folder. `visit` is told each folder and the number of its files.
    ///
    /// # Errors
    /// The music folder cannot be listed, or is empty where it had songs: its disk is not mounted,
    /// and what is known of it must stay as it is.
    pub fn of(
        db: &Db,
        root: &Root,
        roots: &[PathBuf],
        visit: &mut dyn FnMut(&[u8], usize) -> Result<()>,
    ) -> Result<Survey> {
        let path = PathBuf::from(OsStr::from_bytes(&root.path));
        let known = db.read(|db| folders::known(db, root.id)).map_err(Error::from)?;
        let known = known.into_iter().map(|folder| (folder.path.clone(), folder)).collect();
        let (walked, failed, gone) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut survey = Survey { root: root.id, path, known, walked, failed, gone, files: 0 };
        let path = survey.path.clone();
        survey.failed = walk::walk(&path, roots, &mut |folder| {
            visit(&folder.path, folder.files.len())?;
            survey.folder(db, folder)
        })?;
        if survey.files == 0 && db.read(|db| folders::has_songs(db, root.id))? {
            return Err(Error::new(format!(
                "the music folder {} is empty but had songs; is its disk mounted? It is left as it \
                 was (to remove its songs, take it out of the settings)",
                walk::shown(&path)
            )));
        }
        survey.find_gone_folders(db)?;
        Ok(survey)
    }

    fn folder(&mut self, db: &Db, folder: walk::Folder) -> Result<()> {
        let has_files = !folder.files.is_empty();
        self.files += folder.files.len() as u64;
        let plan = match self.known.get(&folder.path) {
            Some(known) => {
                let (songs, unreadable) = db.read(|db| {
                    let songs = songs::in_folder(db, known.id)?;
                    Ok::<_, Error>((songs, songs::unreadable_in(db, known.id)?))
                })?;
                plan::plan(folder.files, &songs, &unreadable, folder.complete)
            }
            None => plan::plan(folder.files, &[], &[], folder.complete),
        };
        let Plan { read, gone, forget, same: _ } = plan;
        self.gone.extend(gone);
        let (picture, modified) = (folder.picture, folder.modified);
        let walked = Walked { picture, modified, read, forget, has_files, renamed: false };
        self.walked.insert(folder.path, walked);
        Ok(())
    }

    /// Whether nothing can be said of a folder, because one around it could not be listed.
    fn is_hidden(&self, path: &[u8]) -> bool {
        self.failed.iter().any(|failed| {
            path.strip_prefix(failed.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    }

    /// Finds folders that were not walked through: some were renamed, the songs of the others are
    /// gone.
    fn find_gone_folders(&mut self, db: &Db) -> Result<()> {
        let mut gone: Vec<Gone> = Vec::new();
        for known in self.known.values() {
            if !known.missing
                && !self.walked.contains_key(&known.path)
                && !self.is_hidden(&known.path)
            {
                gone.push((known.path.clone(), db.read(|db| songs::in_folder(db, known.id))?));
            }
        }
        gone.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let is_new = |path: &[u8]| !self.known.contains_key(path);
        let new = self.walked.iter().filter(|(path, _)| is_new(path)).map(|(path, folder)| {
            (path.as_slice(), folder.read.iter().map(|(file, _)| file).collect())
        });
        let pairs = renamed::find(&gone, new, &is_new);
        for (old, new) in pairs {
            let songs = gone.iter().position(|(path, _)| *path == old);
            let songs = songs.map(|place| gone.swap_remove(place).1).unwrap_or_default();
            if let Some(folder) = self.walked.get_mut(&new) {
                for (file, known) in &mut folder.read {
                    let song = songs.iter().find(|song| song.file_name == file.name);
                    *known = song.map(|song| song.id);
                }
                folder.renamed = true;
            }
            // Known at its new place by its old path: that tells `write_folders` to move it.
            if let Some(known) = self.known.remove(&old) {
                self.known.insert(new, known);
            }
        }
        let songs = gone.iter().flat_map(|(_, songs)| songs).filter(|song| !song.missing);
        let mut songs: Vec<i64> = songs.map(|song| song.id).collect();
        songs.sort_unstable();
        self.gone.extend(songs);
        Ok(())
    }

    /// The paths of folders that are to be shown: those with files and those around them.
    fn shown(&self) -> BTreeSet<Vec<u8>> {
        let mut shown = BTreeSet::from([Vec::new()]);
        let with_files = self.walked.iter().filter(|(_, folder)| folder.has_files);
        let hidden =
            self.known.values().filter(|known| !known.missing && self.is_hidden(&known.path));
        for path in with_files.map(|(path, _)| path).chain(hidden.map(|known| &known.path)) {
            let mut path = path.as_slice();
            while shown.insert(path.to_vec()) {
                match walk::parent(path) {
                    Some(parent) => path = parent,
                    None => break,
                }
            }
        }
        shown
    }

    /// The music folder's id.
    pub fn root(&self) -> i64 {
        self.root
    }

    /// Whether folders changed, so that `write_folders` has something to do.
    pub fn has_news(&self) -> bool {
        let shown = self.shown();
        let is_news = |path: &Vec<u8>| match self.known.get(path) {
            None => true,
            Some(known) => {
                let picture = self.walked.get(path).map(|folder| folder.picture.as_ref());
                let stamp = picture.map(|picture| picture.map(|picture| picture.stamp));
                known.missing
                    || known.path != *path
                    || stamp.is_some_and(|stamp| stamp != known.cover_stamp)
            }
        };
        shown.iter().any(is_news)
            || self.known.iter().any(|(path, known)| !known.missing && !shown.contains(path))
            || self.walked.values().any(|folder| !folder.forget.is_empty())
    }

    /// Writes the folders: new ones, those that are gone, back or renamed, and pictures.
    pub fn write_folders(
        &mut self,
        db: &Transaction,
        writer: &mut Writer,
        first: bool,
        now: i64,
    ) -> Result<()> {
        let shown = self.shown();
        for (path, known) in &mut self.known {
            if known.missing == shown.contains(path) {
                known.missing = !known.missing;
                folders::set_missing(db, known.id, known.missing.then_some(now))?;
            }
        }
        // Parents come before what is in them: their paths are shorter beginnings.
        for path in &shown {
            let known = match self.known.get(path) {
                Some(known) if known.path == *path => known.clone(),
                known => {
                    let known = known.cloned();
                    self.place_folder(db, path, known, first, now)?
                }
            };
            let walked = self.walked.get(path);
            let picture = walked.map(|folder| folder.picture.as_ref());
            if let Some(picture) = picture
                && picture.map(|picture| picture.stamp) != known.cover_stamp
            {
                let picture = picture.map(|picture| (picture.name.as_slice(), picture.stamp));
                folders::set_cover(db, known.id, picture)?;
                writer.touched.albums.extend(folders::albums_around(db, known.id)?);
            }
            for file in walked.map(|folder| folder.forget.as_slice()).unwrap_or_default() {
                songs::forget_unreadable(db, known.id, file)?;
            }
            self.known.insert(path.clone(), known);
        }
        Ok(())
    }

    /// Adds a folder, or moves one that is known by another path.
    fn place_folder(
        &self,
        db: &Transaction,
        path: &[u8],
        known: Option<Known>,
        first: bool,
        now: i64,
    ) -> Result<Known> {
        let parent = walk::parent(path).and_then(|parent| self.known.get(parent));
        let name = match path.is_empty() {
            true => walk::root_name(&self.path),
            false => display_name(walk::last_part(path)),
        };
        let modified = self.walked.get(path).map_or(now, |folder| folder.modified / 1_000_000);
        let (root, parent, name) = (self.root, parent.map(|parent| parent.id), name.as_str());
        let created = if first { modified.clamp(0, now) } else { now };
        let folder = folders::New { root, parent, path, name, created };
        match known {
            Some(known) => {
                folders::rename(db, known.id, &folder)?;
                Ok(Known { path: path.to_vec(), ..known })
            }
            None => {
                let id = folders::add(db, &folder)?;
                Ok(Known { id, path: path.to_vec(), missing: false, cover_stamp: None })
            }
        }
    }

    /// The files to read, in the order of their paths. Call it once the folders are written.
    pub fn jobs(&mut self, db: &Db, first: bool) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for (path, folder) in &mut self.walked {
            let (Some(known), false) = (self.known.get(path), folder.read.is_empty()) else {
                continue;
            };
            let place = db.read(|db| write::place(db, known.id))?;
            let absolute = match path.is_empty() {
                true => self.path.clone(),
                false => self.path.join(Path::new(OsStr::from_bytes(path))),
            };
            let renamed = folder.renamed;
            let spot = Arc::new(Spot { folder: known.id, absolute, place, first, renamed });
            jobs.extend(std::mem::take(&mut folder.read).into_iter().map(|(file, known)| Job {
                spot: spot.clone(),
                file,
                known,
                last_chance: false,
            }));
        }
        Ok(jobs)
    }
}
