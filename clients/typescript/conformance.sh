#!/usr/bin/env bash
# Starts the driver of the conformance cases; see clients/conformance/README.md. It is one file that
# needs no other, because the example is installed and built here while the cases run.
set -euo pipefail
cd "$(dirname "$0")"
exec node build/driver.js
