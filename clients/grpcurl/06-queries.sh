#!/usr/bin/env bash
# Questions about one customer or one order. `served` says who answered, from which position of the log, and
# how far that may lag behind.
set -euo pipefail

# Everything that was written so far; a query takes 32 receipts.
receipts=$(jq -sc 'map(.receipt)' "$WORK/written")

echo "== A customer"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "freshness": {"receipts": '"$receipts"'}}' \
  "$QUERY" tandem.v1.QueryService/GetCustomer

echo "== An order"
grpcurl -plaintext -d '{
  "customer_id": "ada-'"$RUN"'", "order_id": "engine-'"$RUN"'", "freshness": {"receipts": '"$receipts"'}
}' "$QUERY" tandem.v1.QueryService/GetOrder

echo "== An order by its id alone, as only one customer has it"
grpcurl -plaintext -d '{"order_id": "cards-'"$RUN"'", "freshness": {"receipts": '"$receipts"'}}' \
  "$QUERY" tandem.v1.QueryService/GetOrder

echo "== A customer with its orders; one of three was cancelled"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "freshness": {"receipts": '"$receipts"'}}' \
  "$QUERY" tandem.v1.QueryService/GetCustomerOrders

echo "== A customer that has an order and is not registered"
grpcurl -plaintext -d '{"customer_id": "often-'"$RUN"'"}' \
  "$QUERY" tandem.v1.QueryService/GetCustomerOrders |
  jq -c '[.customer, .registered // false, (.orders | length)]'
