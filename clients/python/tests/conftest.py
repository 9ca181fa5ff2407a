"""What the tests are given: a scripted service in this process, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from scripted import Scripted

import tandem
from tandem.v1.command_pb2_grpc import add_CommandServiceServicer_to_server
from tandem.v1.query_pb2_grpc import add_QueryServiceServicer_to_server


@pytest.fixture
def service() -> Iterator[Scripted]:
    scripted = Scripted()  # type: ignore[abstract]  # It has what the tests call.
    server = grpc.server(ThreadPoolExecutor(8))
    add_CommandServiceServicer_to_server(scripted, server)
    add_QueryServiceServicer_to_server(scripted, server)
    scripted.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    issued = scripted.authority.issue_cert("tandem.example")
    chain = b"".join(certificate.bytes() for certificate in issued.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
    scripted.secured = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    server.start()
    yield scripted
    scripted.released.set()
    server.stop(0).wait()


@pytest.fixture
def client(service: Scripted) -> Iterator[tandem.Client]:
    with tandem.Client(service.address, service.address) as client:
        yield client
