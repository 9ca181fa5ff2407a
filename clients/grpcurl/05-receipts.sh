#!/usr/bin/env bash
# A query that shows a receipt gives an answer no older than that write, whichever instance is asked. It
# waits for it, until the caller's deadline.
set -euo pipefail

receipt=$(grpcurl -plaintext -d '{
  "customer_id": "later-'"$RUN"'", "first_name": "Lady", "last_name": "Late"
}' "$COMMAND" tandem.v1.CommandService/CreateCustomer | tee -a "$WORK/written" | jq .receipt)

echo "== What was just written, from each instance: the same answer from all"
for instance in $QUERIES; do
  grpcurl -plaintext -d '{"customer_id": "later-'"$RUN"'", "freshness": {"receipts": ['"$receipt"']}}' \
    "$instance" tandem.v1.QueryService/GetCustomer | jq -c .customer
done | sort -u

# `position` is a receipt too, of all that the answer was made from: shown to another instance, its answer is
# no older than this one.
echo "== What was read once is not unread elsewhere"
position=$(grpcurl -plaintext -d '{
  "customer_id": "ada-'"$RUN"'", "freshness": {"receipts": '"$(jq -sc 'map(.receipt)' "$WORK/written")"'}
}' "$QUERY" tandem.v1.QueryService/GetCustomerOrders | jq .served.position)
for instance in $QUERIES; do
  grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "freshness": {"receipts": ['"$position"']}}' \
    "$instance" tandem.v1.QueryService/GetCustomerOrders | jq -c '[.customer.lastName, .orders[].orderItemName]'
done | sort -u

# Without a receipt one may say how old an answer may be at most.
echo "== At most five seconds old"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "freshness": {"max_staleness": "5s"}}' \
  "$QUERY" tandem.v1.QueryService/GetCustomer | jq -c 'keys'
