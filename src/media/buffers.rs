//! Memory for what is read, used again and again.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most buffers that are kept while nobody needs them: 1 MiB with those of
/// [`BUFFER`](super::sending::BUFFER) bytes.
const MOST_KEPT: usize = 16;

/// Buffers of about one length, which go from one who needs them to the next.
///
/// A new one costs as much as what is read into it: its pages come one by one from the kernel and
/// are filled with zeros, and one that was in use a moment ago is still in the caches.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Stock>);

#[derive(Debug, Default)]
struct Stock {
    /// Buffers that nobody needs now.
    kept: Vec<Vec<u8>>,
    /// How many are needed now.
    lent: usize,
}

/// A buffer, until this is dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Arc<Buffers>,
}

impl Buffers {
    /// A buffer of this length with any bytes in it.
    pub fn take(self: &Arc<Self>, len: usize) -> Buffer {
        self.lend(self.stock(), len)
    }

    /// The same; `None` where so many are needed now.
    pub fn take_of(self: &Arc<Self>, most: usize, len: usize) -> Option<Buffer> {
        let stock = self.stock();
        (stock.lent < most).then(|| self.lend(stock, len))
    }

    fn lend(self: &Arc<Self>, mut stock: MutexGuard<'_, Stock>, len: usize) -> Buffer {
        stock.lent += 1;
        let mut bytes = stock.kept.pop().unwrap_or_default();
        drop(stock);
        bytes.resize(len, 0);
        Buffer { bytes, home: Arc::clone(self) }
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        let mut stock = self.home.stock();
        stock.lent -= 1;
        if stock.kept.len() < MOST_KEPT {
            stock.kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_buffer_is_used_again_at_any_length() {
        let buffers = Arc::new(Buffers::default());
        let mut first = buffers.take(100);
        first.as_mut().fill(7);
        let place = first.as_ref().as_ptr();
        drop(first);
        let again = buffers.take(50);
        assert_eq!((again.as_ref().len(), again.as_ref().as_ptr()), (50, place));
        drop(again);
        assert_eq!(buffers.take(100).as_ref().len(), 100);
    }

    #[test]
    fn no_more_are_lent_than_may_be() {
        let buffers = Arc::new(Buffers::default());
        let lent = [buffers.take(10), buffers.take_of(2, 10).unwrap()];
        assert!(buffers.take_of(2, 10).is_none());
        drop(lent);
        assert!(buffers.take_of(2, 10).is_some());
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let buffers = Arc::new(Buffers::default());
        let lent: Vec<_> = (0..2 * MOST_KEPT).map(|_| buffers.take(10)).collect();
        drop(lent);
        let stock = buffers.stock();
        assert_eq!((stock.kept.len(), stock.lent), (MOST_KEPT, 0));
    }
}
