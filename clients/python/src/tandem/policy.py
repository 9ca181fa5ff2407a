"""What the service config says, read once from the copy that ships with the package."""

import json
import random
from collections.abc import Callable
from importlib.resources import files
from typing import Any

_config: dict[str, Any] = json.loads(files("tandem").joinpath("service_config.json").read_bytes())
_calls: dict[str, Any] = next(c for c in _config["methodConfig"] if "retryPolicy" in c)
_retry: dict[str, Any] = _calls["retryPolicy"]


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


_FIRST_PAUSE = _seconds(_retry["initialBackoff"])
_LONGEST_PAUSE = _seconds(_retry["maxBackoff"])
_MULTIPLIER = float(_retry["backoffMultiplier"])

#: How long a call may take with all its tries when nobody says otherwise, in seconds. It goes along
#: with each call and is taken out of what the channel reads: gRPC would take the shorter of the two,
#: so that a caller could never have more, and its core measures this one with a clock that is off
#: by more than a second.
DEFAULT_TIMEOUT = _seconds(_calls.pop("timeout"))

_RECONNECTING = {
    "grpc.initial_reconnect_backoff_ms": int(_FIRST_PAUSE * 1000),
    "grpc.max_reconnect_backoff_ms": int(_LONGEST_PAUSE * 1000),
}

#: Options of every channel. A connection is pinged after 10 s of silence, also while no call is under
#: way and while a watch has nothing to say, and given up after 5 s. It is tried anew with the pauses of
#: the retries, since gRPC's own grow to two minutes. No connection is shared with other clients of
#: this process, so that closing a client closes what it opened.
CHANNEL_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", json.dumps(_config)),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Without this one gRPC's core gives the ping a minute, whatever the one before says.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    *_RECONNECTING.items(),
    ("grpc.use_local_subchannel_pool", 1),
)


def pause(tries: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failed tries (from 1), a fifth more or less by chance."""
    whole = min(_FIRST_PAUSE * _MULTIPLIER ** (tries - 1), _LONGEST_PAUSE)
    return whole * (0.8 + 0.4 * chance())
