//! Stamps: short hashes that change with a picture or a file beside a song.

/// A stamp of some bytes: never 0, the same on every machine.
///
/// Eight bytes at a time, so that the pictures of a whole library take no time worth speaking of;
/// nobody gains anything by making two stamps meet.
pub fn of(bytes: &[u8]) -> i64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (bytes.len() as u64).wrapping_mul(PRIME);
    let (words, rest) = bytes.as_chunks::<8>();
    let last = rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]) {
        hash = (hash ^ word).wrapping_mul(PRIME);
        hash ^= hash >> 29;
    }
    hash.cast_signed().max(i64::MIN + 1).abs().max(1)
}

/// A stamp of a file that is not read: its name, length and time of change.
pub fn of_file(name: &[u8], size: i64, modified: i64) -> i64 {
    let mut bytes = Vec::with_capacity(name.len() + 16);
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&modified.to_le_bytes());
    bytes.extend_from_slice(name);
    of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_other_byte_changes_the_stamp(bytes in proptest::collection::vec(0..=255_u8, 1..40), at: usize, by in 1..=255_u8) {
            let mut other = bytes.clone();
            let at = at % bytes.len();
            other[at] = other[at].wrapping_add(by);
            prop_assert_ne!(of(&bytes), of(&other));
            prop_assert!(of(&bytes) > 0);
        }
    }
}
