//! Whole-system tests: the real `tandem` binary (and `tandem-load`), asked over the network as
//! any client would ask it. Each test has its own process, ports and folder.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic is how a test fails
#![allow(clippy::print_stderr)] // what a child said is shown when its test fails

mod crash;
mod fleet;
mod freshness;
mod health;
mod ids;
mod ignored;
mod join;
mod lists_over_instances;
mod many_instances;
mod moving;
mod orders;
mod other_log;
mod paging;
mod plain;
mod query_instances;
mod reflection;
mod refused;
mod rejects;
mod replica_sets;
mod retries;
mod routing;
mod services_alone;
mod unserved;
mod warned;
mod watching;
mod web;
