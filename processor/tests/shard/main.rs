//! Shards on real stores, fed from a scripted log: what is folded, what is refused, and what a
//! restart goes on from.

mod fold;
mod ground;
mod restart;
