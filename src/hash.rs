//! A fast hash that tells whether bytes are as they were: against damage, not against people.

use std::io::{self, Read};

/// An odd number whose bits are spread by chance.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Takes words and bytes in; every step can be undone, so that one changed word always shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hash(u64);

impl Hash {
    /// Takes a word in.
    pub fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_add(SPREAD).wrapping_mul(SPREAD);
        self.0 = mixed ^ (mixed >> 29);
    }

    /// Takes bytes in, and their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.word(last);
        }
    }

    /// Takes all bytes of a reader in, some at a time.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn all(&mut self, mut reader: impl Read) -> io::Result<()> {
        const SOME: usize = 1 << 16;
        let mut bytes = Vec::with_capacity(SOME);
        loop {
            bytes.clear();
            reader.by_ref().take(SOME as u64).read_to_end(&mut bytes)?;
            self.bytes(&bytes);
            if bytes.len() < SOME {
                return Ok(());
            }
        }
    }

    /// The hash of what was taken in.
    pub fn value(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(SPREAD);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> u64 {
        let mut hash = Hash::default();
        hash.bytes(bytes);
        hash.value()
    }

    proptest! {
        #[test]
        fn one_changed_byte_always_shows(
            bytes in prop::collection::vec(any::<u8>(), 1..300),
            at: prop::sample::Index,
            change in 1..=255u8,
        ) {
            let mut other = bytes.clone();
            other[at.index(bytes.len())] ^= change;
            prop_assert_ne!(of(&bytes), of(&other));
        }
    }

    #[test]
    fn zeroes_at_the_end_count() {
        assert_ne!(of(&[1]), of(&[1, 0]));
        assert_ne!(of(&[]), of(&[0]));
    }

    #[test]
    fn a_reader_is_read_to_its_end() {
        let bytes = vec![7; (1 << 16) + 5];
        let all = |bytes: &[u8]| {
            let mut hash = Hash::default();
            hash.all(bytes).unwrap();
            hash.value()
        };
        let mut other = bytes.clone();
        *other.last_mut().unwrap() = 8;
        assert_eq!(all(&bytes), all(&bytes.clone()));
        assert_ne!(all(&bytes), all(&other));
        assert_ne!(all(&bytes[..1 << 16]), all(&bytes));
    }
}
