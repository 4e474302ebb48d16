//! How fast bodies are sent where the settings cap it: each stream, and all of shares together.
//!
//! A body under a cap asks before every piece of its file, and waits within that question. What
//! all shares may take is a queue: it goes to one listener after the other, a piece at a time, so
//! that all who want bytes get the same and nothing is kept for those who want none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::Mutex as Queue;
use tokio::time::{Instant, sleep};

use crate::http::client::network;

/// How much a cap that was not used may be exceeded at once, in time at its rate: players fill
/// their buffer before the first note.
const BURST: Duration = Duration::from_secs(10);
/// The same in bytes; the smaller of both counts.
const MOST_BURST: u64 = 1024 * 1024;
/// Least pieces a second of a stream at its cap, so that it does not stutter.
const PIECES_OF_STREAM: u64 = 4;
/// Least pieces a second of all shares at their cap: with as many listeners, each waits a second.
const PIECES_OF_SHARES: u64 = 32;
/// No piece is made shorter than this: at the lowest caps they come less often.
const LEAST_PIECE: u64 = 4 * 1024;

/// The caps of a server, which can change.
pub struct Rates(RwLock<Caps>);

/// In bytes per second; `None` is no cap.
struct Caps {
    stream: Option<NonZeroU64>,
    shares: Option<Arc<Shares>>,
}

impl Caps {
    fn new(stream: Option<NonZeroU64>, shares: Option<NonZeroU64>) -> Caps {
        let shares = shares.map(|rate| {
            Arc::new(Shares { bucket: Bucket::new(rate), listeners: Mutex::default() })
        });
        Caps { stream, shares }
    }
}

impl Rates {
    /// Caps of each stream and of all streams of shares together.
    pub fn new(stream: Option<NonZeroU64>, shares: Option<NonZeroU64>) -> Self {
        Rates(RwLock::new(Caps::new(stream, shares)))
    }

    /// Other caps for what is sent from now on; what is being sent keeps the ones it began with.
    pub fn set(&self, stream: Option<NonZeroU64>, shares: Option<NonZeroU64>) {
        let mut caps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let rate = caps.shares.as_ref().map(|shares| shares.bucket.rate);
        if (caps.stream, rate) != (stream, shares) {
            *caps = Caps::new(stream, shares);
        }
    }

    fn caps(&self) -> RwLockReadGuard<'_, Caps> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pace of one response to a user; `None` where nothing caps it.
    ///
    /// Every response counts anew: who asks for part after part gets a burst with each, and on two
    /// connections the rate twice. How many there may be at a time is a limit of its own.
    pub fn of_user(&self) -> Option<Pace> {
        Pace::new(self.caps().stream, None)
    }

    /// The pace of one response of a share; `None` where nothing caps it.
    ///
    /// A listener is a client address: by it the connections of a download manager and the links
    /// somebody has been sent are still one listener, while the many who were sent one link are
    /// many. Who shares an address (a household, or all behind a proxy that is not trusted) shares
    /// its portion.
    pub fn of_share(&self, address: IpAddr) -> Option<Pace> {
        let caps = self.caps();
        Pace::new(caps.stream, caps.shares.as_ref().map(|shares| Portion::of(shares, address)))
    }
}

/// The pace of one body; its size does not depend on the body or the rate.
pub struct Pace {
    piece: u64,
    stream: Option<Bucket>,
    portion: Option<Portion>,
}

impl Pace {
    fn new(rate: Option<NonZeroU64>, portion: Option<Portion>) -> Option<Self> {
        let own = rate.map(|rate| piece(rate, PIECES_OF_STREAM));
        let shared =
            portion.as_ref().map(|portion| piece(portion.shares.bucket.rate, PIECES_OF_SHARES));
        let piece = own.into_iter().chain(shared).min()?;
        Some(Pace { piece, stream: rate.map(Bucket::new), portion })
    }

    /// The most that may be asked for at a time, in bytes: a power of two, at least 4 KiB.
    ///
    /// It is so short that bytes flow rather than come in heaps, and the same for every listener.
    pub fn piece(&self) -> u64 {
        self.piece
    }

    /// Waits until so many bytes may be sent; without a timer where they may be at once.
    ///
    /// Dropped before its end, it has taken nothing from others. Until then it must be polled when
    /// it is woken, since others may be waiting behind it; a connection does so, as it waits for
    /// nothing else but its peer's end.
    pub async fn wait(&self, len: u64) {
        if let Some(bucket) = &self.stream {
            bucket.take(len).await;
        }
        if let Some(portion) = &self.portion {
            // The connections of a listener wait for each other before they wait for the others.
            let _turn = portion.turn.lock().await;
            portion.shares.bucket.take(len).await;
        }
    }
}

/// The largest power of two that makes this many pieces a second, but no less than the least.
fn piece(rate: NonZeroU64, a_second: u64) -> u64 {
    1 << (rate.get() / a_second).max(LEAST_PIECE).ilog2()
}

/// A token bucket, kept as the time at which it will be full again.
struct Bucket {
    rate: NonZeroU64,
    burst: Duration,
    /// Whoever waits holds this, so that all wait in the order in which they came.
    full: Queue<Instant>,
}

impl Bucket {
    fn new(rate: NonZeroU64) -> Self {
        let burst = BURST.min(time_of(MOST_BURST, rate));
        Bucket { rate, burst, full: Queue::new(Instant::now()) }
    }

    async fn take(&self, len: u64) {
        let mut full = self.full.lock().await;
        let cost = time_of(len, self.rate);
        let owed = full.saturating_duration_since(Instant::now()) + cost;
        let wait = owed.saturating_sub(self.burst);
        if !wait.is_zero() {
            sleep(wait).await;
        }
        *full = (*full).max(Instant::now()) + cost;
    }
}

/// How long so many bytes take at a rate; a piece takes seconds at the least rate that can be set.
fn time_of(len: u64, rate: NonZeroU64) -> Duration {
    let nanoseconds = u128::from(len) * 1_000_000_000 / u128::from(rate.get());
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// What all shares take, and who listens.
struct Shares {
    bucket: Bucket,
    /// Bounded by the streams: a listener without one is forgotten.
    listeners: Mutex<HashMap<IpAddr, Listener>>,
}

/// Somebody with at least one stream.
struct Listener {
    streams: usize,
    turn: Arc<Queue<()>>,
}

/// The part of a body in what its listener gets.
struct Portion {
    shares: Arc<Shares>,
    listener: IpAddr,
    turn: Arc<Queue<()>>,
}

impl Portion {
    fn of(shares: &Arc<Shares>, address: IpAddr) -> Self {
        let listener = network(address);
        let mut listeners = shares.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let known = listeners
            .entry(listener)
            .or_insert_with(|| Listener { streams: 0, turn: Arc::default() });
        known.streams += 1;
        Portion { shares: Arc::clone(shares), listener, turn: Arc::clone(&known.turn) }
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        let mut listeners = self.shares.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listeners.get_mut(&self.listener) {
            known.streams -= 1;
            if known.streams == 0 {
                listeners.remove(&self.listener);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::task::JoinHandle;
    use tokio::time::advance;

    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;

    fn rate(bytes: u64) -> Option<NonZeroU64> {
        NonZeroU64::new(bytes)
    }

    fn address(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    /// A body that takes a piece as soon as it may, and rests after each.
    struct Taker {
        task: JoinHandle<()>,
        taken: Arc<AtomicU64>,
    }

    impl Taker {
        fn new(pace: Pace, rest: Duration) -> Taker {
            let taken = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&taken);
            let task = tokio::spawn(async move {
                // Without an end a cap that holds nothing back would hold the clock.
                while count.load(Ordering::Relaxed) < 1024 * MIB {
                    pace.wait(pace.piece()).await;
                    count.fetch_add(pace.piece(), Ordering::Relaxed);
                    if !rest.is_zero() {
                        sleep(rest).await;
                    }
                }
            });
            Taker { task, taken }
        }

        fn greedy(pace: Pace) -> Taker {
            Taker::new(pace, Duration::ZERO)
        }

        fn taken(&self) -> u64 {
            self.taken.load(Ordering::Relaxed)
        }
    }

    impl Drop for Taker {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    /// What each has taken in so many seconds from now.
    async fn taken_in(seconds: u64, takers: &[Taker]) -> Vec<u64> {
        let before: Vec<u64> = takers.iter().map(Taker::taken).collect();
        sleep(Duration::from_secs(seconds)).await;
        takers.iter().zip(before).map(|(taker, before)| taker.taken() - before).collect()
    }

    #[track_caller]
    fn near(taken: u64, expected: u64) {
        assert!(taken.abs_diff(expected) * 50 <= expected, "{taken} is not nearly {expected}");
    }

    /// A cap for shares whose burst is over, with as many greedy listeners.
    async fn busy(bytes: u64, listeners: u8) -> (Rates, Vec<Taker>) {
        let rates = Rates::new(None, rate(bytes));
        let takers =
            (0..listeners).map(|n| Taker::greedy(rates.of_share(address(n)).unwrap())).collect();
        sleep(BURST).await;
        (rates, takers)
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_keeps_its_rate_after_its_burst() {
        for (bytes, burst) in [(8 * KIB, 80 * KIB), (64 * KIB, 640 * KIB), (3 * MIB, MIB)] {
            let pace = Rates::new(rate(bytes), None).of_user().unwrap();
            let (began, mut first) = (Instant::now(), 0);
            while first < burst {
                pace.wait(pace.piece()).await;
                first += pace.piece();
            }
            assert_eq!((first, began.elapsed()), (burst, Duration::ZERO));
            let taker = [Taker::greedy(pace)];
            near(taken_in(60, &taker).await[0], 60 * bytes);
            near(taken_in(60, &taker).await[0], 60 * bytes);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_paused_may_burst_again_but_not_for_all_it_left() {
        let pace = Rates::new(rate(64 * KIB), None).of_user().unwrap();
        sleep(Duration::from_secs(3600)).await;
        let taker = [Taker::greedy(pace)];
        near(taken_in(60, &taker).await[0], 640 * KIB + 60 * 64 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_come_smoothly() {
        let pace = Rates::new(rate(64 * KIB), rate(512 * KIB)).of_share(address(1)).unwrap();
        let mut last = Instant::now();
        for count in 0..1000 {
            pace.wait(pace.piece()).await;
            assert!(last.elapsed() <= Duration::from_millis(251), "{count}: {:?}", last.elapsed());
            last = Instant::now();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_lost_by_a_late_waker_is_made_up() {
        let bytes = 64 * KIB;
        let pace = Rates::new(rate(bytes), None).of_user().unwrap();
        let (began, mut taken) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(60) {
            pace.wait(pace.piece()).await;
            taken += pace.piece();
            // The disk and the connection take their time.
            advance(Duration::from_millis(90)).await;
        }
        near(taken, 640 * KIB + 60 * bytes);
    }

    #[tokio::test(start_paused = true)]
    async fn listeners_of_shares_get_equal_portions() {
        for listeners in [1, 2, 10] {
            let (_rates, takers) = busy(512 * KIB, listeners).await;
            let taken = taken_in(60, &takers).await;
            for each in &taken {
                near(*each, 60 * 512 * KIB / u64::from(listeners));
            }
            near(taken.iter().sum(), 60 * 512 * KIB);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn eight_connections_of_one_listener_get_one_portion() {
        let (rates, mut takers) = busy(512 * KIB, 4).await;
        // The last of them opens seven more.
        takers.extend((0..7).map(|_| Taker::greedy(rates.of_share(address(3)).unwrap())));
        let taken = taken_in(60, &takers).await;
        for one in &taken[..3] {
            near(*one, 60 * 128 * KIB);
        }
        near(taken[3..].iter().sum(), 60 * 128 * KIB);
        let [least, most] = [taken[3..].iter().min(), taken[3..].iter().max()];
        assert!(most.unwrap() - least.unwrap() <= 2 * takers.len() as u64 * 16 * KIB, "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_does_not_want_goes_to_the_others() {
        let (rates, mut takers) = busy(512 * KIB, 2).await;
        let pace = rates.of_share(address(9)).unwrap();
        let wants = pace.piece();
        takers.push(Taker::new(pace, Duration::from_millis(970)));
        let taken = taken_in(60, &takers).await;
        assert!(taken[2] >= 55 * wants && taken[2] <= 61 * wants, "{taken:?}");
        near(taken[0], (60 * 512 * KIB - taken[2]) / 2);
        near(taken[1], (60 * 512 * KIB - taken[2]) / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_leaves_the_portion_to_the_others() {
        let (rates, mut takers) = busy(512 * KIB, 4).await;
        takers.truncate(2);
        let taken = taken_in(60, &takers).await;
        near(taken[0], 60 * 256 * KIB);
        near(taken[1], 60 * 256 * KIB);
        takers.clear();
        sleep(Duration::from_secs(1)).await;
        assert!(rates.caps().shares.as_ref().unwrap().listeners.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_and_goes_takes_no_more_than_a_portion() {
        let (rates, takers) = busy(512 * KIB, 1).await;
        let rates = Arc::new(rates);
        let restless = tokio::spawn(async move {
            loop {
                let pace = rates.of_share(address(7)).unwrap();
                let patience = Duration::from_millis(5);
                let _ = tokio::time::timeout(patience, pace.wait(pace.piece())).await;
                sleep(patience).await;
            }
        });
        let taken = taken_in(60, &takers).await;
        restless.abort();
        assert!(taken[0] * 100 >= 60 * 512 * KIB * 49, "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn both_caps_hold_together() {
        let rates = Rates::new(rate(64 * KIB), rate(100 * KIB));
        let takers = [1, 2].map(|n| Taker::greedy(rates.of_share(address(n)).unwrap()));
        sleep(Duration::from_secs(60)).await;
        let [first, second] = taken_in(60, &takers).await[..] else { panic!() };
        near(first, 60 * 50 * KIB);
        near(second, 60 * 50 * KIB);
        let [first, rest] = takers;
        drop(rest);
        sleep(Duration::from_secs(60)).await;
        near(taken_in(60, &[first]).await[0], 60 * 64 * KIB);
    }

    #[test]
    fn without_a_cap_there_is_no_pace() {
        let none = Rates::new(None, None);
        assert!(none.of_user().is_none() && none.of_share(address(1)).is_none());
        assert!(Rates::new(None, rate(1)).of_user().is_none());
    }

    #[test]
    fn within_a_burst_there_is_no_timer() {
        // This runtime has none: to set one would be a panic.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pace = Rates::new(rate(MIB), rate(MIB)).of_share(address(1)).unwrap();
        runtime.block_on(async {
            for _ in 0..MIB / pace.piece() {
                pace.wait(pace.piece()).await;
            }
        });
    }

    proptest! {
        #[test]
        fn a_piece_is_a_power_of_two(bytes in 1_u64.., a_second in 1..1000_u64) {
            let piece = piece(NonZeroU64::new(bytes).unwrap(), a_second);
            prop_assert!(piece.is_power_of_two() && piece >= LEAST_PIECE);
            prop_assert!(piece == LEAST_PIECE || piece <= bytes / a_second);
        }

        #[test]
        fn no_length_and_no_rate_make_it_panic(len: u64, bytes in 1_u64..) {
            let _ = time_of(len, NonZeroU64::new(bytes).unwrap());
        }
    }
}
