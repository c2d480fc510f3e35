//! A connection that ends when the client takes no bytes for too long.
//!
//! Reading is bounded elsewhere (the time for a head, the time for a request); without a bound on
//! writing, a client that stops reading would keep its answer, and its place, for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream whose writes may stand still for a bounded time.
#[derive(Debug)]
pub(crate) struct Stalling<S> {
    inner: S,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    standing: bool,
}

impl<S> Stalling<S> {
    pub(crate) fn new(inner: S, limit: Duration) -> Self {
        Self { inner, limit, timer: Box::pin(sleep(limit)), standing: false }
    }

    /// Lets the outcome of a write through, and watches how long it has been waited for.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.standing = false;
            return outcome;
        }
        if !self.standing {
            self.standing = true;
            self.timer.as_mut().reset(Instant::now() + self.limit);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watch(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_let_go_and_a_slow_one_is_not() {
        let (near, mut far) = duplex(64);
        let mut near = Stalling::new(near, Duration::from_secs(30));
        let reading = tokio::spawn(async move {
            let mut taken = [0; 16];
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                far.read_exact(&mut taken).await.unwrap();
            }
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        });
        near.write_all(&[0; 320]).await.unwrap();
        let error = near.write_all(&[0; 320]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        reading.abort();
    }
}
