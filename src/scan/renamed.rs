//! Recognises folders that were renamed or moved, by the files in them.

use std::collections::{HashMap, HashSet};

use super::walk::{self, File};
use crate::db::scanned::songs::Known;

/// A folder that is gone: its path, and the songs that were in it.
pub type Gone = (Vec<u8>, Vec<Known>);

/// Pairs of old and new paths.
///
/// A new folder is one that is gone if all songs of the latter lie in it with the same names,
/// lengths and times; the folders around the two are paired as far as one is gone and the other
/// new. `is_new` tells whether nothing is known of a path. No folder is in two pairs.
pub fn find<'a>(
    gone: &[Gone],
    new: impl Iterator<Item = (&'a [u8], Vec<&'a File>)>,
    is_new: &dyn Fn(&[u8]) -> bool,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut holders: HashMap<(&[u8], i64, i64), usize> = HashMap::new();
    for (place, (_, songs)) in gone.iter().enumerate() {
        for song in songs.iter().filter(|song| !song.missing) {
            holders.insert((&song.file_name, song.size, song.modified), place);
        }
    }
    let gone_paths: HashSet<&[u8]> = gone.iter().map(|(path, _)| path.as_slice()).collect();
    let (mut pairs, mut used, mut taken) = (Vec::new(), HashSet::new(), HashSet::new());
    for (path, files) in new {
        let keys: HashSet<_> =
            files.iter().map(|file| (file.name.as_slice(), file.size, file.modified)).collect();
        let found = keys.iter().find_map(|key| holders.get(key)).and_then(|place| gone.get(*place));
        let Some((old, songs)) = found else { continue };
        let is_whole = songs
            .iter()
            .filter(|song| !song.missing)
            .all(|song| keys.contains(&(song.file_name.as_slice(), song.size, song.modified)));
        let (mut old, mut path) = (old.as_slice(), path);
        while is_whole
            && gone_paths.contains(old)
            && is_new(path)
            && !taken.contains(path)
            && used.insert(old)
        {
            taken.insert(path);
            pairs.push((old.to_vec(), path.to_vec()));
            match (walk::parent(old), walk::parent(path)) {
                (Some(above_old), Some(above)) => (old, path) = (above_old, above),
                _ => break,
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn song(name: &str) -> Known {
        let file_name = name.as_bytes().to_vec();
        Known { id: 1, file_name, size: 1, modified: 1, sidecar: 0, missing: false }
    }

    fn file(name: &str) -> File {
        File { name: name.into(), size: 1, modified: 1, ..File::default() }
    }

    fn pairs(gone: &[(&str, &[&str])], new: &[(&str, &[&str])]) -> Vec<(String, String)> {
        let gone: Vec<Gone> = gone
            .iter()
            .map(|(path, songs)| {
                (path.as_bytes().to_vec(), songs.iter().map(|name| song(name)).collect())
            })
            .collect();
        let files: Vec<(&str, Vec<File>)> = new
            .iter()
            .map(|(path, names)| (*path, names.iter().map(|name| file(name)).collect()))
            .collect();
        let new = files.iter().map(|(path, files)| (path.as_bytes(), files.iter().collect()));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let is_new = |path: &[u8]| !path.is_empty() && !path.starts_with(b"known");
        find(&gone, new, &is_new).into_iter().map(|(old, new)| (text(old), text(new))).collect()
    }

    fn pair(old: &str, new: &str) -> (String, String) {
        (old.to_owned(), new.to_owned())
    }

    #[test]
    fn folders_are_told_by_all_their_files_and_those_around_them_follow() {
        let gone: &[(&str, &[&str])] = &[("a", &[]), ("a/b", &["1", "2"]), ("a/c", &["3"])];
        let new: &[(&str, &[&str])] = &[("x/b", &["1", "2", "more"]), ("x/d", &["3"])];
        assert_eq!(pairs(gone, new), [pair("a/b", "x/b"), pair("a", "x"), pair("a/c", "x/d")]);
    }

    #[test]
    fn a_part_of_a_folder_is_not_the_folder() {
        assert_eq!(pairs(&[("a", &["1", "2"])], &[("x", &["1"])]), []);
        assert_eq!(pairs(&[("a", &["1"])], &[("known", &["1"])]), []);
    }

    #[test]
    fn of_two_copies_one_is_the_folder() {
        assert_eq!(pairs(&[("a", &["1"])], &[("x", &["1"]), ("y", &["1"])]), [pair("a", "x")]);
    }

    proptest! {
        #[test]
        fn no_folder_is_in_two_pairs(
            gone in proptest::collection::btree_map("[ab](/[ab]){0,2}", proptest::collection::vec("[12]", 0..2), 0..6),
            new in proptest::collection::btree_map("[xy](/[xy]){0,2}", proptest::collection::vec("[12]", 0..3), 0..6),
        ) {
            let as_text = |map: &std::collections::BTreeMap<String, Vec<String>>| -> Vec<Gone> {
                map.iter().map(|(path, names)| (path.clone().into_bytes(), names.iter().map(|name| song(name)).collect())).collect()
            };
            let files: Vec<(String, Vec<File>)> =
                new.iter().map(|(path, names)| (path.clone(), names.iter().map(|name| file(name)).collect())).collect();
            let pairs = find(
                &as_text(&gone),
                files.iter().map(|(path, files)| (path.as_bytes(), files.iter().collect())),
                &|path| !path.is_empty(),
            );
            let old: HashSet<_> = pairs.iter().map(|(old, _)| old).collect();
            let new: HashSet<_> = pairs.iter().map(|(_, new)| new).collect();
            prop_assert!(old.len() == pairs.len() && new.len() == pairs.len());
        }
    }
}
