#!/usr/bin/env bash
# Measures what the layer costs over the plain stub: ./bench.sh HOST:PORT of a query service, with
# TANDEM_COMMAND as the command service.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

go build -buildvcs=false -o .build/bench ./bench >&2
exec .build/bench "$@"
