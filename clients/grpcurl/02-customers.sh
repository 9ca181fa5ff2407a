#!/usr/bin/env bash
# Customers: registered, stated anew, removed. Every answer has a receipt of the write; they are kept, so that
# the queries later on can show them.
set -euo pipefail

echo "== Registered under an id of one's own"
grpcurl -plaintext -d '{
  "customer_id": "ada-'"$RUN"'", "first_name": "Ada", "last_name": "Lovelace",
  "email": "ada@example.org", "phone": "+44 20 7946 0000"
}' "$COMMAND" tandem.v1.CommandService/CreateCustomer | tee -a "$WORK/written"

echo "== Without one, the service makes it"
grpcurl -plaintext -d '{"first_name": "Nobody", "last_name": "In-Particular"}' \
  "$COMMAND" tandem.v1.CommandService/CreateCustomer | tee -a "$WORK/written"

# What is left out becomes empty: the telephone number is gone now.
echo "== Stated anew, every field"
grpcurl -plaintext -d '{
  "customer_id": "ada-'"$RUN"'", "first_name": "Ada", "last_name": "King",
  "email": "countess@example.org"
}' "$COMMAND" tandem.v1.CommandService/UpdateCustomer | tee -a "$WORK/written"

echo "== Another one, registered and removed"
grpcurl -plaintext -d '{"customer_id": "gone-'"$RUN"'", "first_name": "Al", "last_name": "Ready"}' \
  "$COMMAND" tandem.v1.CommandService/CreateCustomer | tee -a "$WORK/written"
grpcurl -plaintext -d '{"customer_id": "gone-'"$RUN"'"}' \
  "$COMMAND" tandem.v1.CommandService/RemoveCustomer | tee -a "$WORK/written"
