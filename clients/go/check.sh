#!/usr/bin/env bash
# Does all that has to hold before a change of this client is taken: stubs made anew, everything
# built, formatted, linted and tested. CI runs this, and then conformance.sh and the example.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

go mod download
go -C tools mod download
./gen.sh

unformatted=$(gofmt -l .)
if [[ -n $unformatted ]]; then
    printf 'check.sh: run gofmt -w on\n%s\n' "$unformatted" >&2
    exit 1
fi
mkdir -p .build
go build -buildvcs=false -o .build/ ./...
go vet ./...
go tool -modfile=tools/go.mod staticcheck ./...
go test -race ./...
