"""How a client is made, reaches the services, and is closed."""

import sys
import threading
import time
from typing import Any

import grpc
import pytest
import trustme
from scripted import Scripted

import tandem
from tandem import addresses, credentials, policy
from tandem.v1 import query_pb2 as query
from tandem.v1.command_pb2 import PlaceOrderRequest
from tandem.v1.model_pb2 import Order
from tandem.v1.query_pb2 import GetCustomerRequest

HELD = GetCustomerRequest(customer_id="held")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "host",
        "host:",
        ":1",
        "host:0",
        "host:65536",
        "host:x",
        "http://host:1",
        "::1:1",
        "a:1,b:1",
        "h:²",
        "[zz]:1",
        "u@h:1",
        "a b:1",
        "h:99999999",
    ],
)
def test_an_address_that_is_none_is_told(wrong: str) -> None:
    for command, queries in [(wrong, "127.0.0.1:1"), ("127.0.0.1:1", ["127.0.0.1:1", wrong])]:
        with pytest.raises(tandem.ConfigurationError, match="host:port"):
            tandem.Client(command, queries)


def test_no_address_a_name_that_is_none_and_no_time_are_told() -> None:
    with pytest.raises(tandem.ConfigurationError, match="query"):
        tandem.Client("127.0.0.1:1", [])
    with pytest.raises(tandem.ConfigurationError, match=r"no\.such\.invalid"):
        tandem.Client("127.0.0.1:1", ["127.0.0.1:1", "no.such.invalid:1"])
    with pytest.raises(tandem.ConfigurationError, match="timeout"):
        tandem.Client("127.0.0.1:1", "127.0.0.1:1", timeout=0)


def test_targets() -> None:
    assert addresses.target(["name.example:1"]) == "dns:///name.example:1"
    assert addresses.target(["[::1]:1"]) == "dns:///[::1]:1"
    assert addresses.target(["127.0.0.1:1", "127.0.0.2:2"]) == "ipv4:127.0.0.1:1,127.0.0.2:2"
    assert addresses.target(["127.0.0.1:1", "[::1]:2"]) == "ipv6:[::ffff:127.0.0.1]:1,[::1]:2"


def test_a_token_without_tls_and_what_is_no_certificate_or_token_are_told() -> None:
    with pytest.raises(tandem.ConfigurationError, match="TLS"):
        credentials.credentials(False, "secret")
    with pytest.raises(tandem.ConfigurationError, match="PEM"):
        credentials.credentials(b"junk", None)
    with pytest.raises(tandem.ConfigurationError, match="token"):
        credentials.credentials(trustme.CA().cert_pem.bytes(), "two\nlines")


@pytest.mark.parametrize("fetched", [None, "", "two\nlines"])
def test_what_was_fetched_and_is_no_token_is_not_sent(fetched: Any) -> None:
    told: list[Any] = []
    credentials._Fetched(lambda: fetched)(Any, lambda *given: told.append(given))  # type: ignore[arg-type]
    ((metadata, error),) = told
    assert metadata == ()
    assert "no token" in str(error)


def test_a_token_function_that_exits_is_told_too(service: Scripted) -> None:
    with tandem.Client(
        service.secured,
        service.secured,
        tls=service.authority.cert_pem.bytes(),
        token=lambda: sys.exit("no token helper"),
        server_name="tandem.example",
    ) as client:
        watch = client.session().watch_customer_orders(query.WatchCustomerOrdersRequest())
        hung = threading.Timer(5, client.close)
        hung.start()
        with pytest.raises(tandem.TandemError, match="no token helper"):
            next(watch)
        hung.cancel()


def test_tls_by_another_name_with_a_token_for_each_call(service: Scripted) -> None:
    tokens = iter(["one", "two", "three"])
    with tandem.Client(
        service.secured,
        [service.secured, "127.0.0.1:1"],
        tls=service.authority.cert_pem.bytes(),
        token=lambda: next(tokens),
        server_name="tandem.example",
    ) as client:
        for _ in range(2):
            client.session().get_customer(GetCustomerRequest())
        client.session().place_order(PlaceOrderRequest())
    assert service.authorizations == ["Bearer one", "Bearer two", "Bearer three"]


def test_certificates_may_have_comments_in_any_language(service: Scripted) -> None:
    bundle = "# Főtanúsítvány\n".encode() + service.authority.cert_pem.bytes()
    with tandem.Client(service.secured, service.secured, tls=bundle, server_name="tandem.example") as client:
        client.session().get_customer(GetCustomerRequest())


def test_the_systems_certificates_are_found() -> None:
    assert b"BEGIN CERTIFICATE" in credentials._system_roots()


def test_pauses_grow_within_bounds() -> None:
    for tries, whole in enumerate([0.25, 0.5, 1, 2, 4, 4, 4], 1):
        assert policy.pause(tries, lambda: 0) == pytest.approx(0.8 * whole)
        assert policy.pause(tries, lambda: 1) == pytest.approx(1.2 * whole)


def test_one_that_is_away_is_passed_over(service: Scripted) -> None:
    with tandem.Client(service.address, ["127.0.0.1:1", service.address]) as client:
        for _ in range(4):
            client.session().get_customer(GetCustomerRequest())


def test_a_timeout_is_that_of_the_call_then_that_of_the_client(service: Scripted) -> None:
    with tandem.Client(service.address, service.address, timeout=0.05) as client:
        session = client.session()
        for timeout, longest in [(None, 1), (0.02, 1)]:
            began = time.monotonic()
            with pytest.raises(tandem.DeadlineExceeded, match="GetCustomer at 127"):
                session.get_customer(HELD, timeout=timeout)
            assert time.monotonic() - began < longest
        threading.Timer(0.1, service.released.set).start()
        session.get_customer(HELD, timeout=5)


def test_a_call_has_ten_seconds_unless_it_is_told_otherwise(service: Scripted, client: tandem.Client) -> None:
    client.session().get_customer(GetCustomerRequest())
    client.session().get_customer(GetCustomerRequest(), timeout=20)
    by_default, given = service.seconds_left
    assert 9 < by_default < 10.1
    assert 19 < given < 20.1
    # What is left here is what the caller gave, while gRPC would cut it off by what its config says.
    assert "timeout" not in str(dict(policy.CHANNEL_OPTIONS)["grpc.service_config"])


@pytest.mark.parametrize("receipts", [0, 33])
def test_a_timeout_may_be_without_end(service: Scripted, client: tandem.Client, receipts: int) -> None:
    session = client.session(map(str, range(receipts)))
    session.get_customer(GetCustomerRequest(), timeout=float("inf"))
    assert service.seconds_left[-1] > 80_000


def test_closing_cancels_a_call_that_blocks_and_all_that_come_after(
    service: Scripted, client: tandem.Client
) -> None:
    def close() -> None:
        service.holding.wait(5)
        client.close()
        client.close()

    thread = threading.Thread(target=close)
    thread.start()
    session = client.session()
    for request in (HELD, GetCustomerRequest()):
        with pytest.raises(tandem.Cancelled, match="closed") as raised:
            session.get_customer(request)
        assert raised.value.code() is grpc.StatusCode.CANCELLED
    with pytest.raises(tandem.Cancelled, match="closed"):
        session.place_order(PlaceOrderRequest())
    with pytest.raises(tandem.Cancelled, match="closed"):
        session.watch_customer_orders(query.WatchCustomerOrdersRequest())
    thread.join()


def test_the_plain_stubs_are_there(service: Scripted, client: tandem.Client) -> None:
    client.queries.GetCustomer(GetCustomerRequest(), timeout=5)
    assert service.asked == [GetCustomerRequest()]


def test_lists_go_from_page_to_page(service: Scripted, client: tandem.Client) -> None:
    service.pages = [
        query.ListOrdersResponse(orders=[Order(order_id="a"), Order(order_id="b")], next_page_token="1"),
        query.ListOrdersResponse(next_page_token="2"),
        query.ListOrdersResponse(orders=[Order(order_id="c")]),
    ]
    session = client.session(["one"])
    request = query.ListOrdersRequest(page_size=2)
    assert [order.order_id for order in session.rows(request, timeout=5)] == ["a", "b", "c"]
    assert [asked.page_token for asked in service.asked] == ["", "1", "2"]
    assert [asked.page_size for asked in service.asked] == [2, 2, 2]
    assert all(4 < left < 5.1 for left in service.seconds_left)
    assert all(asked.freshness.receipts == ["one"] for asked in service.asked)
    assert [len(page.orders) for page in session.pages(request)] == [2, 0, 1]
    assert request == query.ListOrdersRequest(page_size=2)

    service.asked.clear()
    rows = session.rows(request)
    assert [next(rows).order_id for _ in range(2)] == ["a", "b"]
    assert len(service.asked) == 1


def test_what_asks_for_no_list_is_told_at_once(client: tandem.Client) -> None:
    session = client.session()
    with pytest.raises(TypeError, match="GetCustomerRequest asks for no list"):
        session.rows(GetCustomerRequest())  # type: ignore[call-overload]
