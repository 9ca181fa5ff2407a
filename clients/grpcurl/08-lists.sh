#!/usr/bin/env bash
# Lists over the whole view, from every shard, whichever instance is asked. Others may have rows in them too,
# so all pages are asked for, and the rows of this run are picked out.
set -euo pipefail

receipts=$(jq -sc 'map(.receipt)' "$WORK/written")

pages() { # method, a field of its request: all pages of the list
  local token='""'
  until [[ $token = null ]]; do
    grpcurl -plaintext -d '{
      "page_size": 1000, "page_token": '"$token"', '"$2"', "freshness": {"receipts": '"$receipts"'}
    }' "$QUERY" "tandem.v1.QueryService/$1" >"$WORK/page"
    cat "$WORK/page"
    token=$(jq .nextPageToken "$WORK/page")
  done
}

echo "== Customers, by id; the removed one is not among them"
pages ListCustomers '"allow_partial": false' |
  jq -c --arg run "$RUN" '.customers[]? | select(.customerId | endswith($run))'

for sort in CUSTOMER_ID ORDER_ID PURCHASE_TIME PURCHASE_TIME_DESCENDING; do
  echo "== Orders, by $sort"
  pages ListOrders '"sort": "ORDER_SORT_'"$sort"'"' | jq -rs --arg run "$RUN" '
    map(.orders[]? | select(.customerId == ("ada-" + $run, "paul-" + $run)) | .orderId) | join(" ")'
done

# With allow_partial a list has what can be had while some shards are not served, and names
# those in `unreachableShards`.
echo "== Orders joined with their customers"
pages ListCustomerOrders '"allow_partial": true' |
  jq --arg run "$RUN" '.customerOrders[]? | select(.orderId == "engine-" + $run)'

echo "== Greetings"
pages ListGreetings '"allow_partial": false' |
  jq --arg run "$RUN" '.greetings[]? | select(.greetingId | endswith($run))'
