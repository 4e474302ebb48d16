//! What was read from the database a moment ago, so that it need not be asked again.

use std::borrow::Borrow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::db::Db;

/// How long a value is believed to be as last read. A change through the server counts at once; one
/// by another process (`kinglet user`, `kinglet scan`) within this time.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// Values by their keys; its memory is bounded by how many it may remember.
pub struct Remembered<K, V> {
    most: usize,
    memories: Mutex<Vec<Memory<K, V>>>,
}

struct Memory<K, V> {
    key: K,
    value: V,
    /// `Db::writes` when it was read.
    writes: u64,
    read: Instant,
}

impl<K, V: Clone> Remembered<K, V> {
    /// Remembers this many values at most.
    pub fn new(most: usize) -> Self {
        Remembered { most, memories: Mutex::default() }
    }

    /// The value of a key: the one that is remembered, or what `read` finds in the database.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn find<Q>(
        &self,
        db: &Db,
        key: &Q,
        read: impl FnOnce() -> rusqlite::Result<Option<V>>,
    ) -> rusqlite::Result<Option<V>>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + PartialEq + ?Sized,
    {
        let (writes, now) = (db.writes(), Instant::now());
        let fresh = |memory: &Memory<K, V>| {
            memory.writes == writes && now.duration_since(memory.read) < BELIEVED_FOR
        };
        {
            let memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(memory) = memories.iter().find(|memory| memory.key.borrow() == key)
                && fresh(memory)
            {
                return Ok(Some(memory.value.clone()));
            }
        }
        let Some(value) = read()? else { return Ok(None) };
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.retain(|memory| memory.key.borrow() != key && fresh(memory));
        if memories.len() < self.most {
            let (key, value) = (key.to_owned(), value.clone());
            memories.push(Memory { key, value, writes, read: now });
        }
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_value_is_read_again_after_each_write_and_only_some_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("db")).unwrap();
        let known = Remembered::new(2);
        let find = |key: i64, value: i64| known.find(&db, &key, || Ok(Some(value))).unwrap();
        assert_eq!((find(1, 10), find(2, 20)), (Some(10), Some(20)));
        assert_eq!((find(1, 11), find(2, 21)), (Some(10), Some(20)));
        assert_eq!((find(3, 30), find(3, 31)), (Some(30), Some(31)), "there is no place for it");
        db.write(|_| Ok::<_, rusqlite::Error>(())).unwrap();
        assert_eq!((find(1, 12), find(2, 22)), (Some(12), Some(22)));
        assert_eq!(known.find(&db, &4, || Ok(None)).unwrap(), None);
        assert_eq!(find(2, 23), Some(22), "what is not there is not remembered");
    }

    #[test]
    fn a_value_is_not_believed_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("db")).unwrap();
        let known = Remembered::new(1);
        known.find(&db, "a", || Ok(Some(1))).unwrap();
        std::thread::sleep(BELIEVED_FOR);
        assert_eq!(known.find(&db, "a", || Ok(Some(2))).unwrap(), Some(2));
        let _: &Remembered<String, i32> = &known;
    }
}
