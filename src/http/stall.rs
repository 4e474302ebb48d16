//! Ends connections whose peer takes no byte for a long time, which hyper never does by itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Instant, Sleep, sleep};

/// A connection with a limit on how long a write may make no progress.
///
/// It passes vectored writes on: without them hyper would copy bodies in user space, which must
/// never happen to the windows of a file.
pub struct Watched<T> {
    inner: T,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<T> Watched<T> {
    /// Watches a connection; a write that makes no progress for `patience` fails.
    pub fn new(inner: T, patience: Duration) -> Self {
        Watched { inner, patience, timer: None, waiting: false }
    }

    /// Hands a result on, or the end of our patience.
    fn watch<R>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.waiting = false;
            return result;
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !self.waiting {
            self.waiting = true;
            // A time too far ahead for the clock is no limit.
            if let Some(end) = Instant::now().checked_add(patience) {
                timer.as_mut().reset(end);
            }
        }
        match timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let message = "the peer has taken no byte for too long";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
            }
        }
    }
}

impl<T: Read + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(context, buffer);
        self.watch(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(context, buffers);
        self.watch(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use hyper_util::rt::TokioIo;
    use std::future::poll_fn;
    use tokio::net::{TcpListener, TcpStream};

    async fn pair(patience: Duration) -> (Watched<TokioIo<TcpStream>>, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        (Watched::new(TokioIo::new(stream), patience), peer)
    }

    async fn write(connection: &mut Watched<TokioIo<TcpStream>>) -> io::Result<usize> {
        let block = [7; 65_536];
        poll_fn(|context| {
            let blocks = [io::IoSlice::new(&block), io::IoSlice::new(&block)];
            Pin::new(&mut *connection).poll_write_vectored(context, &blocks)
        })
        .await
    }

    #[tokio::test]
    async fn writes_stay_vectored() {
        let (connection, _peer) = pair(Duration::from_secs(30)).await;
        assert!(connection.is_write_vectored());
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_left() {
        let (mut connection, _peer) = pair(Duration::from_millis(50)).await;
        let failure = loop {
            if let Err(failure) = write(&mut connection).await {
                break failure;
            }
        };
        assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_a_little_may_stay() {
        use std::io::Read as _;
        const SENT: usize = 32 << 20;
        let (mut connection, mut peer) = pair(Duration::from_secs(30)).await;
        let reader = std::thread::spawn(move || {
            let (mut taken, mut block) = (0, [0; 65_536]);
            while taken < SENT {
                taken += peer.read(&mut block).unwrap();
            }
        });
        let mut sent = 0;
        while sent < SENT {
            sent += write(&mut connection).await.unwrap();
        }
        reader.join().unwrap();
    }
}
