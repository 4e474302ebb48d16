//! Captions that were taken out of a video a moment ago: to look for them may read much of the file.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Captions;

/// Videos' captions that are kept.
const MOST_KEPT: usize = 16;
/// Bytes of their texts together.
const MOST_BYTES: usize = 4 << 20;

/// Which captions: the file with its length and time, and the track in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// When it was changed, ns since 1970.
    pub modified: u128,
    /// The number of the track.
    pub track: u32,
}

/// The captions that were wanted last, the newest first.
#[derive(Default)]
pub struct Kept(Mutex<VecDeque<(Key, Arc<Captions>)>>);

impl Kept {
    /// The captions of a key, if they are still here.
    pub fn get(&self, key: &Key) -> Option<Arc<Captions>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(known, _)| known == key)?;
        let found = kept.remove(place)?;
        let captions = Arc::clone(&found.1);
        kept.push_front(found);
        Some(captions)
    }

    /// Keeps captions; those wanted longest ago make room.
    pub fn put(&self, key: Key, captions: &Arc<Captions>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != key);
        kept.push_front((key, Arc::clone(captions)));
        let mut bytes = 0;
        let fits = kept.iter().take(MOST_KEPT).take_while(|(_, captions)| {
            bytes += captions.bytes();
            bytes <= MOST_BYTES
        });
        let fits = fits.count();
        kept.truncate(fits);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cue, Format};
    use super::*;

    fn key(track: u32) -> Key {
        Key { path: "film.mkv".into(), size: 1, modified: 1, track }
    }

    fn captions(bytes: usize) -> Arc<Captions> {
        let cue = Cue { start: 0, end: 1, text: "x".repeat(bytes), settings: String::new() };
        Arc::new(Captions::of(Format::Srt, vec![cue]))
    }

    #[test]
    fn what_was_wanted_last_is_kept_within_bounds() {
        let kept = Kept::default();
        for track in 0..20 {
            kept.put(key(track), &captions(10));
            assert!(kept.get(&key(0)).is_some(), "what is wanted stays");
        }
        let left: Vec<u32> = (0..20).filter(|track| kept.get(&key(*track)).is_some()).collect();
        assert_eq!(left, [&[0][..], &(5..20).collect::<Vec<_>>()].concat());
        kept.put(key(30), &captions(MOST_BYTES / 2));
        kept.put(key(31), &captions(MOST_BYTES / 2));
        assert!(kept.get(&key(31)).is_some() && kept.get(&key(30)).is_none());
        kept.put(key(32), &captions(2 * MOST_BYTES));
        assert!(kept.get(&key(32)).is_none());
    }
}
