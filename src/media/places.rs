//! How many bodies each user or share may be sent at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Places for a bounded number of bodies per key; cheap to clone.
///
/// Its memory is bounded by what is being sent: a key without a body is forgotten.
#[derive(Debug)]
pub struct Places<K> {
    most: Arc<AtomicUsize>,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    key: K,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Clone + Eq + Hash> Places<K> {
    /// This many places for each key.
    pub fn new(most: usize) -> Self {
        Places { most: Arc::new(AtomicUsize::new(most)), taken: Arc::default() }
    }

    /// From now on there are this many; who has one keeps it.
    pub fn set_most(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Takes a place of a key; `None` where all are taken.
    pub fn take(&self, key: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.get(&key).copied().unwrap_or(0);
        if count >= self.most.load(Ordering::Relaxed) {
            return None;
        }
        taken.insert(key.clone(), count + 1);
        Some(Place { key, taken: Arc::clone(&self.taken) })
    }
}

impl<K> Clone for Places<K> {
    fn clone(&self) -> Self {
        Places { most: Arc::clone(&self.most), taken: Arc::clone(&self.taken) }
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_key_has_places_of_its_own_and_gives_them_back() {
        let places = Places::new(2);
        let first = places.take("ann").unwrap();
        let second = places.clone().take("ann").unwrap();
        assert!(places.take("ann").is_none());
        let other = places.take("bob").unwrap();
        drop(first);
        let third = places.take("ann").unwrap();
        assert!(places.take("ann").is_none());
        drop((second, other, third));
        assert!(places.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn fewer_places_take_none_away() {
        let places = Places::new(2);
        let (first, second) = (places.take(7).unwrap(), places.take(7).unwrap());
        places.clone().set_most(1);
        drop(first);
        assert!(places.take(7).is_none());
        drop(second);
        assert!(places.take(7).is_some());
    }

    #[test]
    fn no_places_are_none() {
        assert!(Places::new(0).take(7).is_none());
    }
}
