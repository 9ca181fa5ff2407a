#!/usr/bin/env bash
# Orders: placed, stated anew, cancelled. And a greeting.
set -euo pipefail

echo "== Placed"
for order in engine cards coffee; do
  grpcurl -plaintext -d '{
    "customer_id": "ada-'"$RUN"'", "order_id": "'"$order-$RUN"'",
    "order_item_name": "some '"$order"'", "order_place": "London"
  }' "$COMMAND" tandem.v1.CommandService/PlaceOrder | tee -a "$WORK/written"
done

echo "== Placed under an id that the service makes, for a customer that is not registered (yet)"
grpcurl -plaintext -d '{"customer_id": "later-'"$RUN"'", "order_item_name": "patience"}' \
  "$COMMAND" tandem.v1.CommandService/PlaceOrder | tee -a "$WORK/written"

# The time of purchase stays that of the first order, which only the view knows: it is not in the answer.
echo "== Stated anew, every field: the place is empty now"
grpcurl -plaintext -d '{
  "customer_id": "ada-'"$RUN"'", "order_id": "engine-'"$RUN"'", "order_item_name": "Analytical Engine"
}' "$COMMAND" tandem.v1.CommandService/UpdateOrder | tee -a "$WORK/written"

echo "== Cancelled"
grpcurl -plaintext -d '{"customer_id": "ada-'"$RUN"'", "order_id": "coffee-'"$RUN"'"}' \
  "$COMMAND" tandem.v1.CommandService/CancelOrder | tee -a "$WORK/written"

echo "== A greeting"
grpcurl -plaintext -d '{"greeting_id": "hello-'"$RUN"'", "message": "Hello, Tandem"}' \
  "$COMMAND" tandem.v1.CommandService/SendGreeting | tee -a "$WORK/written"
