//! What the server counts while it runs, for whoever watches over it.
//!
//! Counting is a few additions to numbers that are there from the start: nothing waits and nothing
//! grows, whatever clients ask for.

pub mod histogram;
pub mod text;

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::now;
use crate::http::connections::Counts;
use histogram::{Histogram, Snapshot};

/// Places that requests can go to at most; `route` has the list and holds itself to this.
pub const MOST_DESTINATIONS: usize = 128;

/// The classes of the statuses of HTTP.
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The figures of a server since its start, but those of songs, which their sender counts.
#[derive(Debug)]
pub struct Metrics {
    /// When the server started, ms since 1970.
    pub started: i64,
    /// Its connections.
    pub connections: Arc<Counts>,
    requests: Box<[Requests]>,
    /// Failed calls by the code of the spec.
    failures: [AtomicU64; 256],
}

/// Requests that went to one destination.
#[derive(Debug, Default)]
struct Requests {
    took: Histogram,
    classes: [AtomicU64; CLASSES.len()],
}

impl Metrics {
    /// Nothing was counted yet.
    pub fn new() -> Metrics {
        Metrics {
            started: now(),
            connections: Arc::default(),
            requests: (0..MOST_DESTINATIONS).map(|_| Requests::default()).collect(),
            failures: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts a request: where it went, the status of its response, and how long that took.
    pub fn answered(&self, destination: usize, status: u16, took: Duration) {
        let Some(requests) = self.requests.get(destination) else { return };
        requests.took.record(took);
        let class = usize::from(status / 100).checked_sub(1);
        if let Some(class) = class.and_then(|class| requests.classes.get(class)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a call that failed with a code of the spec.
    pub fn failed(&self, code: u8) {
        if let Some(failures) = self.failures.get(usize::from(code)) {
            failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long the requests to a destination took; `None` where there were none.
    pub fn took(&self, destination: usize) -> Option<Snapshot> {
        let snapshot = self.requests.get(destination)?.took.snapshot();
        (snapshot.count > 0).then_some(snapshot)
    }

    /// How many responses from a destination had a status of each class; nothing where there were
    /// none.
    pub fn classes(&self, destination: usize) -> impl Iterator<Item = (&'static str, u64)> {
        let classes = self.requests.get(destination).map(|requests| &requests.classes);
        let counts = classes.into_iter().flatten().map(|class| class.load(Ordering::Relaxed));
        CLASSES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }

    /// How many calls failed with a code.
    pub fn failures(&self, code: u8) -> u64 {
        self.failures.get(usize::from(code)).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn requests_are_counted_where_they_went() {
        let metrics = Metrics::new();
        metrics.answered(3, 206, Duration::from_millis(2));
        metrics.answered(3, 200, Duration::from_millis(2));
        metrics.answered(3, 404, Duration::from_millis(2));
        assert_eq!(metrics.took(3).unwrap().count, 3);
        assert_eq!(metrics.classes(3).collect::<Vec<_>>(), [("2xx", 2), ("4xx", 1)]);
        assert_eq!(metrics.took(4), None);
        assert_eq!(metrics.classes(4).count(), 0);
        metrics.failed(40);
        assert_eq!((metrics.failures(40), metrics.failures(70)), (1, 0));
    }

    #[test]
    fn what_has_no_place_is_not_counted() {
        let metrics = Metrics::new();
        metrics.answered(MOST_DESTINATIONS, 200, Duration::ZERO);
        metrics.answered(0, 999, Duration::ZERO);
        assert_eq!(metrics.took(MOST_DESTINATIONS), None);
        assert_eq!((metrics.took(0).unwrap().count, metrics.classes(0).count()), (1, 0));
    }
}
