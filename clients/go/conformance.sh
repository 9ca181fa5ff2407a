#!/usr/bin/env bash
# Starts the driver of the conformance cases; it answers on standard output, and nothing else does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

go build -buildvcs=false -o .build/conformance ./conformance >&2
exec .build/conformance
