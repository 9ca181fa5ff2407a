//! Shards on real stores, fed from a scripted log: what is folded, what is refused, and what a
//! restart goes on from.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy's own exception passes over

mod documents;
mod fold;
mod ground;
mod racing;
mod restart;
mod waiting;
