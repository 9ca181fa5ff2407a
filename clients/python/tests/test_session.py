"""What a session adds to requests, and how it makes few receipts of many."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from scripted import Scripted

import tandem
from tandem.receipts import Receipts
from tandem.v1.command_pb2 import PlaceOrderRequest
from tandem.v1.query_pb2 import Freshness, GetCustomerRequest, ListCustomersRequest


def test_a_command_without_request_id_gets_one_and_is_not_changed(
    service: Scripted, client: tandem.Client
) -> None:
    request = PlaceOrderRequest(customer_id="ada")
    client.session().place_order(request)
    assert request == PlaceOrderRequest(customer_id="ada")
    assert uuid.UUID(service.asked[0].request_id).version == 4


def test_all_tries_of_a_command_have_one_request_id(service: Scripted, client: tandem.Client) -> None:
    service.refusals = [grpc.StatusCode.UNAVAILABLE]
    session = client.session()
    session.place_order(PlaceOrderRequest(customer_id="ada"))
    assert len(service.asked) == 2
    assert service.asked[0] == service.asked[1]
    session.place_order(PlaceOrderRequest(customer_id="ada"))
    assert service.asked[2].request_id != service.asked[1].request_id


def test_a_request_id_that_is_given_is_kept(service: Scripted, client: tandem.Client) -> None:
    client.session().place_order(PlaceOrderRequest(request_id="mine"))
    assert service.asked == [PlaceOrderRequest(request_id="mine")]


def test_a_read_shows_the_receipts_and_is_not_changed(service: Scripted, client: tandem.Client) -> None:
    session = client.session(["of another"])
    session.place_order(PlaceOrderRequest())
    request = GetCustomerRequest(customer_id="ada")
    session.get_customer(request)
    assert request == GetCustomerRequest(customer_id="ada")
    assert list(service.asked[-1].freshness.receipts) == ["of another", "receipt-1"]
    assert session.receipts == ("of another", "receipt-1")


def test_freshness_of_a_request_is_kept(service: Scripted, client: tandem.Client) -> None:
    session = client.session(["one", "two"])
    given = Freshness(receipts=["own", "two"], max_staleness=Duration(seconds=3))
    session.get_customer(GetCustomerRequest(freshness=given))
    seen = service.asked[-1].freshness
    assert list(seen.receipts) == ["own", "two", "one"]
    assert seen.max_staleness == Duration(seconds=3)
    assert list(given.receipts) == ["own", "two"]


def test_32_receipts_are_shown_as_they_are(service: Scripted, client: tandem.Client) -> None:
    client.session(map(str, range(32))).get_customer(GetCustomerRequest())
    assert [len(request.freshness.receipts) for request in service.asked] == [32]


def test_more_receipts_are_settled_the_oldest_first(service: Scripted, client: tandem.Client) -> None:
    receipts = [str(number) for number in range(70)]
    session = client.session(receipts)
    session.get_customer(GetCustomerRequest())
    first, second, read = service.asked
    assert first == ListCustomersRequest(page_size=1, freshness=Freshness(receipts=receipts[:32]))
    assert list(second.freshness.receipts) == ["position-1", *receipts[32:63]]
    assert list(read.freshness.receipts) == ["position-2", *receipts[63:]]
    assert session.receipts == ("position-2", *receipts[63:])


def test_room_is_left_for_receipts_of_the_request(service: Scripted, client: tandem.Client) -> None:
    session = client.session(["one", "two"])
    own = [f"own-{number}" for number in range(31)]
    session.get_customer(GetCustomerRequest(freshness=Freshness(receipts=own)))
    assert list(service.asked[-1].freshness.receipts) == [*own, "position-1"]


def test_a_request_may_bring_as_many_receipts_as_a_query_takes(
    service: Scripted, client: tandem.Client
) -> None:
    session = client.session(["one", "two"])
    own = [str(number) for number in range(32)]
    session.get_customer(
        GetCustomerRequest(freshness=Freshness(receipts=own, max_staleness=Duration(seconds=3)))
    )
    sessions, requests, read = service.asked
    assert list(sessions.freshness.receipts) == ["one", "two"]
    assert list(requests.freshness.receipts) == own
    assert read.freshness == Freshness(
        receipts=["position-2", "position-1"], max_staleness=Duration(seconds=3)
    )
    assert session.receipts == ("position-1",)


def test_whoever_wrote_1024_times_settles_before_the_next_command(
    service: Scripted, client: tandem.Client
) -> None:
    session = client.session(map(str, range(1023)))
    session.place_order(PlaceOrderRequest())
    assert len(service.asked) == 1
    assert len(session.receipts) == 1024
    session.place_order(PlaceOrderRequest())
    assert isinstance(service.asked[1], ListCustomersRequest)
    assert isinstance(service.asked[-1], PlaceOrderRequest)
    assert len(session.receipts) <= 33


def test_a_command_that_settling_kept_from_being_sent_says_so(service: Scripted) -> None:
    with tandem.Client(service.address, "127.0.0.1:1", timeout=0.2) as away:
        session = away.session(map(str, range(1024)))
        with pytest.raises(tandem.TandemError, match="PlaceOrder was not sent") as told:
            session.place_order(PlaceOrderRequest())
    assert type(told.value) in (tandem.Unavailable, tandem.DeadlineExceeded)
    assert service.asked == []
    assert len(session.receipts) == 1024


def test_a_position_that_is_missing_is_told_and_nothing_is_lost(
    service: Scripted, client: tandem.Client
) -> None:
    service.positions = False
    session = client.session(map(str, range(33)))
    with pytest.raises(tandem.TandemError, match=r"GetCustomer was not sent: .* position"):
        session.get_customer(GetCustomerRequest())
    assert len(session.receipts) == 33


def test_settling_is_bounded_by_the_timeout(service: Scripted, client: tandem.Client) -> None:
    receipts = Receipts(map(str, range(33)))
    settling, go_on = threading.Event(), threading.Event()

    def position_of(_: object) -> str:
        settling.set()
        go_on.wait(10)
        return "position"

    thread = threading.Thread(target=receipts.settle, args=(32, position_of, 10))
    thread.start()
    settling.wait(10)
    assert receipts.settle(32, lambda _: "never asked", 0.01) is None
    receipts.keep("new")
    go_on.set()
    thread.join()
    assert receipts.kept == ("position", "32", "new")


def test_what_settling_took_is_taken_off_the_timeout(service: Scripted, client: tandem.Client) -> None:
    service.settling_takes = 0.5
    client.session(map(str, range(33))).get_customer(GetCustomerRequest(), timeout=5)
    settling, read = service.seconds_left
    assert 4.5 < settling < 5.1
    assert 4 < read < 4.6


def test_a_command_that_waited_for_another_thread_to_settle_was_not_sent(
    service: Scripted, client: tandem.Client
) -> None:
    session = client.session(map(str, range(1024)))
    with session._receipts._settling, pytest.raises(tandem.DeadlineExceeded, match="PlaceOrder was not sent"):
        session.place_order(PlaceOrderRequest(), timeout=0.01)
    assert service.asked == []


def test_threads_lose_no_receipt(service: Scripted, client: tandem.Client) -> None:
    session = client.session()

    def work(_: int) -> None:
        for _ in range(20):
            session.place_order(PlaceOrderRequest())
            session.get_customer(GetCustomerRequest())

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert all(len(r.freshness.receipts) <= 32 for r in service.asked if hasattr(r, "freshness"))
    # Whatever is not kept any more was shown for a position that is, or that was shown for one in turn.
    shown = {r for a in service.asked if isinstance(a, ListCustomersRequest) for r in a.freshness.receipts}
    written = sum(isinstance(request, PlaceOrderRequest) for request in service.asked)
    receipts = {r for r in shown | set(session.receipts) if r.startswith("receipt")}
    assert written == len(receipts) == 120
