"""Does through this client what the conformance cases say, and answers what came of it."""

import json
import queue
import re
import sys
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

import tandem
from tandem.v1 import command_pb2, query_pb2

Line = dict[str, Any]
Answer = dict[str, Any]


class Watched:
    """A watch that can be waited on for a while: another thread iterates over it."""

    def __init__(self, watch: tandem.Watch[Any]) -> None:
        self._watch = watch
        # One document is read ahead at most.
        self._answers: queue.Queue[Answer] = queue.Queue(1)
        self._last: Answer = {}
        threading.Thread(target=self._iterate, daemon=True).start()

    def _iterate(self) -> None:
        try:
            for document in self._watch:
                self._answers.put({"response": MessageToDict(document)})
        except tandem.TandemError as error:
            self._answers.put(failed(error))
        self._answers.put({"ended": True})

    def next(self, seconds: float) -> Answer:
        """Give the next document, or what the watch ended with."""
        if "ended" not in self._last:
            try:
                self._last = self._answers.get(timeout=seconds)
            except queue.Empty:
                return {"nothing": True}
        return self._last

    def cancel(self) -> None:
        """End it."""
        self._watch.cancel()


class Driver:
    """Keeps what the cases name."""

    def __init__(self) -> None:
        self._clients: dict[str, tandem.Client] = {}
        self._sessions: dict[str, tuple[tandem.Client, tandem.Session]] = {}
        self._watches: dict[str, Watched] = {}

    def client(self, line: Line) -> Answer:
        """Make a client."""
        given: dict[str, Any] = {}
        if "tls" in line:
            given["tls"] = Path(line["tls"]["ca"]).read_bytes()
        if "token" in line:
            given["token"] = line["token"]
        if "timeoutMs" in line:
            given["timeout"] = line["timeoutMs"] / 1000
        self._clients[line["name"]] = tandem.Client(line["command"], line["query"], **given)
        return {"ok": True}

    def session(self, line: Line) -> Answer:
        """Make a session."""
        client = self._clients[line["client"]]
        self._sessions[line["name"]] = client, client.session(line.get("receipts", ()))
        return {"ok": True}

    def receipts(self, line: Line) -> Answer:
        """Take a session's receipts out."""
        return {"receipts": self._sessions[line["session"]][1].receipts}

    def call(self, line: Line) -> Answer:
        """Call a method."""
        client, session = self._sessions[line["session"]]
        method = getattr(session, re.sub("(?<!^)(?=[A-Z])", "_", line["method"]).lower())
        # A call that blocks its thread is cancelled by closing the client from another one.
        cancelling = threading.Timer(line.get("cancelAfterMs", 0) / 1000, client.close)
        if "cancelAfterMs" in line:
            cancelling.start()
        try:
            return {"response": MessageToDict(method(request(line), **timeout(line)))}
        finally:
            cancelling.cancel()

    def rows(self, line: Line) -> Answer:
        """Go through a list's rows."""
        session: Any = self._sessions[line["session"]][1]
        rows = session.rows(request(line), **timeout(line))
        return {"rows": [MessageToDict(row) for row in islice(rows, line.get("limit"))]}

    def pages(self, line: Line) -> Answer:
        """Go through a list's pages."""
        session: Any = self._sessions[line["session"]][1]
        pages = session.pages(request(line), **timeout(line))
        return {"pages": [MessageToDict(page) for page in islice(pages, line.get("limit"))]}

    def watch(self, line: Line) -> Answer:
        """Open a watch."""
        asked = ParseDict(line["request"], query_pb2.WatchCustomerOrdersRequest())
        session = self._sessions[line["session"]][1]
        self._watches[line["name"]] = Watched(session.watch_customer_orders(asked))
        return {"ok": True}

    def next(self, line: Line) -> Answer:
        """Wait for a watch's next document."""
        return self._watches[line["watch"]].next(line["withinMs"] / 1000)

    def cancel(self, line: Line) -> Answer:
        """Cancel a watch."""
        self._watches[line["watch"]].cancel()
        return {"ok": True}

    def close(self, line: Line) -> Answer:
        """Close a client."""
        self._clients[line["client"]].close()
        return {"ok": True}


def request(line: Line) -> Message:
    """Give the request of a line's method."""
    name = line["method"] + "Request"
    kind: Callable[[], Message] = getattr(command_pb2, name, None) or getattr(query_pb2, name)
    return ParseDict(line["request"], kind())


def timeout(line: Line) -> dict[str, float]:
    """Give the deadline of a line, if it has one."""
    return {"timeout": line["timeoutMs"] / 1000} if "timeoutMs" in line else {}


def failed(error: tandem.TandemError | tandem.ConfigurationError) -> Answer:
    """Say what went wrong."""
    if isinstance(error, tandem.ConfigurationError):
        return {"error": {"type": "Configuration", "message": str(error)}}
    told = {
        "type": "Other" if type(error) is tandem.TandemError else type(error).__name__,
        "grpc": isinstance(error, grpc.RpcError),
        "code": error.code().name,
        "reason": error.reason,
        "message": error.message,
        "metadata": error.metadata,
        "violations": {violation.field: violation.description for violation in error.violations},
    }
    if error.retry_delay is not None:
        told["retryDelayMs"] = round(error.retry_delay * 1000)
    return {"error": told}


def main() -> None:
    """Answer each line of standard input with a line."""
    driver = Driver()
    ops = {op for op in vars(Driver) if not op.startswith("_")}
    for text in sys.stdin:
        line = json.loads(text)
        if line["op"] not in ops:
            sys.exit(f"there is no op '{line['op']}'")
        try:
            answer = getattr(driver, line["op"])(line)
        except (tandem.TandemError, tandem.ConfigurationError) as error:
            answer = failed(error)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
