//! How many shards there are: the one number that every process of a system has to be told alike.

use clap::Args;

/// The most shards: each keeps a store open, so the bound is one of memory and files.
const MOST: u32 = 64;

/// The number, to be flattened into a process's settings.
#[derive(Debug, Clone, Copy, Args)]
pub struct Shards {
    /// How many shards there are, which is how many partitions each topic has. Fixed when the
    /// topics are made; every process has to be told the same.
    #[arg(long, env = "TANDEM_SHARDS", value_name = "N", default_value_t = 4)]
    pub shards: u32,
}

impl Shards {
    /// What is wrong with it.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        match self.shards {
            1..=MOST => Vec::new(),
            other => vec![format!("--shards is {other}; give 1 to {MOST}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        let is_fine = |shards| Shards { shards }.faults().is_empty();
        assert_eq!([0, 1, 64, 65].map(is_fine), [false, true, true, false]);
        assert_eq!(Shards { shards: 65 }.faults(), ["--shards is 65; give 1 to 64"]);
    }
}
