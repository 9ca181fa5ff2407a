#!/usr/bin/env bash
# Says what a read through a session costs, compared with the plain stub: HOST:PORT is a query
# service, the command service is at TANDEM_COMMAND (default 127.0.0.1:8090).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[[ $# -eq 1 ]] || { echo "usage: $0 HOST:PORT" >&2; exit 2; }
[[ -d target/programs ]] || { echo 'nothing is built yet: run ./check.sh first' >&2; exit 1; }
exec java -cp 'target/programs/classes:target/programs/*' tandem.bench.Bench "$1"
