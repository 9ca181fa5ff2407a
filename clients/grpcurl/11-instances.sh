#!/usr/bin/env bash
# Which instances there are, which shards they serve, and how far they have read. It is for operators, and for
# programs that call the instance that has a row themselves.
set -euo pipefail

echo "== How many different lists the instances give: they know of each other"
for instance in $QUERIES; do
  grpcurl -plaintext "$instance" tandem.v1.QueryService/ListInstances >"$WORK/instances"
  jq -c '[.instances[].instanceId] | sort' "$WORK/instances"
done | sort -u | wc -l | tr -d ' '

echo "== What it says of a shard"
jq '[.instances[].shards[]? | select(.state == "SHARD_STATE_SERVING")][0] |
  {state, inputs: [.inputs[].topic], staleness}' "$WORK/instances"

echo "== Every shard is served by somebody"
served='[.instances[].shards[]? | select(.state == "SHARD_STATE_SERVING") | .shard // 0] | unique'
jq -c "($served | length) == .shardCount" "$WORK/instances"

# A watch of the same, which comes again after each change and each second; here the first two.
echo "== Followed"
jq -nc "[limit(2; inputs)][] | ($served | length) == .shardCount" < <(
  exec grpcurl -plaintext -max-time 5 "$QUERY" tandem.v1.QueryService/WatchRouting
)
