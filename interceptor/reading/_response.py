"""What the server answered: one JSON body, or a stream folded into one."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.reading import _bodies
from interceptor.reading._bodies import Piece
from interceptor.record import Answer, Failure, Stream
from interceptor.sse import Event, Reader
from interceptor.wire import errors
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse
from interceptor.wire.slimming import without_media

__all__ = ["Found", "to_found"]

_DONE = b"[DONE]"
_BOM = b"\xef\xbb\xbf"
_JSON_STARTS = (b"{", b"[", b'"')
_SSE_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")
_REST_EVERY_EVENTS = 128
_FAILED = 400


class Found(NamedTuple):
    """An answer, and how the stream went where there was one."""

    answer: Answer
    stream: Stream | None = None
    first_content_at_ns: int | None = None


def to_found(exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]) -> Found:
    """Read the response's body, whatever its content type says it is."""
    if exchange.status is None:
        return Found(Answer())
    pieces = _bodies.pieces(exchange, notes, rest)
    if exchange.status < _FAILED and _is_stream(exchange, pieces):
        return _streamed(exchange, row, pieces, notes, rest)
    return Found(_plain(exchange, row, pieces, notes, rest))


def _plain(
    exchange: Exchange,
    row: Endpoint,
    pieces: list[Piece],
    notes: Notes,
    rest: Callable[[], None],
) -> Answer:
    """Read a body that is one JSON text, or an error's."""
    body = _bodies.struck(b"".join(piece.data for piece in pieces), exchange.request.secrets)
    if (exchange.status or 0) >= _FAILED:
        ending = exchange.ending
        kind = ending.kind if ending and ending.is_error else None
        return Answer(failure=errors.of_body(body, exchange.status or 0, kind, notes))
    if row.response is None or row.to_answer is None or not body.strip():
        return Answer()
    if not body.removeprefix(_BOM).lstrip().startswith(_JSON_STARTS):
        notes.add(f"the body is {_content_type(exchange) or 'of no named type'}, not JSON")
        return Answer()
    if failure := errors.in_event(body[:_ERROR_BYTES], notes) if len(body) < _ERROR_BYTES else None:
        return Answer(failure=failure)
    slim = without_media(row.prepare(body, rest), rest)
    response = parse(slim, row.response, notes, what="response")
    return Answer() if response is None else row.to_answer(response, notes)


_ERROR_BYTES = 1 << 16


class _Reading:
    """A stream being read: gives its chunks, and remembers how it went."""

    def __init__(
        self, exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]
    ) -> None:
        self._row, self._notes, self._rest = row, notes, rest
        self._secrets = exchange.request.secrets
        self._times: list[int] = []
        self.is_done = False
        self.failure: Failure | None = None
        self.first_content_at_ns: int | None = None

    def chunks(self, pieces: list[Piece]) -> Iterator[Any]:
        """Give each event's JSON as the row's chunk, in order; skip what cannot be read."""
        reader = Reader()
        for piece in pieces:
            if piece.after_gap:
                reader.skip_to_next_event()
            for event in reader.feed(piece.data):
                yield from self._chunk(event, piece.at_ns)
        for event in reader.end():
            yield from self._chunk(event, pieces[-1].at_ns, is_cut=True)

    def summary(self) -> Stream:
        """Give how the stream went."""
        gaps = sorted(b - a for a, b in itertools.pairwise(self._times))
        return Stream(
            events=len(self._times),
            completed=self.is_done,
            gap_p50_ns=_quantile(gaps, 50),
            gap_p95_ns=_quantile(gaps, 95),
            gap_max_ns=gaps[-1] if gaps else None,
        )

    def _chunk(self, event: Event, at_ns: int, *, is_cut: bool = False) -> Iterator[Any]:
        if event.data.strip() == _DONE:
            self.is_done = True
            return
        data = _bodies.struck(event.data, self._secrets)
        if is_cut and not _is_json(data):
            self._notes.add("the last event is cut short")
            return
        self._times.append(at_ns)
        if len(self._times) % _REST_EVERY_EVENTS == 0:
            self._rest()
        self.failure = self.failure or errors.in_event(data, self._notes)
        if self._row.chunk is None:
            return
        chunk = parse(data, self._row.chunk, self._notes, what="event")
        if chunk is None:
            return
        self._look_at(chunk, at_ns)
        yield chunk

    def _look_at(self, chunk: Any, at_ns: int) -> None:
        row = self._row
        if self.first_content_at_ns is None and row.has_content and row.has_content(chunk):
            self.first_content_at_ns = at_ns
        if row.is_last and row.is_last(chunk):
            self.is_done = True


def _streamed(
    exchange: Exchange,
    row: Endpoint,
    pieces: list[Piece],
    notes: Notes,
    rest: Callable[[], None],
) -> Found:
    reading = _Reading(exchange, row, notes, rest)
    chunks = reading.chunks(pieces)
    if row.fold is None or row.to_answer is None:
        for _ in chunks:
            pass
        answer = Answer()
    else:
        answer = row.to_answer(row.fold(chunks, notes), notes)
    if reading.failure:
        answer = msgspec.structs.replace(answer, failure=reading.failure)
    return Found(answer, reading.summary(), reading.first_content_at_ns)


def _is_stream(exchange: Exchange, pieces: list[Piece]) -> bool:
    """The bytes decide where they are plain; else the content type does: it is often wrong."""
    start = b""
    for piece in pieces:
        start += piece.data[:64]
        start = start.removeprefix(_BOM).lstrip()
        if len(start) > len(b"retry:"):
            break
    if start.startswith(_JSON_STARTS):
        return False
    return _content_type(exchange) == "text/event-stream" or start.startswith(_SSE_STARTS)


def _content_type(exchange: Exchange) -> str:
    return exchange.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _quantile(ordered: list[int], percent: int) -> int | None:
    """Give the nearest-rank quantile of sorted values."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
