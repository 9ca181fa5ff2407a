#!/usr/bin/env bash
# What a call that fails is told: a code, a message for people, and details for programs: ErrorInfo with a
# `reason` always, BadRequest with every faulty field, RetryInfo with when to come again. All reasons are in
# ../../proto/ERRORS.md. grpcurl's exit status is 64 and the code's number.
set -euo pipefail

echo "== INVALID_ARGUMENT: every fault at once"
grpcurl -plaintext -d '{"email": "no name, no id", "request_id": "not a UUID"}' \
  "$COMMAND" tandem.v1.CommandService/UpdateCustomer || echo "exit status $?"

echo "== The same for programs: field by field"
grpcurl -plaintext -format-error -d '{"customer_id": "a\u0007b", "page_size": 5000,
  "freshness": {"receipts": ["made up"], "max_staleness": "-1s"}
}' "$QUERY" tandem.v1.QueryService/GetCustomerOrders 2>&1 |
  jq -r '.details[] | .reason // empty, (.fieldViolations[]? | "  \(.field) \(.description)")' ||
  echo "exit status $?"

echo "== INVALID_ARGUMENT: what is sent is not the method's message (a text has to be UTF-8)"
grpcurl -plaintext -format text -d 'customer_id: "\377"' \
  "$QUERY" tandem.v1.QueryService/GetCustomer || echo "exit status $?"

echo "== NOT_FOUND"
grpcurl -plaintext -d '{"customer_id": "nobody-'"$RUN"'"}' \
  "$QUERY" tandem.v1.QueryService/GetCustomer || echo "exit status $?"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "order_id": "never-'"$RUN"'"}' \
  "$QUERY" tandem.v1.QueryService/GetOrder || echo "exit status $?"

echo "== FAILED_PRECONDITION: an order's id alone, of which two customers have one"
for customer in ada often; do
  grpcurl -plaintext -d '{
    "customer_id": "'"$customer-$RUN"'", "order_id": "both-'"$RUN"'", "order_item_name": "the same"
  }' "$COMMAND" tandem.v1.CommandService/PlaceOrder
done >"$WORK/both"
receipts=$(jq -sc 'map(.receipt)' "$WORK/both")
grpcurl -plaintext -d '{"order_id": "both-'"$RUN"'", "freshness": {"receipts": '"$receipts"'}}' \
  "$QUERY" tandem.v1.QueryService/GetOrder || echo "exit status $?"

# Nothing is ever that fresh. A receipt that isn't reached in time has VIEW_BEHIND as its reason.
echo "== DEADLINE_EXCEEDED: the view did not get fresh enough in time"
grpcurl -plaintext -max-time 2 -d '{"customer_id": "ada-'"$RUN"'", "freshness": {"max_staleness": "0s"}}' \
  "$QUERY" tandem.v1.QueryService/GetCustomer || echo "exit status $?"

echo "== UNIMPLEMENTED: this method is the other service's"
grpcurl -plaintext -d '{"message": "to the wrong address"}' \
  "$QUERY" tandem.v1.CommandService/SendGreeting || echo "exit status $?"

echo "== A method that is in no description isn't even sent"
grpcurl -plaintext "$QUERY" tandem.v1.QueryService/GetEverything || echo "exit status $?"

echo "== RESOURCE_EXHAUSTED: more than 1 MiB"
printf '{"message": "%2000000s"}' x |
  grpcurl -plaintext -d @ "$COMMAND" tandem.v1.CommandService/SendGreeting || echo "exit status $?"

echo "== PERMISSION_DENIED: a page in the web that may not call here"
grpcurl -plaintext -rpc-header 'origin: https://elsewhere.example' -d '{"customer_id": "ada-'"$RUN"'"}' \
  "$QUERY" tandem.v1.QueryService/GetCustomer || echo "exit status $?"

# Where nobody answers there is no Tandem to give a reason. Other clients call this UNAVAILABLE; grpcurl says
# it in its own words.
echo "== Nobody is there"
grpcurl -plaintext -connect-timeout 2 127.0.0.1:1 tandem.v1.QueryService/ListInstances || echo "exit status $?"
