#!/usr/bin/env bash
# Prints what the layer costs: bench.sh HOST:PORT of a query service, and TANDEM_COMMAND.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 1 ] || { echo 'usage: TANDEM_COMMAND=HOST:PORT bench.sh HOST:PORT' >&2; exit 2; }
exec node build/bench/cost.js "$1"
