//! What each process of Tandem has, whatever it serves: settings, telemetry, shutdown, a bound
//! socket and the gRPC shell around its services.
//!
//! It knows the wire contract (`tandem-proto`) but nothing of customers, orders or logs; whatever
//! needs a word of those belongs to the service that speaks it.
//!
//! A process is put together in this order: [`settings::load`], [`telemetry::init`],
//! [`shutdown::on_signal`], [`bind::bind`], and then its services in a [`grpc::Shell`]. What a
//! service needs from elsewhere it waits for behind that ([`ready`]); [`probe`] asks it from
//! outside whether it has it.

pub mod bind;
pub mod deadline;
mod edge;
pub mod grpc;
pub mod health;
mod incoming;
mod machinery;
pub mod origins;
pub mod plain;
pub mod probe;
pub mod problem;
pub mod pushback;
pub mod ready;
mod reflection;
pub mod settings;
pub mod shards;
pub mod shutdown;
pub mod status;
pub mod telemetry;
