//! A client of Tandem: the contract's stubs, and what users of a plain stub would otherwise write
//! again each time.
//!
//! - [`Client`]: connections to the services, with deadlines, retries, TLS and tokens.
//! - [`Session`]: what was written in it is in what is read in it next. It has a method for each
//!   call of the contract, lists as streams, and watches that go on when they are interrupted.
//! - [`Error`]: what went wrong, for programs and for people.
//! - [`v1`]: the contract's messages and its plain stubs.
//!
//! ```no_run
//! use tandem_client::{Client, v1};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("127.0.0.1:8090", ["127.0.0.1:8095"])?;
//! let session = client.session();
//! let ada = v1::CreateCustomerRequest {
//!     first_name: "Ada".into(),
//!     last_name: "Lovelace".into(),
//!     ..Default::default()
//! };
//! let customer_id = session.create_customer(ada).await?.customer.unwrap_or_default().customer_id;
//! let ada = session.get_customer(v1::GetCustomerRequest { customer_id, freshness: None }).await?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod calls;
mod client;
mod error;
mod line;
mod lists;
mod policy;
mod positions;
mod receipts;
mod routing;
mod session;
#[cfg(test)]
mod testing;
mod timeout;
mod tries;
mod turns;
mod watch;

pub use builder::{Builder, Misconfigured};
pub use calls::{Call, Follow, List, Query};
pub use client::Client;
pub use error::{Error, Kind, Violation, code_name};
pub use line::Line;
pub use lists::{Pages, Rows};
pub use positions::Positions;
pub use session::Session;
pub use tandem_proto::v1;
pub use tonic::transport::{Certificate, ClientTlsConfig, Identity};
pub use watch::Watch;
