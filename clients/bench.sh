#!/usr/bin/env bash
# Measures in each language what its layer costs over the plain stub, on a Tandem of its own: CPU
# time of the client's process for each of 10,000 reads, in one JSON line a language.
#
#   TANDEM_BINARIES=../target/release clients/bench.sh [language...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

languages=("$@")
((${#languages[@]})) || languages=(python go typescript java rust)
data=$(mktemp -d)
"${TANDEM_BINARIES:-../target/release}/tandem" --data-dir "$data" --command-addr 127.0.0.1:0 \
    --query-addr 127.0.0.1:0 --registry-addr 127.0.0.1:0 >"$data/out" 2>"$data/err" &
tandem=$!
trap 'kill "$tandem"; wait "$tandem" || true; rm -rf "$data"' EXIT

address() { sed -n "s|^$1 *http://||p" "$data/out"; }
until [[ -n $(address query) ]]; do
    kill -0 "$tandem" || { cat "$data/err" >&2 && exit 1; }
    sleep 0.1
done
TANDEM_COMMAND=$(address command)
export TANDEM_COMMAND
for language in "${languages[@]}"; do
    "$language/bench.sh" "$(address query)"
done
