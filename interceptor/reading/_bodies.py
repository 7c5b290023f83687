"""Bodies as plain bytes: content encodings undone within bounds, credentials struck out."""

from collections.abc import Callable, Iterable, Iterator

from interceptor import decoding
from interceptor.credentials import STRUCK
from interceptor.exchange import Body, Chunk, Exchange
from interceptor.wire.notes import Notes

__all__ = ["inflated", "plain", "struck"]

_LEAST_SECRET_BYTES = 12
_STRUCK = STRUCK.encode()
_WINDOW_BYTES = 1 << 20


def plain(exchange: Exchange, notes: Notes, rest: Callable[[], None]) -> Body:
    """Give what was kept of the response's body, with its content encoding undone."""
    body = exchange.body()
    names = decoding.encodings(exchange.headers.get("content-encoding", ""))
    if body.dropped_bytes:
        notes.add(
            f"{body.dropped_bytes} bytes in the middle were dropped: the body is over the limit"
        )
    if not names:
        return body
    if body.dropped_bytes:
        notes.add("an encoded body with bytes missing cannot be read")
        return Body((), (), body.dropped_bytes)
    return Body(tuple(_timed(names, body.head, exchange, notes, rest)), (), 0)


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


def struck(data: bytes, secrets: Iterable[str], rest: Callable[[], None]) -> bytes:
    """Give the bytes with each credential that was sent replaced.

    One shorter than any real key is left: it is a test's, and a word ("demo", "test").
    """
    for secret in secrets:
        mark = secret.encode()
        if len(mark) < _LEAST_SECRET_BYTES:
            continue
        if len(data) <= _WINDOW_BYTES or _is_in(data, mark, rest):
            data = data.replace(mark, _STRUCK)
    return data


def _is_in(data: bytes, mark: bytes, rest: Callable[[], None]) -> bool:
    """Look for a mark, a window at a time: a search holds the interpreter until it ends."""
    for at in range(0, len(data), _WINDOW_BYTES):
        if data.find(mark, at, at + _WINDOW_BYTES + len(mark)) >= 0:
            return True
        rest()
    return False


def _timed(
    names: tuple[str, ...],
    chunks: tuple[Chunk, ...],
    exchange: Exchange,
    notes: Notes,
    rest: Callable[[], None],
) -> Iterator[Chunk]:
    """Decode lazily, so that what comes out has the time of the chunk that completed it."""
    at_ns = 0

    def raw() -> Iterator[bytes]:
        nonlocal at_ns
        for data, at_ns in chunks:  # noqa: B007 - read outside, when what it completes is given
            yield data

    for data in inflated(names, raw(), exchange, notes, what="response"):
        yield data, at_ns
        rest()
