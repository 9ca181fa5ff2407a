#!/usr/bin/env bash
# Makes the stubs from the contract and copies the service config, so that neither is ever edited
# here. What it makes is committed: `./gen.sh && git status` shows whether it is current.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Where scripts/setup.sh puts the tools of the repository.
export PATH=$PATH:$PWD/../../target/tools/bin
command -v buf >/dev/null || {
    echo 'gen.sh: buf is missing; ../../scripts/setup.sh test-clients installs it' >&2
    exit 1
}

rm -rf tandem/v1 service_config.json
buf generate
cp ../../proto/service_config.json service_config.json
