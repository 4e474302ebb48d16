//! Music folders that are not there yet: told from afar when their disk comes, without waking it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often to look. A look asks the kernel for what it knows of the folder's name, and reads
/// nothing.
pub const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What is seen of a folder from outside: on which disk it lies, which folder it is, when an entry
/// came or went. Nothing where there is no such folder.
type Sight = Option<(u64, u64, i64, i64)>;

/// Folders that were absent or empty, and what was seen of them then.
#[derive(Debug, Default)]
pub struct Late {
    folders: Vec<(PathBuf, Sight)>,
}

impl Late {
    /// Those of these folders that are absent or empty now.
    pub fn of(folders: &[PathBuf]) -> Late {
        let is_late = |folder: &&PathBuf| {
            fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
        };
        let folders = folders.iter().filter(is_late);
        Late { folders: folders.map(|folder| (folder.clone(), sight(folder))).collect() }
    }

    /// Whether there are any.
    pub fn is_any(&self) -> bool {
        !self.folders.is_empty()
    }

    /// The first of them that looks otherwise than then.
    pub fn arrived(&self) -> Option<&Path> {
        let other = |(folder, then): &&(PathBuf, Sight)| sight(folder) != *then;
        self.folders.iter().find(other).map(|(folder, _)| folder.as_path())
    }
}

fn sight(folder: &Path) -> Sight {
    let seen = fs::metadata(folder).ok()?;
    Some((seen.dev(), seen.ino(), seen.mtime(), seen.mtime_nsec()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_comes_or_fills_is_seen() {
        let disk = tempfile::tempdir().unwrap();
        let [there, empty, gone] =
            ["there", "empty", "gone/music"].map(|name| disk.path().join(name));
        fs::create_dir_all(there.join("Album")).unwrap();
        fs::create_dir(&empty).unwrap();
        assert!(!Late::of(std::slice::from_ref(&there)).is_any());
        let late = Late::of(&[there, empty.clone(), gone.clone()]);
        assert!(late.is_any());
        assert_eq!(late.arrived(), None);
        fs::create_dir_all(&gone).unwrap();
        assert_eq!(late.arrived(), Some(gone.as_path()));
        let late = Late::of(std::slice::from_ref(&empty));
        fs::create_dir(empty.join("Album")).unwrap();
        assert_eq!(late.arrived(), Some(empty.as_path()));
    }
}
