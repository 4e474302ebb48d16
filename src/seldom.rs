//! What the log is told seldom, however often it happens: the log must not fill a disk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Something that is told once, and then only after a while again.
#[derive(Debug)]
pub struct Seldom {
    every: Duration,
    last: Mutex<Option<Instant>>,
}

impl Seldom {
    /// Told so often at most.
    pub const fn new(every: Duration) -> Seldom {
        Seldom { every, last: Mutex::new(None) }
    }

    /// Whether it is to be told at this moment; then it counts as told.
    pub fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= self.every);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_at_once_and_then_after_a_while() {
        let (seldom, now) = (Seldom::new(Duration::from_secs(60)), Instant::now());
        let told: Vec<u64> =
            (0..200).filter(|second| seldom.is_due(now + Duration::from_secs(*second))).collect();
        assert_eq!(told, [0, 60, 120, 180]);
    }
}
