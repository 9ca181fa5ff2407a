//! What a run shows while it goes, and how it is asked to stop.

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

/// Held by whoever started a run. The default shows nothing.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Cancel it to end the run early; what was acknowledged stays in the journal.
    pub stop: CancellationToken,
    bars: bool,
}

impl Watch {
    /// Shows progress bars on standard error, if that is a terminal.
    #[must_use]
    pub fn with_bars() -> Self {
        Self { bars: true, ..Self::default() }
    }

    /// The bar of one phase.
    pub(crate) fn bar(&self, phase: &'static str, steps: u64) -> ProgressBar {
        if !self.bars {
            return ProgressBar::hidden();
        }
        let template = "{msg:9} {wide_bar} {pos}/{len} {per_sec} eta {eta}";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(steps)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(phase);
        bar.tick();
        bar
    }
}
