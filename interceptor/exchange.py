"""One HTTP exchange, as bytes and times.

A transport feeds an `Exchange`; `reading.read` turns it into a `Record`. The exchange does
no I/O and reads no clock: whoever feeds it passes the bytes it saw and the
`time.perf_counter_ns` reading at which it saw them. It decodes nothing.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

__all__ = ["ABANDONED", "CLOSED_EARLY", "Body", "Chunk", "Decode", "Ending", "Exchange", "Request"]

Decode = Callable[[str, Iterable[bytes]], Iterator[bytes]]
"""Undo a content encoding, lazily: the encoding's name and the raw pieces to decoded pieces.

Raises `LookupError` where the encoding is unknown.
"""

_CHUNK_OVERHEAD_BYTES = 120  # a tuple, a bytes header and an int: what tiny chunks really cost


class Chunk(NamedTuple):
    """Bytes as they came, and the clock's reading when they did."""

    data: bytes
    at_ns: int


class Ending(NamedTuple):
    """Why an exchange ended where it did.

    `kind` is an exception's class name or one of this module's words; `is_error` is false
    where nobody failed: the caller had read enough, or let go of the response.
    """

    kind: str
    is_error: bool = True
    message: str | None = None


CLOSED_EARLY = Ending("closed early", is_error=False)
"""The caller closed the response before its end, which is how an SDK stops at `[DONE]`."""

ABANDONED = Ending("abandoned", is_error=False)
"""Nobody read or closed the response: it was collected, or its transport or program ended."""


class Request(NamedTuple):
    """What was sent, as far as it may be kept: no authorization, no cookies, no query.

    `body` is None where the body was streamed and could not be looked at without consuming it.
    `form` is what a streamed upload says of itself all the same: its fields by name, a file's
    name in place of the file. `secrets` are the credentials that were sent, so that copies of
    them elsewhere in the exchange can be struck out; they are never recorded.
    """

    method: str
    host: str
    port: int | None
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    secrets: tuple[str, ...] = ()
    form: Mapping[str, str] | None = None


class Body(NamedTuple):
    """What was kept of a response: its beginning and, past the limit, its end."""

    head: tuple[Chunk, ...]
    tail: tuple[Chunk, ...]
    dropped_bytes: int


class Exchange:
    """Bytes out, bytes in, and the times they moved.

    All `…_ns` arguments are readings of one monotonic clock in nanoseconds. Past `limit_bytes`
    the middle of the response is dropped: the last event of a stream carries the usage. A limit of
    0 keeps nothing of the body.
    """

    __slots__ = (
        "_chunks",
        "_head",
        "_held_bytes",
        "attempt",
        "decode",
        "ended_at_ns",
        "ending",
        "first_byte_at_ns",
        "headers",
        "headers_at_ns",
        "http_version",
        "let_go_bytes",
        "limit_bytes",
        "marks",
        "received_bytes",
        "request",
        "started_ns",
        "started_unix_ns",
        "status",
    )

    def __init__(
        self,
        request: Request,
        *,
        started_unix_ns: int,
        started_ns: int,
        attempt: int = 1,
        limit_bytes: int = 1 << 25,
        decode: Decode | None = None,
    ) -> None:
        """Begin an exchange at `started_ns`, which was `started_unix_ns` since the epoch."""
        self.request = request
        self.started_unix_ns = started_unix_ns
        self.started_ns = started_ns
        self.attempt = attempt
        self.decode = decode
        self.status: int | None = None
        self.http_version: str | None = None
        self.headers: Mapping[str, str] = {}
        self.headers_at_ns: int | None = None
        self.first_byte_at_ns: int | None = None
        self.ended_at_ns: int | None = None
        self.ending: Ending | None = None
        self.marks: list[tuple[str, int]] = []
        self.received_bytes = 0
        self.let_go_bytes = 0
        self.limit_bytes = limit_bytes
        self._held_bytes = 0
        self._head: tuple[Chunk, ...] = ()
        self._chunks: deque[Chunk] = deque()

    def respond(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        at_ns: int,
        http_version: str | None = None,
    ) -> None:
        """Note that the response's headers have come; their names are lower case."""
        self.status, self.headers = status, headers
        self.headers_at_ns, self.http_version = at_ns, http_version

    def add(self, data: bytes, at_ns: int) -> None:
        """Keep a piece of the response's body."""
        if not self.received_bytes:
            self.first_byte_at_ns = at_ns
        size = len(data)
        self.received_bytes += size
        self._held_bytes += size + _CHUNK_OVERHEAD_BYTES
        self._chunks.append(Chunk(data, at_ns))
        if self._held_bytes > self.limit_bytes:
            self._drop_middle()

    def end(self, at_ns: int, ending: Ending | None = None) -> None:
        """Note that the exchange is over; `ending` is None where the body came to its own end."""
        self.ended_at_ns, self.ending = at_ns, ending

    @property
    def size_bytes(self) -> int:
        """How much memory the bodies hold, roughly."""
        return self._held_bytes + len(self.request.body or b"")

    def let_go(self) -> None:
        """Drop the bodies, because nobody came to read them in time; times and status stay."""
        self.let_go_bytes = self.received_bytes + len(self.request.body or b"")
        self.request = self.request._replace(body=None)
        self._head, self._chunks, self._held_bytes = (), deque(), 0

    def body(self) -> Body:
        """Give what was kept of the response's body."""
        tail = tuple(self._chunks)
        if not self._dropped(self._head, tail):
            return Body(self._head + tail, (), 0)
        return Body(self._head, tail, self._dropped(self._head, tail))

    def _dropped(self, *kept: tuple[Chunk, ...]) -> int:
        if self.let_go_bytes:
            return 0
        return self.received_bytes - sum(len(c.data) for c in itertools.chain(*kept))

    def _drop_middle(self) -> None:
        """Bring what is held under the limit: half of it for the beginning, half for the end."""
        if not self.limit_bytes:
            self._chunks.clear()
            self._held_bytes = 0
            return
        half = self.limit_bytes // 2
        if not self._head:
            self._head = tuple(self._first(half))
        self._held_bytes = _cost(self._head) + _cost(self._chunks)
        while self._held_bytes > self.limit_bytes and len(self._chunks) > 1:
            self._held_bytes -= _cost((self._chunks.popleft(),))
        if self._held_bytes > self.limit_bytes:
            last = self._chunks.pop()
            self._chunks.append(Chunk(last.data[-half:], last.at_ns))
            self._held_bytes = _cost(self._head) + _cost(self._chunks)

    def _first(self, size: int) -> Iterator[Chunk]:
        """Take chunks worth `size` bytes off the front, cutting the last one where it must."""
        while self._chunks and size > _CHUNK_OVERHEAD_BYTES:
            chunk = self._chunks.popleft()
            room = size - _CHUNK_OVERHEAD_BYTES
            if len(chunk.data) > room:
                self._chunks.appendleft(Chunk(chunk.data[room:], chunk.at_ns))
                chunk = Chunk(chunk.data[:room], chunk.at_ns)
            yield chunk
            size -= len(chunk.data) + _CHUNK_OVERHEAD_BYTES


def _cost(chunks: Iterable[Chunk]) -> int:
    return sum(len(chunk.data) + _CHUNK_OVERHEAD_BYTES for chunk in chunks)
