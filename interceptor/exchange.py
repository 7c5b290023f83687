"""One HTTP exchange, as bytes and times.

A transport feeds an `Exchange`; `reading.read` turns it into a `Record`. The exchange does
no I/O and reads no clock: whoever feeds it passes the bytes it saw and the
`time.perf_counter_ns` reading at which it saw them. It decodes nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["ABANDONED", "CLOSED_EARLY", "Body", "Chunk", "Decode", "Ending", "Exchange", "Request"]

Decode = Callable[[str, Iterable[bytes]], Iterator[bytes]]
"""Undo a content encoding, lazily: the encoding's name and the raw pieces to decoded pieces.

Raises `LookupError` where the encoding is unknown.
"""

Chunk = tuple[bytes, int]
"""Bytes as they came, and the clock's reading when they did: a bare tuple, for a long stream
has hundreds of thousands, and the collector need not look at these."""

_CHUNK_OVERHEAD_BYTES = 120  # a tuple, a bytes header and an int: what tiny chunks really cost


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
    name in place of the file, a list where a name repeats. `secrets` are the credentials that
    were sent, so that copies of them elsewhere in the exchange can be struck out; they are never
    recorded.
    """

    method: str
    host: str
    port: int | None
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    secrets: tuple[str, ...] = ()
    form: Mapping[str, str | list[str]] | None = None


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

    # What most exchanges have alike stands here: setting it for each is time on the hot path.
    status: int | None = None
    http_version: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    headers_at_ns: int | None = None
    first_byte_at_ns: int | None = None
    ended_at_ns: int | None = None
    ending: Ending | None = None
    received_bytes = 0
    let_go_bytes = 0
    _held_bytes = 0
    _tail: deque[Chunk] | None = None

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
        self.limit_bytes = limit_bytes
        self.marks: list[tuple[str, int]] = []
        self._chunks: list[Chunk] = []
        self._append = self._chunks.append

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
        self._append((data, at_ns))
        if self._held_bytes > self.limit_bytes:
            self._drop_middle()

    def asked(self, request: Request, at_ns: int) -> "Exchange":
        """Give what is known at a moment on the way, as an exchange of its own without an answer.

        `request` stands in place of this one's, which may lack what is gone through later.
        """
        found = Exchange(
            request,
            started_unix_ns=self.started_unix_ns,
            started_ns=self.started_ns,
            attempt=self.attempt,
            decode=self.decode,
        )
        found.headers_at_ns = self.headers_at_ns
        found.end(at_ns)
        return found

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
        self._chunks, self._tail, self._held_bytes = [], None, 0
        self._append = self._chunks.append

    def body(self) -> Body:
        """Give what was kept of the response's body."""
        kept = tuple(self._chunks)
        if self._tail is None:
            return Body(kept, (), 0)
        tail = tuple(self._tail)
        dropped_bytes = self.received_bytes - sum(len(data) for data, _ in kept + tail)
        return Body(kept, tail, dropped_bytes)

    def _drop_middle(self) -> None:
        """Bring what is held under the limit: half of it for the beginning, half for the end."""
        if not self.limit_bytes:
            self._chunks.clear()
            self._held_bytes = 0
            return
        if self._tail is None:
            self._tail = self._split()
            self._append = self._tail.append
        tail = self._tail
        while self._held_bytes > self.limit_bytes and len(tail) > 1:
            self._held_bytes -= _cost(tail.popleft())
        if self._held_bytes > self.limit_bytes and tail:
            data, at_ns = tail.pop()
            end = data[-max(1, self.limit_bytes // 2) :]
            self._held_bytes -= len(data) - len(end)
            tail.append((end, at_ns))

    def _split(self) -> deque[Chunk]:
        """Leave chunks worth half the limit where they are, and give the rest: from now the tail.

        The chunk that straddles the line is cut there, so that a body in one piece has both.
        """
        room, number = self.limit_bytes // 2, 0
        while (cost := _cost(self._chunks[number])) <= room:
            room, number = room - cost, number + 1
        data, at_ns = self._chunks[number]
        cut = max(0, room - _CHUNK_OVERHEAD_BYTES)
        tail = deque([(data[cut:], at_ns), *self._chunks[number + 1 :]])
        self._chunks[number:] = [(data[:cut], at_ns)] if cut else []
        self._held_bytes += _CHUNK_OVERHEAD_BYTES if cut else 0
        return tail


def _cost(chunk: Chunk) -> int:
    return len(chunk[0]) + _CHUNK_OVERHEAD_BYTES
