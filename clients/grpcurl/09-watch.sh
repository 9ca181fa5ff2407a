#!/usr/bin/env bash
# A watch is a stream: a customer's document as it is, and again after each change. Its last resume_token goes
# on where it ended, on any instance.
set -euo pipefail

place() { # an order of the watched customer; its receipt
  grpcurl -plaintext -d '{
    "customer_id": "will-'"$RUN"'", "order_id": "'"$1"'", "order_item_name": "something to see"
  }' "$COMMAND" tandem.v1.CommandService/PlaceOrder | jq .receipt
}

watch() { # instance, request: from now on 4 gives a document a line, each as soon as it comes
  exec 3< <(exec grpcurl -plaintext -max-time 20 -d "$2" "$1" tandem.v1.QueryService/WatchCustomerOrders)
  watching=$!
  exec 4< <(exec jq -c --unbuffered . <&3)
}

next() {
  read -r -t 10 document <&4
  jq -c '[.orders[].orderId]' <<<"$document"
}

echo "== The document as it is"
receipt=$(place 1)
watch "$QUERY" '{"customer_id": "will-'"$RUN"'", "freshness": {"receipts": ['"$receipt"']}}'
next

echo "== and after a change"
receipt=$(place 2)
next
kill "$watching"

echo "== Resumed on another instance after one more: what has changed meanwhile"
receipt=$(place 3)
token=$(jq .resumeToken <<<"$document")
watch "${QUERIES##* }" '{"customer_id": "will-'"$RUN"'", "resume_token": '"$token"'}'
next
kill "$watching"

# Without an end of its own, a watch ends when the caller's time is up.
echo "== Resumed once more: nothing has changed, so nothing comes"
token=$(jq .resumeToken <<<"$document")
grpcurl -plaintext -max-time 1 -d '{"customer_id": "will-'"$RUN"'", "resume_token": '"$token"'}' \
  "$QUERY" tandem.v1.QueryService/WatchCustomerOrders || echo "exit status $?"

echo "== A token belongs to its customer"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "resume_token": '"$token"'}' \
  "$QUERY" tandem.v1.QueryService/WatchCustomerOrders || echo "exit status $?"
