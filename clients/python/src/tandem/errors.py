"""What can go wrong with a call, as exceptions by gRPC code."""

from typing import Any, NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status


class ConfigurationError(ValueError):
    """A client can't be made as it was asked for; the message says what to give instead."""


class Violation(NamedTuple):
    """What is wrong with one field of a request."""

    field: str
    description: str


class TandemError(grpc.RpcError):
    """A call failed. `except grpc.RpcError` catches it too, with `code()` and `details()`.

    The common codes have a subclass each; the rest share this class.
    """

    #: Why, for programs: the service's word (`INVALID_REQUEST`), or the code's name when nobody from
    #: Tandem answered, as with a wrong address.
    reason: str
    #: Why, for people.
    message: str
    #: What else the service says for programs.
    metadata: dict[str, str]
    #: What is wrong with the request, field by field; the caller has to change it.
    violations: tuple[Violation, ...]
    #: How many seconds the service asks to wait before the next try, if it does.
    retry_delay: float | None

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_delay: float | None = None,
        cause: grpc.RpcError | None = None,
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self._code = code
        self._cause = cause
        self.reason = reason or code.name
        self.message = message
        self.metadata = metadata or {}
        self.violations = violations
        self.retry_delay = retry_delay

    def unsent(self, call: str) -> "TandemError":
        """Give the same about settling receipts, which had to be done before `call` could be sent."""
        words = f"{call} was not sent: the session's receipts could not be settled: {self.message}"
        return _again(type(self), self._code, words, self._facts(), self._cause)

    def _facts(self) -> dict[str, Any]:
        names = ("reason", "metadata", "violations", "retry_delay")
        return {name: getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        """Go over to another process, without gRPC's own error, which can't."""
        return _again, (type(self), self._code, self.message, self._facts())

    def code(self) -> grpc.StatusCode:
        """gRPC's code."""
        return self._code

    def details(self) -> str | None:
        """gRPC's own message; `message` is the one to show."""
        return self._cause.details() if self._cause else self.message

    def initial_metadata(self) -> Any:
        """Headers that the service sent, as gRPC has them."""
        return self._cause.initial_metadata() if isinstance(self._cause, grpc.Call) else ()

    def trailing_metadata(self) -> Any:
        """Trailers that the service sent, as gRPC has them."""
        return self._cause.trailing_metadata() if self._cause else ()


def _again(
    kind: type[TandemError],
    code: grpc.StatusCode,
    message: str,
    facts: dict[str, Any],
    cause: grpc.RpcError | None = None,
) -> TandemError:
    return kind(code, message, **facts, cause=cause)


class InvalidArgument(TandemError):
    """The request is wrong, see `violations`: change it."""


class NotFound(TandemError):
    """There is no such row."""


class FailedPrecondition(TandemError):
    """It can't be done as things are, see `reason`: sending it again changes nothing."""


class Unavailable(TandemError):
    """Nobody could answer just now, in all tries.

    A command may have been carried out all the same; send it again with the same `request_id`.
    """


class DeadlineExceeded(TandemError):
    """It took longer than it might.

    A command may have been carried out all the same; send it again with the same `request_id`.
    """


class Cancelled(TandemError):
    """The call was ended, as by closing the client."""


_BY_CODE: dict[grpc.StatusCode, type[TandemError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: Cancelled,
}

_UNFETCHED = "Getting metadata from plugin failed"

# What gRPC says when nobody answered, and what that means.
_MEANINGS = (
    ("Connection refused", "nothing listens there"),
    ("Hostname Verification", "the certificate is for another name; see server_name"),
    ("CERTIFICATE_VERIFY_FAILED", "the certificate is signed by nobody who is trusted"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
    (_UNFETCHED, "the token could not be had"),
    ("ping timeout", "it does not answer any more"),
    ("Socket closed", "the connection was closed"),
    ("errors resolving", "the name can't be resolved"),
    ("Channel closed", "the client was closed"),
    ("Deadline Exceeded", "there was no answer in time"),
)


def told(error: grpc.RpcError, call: str) -> TandemError:
    """Give gRPC's error as one of these. `call` is which call it was, and where to."""
    code, details = error.code(), error.details() or ""
    info, violations, delay = _answered(error.trailing_metadata())
    if not info.reason and _UNFETCHED in details:
        # gRPC calls this UNAVAILABLE, which would be waiting for it to get better.
        code = grpc.StatusCode.UNAUTHENTICATED
    return _BY_CODE.get(code, TandemError)(
        code,
        details if info.reason else f"{call}: {_meaning(details)}",
        reason=info.reason,
        metadata=dict(info.metadata),
        violations=violations,
        retry_delay=delay,
        cause=error,
    )


def _answered(trailing: Any) -> tuple[ErrorInfo, tuple[Violation, ...], float | None]:
    """What the service said about the error, if one did."""
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    delay = None
    for detail in _status(trailing).details:
        try:
            if detail.Unpack(retry):
                delay = retry.retry_delay.ToTimedelta().total_seconds()
            elif not detail.Unpack(info):
                detail.Unpack(bad)
        except DecodeError:
            continue  # As with the whole, below; the others may be good.
    violations = tuple(Violation(v.field, v.description) for v in bad.field_violations)
    return info, violations, delay


def _status(trailing: Any) -> Status:
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            try:
                return Status.FromString(value)
            except DecodeError:
                break  # Something between here and Tandem made it; the code says enough.
    return Status()


def _meaning(details: str) -> str:
    for fragment, meaning in _MEANINGS:
        if fragment in details:
            return f"{meaning} ({details})"
    return details or "no details were given"
