#!/usr/bin/env bash
# Puts the pinned tools for working on this package into .venv; silent when they are there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

stamp=.venv/requirements-dev.sha256
if sha256sum --quiet --status --check "$stamp" 2>/dev/null; then exit; fi
python3 -m venv .venv
.venv/bin/pip install -q --disable-pip-version-check -r requirements-dev.txt
sha256sum requirements-dev.txt >"$stamp"
