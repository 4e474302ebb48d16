//! How long answers take, and figures beside what is promised of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::Server;

/// A call is made so often.
const EVERY: Duration = Duration::from_millis(5);

/// How long each of some answers took, in order of length.
pub struct Times(Vec<Duration>);

impl Times {
    /// Asks for a path again and again until it is `over`.
    pub fn of(server: &Server, path: &str, over: &AtomicBool) -> Times {
        let (mut times, mut connection) = (Vec::new(), server.connect());
        while !over.load(Ordering::SeqCst) {
            let began = Instant::now();
            connection.get(path);
            times.push(began.elapsed());
            thread::sleep(EVERY);
        }
        times.sort_unstable();
        Times(times)
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time in milliseconds that this share of the answers took at most.
    pub fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        let place = self.0.get((last * share).round() as usize);
        place.map_or(0.0, Duration::as_secs_f64) * 1e3
    }

    /// Prints what there is to say, with what is promised of the 99th of a hundred.
    pub fn tell(&self, what: &str, promised: f64) {
        let (half, most, longest) = (self.at(0.5), self.at(0.99), self.at(1.0));
        tell(&format!("{what}, p99"), most, "ms", promised);
        println!("    {} answers, p50 {half:.2} ms, longest {longest:.1} ms", self.count());
    }
}

/// Prints a figure and how it stands to what is promised.
pub fn tell(what: &str, figure: f64, unit: &str, promised: f64) {
    let verdict = if figure <= promised { "kept" } else { "NOT KEPT" };
    println!("  {what}: {figure:.2} {unit} (at most {promised} {unit}: {verdict})");
}
