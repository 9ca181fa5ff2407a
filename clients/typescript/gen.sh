#!/usr/bin/env bash
# Makes src/gen anew: the stubs, and the service config in a form that bundlers and Node both read.
set -euo pipefail
cd "$(dirname "$0")"

[ -x node_modules/.bin/buf ] || npm ci --silent
rm -rf src/gen
node_modules/.bin/buf generate
{
  echo '// Deadlines and retries: proto/service_config.json, put here by gen.sh. Do not edit.'
  printf 'export const serviceConfig = '
  sed '$s/}$/} as const;/' ../../proto/service_config.json
} >src/gen/service_config.ts
