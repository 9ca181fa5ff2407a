"""A client of Tandem: the contract's calls, with what users of a plain stub would write again.

Messages and stubs are in `tandem.v1`; begin with `Client`.
"""

from tandem.client import Client
from tandem.errors import (
    Cancelled,
    ConfigurationError,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    TandemError,
    Unavailable,
    Violation,
)
from tandem.session import Session
from tandem.watch import Watch

__all__ = [
    "Cancelled",
    "Client",
    "ConfigurationError",
    "DeadlineExceeded",
    "FailedPrecondition",
    "InvalidArgument",
    "NotFound",
    "Session",
    "TandemError",
    "Unavailable",
    "Violation",
    "Watch",
]
