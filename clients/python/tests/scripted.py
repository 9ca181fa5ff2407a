"""A service that the tests script, and errors as gRPC raises them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import trustme
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from tandem.v1 import command_pb2 as command
from tandem.v1 import query_pb2 as query
from tandem.v1.command_pb2_grpc import CommandServiceServicer
from tandem.v1.query_pb2_grpc import QueryServiceServicer


class Scripted(CommandServiceServicer, QueryServiceServicer):
    """Both services in one; notes what it is asked. Calls about the customer `held` wait."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.seconds_left: list[float] = []
        self.authorizations: list[Any] = []
        self.positions = True
        self.settling_takes = 0.0
        self.pages: list[query.ListOrdersResponse] = []
        self.refusals: list[grpc.StatusCode] = []
        self.holding = threading.Event()
        self.released = threading.Event()
        self.address = ""
        #: The same over TLS, with a certificate for `tandem.example` that this authority signed.
        self.secured = ""
        self.authority = trustme.CA()
        self._numbers = itertools.count(1)

    def _noted(self, request: Any, context: Any) -> None:
        self.asked.append(request)
        self.seconds_left.append(context.time_remaining())
        self.authorizations.append(dict(context.invocation_metadata()).get("authorization"))
        if self.refusals:
            context.abort(self.refusals.pop(0), "as it was told")
        if getattr(request, "customer_id", "") == "held":
            self.holding.set()
            self.released.wait(10)

    def PlaceOrder(self, request: command.PlaceOrderRequest, context: Any) -> command.PlaceOrderResponse:
        self._noted(request, context)
        return command.PlaceOrderResponse(receipt=f"receipt-{next(self._numbers)}")

    def GetCustomer(self, request: query.GetCustomerRequest, context: Any) -> query.GetCustomerResponse:
        self._noted(request, context)
        return query.GetCustomerResponse()

    def ListCustomers(self, request: query.ListCustomersRequest, context: Any) -> query.ListCustomersResponse:
        self._noted(request, context)
        time.sleep(self.settling_takes)
        position = f"position-{next(self._numbers)}" if self.positions else ""
        return query.ListCustomersResponse(served=query.Served(position=position))

    def ListOrders(self, request: query.ListOrdersRequest, context: Any) -> query.ListOrdersResponse:
        self._noted(request, context)
        return self.pages[int(request.page_token or 0)]

    def WatchCustomerOrders(
        self, request: query.WatchCustomerOrdersRequest, context: Any
    ) -> Iterator[query.WatchCustomerOrdersResponse]:
        self.asked.append(request)
        yield query.WatchCustomerOrdersResponse(resume_token=f"token-{len(self.asked)}")
        self.holding.set()
        self.released.wait(10)


class Failed(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode, details: str, trailing: Any = None) -> None:
        self._told = code, details, trailing

    def code(self) -> grpc.StatusCode:
        return self._told[0]

    def details(self) -> str:
        return self._told[1]

    def trailing_metadata(self) -> Any:
        return self._told[2]


def failed(code: grpc.StatusCode, *details: Message) -> Failed:
    status = Status(message="words")
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    trailing = (("other", "x"), ("grpc-status-details-bin", status.SerializeToString()))
    return Failed(code, "words", trailing)
