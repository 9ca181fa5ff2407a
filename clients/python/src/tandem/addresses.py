"""Turns addresses as users write them, `host:port`, into what gRPC connects to."""

import re
import socket
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from tandem.errors import ConfigurationError

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@%\[\]]+):(?P<port>[0-9]{1,5})")


class Address(NamedTuple):
    """Where a service listens; an IPv6 host is without its brackets here."""

    host: str
    port: int


def parse(text: str) -> Address:
    """Read `host:port`; an IPv6 host is in brackets, as `[::1]:8095`."""
    found = _ADDRESS.fullmatch(text)
    if not found or not 0 < int(found["port"]) < 65536:
        raise ConfigurationError(f"'{text}' is no address: write host:port, as 127.0.0.1:8095")
    return Address(found["host"].strip("[]"), int(found["port"]))


def target(texts: Sequence[str]) -> str:
    """Give gRPC's name for these addresses.

    gRPC resolves a single one, again whenever connecting fails. It takes several only as numbers, so
    their names are resolved here, once.
    """
    addresses = [parse(text) for text in texts]
    if len(texts) == 1:
        return f"dns:///{quote(texts[0], safe='[]:')}"
    numbers = list(dict.fromkeys(n for address in addresses for n in _resolve(address)))
    if all(":" not in host for host, _ in numbers):
        return "ipv4:" + ",".join(f"{host}:{port}" for host, port in numbers)
    # gRPC takes addresses of one kind only, and those of the older kind in the form of the newer.
    mapped = ((host if ":" in host else f"::ffff:{host}", port) for host, port in numbers)
    return "ipv6:" + ",".join(f"[{quote(host, safe=':')}]:{port}" for host, port in mapped)


def _resolve(address: Address) -> list[Address]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"the name '{address.host}' can't be resolved: {error}") from error
    return [Address(str(place[0]), address.port) for *_, place in found]
