//! Compares what lies in a folder with what is known of it: which files are to be read, which
//! songs are gone.

use std::collections::HashMap;

use super::walk::File;
use crate::db::scanned::songs::{Known, Unreadable};

/// What is to be done for a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Files to read, in their order, each with the song it is known as.
    pub read: Vec<(File, Option<i64>)>,
    /// Songs whose file is gone.
    pub gone: Vec<i64>,
    /// Files that could not be read once and are gone: nothing need be remembered of them.
    pub forget: Vec<Vec<u8>>,
    /// Files that are as they were.
    pub same: usize,
}

/// Plans what is to be done for a folder.
///
/// A file is read when it is new, when its length or time or the words beside it changed, or when
/// it was gone and is back; not when it could not be read before and is still the same. In a folder
/// that could not be seen whole nothing is gone.
pub fn plan(found: Vec<File>, known: &[Known], unreadable: &[Unreadable], complete: bool) -> Plan {
    let mut plan = Plan::default();
    let mut songs: HashMap<&[u8], &Known> =
        known.iter().map(|song| (song.file_name.as_slice(), song)).collect();
    let mut refused: HashMap<&[u8], &Unreadable> =
        unreadable.iter().map(|file| (file.file_name.as_slice(), file)).collect();
    for file in found {
        let song = songs.remove(file.name.as_slice());
        let was_refused = refused
            .remove(file.name.as_slice())
            .is_some_and(|was| (was.size, was.modified) == (file.size, file.modified));
        let is_same = song.is_some_and(|song| {
            !song.missing
                && (song.size, song.modified, song.sidecar)
                    == (file.size, file.modified, file.sidecar)
        });
        if was_refused || is_same {
            plan.same += 1;
        } else {
            plan.read.push((file, song.map(|song| song.id)));
        }
    }
    if complete {
        plan.gone = songs.values().filter(|song| !song.missing).map(|song| song.id).collect();
        plan.gone.sort_unstable();
        plan.forget = refused.into_keys().map(<[u8]>::to_vec).collect();
        plan.forget.sort_unstable();
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(number: u8, size: i64) -> File {
        File { name: vec![number], size, modified: 1, ..File::default() }
    }

    fn song(number: u8, size: i64, missing: bool) -> Known {
        let id = i64::from(number);
        Known { id, file_name: vec![number], size, modified: 1, sidecar: 0, missing }
    }

    fn refused(number: u8, size: i64) -> Unreadable {
        Unreadable { file_name: vec![number], size, modified: 1 }
    }

    #[test]
    fn each_file_is_new_changed_same_or_gone() {
        let found = vec![file(1, 1), file(2, 9), file(3, 1), file(4, 1), file(5, 1), file(6, 2)];
        let known = [
            song(2, 1, false),
            song(3, 1, false),
            song(4, 1, true),
            song(7, 1, false),
            song(8, 1, true),
        ];
        let plan = plan(found, &known, &[refused(5, 1), refused(6, 1), refused(9, 1)], true);
        assert_eq!(
            plan,
            Plan {
                read: vec![
                    (file(1, 1), None),
                    (file(2, 9), Some(2)),
                    (file(4, 1), Some(4)),
                    (file(6, 2), None)
                ],
                gone: vec![7],
                forget: vec![vec![9]],
                same: 2,
            }
        );
    }

    #[test]
    fn a_known_song_that_became_unreadable_is_left_alone_until_it_changes() {
        let plan_of =
            |size| plan(vec![file(1, size)], &[song(1, 1, false)], &[refused(1, 2)], true);
        assert_eq!(plan_of(2).same, 1);
        assert_eq!(plan_of(3).read, [(file(1, 3), Some(1))]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_done_twice(
            found in proptest::collection::btree_map(0..20_u8, 0..3_i64, 0..20),
            known in proptest::collection::btree_map(0..20_u8, (0..3_i64, any::<bool>()), 0..20),
            unreadable in proptest::collection::btree_map(0..20_u8, 0..3_i64, 0..20),
            complete: bool,
        ) {
            let files: Vec<_> = found.iter().map(|(name, size)| file(*name, *size)).collect();
            let songs: Vec<_> = known.iter().map(|(name, (size, missing))| song(*name, *size, *missing)).collect();
            let bad: Vec<_> = unreadable.iter().map(|(name, size)| refused(*name, *size)).collect();
            let plan = plan(files.clone(), &songs, &bad, complete);
            prop_assert_eq!(plan.read.len() + plan.same, files.len());
            for (read, id) in &plan.read {
                prop_assert_eq!(*id, known.get(&read.name[0]).map(|_| i64::from(read.name[0])));
            }
            for id in &plan.gone {
                let name = u8::try_from(*id).unwrap_or(0);
                prop_assert!(complete && !found.contains_key(&name) && !known[&name].1);
            }
            let there = known.iter().filter(|(name, (_, missing))| !missing && !found.contains_key(*name)).count();
            prop_assert_eq!(plan.gone.len(), if complete { there } else { 0 });
            // A scan after one that did all this finds nothing to do.
            let done: Vec<_> = files.iter().map(|file| song(file.name[0], file.size, false)).collect();
            let again = super::plan(files.clone(), &done, &[], complete);
            prop_assert_eq!((again.read.len(), again.gone.len(), again.same), (0, 0, files.len()));
        }
    }
}
