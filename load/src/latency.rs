//! Exact percentiles from a bounded number of samples.

use std::time::Duration;

/// The most samples that are kept: 4 MB, and every command at scale 0.6.
const MOST: usize = 1 << 20;

/// Durations, to the microsecond. When there is no room for more, every other one is let go and
/// from then on only every second (fourth, ...) is taken, so that the whole run stays represented.
#[derive(Debug)]
pub(crate) struct Samples {
    micros: Vec<u32>,
    most: usize,
    stride: u64,
    seen: u64,
}

impl Default for Samples {
    fn default() -> Self {
        Self { micros: Vec::new(), most: MOST, stride: 1, seen: 0 }
    }
}

impl Samples {
    /// Takes one duration in; one of more than 71 minutes counts as 71 minutes.
    pub(crate) fn add(&mut self, duration: Duration) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return;
        }
        self.micros.push(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX));
        if self.micros.len() == self.most {
            let mut index = 0_usize;
            self.micros.retain(|_| {
                index += 1;
                index.is_multiple_of(2)
            });
            self.stride *= 2;
        }
    }

    /// What is said about the samples at the end.
    pub(crate) fn summary(&self) -> Option<Latency> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        Some(Latency {
            samples: sorted.len(),
            p50_ms: percentile(&sorted, 50)?,
            p99_ms: percentile(&sorted, 99)?,
            max_ms: percentile(&sorted, 100)?,
        })
    }
}

/// How long something took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Latency {
    /// How many durations this is made from.
    pub samples: usize,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// None took longer.
    pub max_ms: f64,
}

/// The least sample that `percent` of the samples don't exceed (nearest rank), in milliseconds.
fn percentile(sorted: &[u32], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).map(|micros| f64::from(*micros) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(most: usize, millis: impl IntoIterator<Item = u64>) -> Samples {
        let mut samples = Samples { most, ..Samples::default() };
        millis.into_iter().for_each(|ms| samples.add(Duration::from_millis(ms)));
        samples
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let hundred = samples(MOST, (1..=100).rev()).summary().unwrap();
        assert_eq!((hundred.p50_ms, hundred.p99_ms, hundred.max_ms), (50.0, 99.0, 100.0));
        let one = samples(MOST, [7]).summary().unwrap();
        assert_eq!((one.samples, one.p50_ms, one.p99_ms), (1, 7.0, 7.0));
        assert_eq!(samples(MOST, []).summary(), None);
    }

    #[test]
    fn the_bound_holds_and_the_rest_stays_representative() {
        let many = samples(64, 1..=10_000);
        assert!(many.micros.len() < 64);
        let summary = many.summary().unwrap();
        assert!((4_000.0..6_000.0).contains(&summary.p50_ms), "{summary:?}");
    }
}
