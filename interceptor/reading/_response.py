"""What the server answered: one JSON body, media, or a stream folded into an answer."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Exchange
from interceptor.reading import _bodies
from interceptor.reading._bodies import Piece
from interceptor.record import Answer, Blob, Failure, Message, Output, Stream
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
_ERROR_BYTES = 1 << 16  # an error is short: what is longer is an answer
_FAILED = 400


class Found(NamedTuple):
    """An answer, and how the stream went where there was one."""

    answer: Answer
    stream: Stream | None = None
    first_content_at_ns: int | None = None


def to_found(exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]) -> Found:
    """Read the response's body, whatever its content type says it is."""
    status = exchange.status
    if status is None or (row.to_answer is None and status < _FAILED):
        return Found(Answer())
    if row.is_secret:
        return Found(Answer(failure=Failure(kind=_kind(exchange))))
    pieces = _bodies.pieces(exchange, notes, rest)
    if status < _FAILED and row.is_lines:
        return Found(_of_lines(row, pieces, notes, rest))
    if status < _FAILED and _is_stream(exchange, pieces):
        return _of_stream(exchange, row, pieces, notes, rest)
    return Found(_of_body(exchange, row, pieces, notes, rest))


def _of_body(
    exchange: Exchange,
    row: Endpoint,
    pieces: list[Piece],
    notes: Notes,
    rest: Callable[[], None],
) -> Answer:
    """Read a body that is one JSON text, or an error's, or media."""
    body = b"".join(piece.data for piece in pieces)
    secrets = exchange.request.secrets
    if (exchange.status or 0) >= _FAILED:
        body = _bodies.struck(body, secrets, rest)
        return Answer(failure=errors.of_body(body, _kind(exchange), notes))
    if row.to_answer is None or not body or body.isspace():
        return Answer()
    if not _start(pieces).startswith(_JSON_STARTS):
        return _of_media(exchange, row, pieces, notes, rest)
    body = _bodies.struck(without_media(row.prepare(body, rest), rest), secrets, rest)
    response = parse(body, row.response, notes, what="response")
    answer = Answer() if response is None else row.to_answer(response, notes)
    is_short = len(body) < _ERROR_BYTES
    return _failed(answer, errors.in_answer(body, _kind(exchange)) if is_short else None)


def _of_media(
    exchange: Exchange,
    row: Endpoint,
    pieces: list[Piece],
    notes: Notes,
    rest: Callable[[], None],
) -> Answer:
    """Give an answer that is a file itself as what it was: its bytes are not kept."""
    kind = _content_type(exchange)
    if row.media is None or not kind.startswith((f"{row.media}/", "application/octet-stream")):
        notes.add(f"the body is {kind or 'of no named type'}, not JSON")
        return Answer()
    is_whole = not any(piece.after_gap for piece in pieces)
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece.data)
        rest()
    blob = Blob(
        modality=row.media,
        mime_type=kind,
        size_bytes=sum(len(p.data) for p in pieces) if is_whole else exchange.received_bytes,
        sha256=digest.hexdigest() if is_whole else None,
    )
    return Answer(output=Output(messages=(Message(role="assistant", parts=(blob,)),)))


def _of_lines(row: Endpoint, pieces: list[Piece], notes: Notes, rest: Callable[[], None]) -> Answer:
    """Read a file's lines that are JSON objects; it may be a file of any other kind."""
    if row.fold is None or row.to_answer is None:
        return Answer()
    lines = (line for line in _lines(pieces, rest) if line.startswith(b'{"'))
    chunks = (parse(line, row.chunk, notes, what="line") for line in lines)
    return row.to_answer(row.fold((one for one in chunks if one is not None), notes), notes)


def _lines(pieces: list[Piece], rest: Callable[[], None]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        if piece.after_gap:
            held = [b"?"]  # the line that goes on here has lost its beginning
        *ended, last = piece.data.split(b"\n")
        for end in ended:
            yield b"".join((*held, end))
            held.clear()
        held.append(last)
        rest()
    yield b"".join(held)


def _of_stream(
    exchange: Exchange,
    row: Endpoint,
    pieces: list[Piece],
    notes: Notes,
    rest: Callable[[], None],
) -> Found:
    reading = _Reading(exchange, row, notes, rest)
    chunks = reading.chunks(pieces)
    answer = Answer()
    if row.fold is not None and row.to_answer is not None:
        answer = row.to_answer(row.fold(chunks, notes), notes)
    for _ in chunks:
        """Count what nobody folds: every event was one."""
    answer = _failed(answer, reading.failure)
    return Found(answer, reading.summary(), reading.first_content_at_ns)


class _Reading:
    """A stream being read: gives its chunks, and remembers how it went."""

    def __init__(
        self, exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]
    ) -> None:
        self._row, self._notes, self._rest = row, notes, rest
        self._secrets = exchange.request.secrets
        self._kind = _kind(exchange)
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
        # What ends inside a line has lost its blank lines on the way, as recorders and proxies
        # strip them. After a whole line more of the event was to come: it is read, not counted.
        is_event = reader.is_inside_line
        for event in reader.end():
            if event.data.strip() == _DONE or _is_json(event.data):
                yield from self._chunk(event, pieces[-1].at_ns if is_event else None)
            else:
                self._notes.add("the last event is cut short")

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

    def _chunk(self, event: Event, at_ns: int | None) -> Iterator[Any]:
        """Give an event's chunk; one without a time of its own is not counted."""
        if event.data.strip() == _DONE:
            self.is_done = True
            return
        data = _bodies.struck(event.data, self._secrets, self._rest)
        if at_ns is not None:
            self._times.append(at_ns)
        if len(self._times) % _REST_EVERY_EVENTS == 0:
            self._rest()
        self.failure = self.failure or errors.in_answer(data, self._kind)
        if self._row.chunk is None:
            return
        chunk = parse(data, self._row.chunk, self._notes, what="event")
        if chunk is None:
            return
        if event.type and getattr(chunk, "type", event.type) is None:
            chunk.type = event.type
        self._look_at(chunk, at_ns)
        yield chunk

    def _look_at(self, chunk: Any, at_ns: int | None) -> None:
        row = self._row
        if self.first_content_at_ns is None and row.has_content and row.has_content(chunk):
            self.first_content_at_ns = at_ns
        if row.is_last and row.is_last(chunk):
            self.is_done = True


def _failed(answer: Answer, failure: Failure | None) -> Answer:
    """Add a failure, where the answer does not name its own."""
    if answer.failure is not None or failure is None:
        return answer
    return msgspec.structs.replace(answer, failure=failure)


def _kind(exchange: Exchange) -> str:
    """Give what a failure is called where the body does not say."""
    ending = exchange.ending
    return ending.kind if ending and ending.is_error else str(exchange.status)


def _is_stream(exchange: Exchange, pieces: list[Piece]) -> bool:
    """The bytes decide where they are plain; else the content type does: it is often wrong."""
    start = _start(pieces)
    if start.startswith(_JSON_STARTS):
        return False
    return _content_type(exchange) == "text/event-stream" or start.startswith(_SSE_STARTS)


def _start(pieces: list[Piece]) -> bytes:
    """Give the first bytes that mean something: past a mark of the byte order, and blanks."""
    start = b""
    for piece in pieces:
        start = (start + piece.data[:64]).removeprefix(_BOM).lstrip()
        if len(start) > len(b"retry:"):
            break
    return start


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
