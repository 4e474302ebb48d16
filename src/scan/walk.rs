//! Walks a music folder: what lies in each folder, nothing of it opened.
//!
//! Left out: names that begin with a dot, folders a NAS or a player keeps for itself, folders that
//! hold a file `.nomedia` or `.ndignore` with all below them, and what is no regular file. Links
//! are followed; one that leads to a folder inside a music folder is not, as that is found anyway,
//! and no folder is entered twice through links.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::beside::Beside;
use super::stamp;
use crate::db::display_name;
use crate::error::{Error, Result};
use crate::media::kind;

/// Folders inside folders that are entered; deeper ones belong to no music library.
const MOST_DEEP: usize = 128;

/// Folders that belong to a NAS, a file system or a program that keeps copies.
const RUBBISH: [&[u8]; 8] = [
    b"@eaDir",
    b"#recycle",
    b"#snapshot",
    b"$RECYCLE.BIN",
    b"System Volume Information",
    b"lost+found",
    b"@Recycle",
    b"@Recently-Snapshot",
];

/// Files that say that a folder holds nothing for a music player.
const KEEP_OUT: [&[u8]; 2] = [b".nomedia", b".ndignore"];

/// Names (without suffix) of pictures that show a folder, the best first.
const COVER_NAMES: [&[u8]; 5] = [b"cover", b"folder", b"front", b"album", b"albumart"];

/// Suffixes of pictures, the best first.
pub(super) const COVER_SUFFIXES: [&[u8]; 5] = [b"jpg", b"jpeg", b"png", b"webp", b"gif"];

/// A sound file or a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// When it was changed, ns since 1970.
    pub modified: i64,
    /// Stamp of the files that belong to it: words, and captions and a picture of a video; 0 where
    /// there is none.
    pub sidecar: i64,
    /// The names of the files with captions beside a video.
    pub captions: Vec<Vec<u8>>,
    /// The picture beside a video.
    pub poster: Option<Picture>,
}

/// Looks at a file of a folder by its name.
pub(super) type Stat<'a> = dyn Fn(&[u8]) -> io::Result<Metadata> + 'a;

/// A picture file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its name.
    pub name: Vec<u8>,
    /// A stamp of its name, length and time of change.
    pub stamp: i64,
}

/// A folder and what lies in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Path below the music folder, empty for the music folder itself.
    pub path: Vec<u8>,
    /// When it was changed, ns since 1970.
    pub modified: i64,
    /// The sound files and videos, in the order of their names' bytes.
    pub files: Vec<File>,
    /// The picture that shows it.
    pub picture: Option<Picture>,
    /// Whether everything in it could be seen. What is known of a folder where that is not so
    /// stays as it is.
    pub complete: bool,
}

/// Visits every folder of a music folder, each before those in it, in the order of their names.
///
/// `roots` are all music folders without links in their paths. Gives the folders that could not
/// be listed: nothing can be said of what is below them.
///
/// # Errors
/// The music folder itself cannot be listed, or `visit` failed.
pub fn walk(
    root: &Path,
    roots: &[PathBuf],
    visit: &mut dyn FnMut(Folder) -> Result<()>,
) -> Result<Vec<Vec<u8>>> {
    let listing = fs::metadata(root).and_then(|metadata| Ok((metadata, list(root)?)));
    let (metadata, entries) = listing.map_err(|cause| {
        Error::caused(format!("the music folder {} cannot be listed", root.display()), cause)
    })?;
    let mut walk =
        Walk { roots, visit, above: Vec::new(), linked: HashSet::new(), failed: Vec::new() };
    walk.folder(root, Vec::new(), &metadata, entries)?;
    Ok(walk.failed)
}

struct Walk<'a> {
    roots: &'a [PathBuf],
    visit: &'a mut dyn FnMut(Folder) -> Result<()>,
    /// Device and number of the folders around the current one and of itself.
    above: Vec<(u64, u64)>,
    /// Device and number of the folders entered through links.
    linked: HashSet<(u64, u64)>,
    failed: Vec<Vec<u8>>,
}

/// An entry of a folder: its name, and its kind as the listing tells it.
struct Entry {
    name: Vec<u8>,
    is_folder: bool,
    is_link: bool,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        absolute: &Path,
        path: Vec<u8>,
        metadata: &Metadata,
        entries: Vec<Entry>,
    ) -> Result<()> {
        if entries.iter().any(|entry| KEEP_OUT.contains(&entry.name.as_slice())) {
            return Ok(());
        }
        self.above.push((metadata.dev(), metadata.ino()));
        let (folder, below) = look(absolute, &path, metadata, entries);
        (self.visit)(folder)?;
        for (name, is_link) in below {
            self.enter(&absolute.join(OsStr::from_bytes(&name)), join(&path, &name), is_link)?;
        }
        self.above.pop();
        Ok(())
    }

    fn enter(&mut self, absolute: &Path, path: Vec<u8>, is_link: bool) -> Result<()> {
        if self.above.len() >= MOST_DEEP {
            tracing::warn!("{} is too deep to be scanned", shown(absolute));
            return Ok(());
        }
        let listing = fs::metadata(absolute).and_then(|metadata| {
            let at = (metadata.dev(), metadata.ino());
            if is_link && !self.may_follow(absolute, at)? {
                return Ok(None);
            }
            Ok(Some((list(absolute)?, metadata)))
        });
        match listing {
            Ok(Some((entries, metadata))) => self.folder(absolute, path, &metadata, entries),
            Ok(None) => Ok(()),
            // It went away since the folder around it was listed.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => {
                tracing::warn!(
                    "the folder {} cannot be listed, what is known of it stays as it is: {cause}",
                    shown(absolute)
                );
                self.failed.push(path);
                Ok(())
            }
        }
    }

    fn may_follow(&mut self, link: &Path, at: (u64, u64)) -> io::Result<bool> {
        let target = fs::canonicalize(link)?;
        let may =
            !self.roots.iter().any(|root| target.starts_with(root) || root.starts_with(&target))
                && !self.above.contains(&at)
                && self.linked.insert(at);
        if !may {
            tracing::debug!("the link {} leads to what is found without it", shown(link));
        }
        Ok(may)
    }
}

/// The entries of a folder by name.
fn list(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name().as_bytes().to_vec();
            Ok(Entry { name, is_folder: kind.is_dir(), is_link: kind.is_symlink() })
        })
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// Sorts out what lies in a folder; the folders in it come by name, and whether they are links.
fn look(
    absolute: &Path,
    path: &[u8],
    metadata: &Metadata,
    entries: Vec<Entry>,
) -> (Folder, Vec<(Vec<u8>, bool)>) {
    let mut folder = Folder {
        path: path.to_vec(),
        modified: modified(metadata),
        files: Vec::new(),
        picture: None,
        complete: true,
    };
    let (mut below, mut pictures) = (Vec::new(), Vec::new());
    let beside = Beside::of(entries.iter().map(|entry| entry.name.as_slice()));
    let stat = |name: &[u8]| fs::metadata(absolute.join(OsStr::from_bytes(name)));
    for Entry { name, is_folder, is_link } in &entries {
        if name.starts_with(b".") || RUBBISH.contains(&name.as_slice()) {
            continue;
        }
        if *is_folder {
            below.push((name.clone(), false));
            continue;
        }
        let is_sound = kind::of_name(name).is_some();
        let rank = cover_rank(name, last_part(path));
        if let (Some(rank), false) = (rank, is_sound) {
            pictures.push((rank, name));
        }
        if !is_sound && !*is_link {
            continue;
        }
        match stat(name) {
            Ok(target) if target.is_dir() => below.push((name.clone(), true)),
            Ok(target) if target.is_file() && is_sound => {
                let mut file = File {
                    name: name.clone(),
                    size: i64::try_from(target.len()).unwrap_or(i64::MAX),
                    modified: modified(&target),
                    ..File::default()
                };
                beside.add_to(&mut file, &stat);
                folder.files.push(file);
            }
            Ok(_) => {}
            // A link that leads nowhere or round in a circle, or a file that went away just now.
            Err(cause)
                if cause.kind() == io::ErrorKind::NotFound
                    || cause.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {}
            Err(cause) => {
                let file = absolute.join(OsStr::from_bytes(name));
                tracing::warn!("{} cannot be looked at: {cause}", shown(&file));
                folder.complete = false;
            }
        }
    }
    pictures.sort();
    folder.picture = pictures.into_iter().find_map(|(_, name)| picture(name, &stat));
    (folder, below)
}

/// A picture, where there is a file of this name with something in it.
pub(super) fn picture(name: &[u8], stat: &Stat) -> Option<Picture> {
    let found = stat(name).ok().filter(|found| found.is_file() && found.len() > 0)?;
    let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
    Some(Picture { name: name.to_vec(), stamp: stamp::of_file(name, size, modified(&found)) })
}

/// How well a picture shows a folder by its name, the lowest best; `None` for other files.
fn cover_rank(name: &[u8], folder: &[u8]) -> Option<(usize, usize)> {
    let mut suffixes = (0..).zip(COVER_SUFFIXES);
    let (suffix, stem) =
        suffixes.find_map(|(at, suffix)| Some((at, without_suffix(name, suffix)?)))?;
    let rank = COVER_NAMES.iter().position(|known| stem.eq_ignore_ascii_case(known));
    let begins = |front: &[u8]| {
        stem.get(..front.len()).is_some_and(|start| start.eq_ignore_ascii_case(front))
    };
    let rank = rank.or_else(|| begins(b"albumart").then_some(COVER_NAMES.len())).or_else(|| {
        (!folder.is_empty() && stem.eq_ignore_ascii_case(folder)).then_some(COVER_NAMES.len() + 1)
    })?;
    Some((rank, suffix))
}

/// A name without its suffix, where that is this one, in capitals or not.
pub(super) fn without_suffix<'a>(name: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let (rest, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
    rest.strip_suffix(b".").filter(|_| end.eq_ignore_ascii_case(suffix))
}

/// When a file was changed, ns since 1970.
pub(super) fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

/// The last part of a path.
pub fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// What a music folder is called: the last part of its path.
pub fn root_name(path: &Path) -> String {
    display_name(path.file_name().map_or(&b"/"[..], OsStr::as_bytes))
}

/// The path of the folder around a path; `None` for the music folder itself.
pub fn parent(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => path.get(..slash),
        None if path.is_empty() => None,
        None => Some(b""),
    }
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    match path.is_empty() {
        true => name.to_vec(),
        false => [path, b"/", name].concat(),
    }
}

/// A path for the log: control characters and what is no UTF-8 are escaped.
pub fn shown(path: &Path) -> String {
    let text = path.as_os_str().as_bytes().utf8_chunks().fold(String::new(), |text, chunk| {
        let invalid = chunk.invalid().escape_ascii();
        format!("{text}{}{invalid}", chunk.valid())
    });
    text.chars()
        .flat_map(|letter| match letter.is_control() {
            true => letter.escape_default().collect::<Vec<_>>(),
            false => vec![letter],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_picture_of_a_folder_is_told_by_its_name() {
        let mut names: Vec<&[u8]> = vec![
            b"AlbumArtSmall.jpg",
            b"My Album.png",
            b"back.jpg",
            b"COVER.PNG",
            b"Folder.jpeg",
            b"cover.jpg",
            b"cover.txt",
            b"front.webp",
        ];
        names.retain(|name| cover_rank(name, b"my album").is_some());
        names.sort_by_key(|name| cover_rank(name, b"my album"));
        let order: [&[u8]; 6] = [
            b"cover.jpg",
            b"COVER.PNG",
            b"Folder.jpeg",
            b"front.webp",
            b"AlbumArtSmall.jpg",
            b"My Album.png",
        ];
        assert_eq!(names, order);
    }

    #[test]
    fn a_walk_goes_by_name_and_tells_what_is_new_of_a_picture() {
        let disk = tempfile::tempdir().unwrap();
        for folder in ["b", "a/x", "c/.hidden", "empty"] {
            fs::create_dir_all(disk.path().join(folder)).unwrap();
        }
        for file in ["b/2.mp3", "b/1.ogg", "b/1.lrc", "b/cover.gif", "a/x/3.mp3", "c/.hidden/4.mp3"]
        {
            fs::write(disk.path().join(file), "x").unwrap();
        }
        fs::write(disk.path().join("b/folder.jpg"), "").unwrap();
        let mut seen = Vec::new();
        let failed = walk(disk.path(), &[], &mut |folder| {
            seen.push(folder);
            Ok(())
        });
        assert_eq!(failed.unwrap(), Vec::<Vec<u8>>::new());
        let paths: Vec<_> = seen.iter().map(|folder| folder.path.as_slice()).collect();
        assert_eq!(paths, [&b""[..], b"a", b"a/x", b"b", b"c", b"empty"]);
        let b = seen.iter().find(|folder| folder.path == b"b").unwrap();
        let files: Vec<_> =
            b.files.iter().map(|file| (file.name.as_slice(), file.sidecar != 0)).collect();
        assert_eq!(files, [(&b"1.ogg"[..], true), (b"2.mp3", false)]);
        assert_eq!(b.picture.as_ref().unwrap().name, b"cover.gif");
        let failed = walk(&disk.path().join("none"), &[], &mut |_| Ok(()));
        assert!(failed.unwrap_err().to_string().contains("none cannot be listed"));
    }

    #[test]
    fn the_log_shows_no_control_characters() {
        let path = Path::new(OsStr::from_bytes(b"a\n\x1b[31m\xff\xc3\xa9"));
        assert_eq!(shown(path), "a\\n\\u{1b}[31m\\xff\u{e9}");
    }

    proptest! {
        #[test]
        fn paths_part_as_they_were_joined(parts in proptest::collection::vec("[^/]{1,5}", 1..5)) {
            let path = parts.iter().fold(Vec::new(), |path, part| join(&path, part.as_bytes()));
            prop_assert_eq!(last_part(&path), parts[parts.len() - 1].as_bytes());
            let above = parts[..parts.len() - 1].join("/");
            prop_assert_eq!(parent(&path), Some(above.as_bytes()));
        }
    }
}
