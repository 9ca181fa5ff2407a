//! How large the tables are: TPC-H's scale factor, within the bounds that this tool can hold.

use std::fmt;
use std::str::FromStr;

/// Below this, tpchgen has no customer to draw orders for.
const LEAST: f64 = 0.0001;
/// The check holds both tables in memory, about 0.5 GB for each unit of scale.
const MOST: f64 = 10.0;

/// TPC-H's scale factor: 150,000 customers and 1,500,000 orders at 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

impl Scale {
    /// The factor as a number.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.0
    }
}

/// 0.01: 1,500 customers and 15,000 orders.
impl Default for Scale {
    fn default() -> Self {
        Self(0.01)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from {LEAST} to {MOST}")]
pub struct NotAScale;

impl FromStr for Scale {
    type Err = NotAScale;

    fn from_str(text: &str) -> Result<Self, NotAScale> {
        let factor = text.parse().map_err(|_| NotAScale)?;
        if (LEAST..=MOST).contains(&factor) { Ok(Self(factor)) } else { Err(NotAScale) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpch::Tables;

    #[test]
    fn bounds_hold_and_the_least_has_rows() {
        for text in ["0", "-1", "NaN", "inf", "11", "x", ""] {
            assert_eq!(text.parse::<Scale>(), Err(NotAScale), "{text}");
        }
        let tables = Tables::new(LEAST.to_string().parse().unwrap());
        assert_eq!((tables.customers().count(), tables.orders().count()), (15, 150));
    }
}
