"""How a watch goes on, and when it doesn't."""

from __future__ import annotations

import threading
import time
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from scripted import Scripted, failed

import tandem
from tandem.v1.query_pb2 import Freshness, WatchCustomerOrdersRequest
from tandem.watch import Watch

UNAVAILABLE = failed(grpc.StatusCode.UNAVAILABLE)
REFUSED = failed(grpc.StatusCode.INVALID_ARGUMENT)
PATIENT = failed(grpc.StatusCode.UNAVAILABLE, RetryInfo(retry_delay=Duration(seconds=60)))


class Stream:
    """Gives what it is made of; an exception breaks it off, and the end is an end."""

    def __init__(self, *steps: str | Exception) -> None:
        self._steps = iter(steps)

    def __next__(self) -> str:
        step = next(self._steps)
        if isinstance(step, Exception):
            raise step
        return step

    def cancel(self) -> None:
        self._steps = iter(())


class Script:
    """Opens one stream after another, and notes with which token, and the pauses between."""

    def __init__(self, *streams: Stream) -> None:
        self._streams = iter(streams)
        self.tokens: list[str] = []
        self.pauses: list[float] = []
        opening: Any = self._open
        self.watch: Watch[str] = Watch(opening, str.upper, "Watch at there", "given", self.pauses.append)

    def _open(self, token: str) -> Stream:
        self.tokens.append(token)
        return next(self._streams)


def test_it_goes_on_by_its_token_after_a_break_and_after_an_end() -> None:
    script = Script(Stream("a", UNAVAILABLE), Stream("b"), Stream("c"))
    assert [next(script.watch) for _ in range(3)] == ["a", "b", "c"]
    assert script.tokens == ["given", "A", "B"]
    assert all(0.2 <= pause <= 0.3 for pause in script.pauses)


def test_the_eighth_interruption_in_a_row_is_raised() -> None:
    script = Script(*(Stream(UNAVAILABLE) for _ in range(8)))
    with pytest.raises(tandem.Unavailable) as raised:
        next(script.watch)
    assert raised.value.__cause__ is UNAVAILABLE
    assert len(script.pauses) == 7
    wholes = [0.25, 0.5, 1, 2, 4, 4, 4]
    assert all(0.8 * w <= p <= 1.2 * w for w, p in zip(wholes, script.pauses, strict=True))
    assert list(script.watch) == []


def test_ends_count_as_interruptions_too() -> None:
    script = Script(*(Stream() for _ in range(8)))
    with pytest.raises(tandem.Unavailable, match="Watch at there: the service ended"):
        next(script.watch)


def test_a_document_begins_the_count_anew() -> None:
    broken = [Stream(UNAVAILABLE) for _ in range(7)]
    script = Script(*broken, Stream("a", UNAVAILABLE), *broken[:6], Stream("b"))
    assert [next(script.watch) for _ in range(2)] == ["a", "b"]


def test_what_does_not_get_better_is_raised_at_once() -> None:
    script = Script(Stream(REFUSED))
    with pytest.raises(tandem.InvalidArgument):
        next(script.watch)
    assert script.pauses == []


def test_it_does_not_come_again_before_the_service_said() -> None:
    script = Script(Stream(PATIENT), Stream("a"))
    assert next(script.watch) == "a"
    assert script.pauses == [60]


def test_cancelling_ends_a_pause() -> None:
    stream: Any = Stream(PATIENT)
    watch: Watch[str] = Watch(lambda _: stream, str, "Watch at there", "")
    documents: list[str] = []
    thread = threading.Thread(target=lambda: documents.extend(watch))
    thread.start()
    watch.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert documents == []


def test_cancelling_ends_a_watch_that_waits_for_a_document(service: Scripted, client: tandem.Client) -> None:
    watch = client.session().watch_customer_orders(WatchCustomerOrdersRequest(customer_id="ada"))
    next(watch)
    threading.Timer(0.05, watch.cancel).start()
    hung = threading.Timer(5, client.close)
    hung.start()
    began = time.monotonic()
    assert list(watch) == []
    assert time.monotonic() - began < 4
    hung.cancel()


def test_a_signal_handler_may_cancel_while_a_stream_is_opened() -> None:
    first, second = Stream("a"), Stream("b")
    streams = iter([first, second])
    cancelling: list[Watch[str]] = []

    def opening(_: str) -> Any:
        for watch in cancelling:
            # It runs on this thread, in the middle of what is done here.
            watch.cancel()
        return next(streams)

    def iterate() -> None:
        watch = Watch(opening, str, "Watch at there", "", lambda _: None)
        cancelling.append(watch)
        documents.extend(watch)

    documents: list[str] = []
    thread = threading.Thread(target=iterate, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert documents == ["a"]
    assert next(second, "cancelled") == "cancelled"


def test_it_shows_the_receipts_and_does_not_change_the_request(
    service: Scripted, client: tandem.Client
) -> None:
    request = WatchCustomerOrdersRequest(customer_id="ada", resume_token="mine")
    with client.session(["one"]).watch_customer_orders(request) as watch:
        assert next(watch).resume_token == "token-1"
        service.holding.wait(5)
        service.released.set()
        assert next(watch).resume_token == "token-2"
    assert list(watch) == []
    shown = Freshness(receipts=["one"])
    assert service.asked[:2] == [
        WatchCustomerOrdersRequest(customer_id="ada", resume_token="mine", freshness=shown),
        WatchCustomerOrdersRequest(customer_id="ada", resume_token="token-1", freshness=shown),
    ]
    assert request == WatchCustomerOrdersRequest(customer_id="ada", resume_token="mine")


def test_closing_the_client_ends_it(service: Scripted, client: tandem.Client) -> None:
    watch = client.session().watch_customer_orders(WatchCustomerOrdersRequest(customer_id="ada"))
    next(watch)
    threading.Timer(0.05, client.close).start()
    assert list(watch) == []
