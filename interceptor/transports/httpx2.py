"""Taps for httpx2: `Transport` and `AsyncTransport`.

Importing this module imports httpx2.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2

from interceptor.transports._kinds import checked
from interceptor.transports._streams import AsyncTapStream, TapStream
from interceptor.transports._tap import AsyncTap, Tap

__all__ = ["AsyncTransport", "EitherTransport", "Transport"]


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def _decode(encoding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo an encoding that httpx2 knows: br and zstd, where their packages are installed."""
    if encoding not in _known_encodings():
        raise LookupError(encoding)  # httpx2 would hand the bytes through as they are
    headers = {"content-encoding": encoding}
    yield from httpx2.Response(200, headers=headers, stream=_Pieces(pieces)).iter_bytes()


@functools.cache
def _known_encodings() -> frozenset[str]:
    """Ask httpx2 in public what it can decode: it tells servers so."""
    nowhere = httpx2.MockTransport(lambda _: httpx2.Response(200))
    with httpx2.Client(transport=nowhere, trust_env=False) as client:
        accepted = client.headers["accept-encoding"]
    return frozenset(name.strip() for name in accepted.split(","))


class _Stream(TapStream, httpx2.SyncByteStream): ...


class _AsyncStream(AsyncTapStream, httpx2.AsyncByteStream): ...


class Transport(Tap, httpx2.BaseTransport):
    """Wrap a synchronous httpx2 transport and record what goes through it."""

    _stream_type = _Stream
    _decode = staticmethod(_decode)

    @staticmethod
    def _default() -> Any:
        return httpx2.HTTPTransport()

    @staticmethod
    def _checked(inner: Any) -> Any:
        return checked(inner, httpx2.BaseTransport, "handle_request", tap="Transport")


class AsyncTransport(AsyncTap, httpx2.AsyncBaseTransport):
    """Wrap an asynchronous httpx2 transport and record what goes through it."""

    _async_stream_type = _AsyncStream
    _decode = staticmethod(_decode)

    @staticmethod
    def _default() -> Any:
        return httpx2.AsyncHTTPTransport()

    @staticmethod
    def _checked(inner: Any) -> Any:
        return checked(
            inner, httpx2.AsyncBaseTransport, "handle_async_request", tap="AsyncTransport"
        )


class EitherTransport(Transport, AsyncTransport):
    """Wrap a transport that is both, as httpx2.MockTransport is."""

    @staticmethod
    def _checked(inner: Any) -> Any:
        checked(inner, httpx2.BaseTransport, "handle_request", tap="EitherTransport")
        return checked(
            inner, httpx2.AsyncBaseTransport, "handle_async_request", tap="EitherTransport"
        )
