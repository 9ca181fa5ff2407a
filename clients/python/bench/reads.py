"""Compares the CPU time of a read through the layer with that of one through the plain stub."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

import grpc

import tandem
from tandem.v1.command_pb2 import CreateCustomerRequest
from tandem.v1.query_pb2 import Freshness, GetCustomerRequest
from tandem.v1.query_pb2_grpc import QueryServiceStub

WARM_UP = 2_000
READS = 10_000
BLOCK = 500
ROUNDS = 3


def block(read: Callable[[], object]) -> float:
    """CPU time of one read in microseconds, of all threads, user and system."""
    before = time.process_time()
    for _ in range(BLOCK):
        read()
    return (time.process_time() - before) / BLOCK * 1e6


def main() -> None:
    """Print one JSON line."""
    if len(sys.argv) != 2:
        sys.exit("usage: bench.sh HOST:PORT (of a query service; TANDEM_COMMAND is the command service)")
    address = sys.argv[1]
    stub = QueryServiceStub(grpc.insecure_channel(address))
    with tandem.Client(os.environ.get("TANDEM_COMMAND", "127.0.0.1:8090"), address) as client:
        session = client.session()
        customer = session.create_customer(
            CreateCustomerRequest(first_name="Ada", last_name="Lovelace")
        ).customer.customer_id
        receipts = session.receipts

        def plain() -> object:
            return stub.GetCustomer(
                GetCustomerRequest(customer_id=customer, freshness=Freshness(receipts=receipts)),
                timeout=10,
            )

        def layered() -> object:
            return session.get_customer(GetCustomerRequest(customer_id=customer))

        for read in (plain, layered):
            for _ in range(WARM_UP):
                read()
        pairs = [(block(plain), block(layered)) for _ in range(ROUNDS * READS // BLOCK)]
        plain_us, layer_us = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(layer / plain for plain, layer in pairs)
        figures = {"plain_us": round(plain_us, 1), "layer_us": round(layer_us, 1), "ratio": round(ratio, 3)}
        print(json.dumps({"language": "python"} | figures))


if __name__ == "__main__":
    main()
