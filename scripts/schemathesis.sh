#!/usr/bin/env bash
# The HTTP paths have to keep what /openapi.json promises of them, for good requests and for bad
# ones. Schemathesis makes requests of both kinds from that file and judges the answers.
#
#   scripts/schemathesis.sh fetch     brings it into target/tools/schemathesis; silent when there
#   scripts/schemathesis.sh URL...    judges services that run, http://127.0.0.1:8090 for example
#
# Commands are really sent, and customers of all kinds really registered: don't judge a service
# whose data matters. The same requests are made each time. It fails on any finding.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

tools=$root/target/tools/schemathesis
settings=$root/e2e/http
given=$settings/requirements.txt
# What Python compiles would lie beside its source.
export SCHEMATHESIS_HOOKS=$settings/hooks.py PYTHONDONTWRITEBYTECODE=1

# One at a time; complete when it has the list that it was made from.
fetch() {
    mkdir -p "${tools%/*}"
    exec 9>"$tools.lock"
    flock 9
    if cmp -s "$given" "$tools/requirements.txt"; then return; fi
    echo "schemathesis: fetching it and what it needs, some 90 MB of packages"
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install -q --disable-pip-version-check -r "$given"
    cp "$given" "$tools/"
    flock -u 9
}

# In a folder of its own, because it looks for settings and keeps reports where it runs.
judge() {
    local work
    work=$(mktemp -d)
    (cd "$work" && "$tools/bin/schemathesis" --config-file "$settings/schemathesis.toml" \
        run "$1/openapi.json" --url "$1") || faults+=("$1")
    rm -rf "$work"
}

if (($# == 0)); then sed -n 's/^#   \(scripts.*\)/\1/p' "${BASH_SOURCE[0]}" >&2 && exit 2; fi
fetch
if [[ $* = fetch ]]; then exit; fi
faults=()
for url; do judge "${url%/}"; done
if ((${#faults[@]})); then
    printf 'schemathesis: these do not keep what they promise: %s\n' "${faults[*]}" >&2
    exit 1
fi
