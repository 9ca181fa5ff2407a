"""What is read from gRPC's errors."""

from __future__ import annotations

import copy
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from scripted import Failed, failed

import tandem
from tandem.errors import told

CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: tandem.InvalidArgument,
    grpc.StatusCode.NOT_FOUND: tandem.NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: tandem.FailedPrecondition,
    grpc.StatusCode.UNAVAILABLE: tandem.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: tandem.DeadlineExceeded,
    grpc.StatusCode.CANCELLED: tandem.Cancelled,
}


@pytest.mark.parametrize("code", grpc.StatusCode)
def test_each_code_has_its_type(code: grpc.StatusCode) -> None:
    error = told(failed(code), "GetCustomer at there")
    assert type(error) is CODES.get(code, tandem.TandemError)
    assert isinstance(error, grpc.RpcError)
    assert error.code() is code
    assert error.reason == code.name


def test_what_the_service_says_is_read() -> None:
    info = ErrorInfo(reason="INVALID_REQUEST", domain="tandem", metadata={"shard": "3"})
    faults = [BadRequest.FieldViolation(field=f, description=f"{f} is bad") for f in ("one", "two")]
    retry = RetryInfo(retry_delay=Duration(nanos=400_000_000))
    bad = BadRequest(field_violations=faults)
    error = told(failed(grpc.StatusCode.INVALID_ARGUMENT, info, bad, retry), "PlaceOrder at there")
    assert (error.reason, error.message, error.details()) == ("INVALID_REQUEST", "words", "words")
    assert error.metadata == {"shard": "3"}
    assert error.violations == (("one", "one is bad"), ("two", "two is bad"))
    assert error.retry_delay == 0.4
    assert error.trailing_metadata()[0] == ("other", "x")
    assert str(error) == "INVALID_ARGUMENT: words"


@pytest.mark.parametrize("trailing", [None, (), (("grpc-status-details-bin", b"\xff nonsense"),)])
def test_what_nobody_of_tandem_said_names_the_call(trailing: Any) -> None:
    words = "last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused"
    error = told(Failed(grpc.StatusCode.UNAVAILABLE, words, trailing), "GetCustomer at there")
    assert error.message == f"GetCustomer at there: nothing listens there ({words})"
    assert error.details() == words
    assert (error.reason, error.metadata, error.violations) == ("UNAVAILABLE", {}, ())
    assert error.retry_delay is None


def test_details_that_cannot_be_read_are_passed_over() -> None:
    status = Status()
    for kind in ("BadRequest", "RetryInfo", "ErrorInfo"):
        status.details.append(AnyMessage(type_url=f"type.googleapis.com/google.rpc.{kind}", value=b"\xff"))
    status.details.add().Pack(ErrorInfo(reason="NOT_READY"))
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    error = told(Failed(grpc.StatusCode.UNAVAILABLE, "words", trailing), "GetCustomer at there")
    assert (error.reason, error.violations, error.retry_delay) == ("NOT_READY", (), None)


def test_a_token_that_could_not_be_fetched_is_no_matter_of_trying_again() -> None:
    words = "Getting metadata from plugin failed with error: not signed in"
    error = told(Failed(grpc.StatusCode.UNAVAILABLE, words), "GetCustomer at there")
    assert (error.code(), error.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


def test_an_error_goes_over_to_another_process() -> None:
    error = tandem.NotFound(grpc.StatusCode.NOT_FOUND, "gone", reason="CUSTOMER_NOT_FOUND", retry_delay=1)
    again = copy.copy(error)  # by the same protocol as pickle
    assert type(again) is tandem.NotFound
    assert (again.code(), again.message, again.reason, again.retry_delay) == (
        grpc.StatusCode.NOT_FOUND,
        "gone",
        "CUSTOMER_NOT_FOUND",
        1,
    )
