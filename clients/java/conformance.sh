#!/usr/bin/env bash
# Starts the driver that the conformance cases talk to; ./check.sh builds it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ -d target/programs ]] || { echo 'nothing is built yet: run ./check.sh first' >&2; exit 1; }
exec java -cp 'target/programs/classes:target/programs/*' tandem.conformance.Driver
