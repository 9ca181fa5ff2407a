//! Connections as they are accepted: bounded in number, and ended when the drain is over.
//!
//! tonic's own listener stream has neither. It accepts without a bound, spins when the process is
//! out of file descriptors, and a connection outlives the server that accepted it.

use futures::{Stream, stream};
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long to wait after a failed accept. The usual cause is too few file descriptors, which
/// only other connections' ends can mend.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// How long a connection may take to say which version of HTTP it speaks. Without that, one that
/// says nothing keeps its slot for ever; later silence is HTTP's own to end.
const HEARD_WITHIN: Duration = Duration::from_secs(10);

/// As many bytes as tell the version: HTTP/2 begins with so many.
const TELLING_BYTES: usize = 24;

/// Accepts connections, at most `most` at a time; more wait in the system's backlog. Each ends
/// at once when `abort` is cancelled.
pub(crate) fn incoming(
    listener: TcpListener,
    most: usize,
    abort: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> {
    let slots = Arc::new(Semaphore::new(most));
    stream::unfold((listener, slots, abort), |(listener, slots, abort)| async move {
        let slot = slots.clone().acquire_owned().await.ok()?;
        let tcp = accept(&listener).await;
        let abort_seen = Box::pin(abort.clone().cancelled_owned());
        let unheard = Some(Unheard { bytes: 0, too_late: Box::pin(sleep(HEARD_WITHIN)) });
        let connection = Connection { tcp, abort_seen, unheard, _slot: slot };
        Some((Ok(connection), (listener, slots, abort)))
    })
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                // Without it, small answers wait for the acknowledgement of the one before. A
                // socket that refuses is about to fail anyway, and that is reported then.
                let _ = tcp.set_nodelay(true);
                return tcp;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// An accepted connection.
pub(crate) struct Connection {
    tcp: TcpStream,
    abort_seen: Pin<Box<WaitForCancellationFutureOwned>>,
    unheard: Option<Unheard>,
    _slot: OwnedSemaphorePermit,
}

/// A connection that has not said enough yet.
struct Unheard {
    bytes: usize,
    too_late: Pin<Box<Sleep>>,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.tcp.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A connection is always being read from, so this is where the abort wakes it.
        if self.abort_seen.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let filled = buf.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if let Some(unheard) = &mut self.unheard {
            unheard.bytes += buf.filled().len() - filled;
            if unheard.bytes >= TELLING_BYTES {
                self.unheard = None;
            } else if read.is_pending() && unheard.too_late.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        time::timeout,
    };

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_loses_its_slot() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Box::pin(incoming(listener, 1, CancellationToken::new()));
        for (said, is_left) in [(0, true), (TELLING_BYTES - 1, true), (TELLING_BYTES, false)] {
            let mut caller = TcpStream::connect(address).await.unwrap();
            let mut connection = connections.next().await.unwrap().unwrap();
            caller.write_all(&vec![b'x'; said]).await.unwrap();
            connection.read_exact(&mut vec![0; said]).await.unwrap();
            let more = timeout(HEARD_WITHIN * 3, connection.read_u8()).await;
            match is_left {
                true => assert_eq!(more.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut),
                false => assert!(more.is_err(), "it goes on waiting"),
            }
        }
    }
}
