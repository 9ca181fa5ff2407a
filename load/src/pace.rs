//! When each command starts: at once, or at a set rate.

use std::time::{Duration, Instant};

/// Hands out starting times.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Option<Duration>,
    due: Instant,
}

impl Pace {
    /// `rate` commands a second, or as many as are asked for.
    pub(crate) fn new(rate: Option<f64>) -> Self {
        let interval = rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        Self { interval, due: Instant::now() }
    }

    /// Waits until the next command may start, and returns from when its latency counts. If it
    /// was due earlier (because every slot was taken by commands that are slow), that is when it
    /// was due; the time that a timer takes to fire is this process's own and does not count.
    pub(crate) async fn next(&mut self) -> Instant {
        let Some(interval) = self.interval else { return Instant::now() };
        let due = self.due;
        self.due += interval;
        if due <= Instant::now() {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rate_is_kept_and_a_late_start_counts_from_when_it_was_due() {
        let mut pace = Pace::new(Some(100.0));
        let first = pace.next().await;
        std::thread::sleep(Duration::from_millis(55));
        for nth in 1..=5 {
            assert_eq!(pace.next().await, first + Duration::from_millis(10) * nth);
        }
        assert!(pace.next().await >= first + Duration::from_millis(60));
    }
}
