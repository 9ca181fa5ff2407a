#!/usr/bin/env bash
# Makes the stubs in src/tandem/v1 and the copy of the service config anew from ../../proto. They are
# committed, so that installing the package needs no generator; `git status` then shows whether they are current.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./setup.sh
rm -f src/tandem/v1/*_pb2*.py* src/tandem/service_config.json

services=(tandem/v1/command.proto tandem/v1/query.proto)
PATH=$PWD/.venv/bin:$PATH
python -m grpc_tools.protoc -I ../../proto --python_out=src --mypy_out=quiet:src \
    tandem/v1/model.proto "${services[@]}"
python -m grpc_tools.protoc -I ../../proto --grpc_python_out=src --mypy_grpc_out=quiet:src \
    "${services[@]}"
cp ../../proto/service_config.json src/tandem/service_config.json
