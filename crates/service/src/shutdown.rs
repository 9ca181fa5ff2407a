//! Turns the system's wish that the process ends into a token that everything listens to.

use std::io;
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal: what shells report for a process ended by Ctrl-C.
const IMPATIENT: i32 = 130;

/// A token that is cancelled by the first SIGTERM or Ctrl-C. A second signal ends the process at
/// once: whoever sends it no longer wants to wait for the drain, and nothing durable depends on
/// the drain. Has to be called within a runtime.
///
/// # Errors
/// When the system lets no handler be set.
pub fn on_signal() -> io::Result<CancellationToken> {
    let mut signals = Signals::listen()?;
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        let name = signals.next().await;
        tracing::info!(signal = name, "shutting down; a second signal ends the process at once");
        shutdown.cancel();
        let name = signals.next().await;
        tracing::warn!(signal = name, "ending at once");
        std::process::exit(IMPATIENT);
    });
    Ok(token)
}

#[cfg(unix)]
struct Signals {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        // A listener that can't be set means that no signal will come; waiting for ever is then
        // the same as having none.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
