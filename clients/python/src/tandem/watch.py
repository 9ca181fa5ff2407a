"""Keeps a stream of documents going: opens it again, where it was, after an interruption."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import grpc

from tandem import policy
from tandem.errors import TandemError, Unavailable, told

Document = TypeVar("Document")

#: After so many interruptions in a row without a document between them a watch gives up.
MOST_INTERRUPTIONS = 8

# What does not get better by itself.
_FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
)


class Watch(Generic[Document]):
    """An iterator over documents: the one there is, then one after each change.

    It goes on by itself after interruptions, on whichever instance answers next. It ends when it is
    cancelled, by `cancel`, by leaving its `with` block or by closing the client; a loop over it is
    then just over. What does not get better by itself is raised at once as a `TandemError`, and what
    interrupted it for the eighth time in a row. One thread may iterate; any may cancel.
    """

    def __init__(
        self,
        opening: Callable[[str], grpc._CallIterator[Document]],
        token_of: Callable[[Document], str],
        call: str,
        token: str,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Open the stream. `wait` is how to pause; it has to return early once this is cancelled."""
        self._opening = opening
        self._token_of = token_of
        self._call = call
        self._token = token
        self._interruptions = 0
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        # Whoever cancels must not miss a stream that is being opened just then. A signal handler may
        # cancel on the very thread that opens it.
        self._changing = threading.RLock()
        self._stream = opening(token)

    def __iter__(self) -> Iterator[Document]:
        return self

    def __next__(self) -> Document:
        while not self._ended.is_set():
            try:
                document = next(self._stream)
            except StopIteration:
                words = f"{self._call}: the service ended the watch"
                self._interrupted(Unavailable(grpc.StatusCode.UNAVAILABLE, words), None)
            except grpc.RpcError as broken:
                self._interrupted(told(broken, self._call), broken)
            else:
                self._interruptions = 0
                self._token = self._token_of(document)
                return document
        raise StopIteration

    def cancel(self) -> None:
        """End the watch; may be called from any thread, and again."""
        with self._changing:
            self._ended.set()
            self._stream.cancel()

    def __enter__(self) -> Watch[Document]:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def _interrupted(self, error: TandemError, cause: grpc.RpcError | None) -> None:
        """Open the stream again after a pause, or raise what interrupted it if that is no use."""
        if self._ended.is_set():
            return
        self._interruptions += 1
        if error.code() in _FINAL or self._interruptions == MOST_INTERRUPTIONS:
            self.cancel()
            raise error from cause
        self._wait(max(policy.pause(self._interruptions), error.retry_delay or 0))
        with self._changing:
            if not self._ended.is_set():
                self._stream = self._opening(self._token)
                if self._ended.is_set():
                    self._stream.cancel()
