//! What one may do a few times within a while, counted in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys that are remembered at most. Beyond them the one whose time began first is forgotten.
const MOST_KEYS: usize = 4096;

/// Counts by a key: an address, a share.
#[derive(Debug)]
pub struct Limiter<K> {
    most: u32,
    within: Duration,
    counts: Mutex<HashMap<K, Count>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    began: Instant,
    count: u32,
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    /// So many times within so long, from the first time on.
    pub fn new(most: u32, within: Duration) -> Self {
        Limiter { most, within, counts: Mutex::default() }
    }

    /// Counts one more time; `false`, and nothing counted, where all are used.
    pub fn take(&self, key: &K, now: Instant) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |count: &Count| now.saturating_duration_since(count.began) >= self.within;
        if counts.len() >= MOST_KEYS && !counts.contains_key(key) {
            counts.retain(|_, count| !is_over(count));
            if counts.len() >= MOST_KEYS
                && let Some(oldest) =
                    counts.iter().min_by_key(|(_, count)| count.began).map(|(key, _)| key.clone())
            {
                counts.remove(&oldest);
            }
        }
        let count = counts.entry(key.clone()).or_insert(Count { began: now, count: 0 });
        if is_over(count) {
            *count = Count { began: now, count: 0 };
        }
        if count.count >= self.most {
            return false;
        }
        count.count += 1;
        true
    }

    /// Takes back what was counted last.
    pub fn give_back(&self, key: &K) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(key) {
            count.count = count.count.saturating_sub(1);
            if count.count == 0 {
                counts.remove(key);
            }
        }
    }

    /// Whether all times are used.
    pub fn is_used_up(&self, key: &K, now: Instant) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(key).is_some_and(|count| {
            count.count >= self.most && now.saturating_duration_since(count.began) < self.within
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn each_key_has_its_times_and_gets_them_anew() {
        let (limiter, now) = (Limiter::new(2, MINUTE), Instant::now());
        assert!(limiter.take(&1, now) && limiter.take(&1, now));
        assert!(limiter.is_used_up(&1, now) && !limiter.take(&1, now));
        assert!(!limiter.is_used_up(&2, now) && limiter.take(&2, now));
        assert!(!limiter.is_used_up(&1, now + MINUTE) && limiter.take(&1, now + MINUTE));
    }

    #[test]
    fn what_is_given_back_was_not_counted() {
        let (limiter, now) = (Limiter::new(1, MINUTE), Instant::now());
        assert!(limiter.take(&1, now));
        limiter.give_back(&1);
        assert!(limiter.take(&1, now) && !limiter.take(&1, now));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let (limiter, now) = (Limiter::new(1, MINUTE), Instant::now());
        for key in 0..=MOST_KEYS {
            let later = Duration::from_micros(u64::try_from(key).unwrap());
            assert!(limiter.take(&key, now + later));
        }
        assert_eq!(limiter.counts.lock().unwrap().len(), MOST_KEYS);
        assert!(!limiter.is_used_up(&0, now) && limiter.is_used_up(&1, now));
        assert!(limiter.take(&MOST_KEYS.wrapping_add(1), now + 2 * MINUTE));
        assert_eq!(limiter.counts.lock().unwrap().len(), 1);
    }
}
