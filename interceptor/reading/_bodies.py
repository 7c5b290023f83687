"""Bodies as plain bytes: content encodings undone within bounds, credentials struck out."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from interceptor import decoding
from interceptor.exchange import Chunk, Exchange
from interceptor.wire.notes import Notes

__all__ = ["Piece", "inflated", "pieces", "struck"]

_STRUCK = b"[redacted]"


class Piece(NamedTuple):
    """Plain bytes, when they came, and whether bytes are missing before them."""

    data: bytes
    at_ns: int
    after_gap: bool = False


def pieces(exchange: Exchange, notes: Notes, rest: Callable[[], None]) -> list[Piece]:
    """Give the response's body, decoded, piece by piece with the time of each."""
    body = exchange.body()
    names = decoding.encodings(exchange.headers.get("content-encoding", ""))
    if body.dropped_bytes:
        notes.add(
            f"{body.dropped_bytes} bytes in the middle were dropped: the body is over the limit"
        )
    if names and body.dropped_bytes:
        notes.add("an encoded body with bytes missing cannot be read")
        return []
    if names:
        return list(_timed(names, body.head, exchange, notes, rest))
    head = [Piece(*chunk) for chunk in body.head]
    tail = [Piece(*chunk, after_gap=not i) for i, chunk in enumerate(body.tail)]
    return head + tail


def inflated(
    names: tuple[str, ...],
    raw: Iterable[bytes],
    exchange: Exchange,
    notes: Notes,
    *,
    what: str,
) -> Iterator[bytes]:
    """Undo content encodings; stop, and note it, at the limit and where the bytes are broken."""
    size = 0
    try:
        for data in decoding.decoded(names, raw, exchange.decode):
            yield data
            size += len(data)
            if size > exchange.limit_bytes:
                notes.add(
                    f"{what}: decoded up to {exchange.limit_bytes} bytes, the rest left unread"
                )
                return
    except LookupError:
        notes.add(f"{what}: nobody here can undo the content encoding {', '.join(names)}")
    except Exception as error:  # noqa: BLE001 - each HTTP library has decoding errors of its own
        notes.add(f"{what}: is not the {', '.join(names)} that it says ({type(error).__name__})")


def struck(data: bytes, secrets: Iterable[str]) -> bytes:
    """Give the bytes with each credential that was sent replaced."""
    for secret in secrets:
        data = data.replace(secret.encode(), _STRUCK)
    return data


def _timed(
    names: tuple[str, ...],
    chunks: tuple[Chunk, ...],
    exchange: Exchange,
    notes: Notes,
    rest: Callable[[], None],
) -> Iterator[Piece]:
    """Decode lazily, so that each piece has the time of the chunk that completed it."""
    at_ns = 0

    def raw() -> Iterator[bytes]:
        nonlocal at_ns
        for chunk in chunks:
            at_ns = chunk.at_ns
            yield chunk.data

    for data in inflated(names, raw(), exchange, notes, what="response"):
        yield Piece(data, at_ns)
        rest()
