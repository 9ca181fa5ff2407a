//! Many query services, in processes of their own: any of them answers for every customer, while
//! others of them die, hang, come and go.
//!
//! How long a client goes without an answer is printed, for a reader to judge on a quiet machine.

mod churn;
mod faults;
mod ground;
mod prober;
mod writer;

/// How many shards there are, unless services are told otherwise.
const SHARDS: u32 = 4;
