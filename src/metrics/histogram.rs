//! How long things took, counted in steps; counting takes no lock and no memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the steps: in nanoseconds, and as text in seconds. They reach from a call that
/// reads a few rows to a disk that has to spin up.
pub const STEPS: [(u64, &str); 12] = [
    (250_000, "0.00025"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_500_000, "0.0025"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (1_000_000_000, "1"),
    (5_000_000_000, "5"),
];

/// Durations that are counted.
#[derive(Debug, Default)]
pub struct Histogram {
    steps: [AtomicU64; STEPS.len()],
    /// Those above the last step.
    above: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What a histogram held at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How many took at most as long as each step.
    pub up_to: [u64; STEPS.len()],
    /// How many there are.
    pub count: u64,
    /// All durations together.
    pub sum: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn record(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let step = STEPS.iter().zip(&self.steps).find(|((end, _), _)| nanoseconds <= *end);
        step.map_or(&self.above, |(_, step)| step).fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What it holds now. The count is made of the steps, so that it always fits them; the sum may
    /// lack a duration that is being counted.
    pub fn snapshot(&self) -> Snapshot {
        let mut count = 0;
        let up_to = self.steps.each_ref().map(|step| {
            count += step.load(Ordering::Relaxed);
            count
        });
        Snapshot {
            up_to,
            count: count + self.above.load(Ordering::Relaxed),
            sum: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_text_of_a_step_says_the_same_as_its_number() {
        for (nanoseconds, text) in STEPS {
            let seconds: f64 = text.parse().unwrap();
            assert_eq!(Duration::from_secs_f64(seconds), Duration::from_nanos(nanoseconds));
        }
        assert!(STEPS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_duration_counts_from_its_step_on() {
        let histogram = Histogram::default();
        for micros in [1, 250, 251, 4_000_000, 90_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let Snapshot { up_to, count, sum } = histogram.snapshot();
        assert_eq!(up_to, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!((count, sum), (5, Duration::from_micros(94_000_502)));
    }
}
