"""One of the two services as a client reaches it: a channel, and the calls on it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import grpc

from tandem import addresses, errors, policy
from tandem.watch import Watch

#: In seconds. gRPC takes what is far longer for no time at all.
LONGEST_TIMEOUT = 86_400

Request = TypeVar("Request")
Response = TypeVar("Response")


class Service:
    """A channel to one or several instances that are taken in turn."""

    def __init__(
        self,
        listening: Sequence[str],
        credentials: grpc.ChannelCredentials | None,
        server_name: str | None,
        timeout: float,
    ) -> None:
        self._at = ", ".join(listening)
        self._timeout = timeout
        self._closing = threading.Lock()
        self._closed = False
        self._watches: weakref.WeakSet[Watch[Any]] = weakref.WeakSet()
        target = addresses.target(listening)
        # A channel to several has no name of its own, which TLS would verify.
        authority = server_name or listening[0]
        options = (*policy.CHANNEL_OPTIONS, ("grpc.default_authority", authority))
        self.channel = (
            grpc.secure_channel(target, credentials, options)
            if credentials
            else grpc.insecure_channel(target, options)
        )

    def call(
        self,
        name: str,
        stub: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        timeout: float | None,
    ) -> Response:
        """Call; what goes wrong comes as a `TandemError`. `timeout` is in seconds, None the client's."""
        try:
            return stub(request, self.within(timeout))
        except grpc.RpcError as error:
            raise errors.told(error, f"{name} at {self._at}") from error
        except ValueError as error:
            if not self._closed:
                raise
            raise self._was_closed(name) from error

    def within(self, timeout: float | None) -> float:
        """Give a call's timeout in seconds: None is the client's, and a day is as good as longer ones."""
        return self._timeout if timeout is None else min(timeout, LONGEST_TIMEOUT)

    def watch(
        self,
        name: str,
        stub: grpc.UnaryStreamMultiCallable[Request, Response],
        request_from: Callable[[str], Request],
        token_of: Callable[[Response], str],
        token: str,
    ) -> Watch[Response]:
        """Open a watch. `request_from` makes the request that goes on from a token."""

        def opening(token: str) -> grpc._CallIterator[Response]:
            try:
                return stub(request_from(token))
            except ValueError as error:
                if not self._closed:
                    raise
                raise self._was_closed(name) from error

        watch = Watch(opening, token_of, f"{name} at {self._at}", token)
        with self._closing:
            self._watches.add(watch)
            closed = self._closed
        if closed:
            watch.cancel()
        return watch

    def close(self) -> None:
        """End all calls and watches, and close the connections; again is no harm."""
        with self._closing:
            self._closed = True
            watches = list(self._watches)
        for watch in watches:
            watch.cancel()
        self.channel.close()

    def _was_closed(self, name: str) -> errors.Cancelled:
        """What to say when gRPC says ValueError, as it does for a call on a closed channel."""
        words = f"{name} at {self._at}: the client was closed"
        return errors.Cancelled(grpc.StatusCode.CANCELLED, words)
