//! How the contract's messages look as JSON, where the types of Protobuf have no form of their own
//! there: times as RFC 3339, spans as seconds, enums by the names that the contract gives them.

use crate::v1::{IgnoredReason, ShardState};
use prost_types::{Duration, Timestamp};
use serde::{Serialize, Serializer};
use std::time::SystemTime;

/// Where the years of RFC 3339 end, in seconds since the Unix epoch.
const YEAR_10000: i64 = 253_402_300_800;

/// RFC 3339 in UTC; an empty text where there is no time.
///
/// # Errors
/// Those of the serializer.
pub fn time<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    let Some(time) = time else { return to.serialize_str("") };
    match SystemTime::try_from(*time) {
        Ok(at) if (0..YEAR_10000).contains(&time.seconds) => {
            to.collect_str(&humantime::format_rfc3339_millis(at))
        }
        // Slower, and takes any time: an event's may be anything.
        _ => to.collect_str(time),
    }
}

/// Seconds; null where there is no span.
pub(crate) fn seconds<S: Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_precision_loss, reason = "exact for 285 million years")]
    let seconds = |d: &Duration| d.seconds as f64 + f64::from(d.nanos) / 1e9;
    span.as_ref().map(seconds).serialize(to)
}

pub(crate) fn shard_state<S: Serializer>(state: &i32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(ShardState::try_from(*state).unwrap_or_default().as_str_name())
}

pub(crate) fn ignored_reason<S: Serializer>(reason: &i32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(IgnoredReason::try_from(*reason).unwrap_or_default().as_str_name())
}

#[cfg(test)]
mod tests {
    use super::YEAR_10000;
    use crate::v1;
    use prost_types::{Duration, Timestamp};
    use serde_json::{json, to_value};

    #[test]
    fn rows_have_the_names_of_the_events() {
        let row = v1::CustomerOrder {
            customer_id: "ada".into(),
            first_name: "Ada".into(),
            order_purchase_time: Some(Timestamp { seconds: 1, nanos: 500_000_000 }),
            ..v1::CustomerOrder::default()
        };
        let expected = json!({
            "customerId": "ada", "firstName": "Ada", "lastName": "", "email": "", "phone": "",
            "orderId": "", "orderItemName": "", "orderPlace": "",
            "orderPurchaseTime": "1970-01-01T00:00:01.500Z",
        });
        assert_eq!(to_value(&row).unwrap(), expected);
        for (seconds, expected) in [
            (-1, "1969-12-31T23:59:59.250Z"),
            (YEAR_10000 - 1, "9999-12-31T23:59:59.250Z"),
            (YEAR_10000, "+10000-01-01T00:00:00.250Z"),
        ] {
            let time = Some(Timestamp { seconds, nanos: 250_000_000 });
            let row = v1::CustomerOrder { order_purchase_time: time, ..row.clone() };
            assert_eq!(to_value(row).unwrap()["orderPurchaseTime"], expected);
        }
        for seconds in [i64::MIN, i64::MAX] {
            let time = Some(Timestamp { seconds, nanos: 0 });
            let row = v1::CustomerOrder { order_purchase_time: time, ..row.clone() };
            assert!(to_value(row).unwrap()["orderPurchaseTime"].is_string());
        }
    }

    #[test]
    fn states_have_the_names_of_the_contract() {
        let shard = v1::Shard {
            state: v1::ShardState::Serving.into(),
            staleness: Some(Duration { seconds: 1, nanos: 250_000_000 }),
            ..v1::Shard::default()
        };
        let shard = to_value(shard).unwrap();
        assert_eq!(shard["state"], "SHARD_STATE_SERVING");
        assert_eq!(shard["staleness"], 1.25);
        let ignored = to_value(v1::Ignored { reason: 4, ..v1::Ignored::default() }).unwrap();
        assert_eq!(ignored["reason"], "IGNORED_REASON_ID_TAKEN");
    }
}
