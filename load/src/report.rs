//! What is said at the end: lines for people, or one line of JSON.

use crate::check::CheckReport;
use crate::compare::Differences;
use crate::fault::Fault;
use crate::latency::Latency;
use crate::load::LoadReport;
use serde_json::{Value, json};
use std::fmt;

/// How a run went, whole or in part.
#[derive(Debug)]
pub struct Outcome {
    /// What was sent; absent with `--check`, or if sending could not begin.
    pub load: Option<LoadReport>,
    /// What was compared; absent if it did not come to that.
    pub check: Option<CheckReport>,
    /// Why the run ended early, if it did.
    pub fault: Option<Fault>,
}

impl Outcome {
    /// Whether everything was done and nothing differs.
    #[must_use]
    pub fn passed(&self) -> bool {
        let stale = self.load.as_ref().map_or(0, |load| load.visible.stale.count);
        let compared = self.check.as_ref().is_some_and(|c| c.tally.differences.count == 0);
        self.fault.is_none() && compared && stale == 0
    }

    /// 0 for a pass, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.passed())
    }

    /// The same as the lines, for machines.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "passed": self.passed(),
            "load": self.load,
            "check": self.check,
            "fault": self.fault.as_ref().map(ToString::to_string),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(load) = &self.load {
            load_lines(f, load)?;
        }
        if let Some(check) = &self.check {
            check_lines(f, check)?;
        }
        match &self.fault {
            Some(fault) => writeln!(f, "STOPPED: {fault}"),
            None if self.passed() => writeln!(f, "PASS"),
            None => writeln!(f, "FAIL: the view is not what was sent"),
        }
    }
}

fn load_lines(f: &mut fmt::Formatter<'_>, load: &LoadReport) -> fmt::Result {
    let LoadReport { customers, orders, retries, seconds, commands_per_second, .. } = load;
    let commands = customers + orders;
    writeln!(f, "commands    {commands} acknowledged: {customers} customers, {orders} orders")?;
    writeln!(
        f,
        "            {commands_per_second:.0}/s over {seconds:.1} s, {retries} sent again"
    )?;
    latency_line(f, "answered", load.command)?;
    latency_line(f, "visible", load.visible.latency)?;
    let unanswered = load.visible.unanswered;
    if unanswered > 0 {
        writeln!(f, "            {unanswered} more could not be asked for")?;
    }
    difference_lines(f, "answered too old", &load.visible.stale)
}

fn check_lines(f: &mut fmt::Formatter<'_>, check: &CheckReport) -> fmt::Result {
    let tally = &check.tally;
    let (customers, orders, seconds) = (tally.customers, tally.orders, check.seconds);
    writeln!(f, "checked     {customers} customers, {orders} orders in {seconds:.1} s")?;
    if tally.unacknowledged > 0 {
        let more = tally.unacknowledged;
        writeln!(f, "            and {more} rows whose commands were not acknowledged")?;
    }
    difference_lines(f, "different", &tally.differences)
}

fn latency_line(f: &mut fmt::Formatter<'_>, what: &str, took: Option<Latency>) -> fmt::Result {
    match took {
        None => writeln!(f, "{what:11} not measured"),
        Some(Latency { samples, p50_ms, p99_ms, max_ms }) => writeln!(
            f,
            "{what:11} p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, most {max_ms:.1} ms \
             ({samples} measured)"
        ),
    }
}

fn difference_lines(f: &mut fmt::Formatter<'_>, what: &str, all: &Differences) -> fmt::Result {
    if all.count == 0 {
        return Ok(());
    }
    writeln!(f, "{what}: {}", all.count)?;
    for difference in &all.first {
        let (expected, found) = (&difference.expected, &difference.found);
        writeln!(f, "  {}: expected {expected}, found {found}", difference.what)?;
    }
    let more = all.count - all.first.len() as u64;
    if more > 0 { writeln!(f, "  and {more} more") } else { Ok(()) }
}
