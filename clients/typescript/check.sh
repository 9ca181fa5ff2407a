#!/usr/bin/env bash
# Builds and checks everything here, and leaves what conformance.sh, bench.sh and the example need.
set -euo pipefail
cd "$(dirname "$0")"

# npm ci begins anew each time, which takes longer than everything else.
installed=node_modules/.installed
if ! cmp -s package-lock.json "$installed"; then
  npm ci --silent
  cp package-lock.json "$installed"
fi
./gen.sh
npm run --silent lint
npm run --silent build
npm run --silent programs
npm run --silent driver
npm run --silent types
npm run --silent test -- --silent --reporter=dot

# What is for browsers may need nothing of Node: esbuild fails on what is not there.
npm run --silent bundle

# What ships is what is built from src, and nothing else.
packed=$(npm pack --silent --dry-run --json |
  node -p 'JSON.parse(fs.readFileSync(0, "utf8"))[0].files.map((file) => file.path).join("\n")')
for file in LICENSE README.md dist/{index,node,web}.{js,d.ts}; do
  grep -qx "$file" <<<"$packed" || { echo "npm pack leaves out $file" >&2; exit 1; }
done
if grep -vxE 'LICENSE|README\.md|package\.json|dist/.*\.(js|d\.ts)' <<<"$packed"; then
  echo 'npm pack would ship these, which are not built from src' >&2
  exit 1
fi
