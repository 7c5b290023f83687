"""What the server answered: one JSON body, media, or a stream folded into an answer."""

import hashlib
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Body, Exchange
from interceptor.reading import _bodies
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
_SSE = "text/event-stream"
_SSE_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")
_REST_EVERY_EVENTS = 128
_REST_EVERY_PIECES = 16
_FAILED = 400
_PIECE_BYTES = 1 << 16


class Found(NamedTuple):
    """An answer, and how the stream went where there was one."""

    answer: Answer
    stream: Stream | None = None
    first_content_at_ns: int | None = None


def to_found(exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]) -> Found:
    """Read the response's body, whatever its content type says it is."""
    has_failed = (exchange.status or 0) >= _FAILED
    is_read = has_failed or row.to_answer is not None or _content_type(exchange) == _SSE
    if exchange.status is None or row.is_secret or not is_read:
        return Found(Answer(failure=Failure(kind=_kind(exchange)) if has_failed else None))
    body = _bodies.plain(exchange, notes, rest)
    rest()
    if has_failed:
        return Found(Answer(failure=_failure(exchange, body, notes, rest)))
    return _answered(exchange, row, body, notes, rest)


def _answered(
    exchange: Exchange, row: Endpoint, body: Body, notes: Notes, rest: Callable[[], None]
) -> Found:
    if row.is_lines:
        return Found(_of_lines(row, body, notes, rest))
    if _is_stream(exchange, body):
        return _of_stream(exchange, row, body, notes, rest)
    if row.to_answer is None:
        return Found(Answer())
    if _start(body).startswith(_JSON_STARTS):
        return Found(_of_json(exchange, row, body, notes, rest))
    return Found(_of_media(exchange, row, body, notes, rest))


def _failure(exchange: Exchange, body: Body, notes: Notes, rest: Callable[[], None]) -> Failure:
    data = _bodies.struck(_joined(_pieces(body), rest), exchange.request.secrets, rest)
    if _is_stream(exchange, body):
        data = next((event.data for event in _events(data)), data)
    return errors.of_body(data, _kind(exchange), notes)


def _events(data: bytes) -> Iterator[Event]:
    """Give the events of a stream that is there as a whole."""
    reader = Reader()
    yield from reader.feed(data)
    yield from reader.end()


def _of_json(
    exchange: Exchange, row: Endpoint, body: Body, notes: Notes, rest: Callable[[], None]
) -> Answer:
    """Read a body that is one JSON text."""
    data = without_media(_joined(row.prepare(_pieces(body)), rest), rest)
    data = _bodies.struck(data, exchange.request.secrets, rest)
    response = parse(data, row.response, notes, what="response")
    answer = Answer() if response is None else row.answer(response, notes)
    return _failed(answer, errors.in_answer(data, _kind(exchange)))


def _of_media(
    exchange: Exchange, row: Endpoint, body: Body, notes: Notes, rest: Callable[[], None]
) -> Answer:
    """Give an answer that is a file itself as what it was: its bytes are not kept."""
    kind = _content_type(exchange)
    if not _start(body):
        return Answer()
    if row.media is None or not kind.startswith((f"{row.media}/", "application/octet-stream")):
        notes.add(f"the body is {kind or 'of no named type'}, not JSON")
        return Answer()
    digest = hashlib.sha256()
    for data, _ in body.head:
        digest.update(data)
        rest()
    is_whole = not body.dropped_bytes
    blob = Blob(
        modality=row.media,
        mime_type=kind,
        size_bytes=sum(len(data) for data, _ in body.head + body.tail) + body.dropped_bytes,
        sha256=digest.hexdigest() if is_whole else None,
    )
    return Answer(output=Output(messages=(Message(role="assistant", parts=(blob,)),)))


def _of_lines(row: Endpoint, body: Body, notes: Notes, rest: Callable[[], None]) -> Answer:
    """Read a file's lines that are JSON objects; it may be a file of any other kind."""
    lines = (line for line in _lines(body, rest) if line.startswith(b'{"'))
    chunks = (parse(line, row.chunk, notes, what="line") for line in lines)
    return row.folded((one for one in chunks if one is not None), notes)


def _lines(body: Body, rest: Callable[[], None]) -> Iterator[bytes]:
    """Give whole lines; the two that bytes are missing from are left out."""
    for chunks, is_tail in ((body.head, False), (body.tail, True)):
        held = [b"?"] if is_tail else []
        for data, _ in chunks:
            *ended, last = data.split(b"\n")
            for end in ended:
                yield b"".join((*held, end))
                held.clear()
            held.append(last)
            rest()
        if is_tail or not body.dropped_bytes:
            yield b"".join(held)


def _of_stream(
    exchange: Exchange, row: Endpoint, body: Body, notes: Notes, rest: Callable[[], None]
) -> Found:
    """Fold a stream into its answer; one of an endpoint that has none is read for its errors.

    Such a stream has no end mark that we know: it has reached its end where its body has.
    """
    reading = _Reading(exchange, row, notes, rest)
    chunks = reading.chunks(body)
    answer = row.folded(chunks, notes)
    for _ in chunks:
        """A fold may stop at the last event; what follows is counted all the same."""
    answer = _struck(_failed(answer, reading.failure), exchange, rest)
    return Found(answer, reading.summary(), reading.first_content_at_ns)


def _struck(answer: Answer, exchange: Exchange, rest: Callable[[], None]) -> Answer:
    """Strike out credentials that came in pieces, a few letters an event: here they are whole."""
    said = msgspec.json.encode(answer)
    kept = _bodies.struck(said, exchange.request.secrets, rest)
    return answer if kept == said else msgspec.json.decode(kept, type=Answer)


class _Reading:
    """A stream being read: gives its chunks, and remembers how it went."""

    def __init__(
        self, exchange: Exchange, row: Endpoint, notes: Notes, rest: Callable[[], None]
    ) -> None:
        self._row, self._notes, self._rest = row, notes, rest
        self._secrets = exchange.request.secrets
        self._kind = _kind(exchange)
        self._times: list[int] = []
        self.is_done = row.is_last is None and exchange.ending is None
        self.failure: Failure | None = None
        self.first_content_at_ns: int | None = None

    def chunks(self, body: Body) -> Iterator[Any]:
        """Give each event's JSON as the row's chunk, in order; skip what cannot be read."""
        reader = Reader()
        at_ns = 0
        for chunks, is_tail in ((body.head, False), (body.tail, True)):
            if body.dropped_bytes and is_tail:
                reader.skip_to_next_event()
            for data, at_ns in chunks:
                for piece in _cut(data):
                    for event in reader.feed(piece):
                        yield from self._chunk(event, at_ns)
        # What ends inside a line has lost its blank lines on the way, as recorders and proxies
        # strip them. After a whole line more of the event was to come: it is read, not counted.
        is_event = reader.is_inside_line
        for event in reader.end():
            if event.data.strip() == _DONE or _is_json(event.data):
                yield from self._chunk(event, at_ns if is_event else None)
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
        failure = errors.in_event(data, event.type, self._kind)
        self.failure = self.failure or failure
        if self._row.chunk is None or (failure and event.type == "error"):
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


def _is_stream(exchange: Exchange, body: Body) -> bool:
    """The bytes decide where they are plain; else the content type does: it is often wrong."""
    start = _start(body)
    if start.startswith(_JSON_STARTS):
        return False
    return _content_type(exchange) == _SSE or start.startswith(_SSE_STARTS)


def _start(body: Body) -> bytes:
    """Give the first bytes that mean something: past a mark of the byte order, and blanks."""
    start = b""
    for data, _ in body.head:
        start = (start + data[:64]).removeprefix(_BOM).lstrip()
        if len(start) > len(b"retry:"):
            break
    return start


def _joined(pieces: Iterable[bytes], rest: Callable[[], None]) -> bytes:
    """Give pieces as one; joined at once, many would hold the interpreter."""
    whole = io.BytesIO()  # unlike a bytearray, it gives its bytes without another copy
    for number, piece in enumerate(pieces, 1):
        whole.write(piece)
        if number % _REST_EVERY_PIECES == 0:
            rest()
    return whole.getvalue()


def _pieces(body: Body) -> Iterator[bytes]:
    return (piece for data, _ in body.head + body.tail for piece in _cut(data))


def _cut(data: bytes) -> Iterator[bytes]:
    """Give large data in pieces, so that nobody works on all of it at once."""
    return (data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES))


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
