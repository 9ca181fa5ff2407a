#!/usr/bin/env bash
# Checks and tests this crate, and leaves its driver, bench and example built. Its stubs are
# tandem-proto's, which the build makes, so there is nothing to generate here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export CARGO_TERM_QUIET=${CARGO_TERM_QUIET:-true}
cargo fmt --check -p tandem-client
cargo build --locked --release -p tandem-client --lib --examples
cargo clippy --locked --release -p tandem-client --all-targets -- -D warnings
cargo test --locked --release -p tandem-client
