//! The shell as callers meet it: a live server on a port of its own, and a real client.

// A test may fail by panicking, and so may what only tests call.
#![allow(clippy::unwrap_used)]

mod bounds;
mod errors;
mod ports;
mod support;
