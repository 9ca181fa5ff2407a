//! Tries of what may not be available, and the waits between them, until told to stop.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The first wait; each one is twice the last.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: what came back is noticed within it.
const LONGEST: Duration = Duration::from_secs(5);

/// Told to stop meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// The tries of one thing.
pub(crate) struct Retry {
    stop: CancellationToken,
    wait: Duration,
}

impl Retry {
    pub(crate) fn new(stop: &CancellationToken) -> Self {
        Self { stop: stop.clone(), wait: FIRST }
    }

    /// A try succeeded: the next wait is a short one again.
    pub(crate) fn succeeded(&mut self) {
        self.wait = FIRST;
    }

    /// How long the next wait is.
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    /// One try; cut off when told to stop, because what doesn't answer may take its time.
    pub(crate) async fn attempt<F: Future>(&self, attempt: F) -> Result<F::Output, Stopped> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped),
            ended = attempt => Ok(ended),
        }
    }

    /// Waits before another try.
    pub(crate) async fn pause(&mut self) -> Result<(), Stopped> {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST);
        tokio::select! {
            () = self.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_get_longer_and_end_at_once_when_told_to_stop() {
        let stop = CancellationToken::new();
        let mut retry = Retry::new(&stop);
        assert_eq!(retry.attempt(std::future::ready(1)).await, Ok(1));
        assert_eq!(retry.pause().await, Ok(()));
        assert_eq!(retry.wait(), FIRST * 2);
        retry.wait = LONGEST / 2 + FIRST;
        stop.cancel();
        assert_eq!(retry.pause().await, Err(Stopped));
        assert_eq!(retry.attempt(std::future::pending::<()>()).await, Err(Stopped));
        assert_eq!(retry.wait(), LONGEST);
        retry.succeeded();
        assert_eq!(retry.wait(), FIRST);
    }
}
