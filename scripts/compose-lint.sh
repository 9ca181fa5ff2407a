#!/usr/bin/env bash
# Holds docker-compose.yml against the Compose specification's schema, without a container engine:
# a key that is misspelt would only show on somebody else's machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

checker=check-jsonschema==0.39.0
tool=target/tools/compose-lint

if [[ ! -x $tool/bin/check-jsonschema ]] ||
    ! "$tool/bin/python" -m pip freeze 2>/dev/null | grep -qx "$checker"; then
    rm -rf "$tool"
    mkdir -p target/tools
    python3 -m venv "$tool"
    "$tool/bin/python" -m pip install -q --disable-pip-version-check "$checker"
fi
"$tool/bin/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml
