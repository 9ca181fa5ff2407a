//! What the whole-system tests in `tests/` have in common: the real binaries as processes, and
//! how they are asked over the network as any client would ask them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic is how a test fails
#![allow(clippy::print_stderr)] // and what a child said is shown then
#![allow(missing_docs)] // only tests use this

pub mod eventually;
pub mod instances;
pub mod launch;
pub mod lists;
pub mod load;
pub mod process;
pub mod services;
pub mod tandem;
pub mod told;
pub mod wire;
