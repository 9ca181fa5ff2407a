#!/usr/bin/env bash
# A command that is sent again with the same request_id (a UUID of the caller's) has one effect. That is
# what makes it safe to send again when no answer came.
set -euo pipefail

echo "== Three times the same command: one order id"
for try in 1 2 3; do
  grpcurl -plaintext -d '{
    "customer_id": "often-'"$RUN"'", "order_item_name": "tea",
    "request_id": "4b0f0a36-6c0a-4a0e-9d0e-'"$RUN"'"
  }' "$COMMAND" tandem.v1.CommandService/PlaceOrder >"$WORK/try-$try"
done
jq -s 'map(.order.orderId) | unique | length' "$WORK"/try-[123]

echo "== and one order, with the time of the first"
receipt=$(jq .receipt "$WORK/try-3")
grpcurl -plaintext -d '{"customer_id": "often-'"$RUN"'", "freshness": {"receipts": ['"$receipt"']}}' \
  "$QUERY" tandem.v1.QueryService/GetCustomerOrders |
  jq -c --slurpfile first "$WORK/try-1" '[(.orders | length), .orders[0] == $first[0].order]'
