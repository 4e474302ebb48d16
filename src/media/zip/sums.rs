//! Checksums of files that were sent in archives, kept so that the rest of one can be sent again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::media::source::Identity;

/// Checksums that are kept at least; twice as many at most. A share has no more than 5,000 songs.
const KEPT: usize = 16_384;

/// The CRC-32 of files by their identity; what was not asked for in a long while goes.
///
/// Needs 600 KiB when it is full: 12 bytes and their place in the table for each of 32,768.
#[derive(Debug, Default)]
pub struct Sums {
    keys: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    young: HashMap<u64, u32>,
    old: HashMap<u64, u32>,
}

impl Sums {
    /// The checksum of a file, where it is known.
    pub fn get(&self, identity: Identity) -> Option<u32> {
        let key = self.key(identity);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.young.get(&key) {
            Some(sum) => Some(*sum),
            None => {
                let sum = kept.old.remove(&key)?;
                kept.keep(key, sum);
                Some(sum)
            }
        }
    }

    /// Keeps the checksum of a file.
    pub fn keep(&self, identity: Identity, sum: u32) {
        let key = self.key(identity);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).keep(key, sum);
    }

    /// What a file is known by: a hash with a key of chance, which nobody can make meet another.
    fn key(&self, identity: Identity) -> u64 {
        let Identity { len, modified, changed, inode, device, links: _ } = identity;
        self.keys.hash_one((len, modified, changed, inode, device))
    }
}

impl Kept {
    fn keep(&mut self, key: u64, sum: u32) {
        if self.young.len() >= KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(inode: u64) -> Identity {
        Identity { len: 1, modified: 2, changed: 3, inode, device: 5, links: 1 }
    }

    #[test]
    fn a_changed_file_has_no_sum() {
        let sums = Sums::default();
        sums.keep(identity(1), 7);
        assert_eq!(sums.get(identity(1)), Some(7));
        assert_eq!(sums.get(Identity { links: 2, ..identity(1) }), Some(7));
        for other in [
            Identity { len: 9, ..identity(1) },
            Identity { modified: 9, ..identity(1) },
            Identity { changed: 9, ..identity(1) },
            identity(9),
        ] {
            assert_eq!(sums.get(other), None);
        }
    }

    #[test]
    fn those_in_use_stay_and_no_more_than_may_be() {
        let sums = Sums::default();
        sums.keep(identity(0), 7);
        for number in 1..5 * KEPT as u64 {
            sums.keep(identity(number), 1);
            if number % 1_000 == 0 {
                assert_eq!(sums.get(identity(0)), Some(7));
            }
        }
        assert_eq!(sums.get(identity(1)), None);
        let kept = sums.kept.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(kept.young.len() <= KEPT && kept.old.len() <= KEPT);
    }
}
