#!/usr/bin/env bash
# Builds the clients that aren't ours (e2e/foreign) into target/foreign: a Python environment of
# Confluent's client in `python`, the Java programs in `java`. Silent when they are there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

built=$root/target/foreign
given=$root/e2e/foreign

# What the programs are made from; the Python ones are run where they are.
sources() {
    cat "$given/python/requirements.txt" "$given/java/pom.xml"
    find "$given/java/src" "$root/crates/codec/schemas" -type f | LC_ALL=C sort | xargs cat
}

mkdir -p "$built"
exec 9>"$built/lock"
flock 9
stamp=$(sources | sha256sum)
if [[ $stamp = "$(cat "$built/stamp" 2>/dev/null)" ]]; then exit; fi

echo "foreign: building Python and Java clients, some 100 MB of packages"
rm -rf "$built/python" "$built/java" "$built/stamp"
python3 -m venv "$built/python"
"$built/python/bin/pip" install -q --disable-pip-version-check -r "$given/python/requirements.txt"
mvn -q -B -f "$given/java/pom.xml" "-DbuildDirectory=$built/java" package </dev/null
echo "$stamp" >"$built/stamp"
