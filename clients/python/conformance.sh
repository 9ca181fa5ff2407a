#!/usr/bin/env bash
# Starts the driver of ../conformance for this client; check.sh has to have been run before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

exec .venv/bin/python conformance/driver.py
