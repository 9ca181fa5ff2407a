"""A session: the contract's calls, of which each reads what the session wrote."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Protocol, TypeVar

import grpc

from tandem import lists
from tandem.errors import DeadlineExceeded, TandemError
from tandem.receipts import MOST_KEPT, MOST_SHOWN, Receipts
from tandem.service import Service
from tandem.v1 import command_pb2 as command
from tandem.v1 import query_pb2 as query
from tandem.v1.command_pb2_grpc import CommandServiceStub
from tandem.v1.query_pb2_grpc import QueryServiceStub
from tandem.watch import Watch


class _Receipted(Protocol):
    receipt: str


_Answer = TypeVar("_Answer")
_Written = TypeVar("_Written", bound=_Receipted)
_Command = TypeVar(
    "_Command",
    command.CreateCustomerRequest,
    command.UpdateCustomerRequest,
    command.RemoveCustomerRequest,
    command.PlaceOrderRequest,
    command.UpdateOrderRequest,
    command.CancelOrderRequest,
    command.SendGreetingRequest,
)
_Read = TypeVar(
    "_Read",
    query.GetCustomerRequest,
    query.GetOrderRequest,
    query.GetCustomerOrdersRequest,
    query.ListCustomersRequest,
    query.ListOrdersRequest,
    query.ListCustomerOrdersRequest,
    query.ListGreetingsRequest,
    query.ListRejectsRequest,
    query.WatchCustomerOrdersRequest,
)


class Session(lists.Lists):
    """What was written in a session is in what is read in it next, on any instance.

    It keeps the receipts of its commands and shows them with each read. One session is for one user's
    thread of work; any thread may use it. A request is never changed.

    Every method takes the contract's request and gives the contract's response. `timeout` is how many
    seconds it may take with all its tries; None is the client's. What goes wrong is raised as a
    `TandemError`; for any call that may be `Unavailable`, `DeadlineExceeded` (try again later; a command
    with the same `request_id`), `Cancelled` (the client was closed) and `InvalidArgument` (the caller
    has to change the request).
    """

    def __init__(
        self,
        command_service: Service,
        query_service: Service,
        commands: CommandServiceStub,
        queries: QueryServiceStub,
        receipts: Iterable[str],
    ) -> None:
        self._command_service = command_service
        self._query_service = query_service
        self._commands = commands
        self._queries = queries
        self._receipts = Receipts(receipts)

    @property
    def receipts(self) -> tuple[str, ...]:
        """The receipts of what was written so far; `Client.session` takes them, in any process."""
        return self._receipts.kept

    def create_customer(
        self, request: command.CreateCustomerRequest, *, timeout: float | None = None
    ) -> command.CreateCustomerResponse:
        """Register a customer, or replace the one of that id. The id is made by the server if it is empty."""
        return self._write("CreateCustomer", self._commands.CreateCustomer, request, timeout)

    def update_customer(
        self, request: command.UpdateCustomerRequest, *, timeout: float | None = None
    ) -> command.UpdateCustomerResponse:
        """State a customer anew: every field is replaced."""
        return self._write("UpdateCustomer", self._commands.UpdateCustomer, request, timeout)

    def remove_customer(
        self, request: command.RemoveCustomerRequest, *, timeout: float | None = None
    ) -> command.RemoveCustomerResponse:
        """Remove a customer; its orders stay."""
        return self._write("RemoveCustomer", self._commands.RemoveCustomer, request, timeout)

    def place_order(
        self, request: command.PlaceOrderRequest, *, timeout: float | None = None
    ) -> command.PlaceOrderResponse:
        """Place an order. Its id is made by the server if it is empty."""
        return self._write("PlaceOrder", self._commands.PlaceOrder, request, timeout)

    def update_order(
        self, request: command.UpdateOrderRequest, *, timeout: float | None = None
    ) -> command.UpdateOrderResponse:
        """State an order anew: every field but the purchase time is replaced."""
        return self._write("UpdateOrder", self._commands.UpdateOrder, request, timeout)

    def cancel_order(
        self, request: command.CancelOrderRequest, *, timeout: float | None = None
    ) -> command.CancelOrderResponse:
        """Cancel an order."""
        return self._write("CancelOrder", self._commands.CancelOrder, request, timeout)

    def send_greeting(
        self, request: command.SendGreetingRequest, *, timeout: float | None = None
    ) -> command.SendGreetingResponse:
        """Send a greeting."""
        return self._write("SendGreeting", self._commands.SendGreeting, request, timeout)

    def get_customer(
        self, request: query.GetCustomerRequest, *, timeout: float | None = None
    ) -> query.GetCustomerResponse:
        """Read a customer; `NotFound` if there is none of that id."""
        return self._read("GetCustomer", self._queries.GetCustomer, request, timeout)

    def get_order(
        self, request: query.GetOrderRequest, *, timeout: float | None = None
    ) -> query.GetOrderResponse:
        """Read an order; `NotFound` if there is none.

        Without a customer's id only one customer may have an order of that id, else it is
        `FailedPrecondition`.
        """
        return self._read("GetOrder", self._queries.GetOrder, request, timeout)

    def get_customer_orders(
        self, request: query.GetCustomerOrdersRequest, *, timeout: float | None = None
    ) -> query.GetCustomerOrdersResponse:
        """Read a customer and a page of its orders; `NotFound` if there is neither."""
        return self._read("GetCustomerOrders", self._queries.GetCustomerOrders, request, timeout)

    def list_customers(
        self, request: query.ListCustomersRequest, *, timeout: float | None = None
    ) -> query.ListCustomersResponse:
        """Read a page of customers."""
        return self._read("ListCustomers", self._queries.ListCustomers, request, timeout)

    def list_orders(
        self, request: query.ListOrdersRequest, *, timeout: float | None = None
    ) -> query.ListOrdersResponse:
        """Read a page of orders."""
        return self._read("ListOrders", self._queries.ListOrders, request, timeout)

    def list_customer_orders(
        self, request: query.ListCustomerOrdersRequest, *, timeout: float | None = None
    ) -> query.ListCustomerOrdersResponse:
        """Read a page of orders joined with their customers."""
        return self._read("ListCustomerOrders", self._queries.ListCustomerOrders, request, timeout)

    def list_greetings(
        self, request: query.ListGreetingsRequest, *, timeout: float | None = None
    ) -> query.ListGreetingsResponse:
        """Read a page of greetings."""
        return self._read("ListGreetings", self._queries.ListGreetings, request, timeout)

    def list_rejects(
        self, request: query.ListRejectsRequest, *, timeout: float | None = None
    ) -> query.ListRejectsResponse:
        """Read a page of the records that could not be folded."""
        return self._read("ListRejects", self._queries.ListRejects, request, timeout)

    def list_instances(
        self, request: query.ListInstancesRequest, *, timeout: float | None = None
    ) -> query.ListInstancesResponse:
        """Ask which instances there are and what each of them serves."""
        stub = self._queries.ListInstances
        return self._query_service.call("ListInstances", stub, request, timeout)

    def watch_customer_orders(
        self, request: query.WatchCustomerOrdersRequest
    ) -> Watch[query.WatchCustomerOrdersResponse]:
        """Watch a customer and its orders: the document as it is, then as it is after each change."""
        shown, _ = self._fresh("WatchCustomerOrders", request, None)
        first = query.WatchCustomerOrdersRequest()
        first.CopyFrom(shown)

        def request_from(token: str) -> query.WatchCustomerOrdersRequest:
            first.resume_token = token
            return first

        return self._query_service.watch(
            "WatchCustomerOrders",
            self._queries.WatchCustomerOrders,
            request_from,
            lambda document: document.resume_token,
            request.resume_token,
        )

    def watch_routing(self, request: query.WatchRoutingRequest) -> Watch[query.WatchRoutingResponse]:
        """Watch which instances there are, for who calls the one that has the row itself."""
        stub = self._queries.WatchRouting
        return self._query_service.watch("WatchRouting", stub, lambda _: request, lambda _: "", "")

    def _write(
        self,
        name: str,
        stub: grpc.UnaryUnaryMultiCallable[_Command, _Written],
        request: _Command,
        timeout: float | None,
    ) -> _Written:
        if len(self._receipts.kept) >= MOST_KEPT:
            _, timeout = self._settled(name, self._receipts, MOST_SHOWN, timeout)
        if not request.request_id:
            # All tries have to be one command, also when it is not known what came of the first.
            again = type(request)()
            again.CopyFrom(request)
            again.request_id = str(uuid.uuid4())
            request = again
        written = self._command_service.call(name, stub, request, timeout)
        self._receipts.keep(written.receipt)
        return written

    def _read(
        self,
        name: str,
        stub: grpc.UnaryUnaryMultiCallable[_Read, _Answer],
        request: _Read,
        timeout: float | None,
    ) -> _Answer:
        request, timeout = self._fresh(name, request, timeout)
        return self._query_service.call(name, stub, request, timeout)

    def _fresh(self, name: str, request: _Read, timeout: float | None) -> tuple[_Read, float | None]:
        """Give the request with the session's receipts, and the time that is left for it."""
        kept = self._receipts.kept
        if not kept:
            return request, timeout
        given = tuple(request.freshness.receipts)
        if given:
            kept = tuple(receipt for receipt in kept if receipt not in given)
        fresh = type(request)()
        fresh.CopyFrom(request)
        if len(given) + len(kept) > MOST_SHOWN:
            kept, timeout = self._settled(name, self._receipts, MOST_SHOWN - len(given), timeout)
            if len(given) == MOST_SHOWN:
                # One is left of the session's, and there is no room for it.
                both = Receipts(given + kept)
                kept, timeout = self._settled(name, both, MOST_SHOWN, timeout)
                del fresh.freshness.receipts[:]
        fresh.freshness.receipts.extend(kept)
        return fresh, timeout

    def _settled(
        self, name: str, receipts: Receipts, room: int, timeout: float | None
    ) -> tuple[tuple[str, ...], float]:
        """Make few receipts of many. Gives them, and the time that is left of the timeout."""
        whole = self._query_service.within(timeout)
        end = time.monotonic() + whole

        def position_of(oldest: tuple[str, ...]) -> str:
            freshness = query.Freshness(receipts=oldest)
            request = query.ListCustomersRequest(page_size=1, freshness=freshness)
            stub, left = self._queries.ListCustomers, end - time.monotonic()
            try:
                page = self._query_service.call("ListCustomers", stub, request, left)
            except TandemError as error:
                raise error.unsent(name) from error
            if not page.served.position:
                words = "ListCustomers: the answer doesn't say its position"
                raise TandemError(grpc.StatusCode.INTERNAL, words).unsent(name)
            return page.served.position

        kept = receipts.settle(room, position_of, whole)
        if kept is None:
            words = f"another thread was still at it after {whole:g} s"
            raise DeadlineExceeded(grpc.StatusCode.DEADLINE_EXCEEDED, words).unsent(name)
        return kept, end - time.monotonic()
