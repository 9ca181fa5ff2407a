#!/usr/bin/env bash
# Makes and checks everything here: stubs, wheel, format, types, tests. Afterwards the wheel is installed in
# .venv, where conformance.sh, bench.sh and the example find it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./gen.sh
python=.venv/bin/python

rm -rf dist
built=$($python -m build --no-isolation --wheel . 2>&1) || { echo "$built" >&2 && exit 1; }
.venv/bin/pip install -q --disable-pip-version-check --no-deps --force-reinstall dist/*.whl
.venv/bin/pip check >/dev/null

.venv/bin/ruff format --check -q .
.venv/bin/ruff check -q .
.venv/bin/mypy
$python -m pytest
