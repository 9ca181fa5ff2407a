#!/usr/bin/env bash
# Measures what the layer costs over the plain stub: ./bench.sh HOST:PORT of a query service, with
# TANDEM_COMMAND as the command service (127.0.0.1:8090 if not set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

exec "${CARGO_TARGET_DIR:-../../target}/release/examples/bench" "$@"
