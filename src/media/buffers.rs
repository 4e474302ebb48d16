//! Memory for what is read, used again and again.

use std::sync::{Mutex, PoisonError};

/// Most buffers that are kept while nobody needs them: 1 MiB with those of
/// [`BUFFER`](super::sending::BUFFER) bytes.
const MOST_KEPT: usize = 16;

/// Buffers that nobody needs now.
///
/// A new one costs as much as what is read into it: its pages come one by one from the kernel and
/// are filled with zeros, and one that was in use a moment ago is still in the caches.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// A buffer of this length with any bytes in it.
    pub fn take(&self, len: usize) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    /// Takes a buffer back.
    pub fn give_back(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_at_any_length() {
        let buffers = Buffers::default();
        let mut first = buffers.take(100);
        first.fill(7);
        let place = first.as_ptr();
        buffers.give_back(first);
        let again = buffers.take(50);
        assert_eq!((again.len(), again.as_ptr()), (50, place));
        buffers.give_back(again);
        assert_eq!(buffers.take(100).len(), 100);
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let buffers = Buffers::default();
        for _ in 0..2 * MOST_KEPT {
            buffers.give_back(vec![0; 10]);
        }
        assert_eq!(buffers.0.lock().map_or(0, |kept| kept.len()), MOST_KEPT);
    }
}
