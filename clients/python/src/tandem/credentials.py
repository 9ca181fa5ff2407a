"""Makes gRPC's credentials of what a user says about TLS and the token."""

import ssl
from collections.abc import Callable
from pathlib import Path

import grpc

from tandem.errors import ConfigurationError

#: A token, or what gives one; it is then asked for one before each try of a call, on a thread of gRPC.
Token = str | Callable[[], str]


def credentials(
    tls: bool | bytes | grpc.ChannelCredentials, token: Token | None
) -> grpc.ChannelCredentials | None:
    """Give the channel's credentials; none for plain text."""
    if tls is False:
        if token is not None:
            raise ConfigurationError(
                "a token goes out over TLS only: give tls=True, or the certificates to trust"
            )
        return None
    channel = (
        tls
        if isinstance(tls, grpc.ChannelCredentials)
        else grpc.ssl_channel_credentials(_system_roots() if tls is True else _checked(tls))
    )
    if token is None:
        return channel
    return grpc.composite_channel_credentials(channel, _bearer(token))


def _bearer(token: Token) -> grpc.CallCredentials:
    if callable(token):
        return grpc.metadata_call_credentials(_Fetched(token), name="token")
    if not _is_token(token):
        raise ConfigurationError("the token is empty or has characters that no header may have")
    return grpc.access_token_call_credentials(token)


def _is_token(token: object) -> bool:
    """Say whether a header may have it."""
    return isinstance(token, str) and token != "" and token.isascii() and token.isprintable()


class _Fetched(grpc.AuthMetadataPlugin):
    """Asks for a token for each try of a call."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            token = self._token()
            if not _is_token(token):
                raise ValueError("what was fetched is no token")
            metadata = (("authorization", f"Bearer {token}"),)
        except BaseException as error:
            # This is gRPC's thread; the call that waits is told, and fails with these words. Who isn't told
            # waits until its deadline, and a watch has none.
            callback((), error if isinstance(error, Exception) else RuntimeError(error))
        else:
            callback(metadata, None)


def _checked(roots: bytes) -> bytes:
    """Give certificates back; gRPC takes anything and tells only its log that it is no good."""
    try:
        # What is not ASCII is in the comments that bundles have between certificates.
        text = roots.decode("ascii", "ignore")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (AttributeError, ValueError, ssl.SSLError) as error:
        raise ConfigurationError(f"tls has to be certificates in PEM: {error}") from error
    return roots


def _system_roots() -> bytes:
    """Give the system's certificates. By itself gRPC takes a list that it brings along."""
    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath
    # From a folder OpenSSL reads a certificate only when it is needed, so none is listed before.
    if not context.get_ca_certs() and folder:
        for file in sorted(Path(folder).iterdir()):
            try:
                context.load_verify_locations(file)
            except (OSError, ssl.SSLError):
                continue  # Such folders have other files and broken links too.
    certificates = context.get_ca_certs(binary_form=True)
    if not certificates:
        raise ConfigurationError(
            "the system has no certificates to trust: install them, or give some in PEM as tls"
        )
    return "".join(map(ssl.DER_cert_to_PEM_cert, certificates)).encode()
