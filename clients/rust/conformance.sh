#!/usr/bin/env bash
# Starts the conformance driver that check.sh builds; see ../conformance/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

exec "${CARGO_TARGET_DIR:-../../target}/release/examples/conformance"
