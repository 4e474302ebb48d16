//! Failed sign-ins, by address and by user: whoever guesses passwords is slowed down.
//!
//! Three limits hold for strangers: for an address, for a user, and for a user at an address. An
//! address where a user has signed in is that user's home: there the user has a limit of its own,
//! and what others do elsewhere, or with other names, does not count. So nobody is locked out of
//! home by those who guess from outside.
//!
//! Memory is bounded: limits are cells that are found by a keyed hash, about 70 KiB whoever calls.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::http::client::network;
use crate::seldom::Seldom;

/// For a stranger who says to be this user.
const STRANGER: Limit = Limit { burst: 10, every: Duration::from_secs(20) };
/// For an address, whoever is said to call from it.
const ADDRESS: Limit = Limit { burst: 50, every: Duration::from_secs(4) };
/// For a user, from wherever strangers call.
const USER: Limit = Limit { burst: 100, every: Duration::from_secs(10) };
/// For a user at home: a phone that makes all of its calls with an old password must not keep the
/// others out.
const AT_HOME: Limit = Limit { burst: 100, every: Duration::from_secs(2) };

/// Cells of each kind: powers of two.
const CELLS: usize = 4096;
const USER_CELLS: usize = 512;
/// Homes that are remembered: a household on its phones' networks. The one that was used longest
/// ago is forgotten first.
const MOST_HOMES: usize = 256;
/// How long a home is one after the last sign-in.
const HOME_FOR: Duration = Duration::from_secs(60 * 86_400);
/// The log tells so seldom that somebody is slowed down.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// So many failures at once, and a further one every so often.
#[derive(Clone, Copy)]
struct Limit {
    burst: u32,
    every: Duration,
}

/// Failures under one kind of limit. A cell holds the moment, in ms of the clock, at which all of
/// its failures are forgiven.
struct Cells {
    limit: Limit,
    cells: Box<[AtomicU64]>,
}

impl Cells {
    fn new(limit: Limit, count: usize) -> Cells {
        Cells { limit, cells: (0..count).map(|_| AtomicU64::new(0)).collect() }
    }

    fn cell(&self, hash: u64) -> Option<&AtomicU64> {
        // There is no remainder that a list of this length lacks.
        let place = hash % self.cells.len() as u64;
        self.cells.get(usize::try_from(place).unwrap_or(0))
    }

    /// How long until one more may be tried, in ms.
    fn wait(&self, hash: u64, now: u64) -> u64 {
        let forgiven = self.cell(hash).map_or(0, |cell| cell.load(Ordering::Relaxed));
        let every = ms(self.limit.every);
        (forgiven + every).saturating_sub(now + every * u64::from(self.limit.burst))
    }

    fn failed(&self, hash: u64, now: u64) {
        let every = ms(self.limit.every);
        self.change(hash, |forgiven| forgiven.max(now) + every);
    }

    /// Forgives one failure.
    fn forgive(&self, hash: u64) {
        let every = ms(self.limit.every);
        self.change(hash, |forgiven| forgiven.saturating_sub(every));
    }

    fn change(&self, hash: u64, change: impl Fn(u64) -> u64) {
        if let Some(cell) = self.cell(hash) {
            let _ =
                cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(change(old)));
        }
    }
}

/// Who failed to sign in, and where users are at home.
pub struct SignIns {
    clock: Instant,
    /// Chosen at the start, so that nobody can find out whose cell is whose.
    key: RandomState,
    strangers: Cells,
    addresses: Cells,
    users: Cells,
    at_home: Cells,
    /// When a user last signed in at an address, in ms of the clock.
    homes: Mutex<HashMap<u64, u64>>,
    told: Seldom,
}

impl Default for SignIns {
    fn default() -> Self {
        SignIns {
            clock: Instant::now(),
            key: RandomState::new(),
            strangers: Cells::new(STRANGER, CELLS),
            addresses: Cells::new(ADDRESS, CELLS),
            users: Cells::new(USER, USER_CELLS),
            at_home: Cells::new(AT_HOME, MOST_HOMES),
            homes: Mutex::default(),
            told: Seldom::new(TOLD_EVERY),
        }
    }
}

impl SignIns {
    /// Whether a sign-in by this name may be tried from an address now; if not, how long until it
    /// may. Those that are looked at already are not counted: as many as there are threads.
    pub fn may_try(&self, from: IpAddr, name: &str, now: Instant) -> Result<(), Duration> {
        let (at, time) = (Place::of(&self.key, from, name), self.time(now));
        let wait = match self.is_home(at, time) {
            true => self.at_home.wait(at.pair, time),
            false => [
                self.strangers.wait(at.pair, time),
                self.addresses.wait(at.address, time),
                self.users.wait(at.user, time),
            ]
            .into_iter()
            .fold(0, u64::max),
        };
        self.slowed(wait, from, now)
    }

    /// Counts a sign-in by this name that failed.
    pub fn failed(&self, from: IpAddr, name: &str, now: Instant) {
        let (at, time) = (Place::of(&self.key, from, name), self.time(now));
        if self.is_home(at, time) {
            self.at_home.failed(at.pair, time);
        } else {
            self.strangers.failed(at.pair, time);
            self.addresses.failed(at.address, time);
            self.users.failed(at.user, time);
        }
    }

    /// Counts a wrong API key, after which an address may have to wait. The keys themselves are
    /// too long to be guessed: a right one is taken from everywhere.
    pub fn wrong_key(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let (at, time) = (Place::of(&self.key, from, ""), self.time(now));
        let wait = self.addresses.wait(at.address, time);
        if wait == 0 {
            self.addresses.failed(at.address, time);
        }
        self.slowed(wait, from, now)
    }

    /// A user has signed in at an address, and so is at home there. It makes up for one failure at
    /// home: a phone with an old password beside others with the right one keeps nobody out.
    pub fn succeeded(&self, from: IpAddr, name: &str, now: Instant) {
        let (at, time) = (Place::of(&self.key, from, name), self.time(now));
        self.at_home.forgive(at.pair);
        let mut homes = self.homes();
        if homes.len() >= MOST_HOMES
            && !homes.contains_key(&at.pair)
            && let Some(oldest) = homes.iter().min_by_key(|(_, time)| **time).map(|(home, _)| *home)
        {
            homes.remove(&oldest);
        }
        homes.insert(at.pair, time);
    }

    fn is_home(&self, at: Place, time: u64) -> bool {
        let homes = self.homes();
        homes.get(&at.pair).is_some_and(|last| time.saturating_sub(*last) < ms(HOME_FOR))
    }

    fn homes(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self, now: Instant) -> u64 {
        ms(now.saturating_duration_since(self.clock))
    }

    /// A wait of so many ms as a result, which the log is told of.
    fn slowed(&self, wait: u64, from: IpAddr, now: Instant) -> Result<(), Duration> {
        if wait == 0 {
            return Ok(());
        }
        if self.told.is_due(now) {
            tracing::warn!(address = %from, "too many failed sign-ins: further ones have to wait");
        }
        Err(Duration::from_millis(wait))
    }
}

/// Who calls from where, as hashes.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    user: u64,
    pair: u64,
}

impl Place {
    /// Case does not count in names.
    fn of(key: &RandomState, from: IpAddr, name: &str) -> Place {
        let (network, name) = (network(from), name.to_ascii_lowercase());
        let hash = |what: &dyn Fn(&mut std::hash::DefaultHasher)| {
            let mut hasher = key.build_hasher();
            what(&mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        Place {
            address: hash(&|hasher| network.hash(hasher)),
            user: hash(&|hasher| name.hash(hasher)),
            pair: hash(&|hasher| (network, &name).hash(hasher)),
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7));
    const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
    }

    /// How many guesses of how many are looked at.
    fn guess(sign_ins: &SignIns, from: IpAddr, name: &str, guesses: u32, now: Instant) -> u32 {
        let mut looked_at = 0;
        for _ in 0..guesses {
            if sign_ins.may_try(from, name, now).is_ok() {
                sign_ins.failed(from, name, now);
                looked_at += 1;
            }
        }
        looked_at
    }

    #[test]
    fn a_stranger_has_some_guesses_and_then_few() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        assert_eq!(guess(&sign_ins, FAR, "Anna", 1000, now), STRANGER.burst);
        assert_eq!(guess(&sign_ins, FAR, "anna", 1000, now), 0);
        let wait = sign_ins.may_try(FAR, "anna", now).unwrap_err();
        assert!(wait <= STRANGER.every && !wait.is_zero());
        assert_eq!(guess(&sign_ins, FAR, "anna", 1000, now + wait), 1);
        let day = Duration::from_secs(86_400);
        assert_eq!(guess(&sign_ins, FAR, "anna", 1000, now + day), STRANGER.burst);
    }

    #[test]
    fn an_address_that_tries_many_names_is_slowed_too() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        let looked_at: u32 =
            (0..1000).map(|n| guess(&sign_ins, FAR, &format!("name{n}"), 1, now)).sum();
        assert_eq!(looked_at, ADDRESS.burst);
        assert!(sign_ins.wrong_key(FAR, now).is_err());
        assert!(sign_ins.wrong_key(HOME, now).is_ok());
    }

    #[test]
    fn guesses_from_everywhere_do_not_lock_a_user_out_of_home() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        sign_ins.succeeded(HOME, "anna", now);
        let looked_at: u32 =
            (0..20_000).map(|n| guess(&sign_ins, address(n), "anna", 1, now)).sum();
        assert!(looked_at <= USER.burst, "{looked_at}");
        assert!(sign_ins.may_try(FAR, "anna", now).is_err());
        assert!(sign_ins.may_try(HOME, "ANNA", now).is_ok());
        // Others at home with a phone that has an old password are no harm either.
        assert_eq!(guess(&sign_ins, HOME, "ben", 1000, now), STRANGER.burst);
        assert!(sign_ins.may_try(HOME, "anna", now).is_ok());
        assert_eq!(guess(&sign_ins, HOME, "anna", 1000, now), AT_HOME.burst);
        assert!(sign_ins.may_try(HOME, "anna", now + AT_HOME.every).is_ok());
    }

    #[test]
    fn right_passwords_make_up_for_wrong_ones_at_home() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for _ in 0..1000 {
            sign_ins.succeeded(HOME, "anna", now);
            assert_eq!(guess(&sign_ins, HOME, "anna", 1, now), 1);
        }
        // They are no credit for more.
        for _ in 0..1000 {
            sign_ins.succeeded(HOME, "anna", now);
        }
        assert_eq!(guess(&sign_ins, HOME, "anna", 1000, now), AT_HOME.burst);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        let looked_at: u32 = (0..1000)
            .map(|n| {
                let from = IpAddr::V6(format!("2001:db8::{n:x}").parse().unwrap());
                guess(&sign_ins, from, &format!("name{n}"), 1, now)
            })
            .sum();
        assert_eq!(looked_at, ADDRESS.burst);
    }

    #[test]
    fn homes_are_bounded_and_end() {
        let (sign_ins, now) = (SignIns::default(), Instant::now());
        for (number, ms) in (0..1000).zip(0..) {
            sign_ins.succeeded(address(number), "anna", now + Duration::from_millis(ms));
        }
        assert_eq!(sign_ins.homes().len(), MOST_HOMES);
        let home = |number: u32, now| {
            let at = Place::of(&sign_ins.key, address(number), "anna");
            sign_ins.is_home(at, sign_ins.time(now))
        };
        assert!(!home(0, now) && home(999, now));
        assert!(!home(999, now + HOME_FOR + Duration::from_secs(1)));
    }
}
