#!/usr/bin/env bash
# Measures what the layer costs over the plain stub, against the query service at HOST:PORT; check.sh has
# to have been run before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

exec .venv/bin/python bench/reads.py "$@"
