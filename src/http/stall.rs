//! Ends connections that stand still, which hyper does for the heads of requests alone.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Instant, Sleep, sleep};

use super::connections::Connection;

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, from its first byte to its last.
    pub head: Duration,
    /// For the first byte of the next request.
    pub idle: Duration,
    /// For taking some byte of a response.
    pub stall: Duration,
}

/// A connection that fails where the peer's time is over.
///
/// A peer that takes its time with a response is not waited for as one that sends no request: the
/// last bytes of a song may stay with us while its listener pauses.
///
/// It passes vectored writes on: without them hyper would copy bodies in user space, which must
/// never happen to the windows of a file.
pub struct Watched<T> {
    inner: T,
    patience: Patience,
    connection: Arc<Connection>,
    writing: Timer,
    /// Whether a write makes no progress.
    stalls: bool,
    reading: Timer,
    /// What is waited for of which request, by its number.
    expected: Option<(u64, Expected)>,
}

/// What is waited for of a request.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// Its first byte.
    Any,
    /// The rest of its head.
    Rest,
}

/// A timer that is made when it is first needed, and kept.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// A time too far ahead for the clock is no limit.
    fn start(&mut self, patience: Duration) {
        if let Some(end) = Instant::now().checked_add(patience) {
            self.0.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().reset(end);
        }
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.0.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready())
    }
}

impl<T> Watched<T> {
    /// Watches a connection.
    pub fn new(inner: T, patience: Patience, connection: Arc<Connection>) -> Self {
        Watched {
            inner,
            patience,
            connection,
            writing: Timer::default(),
            stalls: false,
            reading: Timer::default(),
            expected: None,
        }
    }

    /// Gives the peer all of its time for the first byte of the next request: what has come until
    /// now was no part of one.
    pub fn expect_anew(&mut self) {
        self.expected = None;
    }

    /// Hands the result of a write on, or the end of our patience.
    fn written<R>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_pending() != self.stalls {
            self.stalls = result.is_pending();
            self.connection.stalls(self.stalls);
            if self.stalls {
                self.writing.start(self.patience.stall);
            }
        }
        if result.is_ready() {
            return result;
        }
        match self.writing.is_over(context) {
            true => late("the peer has taken no byte for too long"),
            false => Poll::Pending,
        }
    }

    /// Bytes have come.
    fn has_come(&mut self) {
        let request = self.connection.requests();
        if self.connection.waits() && self.expected != Some((request, Expected::Rest)) {
            self.expected = Some((request, Expected::Rest));
            self.reading.start(self.patience.head);
        }
    }

    /// Fails where a request is waited for too long.
    fn expect(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.connection.waits() {
            self.expected = None;
            return Poll::Pending;
        }
        let request = self.connection.requests();
        if self.expected.is_none_or(|(of, _)| of != request) {
            self.expected = Some((request, Expected::Any));
            self.reading.start(self.patience.idle);
        }
        match self.reading.is_over(context) {
            true => late("the peer has sent no request for too long"),
            false => Poll::Pending,
        }
    }
}

fn late<R>(message: &str) -> Poll<io::Result<R>> {
    Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
}

impl<T: Read + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Pending => self.expect(context),
            // The end of the stream too, after which nothing is waited for.
            ready => {
                self.has_come();
                ready
            }
        }
    }
}

impl<T: Write + Unpin> Write for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(context, buffer);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(context, buffers);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        // Where the response was the last to be waited for, nobody reads again before a byte comes.
        if let Poll::Ready(Err(late)) = self.expect(context) {
            return Poll::Ready(Err(late));
        }
        flushed
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

    const MINUTE: Duration = Duration::from_secs(60);

    async fn pair(stall: Duration) -> (Watched<TokioIo<TcpStream>>, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let patience = Patience { head: MINUTE, idle: MINUTE, stall };
        let connection = Arc::new(Connection::new(std::time::Instant::now()));
        (Watched::new(TokioIo::new(stream), patience, connection), peer)
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
