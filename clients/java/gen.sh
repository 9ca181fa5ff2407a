#!/usr/bin/env bash
# Makes the stubs from the contract. Every build does, and they are not committed; this shows them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -rf target/generated-sources/protobuf
mvn -q -B generate-sources
