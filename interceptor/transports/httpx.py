"""Taps for httpx: `Transport` and `AsyncTransport`.

Importing this module imports httpx.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from interceptor.transports._kinds import checked
from interceptor.transports._streams import AsyncTapStream, TapStream
from interceptor.transports._tap import AsyncTap, Tap

__all__ = ["AsyncTransport", "EitherTransport", "Transport"]


class _Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def _decode(encoding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo an encoding that httpx knows: br and zstd, where their packages are installed."""
    if encoding not in _known_encodings():
        raise LookupError(encoding)  # httpx would hand the bytes through as they are
    headers = {"content-encoding": encoding}
    yield from httpx.Response(200, headers=headers, stream=_Pieces(pieces)).iter_bytes()


@functools.cache
def _known_encodings() -> frozenset[str]:
    """Ask httpx in public what it can decode: it tells servers so."""
    nowhere = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=nowhere, trust_env=False) as client:
        accepted = client.headers["accept-encoding"]
    return frozenset(name.strip() for name in accepted.split(","))


class _Stream(TapStream, httpx.SyncByteStream): ...


class _AsyncStream(AsyncTapStream, httpx.AsyncByteStream): ...


class Transport(Tap, httpx.BaseTransport):
    """Wrap a synchronous httpx transport and record what goes through it."""

    _stream_type = _Stream
    _decode = staticmethod(_decode)
    _carries_sdk_1 = True

    @staticmethod
    def _default() -> Any:
        return httpx.HTTPTransport()

    @staticmethod
    def _checked(inner: Any) -> Any:
        return checked(inner, httpx.BaseTransport, "handle_request", tap="Transport")


class AsyncTransport(AsyncTap, httpx.AsyncBaseTransport):
    """Wrap an asynchronous httpx transport and record what goes through it."""

    _async_stream_type = _AsyncStream
    _decode = staticmethod(_decode)
    _carries_sdk_1 = True

    @staticmethod
    def _default() -> Any:
        return httpx.AsyncHTTPTransport()

    @staticmethod
    def _checked(inner: Any) -> Any:
        return checked(
            inner, httpx.AsyncBaseTransport, "handle_async_request", tap="AsyncTransport"
        )


class EitherTransport(Transport, AsyncTransport):
    """Wrap a transport that is both, as httpx.MockTransport is."""

    @staticmethod
    def _checked(inner: Any) -> Any:
        checked(inner, httpx.BaseTransport, "handle_request", tap="EitherTransport")
        return checked(
            inner, httpx.AsyncBaseTransport, "handle_async_request", tap="EitherTransport"
        )
