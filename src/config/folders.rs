//! Whether the folders of a server are there and fit for their use.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;

use super::Config;

/// File systems that other machines serve, by the type numbers of `statfs(2)`.
const NETWORK_FILE_SYSTEMS: [(u32, &str); 8] = [
    (0x6969, "NFS"),
    (0xFF53_4D42, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0x517B, "SMB"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x7375_7245, "Coda"),
];

/// The name of the network file system a path lies on; `None` for a local one, and where it
/// cannot be told.
pub fn network_file_system(path: &Path) -> Option<&'static str> {
    // The kernel's word has another width and sign on each architecture; the numbers have 32 bits.
    let kind = statfs(path).ok()?.f_type.to_le_bytes();
    let kind = kind.first_chunk().copied().map(u32::from_le_bytes)?;
    NETWORK_FILE_SYSTEMS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// All that is wrong with the folders of a server on the disk; the data folder is made.
pub fn problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    if config.music.is_empty() {
        problems.push(
            "music: no music folder is named; name it by --music FOLDER, KINGLET_MUSIC, or \
             music = [\"/srv/music\"] in the settings file"
                .to_owned(),
        );
    }
    problems.extend(absent(config));
    problems.extend(beside_absent(config, problems.is_empty()));
    problems
}

/// Music folders that cannot be listed.
pub fn absent(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    for folder in &config.music {
        if let Err(error) = fs::read_dir(folder) {
            problems.push(format!(
                "music: `{}` cannot be listed ({error}); is its disk mounted, and may this user \
                 read it?",
                folder.display()
            ));
        }
    }
    problems
}

/// What else is wrong with the folders; the data folder is made. Links are followed where all are
/// there.
pub fn beside_absent(config: &Config, all_there: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if let Err(error) = make_private(&config.data) {
        problems.push(format!(
            "data: `{}` cannot be made ({error}); name a folder that this user may write to by --data",
            config.data.display()
        ));
    } else if let Some(system) = network_file_system(&config.data) {
        problems.push(on_network(&config.data, system));
    }
    if all_there && problems.is_empty() {
        // Links may hide that one folder lies inside another.
        let real = |folder: &PathBuf| fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
        let music: Vec<PathBuf> = config.music.iter().map(real).collect();
        problems.extend(overlaps(&music, &real(&config.data)));
    }
    problems
}

/// Makes a folder where it is not there, for its owner alone: there are secrets in it.
///
/// # Errors
/// It cannot be made.
pub fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Why the data folder cannot be where it is.
pub fn on_network(data: &Path, system: &str) -> String {
    format!(
        "data: `{}` lies on a network file system ({system}), where the database can be damaged; \
         name a folder on a disk of this machine by --data (music may stay on the network)",
        data.display()
    )
}

/// Why backups cannot be where they are: nothing is ever written below a music folder, and a disk
/// that sleeps is not woken for a backup.
pub fn backups_in_music(music: &[PathBuf], backups: &Path) -> Option<String> {
    let folder = music.iter().find(|folder| backups.starts_with(folder))?;
    Some(format!(
        "backup_folder: `{}` lies inside the music folder `{}`; name another folder",
        backups.display(),
        folder.display()
    ))
}

/// Which folders lie inside others and must not.
pub fn overlaps(music: &[PathBuf], data: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, folder) in music.iter().enumerate() {
        if data.starts_with(folder) {
            problems.push(format!(
                "data: `{}` lies inside the music folder `{}`; name another folder by --data",
                data.display(),
                folder.display()
            ));
        }
        for other in music.iter().skip(number + 1) {
            if folder == other {
                problems
                    .push(format!("music: `{}` is named twice; name it once", folder.display()));
            } else if folder.starts_with(other) || other.starts_with(folder) {
                let (inner, outer) =
                    if folder.starts_with(other) { (folder, other) } else { (other, folder) };
                problems.push(format!(
                    "music: `{}` lies inside `{}`; name only one of them",
                    inner.display(),
                    outer.display()
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn folders_side_by_side_are_fine() {
        let music = paths(&["/music", "/music2", "/srv/more"]);
        assert!(overlaps(&music, Path::new("/srv/data")).is_empty());
    }

    #[test]
    fn a_folder_inside_another_is_refused_whatever_the_order() {
        for music in [["/music", "/music/jazz"], ["/music/jazz", "/music"]] {
            let problems = overlaps(&paths(&music), Path::new("/data"));
            assert_eq!(
                problems,
                ["music: `/music/jazz` lies inside `/music`; name only one of them"]
            );
        }
        let twice = overlaps(&paths(&["/music", "/music"]), Path::new("/data"));
        assert_eq!(twice, ["music: `/music` is named twice; name it once"]);
        let data = overlaps(&paths(&["/music"]), Path::new("/music/.kinglet"));
        assert!(data.first().unwrap().starts_with("data: `/music/.kinglet` lies inside"));
    }

    #[test]
    fn links_do_not_hide_an_overlap() {
        let disk = tempfile::tempdir().unwrap();
        fs::create_dir_all(disk.path().join("music/jazz")).unwrap();
        symlink(disk.path().join("music/jazz"), disk.path().join("link")).unwrap();
        let mut config = Config::defaults(disk.path().join("data"));
        config.music = vec![disk.path().join("music"), disk.path().join("link")];
        assert!(problems(&config).first().unwrap().contains("lies inside"));
        config.music.pop();
        assert!(problems(&config).is_empty());
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let disk = tempfile::tempdir().unwrap();
        fs::write(disk.path().join("file"), "").unwrap();
        let mut config = Config::defaults(disk.path().join("file/data"));
        let empty = problems(&config);
        assert!(empty.first().unwrap().contains("--music FOLDER"));
        assert!(empty.get(1).unwrap().contains("--data"));
        config.music = vec![disk.path().join("gone"), disk.path().join("file")];
        assert_eq!(problems(&config).len(), 3);
    }

    #[test]
    fn a_local_disk_is_no_network_file_system() {
        let disk = tempfile::tempdir().unwrap();
        assert_eq!(network_file_system(disk.path()), None);
        assert_eq!(network_file_system(Path::new("/no/such/place")), None);
    }
}
