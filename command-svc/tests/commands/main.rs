//! The command service as callers meet it: a live server, a real client, the embedded log.

// A test may fail by panicking, and so may what only tests call.
#![allow(clippy::unwrap_used)]

mod ready;
mod refused;
mod retried;
mod scripted;
mod support;
mod written;
