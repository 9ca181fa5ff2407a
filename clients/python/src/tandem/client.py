"""A client of Tandem: where the services are, and how to reach them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import grpc

from tandem import policy
from tandem.credentials import Token, credentials
from tandem.errors import ConfigurationError
from tandem.service import LONGEST_TIMEOUT, Service
from tandem.session import Session
from tandem.v1.command_pb2_grpc import CommandServiceStub
from tandem.v1.query_pb2_grpc import QueryServiceStub


class Client:
    """Connections to the command service and to query services; made once, used by any thread.

    It connects when it is first used. Close it, or use it in a `with` block.
    """

    #: The command service's stub on the client's channel: its retries, token and TLS, but gRPC's own
    #: errors, and no deadline save one that is given as `timeout`.
    commands: CommandServiceStub
    #: The query services' stub, likewise.
    queries: QueryServiceStub

    def __init__(
        self,
        command: str,
        query: str | Sequence[str],
        *,
        tls: bool | bytes | grpc.ChannelCredentials = False,
        token: Token | None = None,
        server_name: str | None = None,
        timeout: float = policy.DEFAULT_TIMEOUT,
    ) -> None:
        """Make a client.

        `command` and `query` are addresses, `host:port`; several query services are taken in turn, and
        one that can't be reached is passed over. The names of several are resolved here, once; a
        single name, which may stand for several hosts, by gRPC, again when connecting fails.

        `tls`: False is plain text, True trusts the system's certificates, bytes are the certificates
        to trust (PEM), and gRPC's channel credentials are taken as they are (client certificates).
        `server_name` is the name that certificates have to be for, if not the (first) address's host.

        `token` goes out as `authorization: Bearer ...`; a function is asked for it before each try.
        `timeout` is how many seconds a call may take with all its tries, unless it is told otherwise.

        Raises `ConfigurationError`: an address or certificates that can't be read, a name that can't be
        resolved, a token without TLS.
        """
        if not 0 < timeout <= LONGEST_TIMEOUT:
            raise ConfigurationError(f"a timeout of {timeout} s: give more than 0, and a day at most")
        listening = [query] if isinstance(query, str) else list(query)
        if not listening:
            raise ConfigurationError("query has no address: give one host:port, or several")
        given = credentials(tls, token)
        self._command_service = Service([command], given, server_name, timeout)
        self._query_service = Service(listening, given, server_name, timeout)
        self.commands = CommandServiceStub(self._command_service.channel)
        self.queries = QueryServiceStub(self._query_service.channel)

    def session(self, receipts: Iterable[str] = ()) -> Session:
        """Begin a session, which knows these receipts, as another one's; see `Session`."""
        return Session(self._command_service, self._query_service, self.commands, self.queries, receipts)

    def close(self) -> None:
        """End all calls, with `Cancelled`, and all watches; may be called from any thread, and again."""
        self._command_service.close()
        self._query_service.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
