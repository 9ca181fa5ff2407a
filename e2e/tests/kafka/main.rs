//! The slow tier, `make test-kafka`: Tandem against the real Apache Kafka and a real schema
//! registry. `cargo test` leaves it out, because it needs Java and minutes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic is how a test fails
#![allow(clippy::print_stderr)] // what a server said is shown when its test fails

mod compose;
mod contract;
mod evolution;
mod faults;
mod foreign;
mod ground;
mod kcat;
mod many;
mod pair;
mod refused;
mod rehome;
mod secured;
mod servers;
mod strangers;
mod whole;
