#!/usr/bin/env bash
# Lists come in pages: the token of each asks for the next, at any instance.
set -euo pipefail

for order in 1 2 3 4 5; do
  grpcurl -plaintext -d '{
    "customer_id": "paul-'"$RUN"'", "order_id": "'"$order"'", "order_item_name": "page '"$order"'"
  }' "$COMMAND" tandem.v1.CommandService/PlaceOrder >>"$WORK/written"
done
receipts=$(jq -sc 'map(.receipt)' "$WORK/written")

echo "== The first two of five, and whether there are more"
grpcurl -plaintext -d '{
  "customer_id": "paul-'"$RUN"'", "page_size": 2, "freshness": {"receipts": '"$receipts"'}
}' "$QUERY" tandem.v1.QueryService/GetCustomerOrders >"$WORK/page"
jq -c '[.orders[].orderId, has("nextPageToken")]' "$WORK/page"

echo "== The next two, by the last instance"
token=$(jq .nextPageToken "$WORK/page") position=$(jq .served.position "$WORK/page")
grpcurl -plaintext -d '{
  "customer_id": "paul-'"$RUN"'", "page_size": 2, "page_token": '"$token"',
  "freshness": {"receipts": ['"$position"']}
}' "${QUERIES##* }" tandem.v1.QueryService/GetCustomerOrders >"$WORK/page"
jq -c '[.orders[].orderId, has("nextPageToken")]' "$WORK/page"

echo "== The last one"
token=$(jq .nextPageToken "$WORK/page") position=$(jq .served.position "$WORK/page")
grpcurl -plaintext -d '{
  "customer_id": "paul-'"$RUN"'", "page_size": 2, "page_token": '"$token"',
  "freshness": {"receipts": ['"$position"']}
}' "$QUERY" tandem.v1.QueryService/GetCustomerOrders >"$WORK/page"
jq -c '[.orders[].orderId, has("nextPageToken")]' "$WORK/page"

echo "== A token belongs to its list: only page_size and freshness may change from page to page"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "page_size": 2, "page_token": '"$token"'}' \
  "$QUERY" tandem.v1.QueryService/GetCustomerOrders || echo "exit status $?"
