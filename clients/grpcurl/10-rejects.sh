#!/usr/bin/env bash
# A command is answered when it is on the log; what can't be folded into the view shows in ListRejects.
# Cancelling an order that is not there is accepted, has no effect, and is a reject.
set -euo pipefail

echo "== Accepted"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "order_id": "never-'"$RUN"'"}' \
  "$COMMAND" tandem.v1.CommandService/CancelOrder | tee "$WORK/cancelled"

echo "== and rejected; the receipt has the list wait for it"
receipt=$(jq .receipt "$WORK/cancelled") token='""'
until [[ $token = null ]]; do
  grpcurl -plaintext -d '{
    "page_size": 1000, "page_token": '"$token"', "freshness": {"receipts": ['"$receipt"']}
  }' "$QUERY" tandem.v1.QueryService/ListRejects >"$WORK/page"
  jq -c --arg run "$RUN" '
    .rejects[]? | select(.reason | contains($run)) | [.topic, .code, .reason]' "$WORK/page"
  token=$(jq .nextPageToken "$WORK/page")
done
