//! Passphrases of shares: hashed slowly, one at a time, and tried a few times only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};
use crate::limiter::Limiter;
use crate::secret::{from_hex, hex, random};

/// Most bytes of a passphrase.
pub const MOST_BYTES: usize = 256;
/// The cost of a hash: 7 MiB, which a machine with 512 MB has to spare, gone over five times; as
/// hard to try as 19 MiB gone over twice.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
/// The highest cost that is believed of a stored hash.
const MOST_MEMORY_KIB: u32 = 64 * 1024;
const MOST_PASSES: u32 = 16;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// How many may wait while one hash is made: each keeps a thread for requests.
const MOST_WAITING: usize = 2;
/// Wrong tries of one address, and at one share, within [`TRIES_WITHIN`].
const TRIES_OF_ADDRESS: u32 = 10;
const TRIES_AT_SHARE: u32 = 100;
/// How long a wrong try counts.
pub const TRIES_WITHIN: Duration = Duration::from_secs(600);
/// Shares whose right passphrase is known again without the slow hash.
const MOST_KNOWN: usize = 256;

/// How a try went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// It is the one.
    Right,
    /// It is not.
    Wrong,
    /// There were too many wrong ones: this one was not looked at.
    TooMany,
    /// Others are looked at: this one may come again in a moment.
    Busy,
}

/// What a passphrase is tried at.
#[derive(Clone, Copy, Debug)]
pub struct Lock<'a> {
    /// The row of the share.
    pub share: i64,
    /// The hash it keeps.
    pub hash: &'a str,
}

/// Makes and compares hashes of passphrases.
pub struct Passphrases {
    /// Held while a hash is made, so that there is memory for one.
    turn: Mutex<()>,
    waiting: AtomicUsize,
    /// For programs that send the passphrase with every request: quick keyed hashes of right ones.
    known: Mutex<HashMap<i64, [u8; 32]>>,
    key: [u8; 32],
    addresses: Limiter<IpAddr>,
    shares: Limiter<i64>,
}

/// What is wrong with a passphrase, in words; `None` for a good one.
pub fn fault(text: &str) -> Option<&'static str> {
    match text.len() {
        0 => Some("a passphrase cannot be empty"),
        1..=MOST_BYTES if text.chars().any(char::is_control) => {
            Some("a passphrase cannot hold control characters")
        }
        1..=MOST_BYTES => None,
        _ => Some("a passphrase has 256 bytes at most"),
    }
}

impl Passphrases {
    /// Fails where the system gives no random numbers.
    pub fn new() -> Result<Passphrases> {
        Ok(Passphrases {
            turn: Mutex::default(),
            waiting: AtomicUsize::new(0),
            known: Mutex::default(),
            key: random()?,
            addresses: Limiter::new(TRIES_OF_ADDRESS, TRIES_WITHIN),
            shares: Limiter::new(TRIES_AT_SHARE, TRIES_WITHIN),
        })
    }

    /// The hash of a new passphrase, with salt and cost.
    ///
    /// # Errors
    /// The system gives no random numbers, or no memory for the hash.
    pub fn hash(&self, text: &str) -> Result<String> {
        let salt = random::<SALT_BYTES>()?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = slow_hash(text, &salt, MEMORY_KIB, PASSES)
            .ok_or_else(|| Error::new("the passphrase could not be hashed"))?;
        Ok(format!("argon2id$m={MEMORY_KIB},t={PASSES}${}${}", hex(&salt), hex(&hash)))
    }

    /// Tries a passphrase that somebody at an address sent. It takes the same time whatever is
    /// wrong with it.
    pub fn try_at(&self, lock: Lock, address: IpAddr, text: &str) -> Try {
        let quick = self.quick_hash(lock.hash, text);
        let known =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&lock.share).copied();
        if known.is_some_and(|known| known.ct_eq(&quick).into()) {
            return Try::Right;
        }
        // Counted before it is looked at, so that many at once are not more than may be.
        let now = Instant::now();
        if !self.addresses.take(&address, now) {
            return Try::TooMany;
        }
        if !self.shares.take(&lock.share, now) {
            self.addresses.give_back(&address);
            return Try::TooMany;
        }
        let tried = self.compare(lock.hash, text);
        if tried != Try::Wrong {
            self.addresses.give_back(&address);
            self.shares.give_back(&lock.share);
        }
        if tried == Try::Right {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(lock.share, quick);
        }
        tried
    }

    fn compare(&self, stored: &str, text: &str) -> Try {
        if self.waiting.fetch_add(1, Ordering::AcqRel) > MOST_WAITING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Try::Busy;
        }
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let is_right = is_hash_of(stored, text);
        drop(turn);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        if is_right { Try::Right } else { Try::Wrong }
    }

    fn quick_hash(&self, stored: &str, text: &str) -> [u8; 32] {
        let parts = [&self.key, stored.as_bytes(), b"\0", text.as_bytes()];
        Sha256::digest(parts.concat()).into()
    }
}

fn is_hash_of(stored: &str, text: &str) -> bool {
    let read = || {
        let mut parts = stored.strip_prefix("argon2id$m=")?.split('$');
        let (memory, passes) = parts.next()?.split_once(",t=")?;
        let memory = memory.parse().ok().filter(|memory| *memory <= MOST_MEMORY_KIB)?;
        let passes = passes.parse().ok().filter(|passes| *passes <= MOST_PASSES)?;
        Some((memory, passes, from_hex(parts.next()?)?, from_hex(parts.next()?)?))
    };
    let Some((memory, passes, salt, hash)) = read() else {
        tracing::error!("the stored hash of a passphrase is damaged; set the passphrase anew");
        return false;
    };
    // What is too long to be right takes as long as what is not.
    let text = if text.len() > MOST_BYTES { "" } else { text };
    slow_hash(text, &salt, memory, passes).is_some_and(|made| made.ct_eq(&hash).into())
}

/// The text in one spelling: keyboards differ in how they compose letters.
fn slow_hash(text: &str, salt: &[u8], memory: u32, passes: u32) -> Option<[u8; HASH_BYTES]> {
    let text: String = text.nfc().collect();
    let params = Params::new(memory, passes, 1, Some(HASH_BYTES)).ok()?;
    let mut hash = [0; HASH_BYTES];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(text.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn the_right_one_opens_in_any_spelling_of_its_letters() {
        let passphrases = Passphrases::new().unwrap();
        let hash = passphrases.hash("Sesam \u{f6}ffne dich").unwrap();
        assert!(hash.starts_with("argon2id$m=7168,t=5$") && !hash.contains("Sesam"));
        assert_ne!(hash, passphrases.hash("Sesam \u{f6}ffne dich").unwrap());
        let lock = Lock { share: 1, hash: &hash };
        let tried = |text: &str| passphrases.try_at(lock, address(1), text);
        assert_eq!(tried("sesam \u{f6}ffne dich"), Try::Wrong);
        assert_eq!(tried(&"x".repeat(MOST_BYTES + 1)), Try::Wrong);
        assert_eq!(tried("Sesam o\u{308}ffne dich"), Try::Right);
        assert_eq!(tried("Sesam \u{f6}ffne dich"), Try::Right);
        // Another passphrase makes the known one unknown.
        let hash = passphrases.hash("another").unwrap();
        let lock = Lock { share: 1, hash: &hash };
        assert_eq!(passphrases.try_at(lock, address(1), "Sesam \u{f6}ffne dich"), Try::Wrong);
    }

    #[test]
    fn wrong_ones_are_limited_by_address_and_right_ones_are_not_counted() {
        let passphrases = Passphrases::new().unwrap();
        // A damaged hash is compared quickly: the counting is what is tried here.
        let lock = Lock { share: 1, hash: "damaged" };
        for _ in 0..TRIES_OF_ADDRESS {
            assert_eq!(passphrases.try_at(lock, address(1), "x"), Try::Wrong);
        }
        assert_eq!(passphrases.try_at(lock, address(1), "x"), Try::TooMany);
        for number in 0..TRIES_AT_SHARE - TRIES_OF_ADDRESS {
            let address = address(u8::try_from(2 + number / TRIES_OF_ADDRESS).unwrap());
            assert_eq!(passphrases.try_at(lock, address, "x"), Try::Wrong);
        }
        assert_eq!(passphrases.try_at(lock, address(200), "x"), Try::TooMany);
        let other = Lock { share: 2, hash: "damaged" };
        assert_eq!(passphrases.try_at(other, address(200), "x"), Try::Wrong);
    }

    #[test]
    fn many_at_once_are_no_more_than_may_wait() {
        let passphrases = Passphrases::new().unwrap();
        let hash = passphrases.hash("right").unwrap();
        let turn = passphrases.turn.lock().unwrap();
        let lock = Lock { share: 1, hash: &hash };
        std::thread::scope(|scope| {
            let passphrases = &passphrases;
            let waiting: Vec<_> = (0..=MOST_WAITING)
                .map(|_| scope.spawn(move || passphrases.try_at(lock, address(1), "right")))
                .collect();
            while passphrases.waiting.load(Ordering::Acquire) <= MOST_WAITING {
                std::thread::yield_now();
            }
            assert_eq!(passphrases.try_at(lock, address(2), "right"), Try::Busy);
            drop(turn);
            for each in waiting {
                assert_eq!(each.join().unwrap(), Try::Right);
            }
        });
    }

    #[test]
    fn a_passphrase_can_be_typed() {
        for text in ["x", " open sesame ", "山", &"x".repeat(MOST_BYTES)] {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in ["", "a\nb", &"x".repeat(MOST_BYTES + 1)] {
            assert!(fault(text).is_some(), "{text:?}");
        }
    }
}
