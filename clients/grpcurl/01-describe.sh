#!/usr/bin/env bash
# The services describe themselves: what there is, what it takes, what it gives.
set -euo pipefail

echo "== What answers at the command service"
grpcurl -plaintext "$COMMAND" list

echo "== and at a query service"
grpcurl -plaintext "$QUERY" list

echo "== The commands"
grpcurl -plaintext "$COMMAND" list tandem.v1.CommandService

echo "== The queries"
grpcurl -plaintext "$QUERY" list tandem.v1.QueryService

echo "== What a method does"
grpcurl -plaintext "$QUERY" describe tandem.v1.QueryService.GetCustomerOrders

echo "== What a request is made of, and how it looks as JSON"
grpcurl -plaintext -msg-template "$QUERY" describe tandem.v1.Freshness

echo "== Whether it is ready"
grpcurl -plaintext -d '{"service": "tandem.v1.QueryService"}' "$QUERY" grpc.health.v1.Health/Check
