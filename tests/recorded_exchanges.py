"""Exchanges for tests: from fixtures, or from a few bytes; and records as JSON to look at."""

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from interceptor.exchange import Ending, Exchange, Request
from interceptor.record import Record
from interceptor.replay.fixtures import Fixture

MS = 1_000_000
CREDENTIAL = "an-invented-key"
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


def exchange(
    path: str,
    asked: Any = None,
    answered: Any = b"",
    *,
    method: str = "POST",
    status: int | None = 200,
    sent: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    ending: Ending | None = None,
    limit_bytes: int = 1 << 25,
    secrets: tuple[str, ...] = (CREDENTIAL,),
    form: dict[str, str] | None = None,
) -> Exchange:
    """Give an ended exchange; bodies are bytes, pieces of bytes, or what JSON holds.

    It began at 0, its headers came after a millisecond, and each piece a millisecond later.
    """
    host = "api.mistral.ai"
    request = Request(
        method, host, 443, path, JSON if sent is None else sent, _body(asked), secrets, form
    )
    made = Exchange(request, started_unix_ns=0, started_ns=0, limit_bytes=limit_bytes)
    pieces = answered if isinstance(answered, list) else [_body(answered) or b""]
    if status is not None:
        made.respond(
            status, JSON if headers is None else headers, at_ns=MS, http_version="HTTP/1.1"
        )
        for i, piece in enumerate(pieces, 2):
            made.add(piece, i * MS)
    made.end((len(pieces) + 2) * MS, ending)
    return made


def of_fixture(fixture: Fixture, pieces: Iterable[bytes] | None = None) -> Exchange:
    """Give a fixture as an exchange, its body in pieces: by default an event of a stream each."""
    sent = {k: v for k, v in fixture.request.headers if k not in ("authorization", "host")}
    return exchange(
        urlsplit(fixture.request.path).path,
        fixture.request.body or None,
        list(by_event(fixture.response.body) if pieces is None else pieces),
        method=fixture.request.method,
        status=fixture.response.status,
        sent=sent,
        headers=dict(fixture.response.headers),
    )


def by_event(body: bytes) -> Iterator[bytes]:
    """Cut a body after each blank line."""
    *ended, last = body.split(b"\n\n")
    yield from (end + b"\n\n" for end in ended)
    if last:
        yield last


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut a body at places; those outside of it do not count."""
    marks = sorted({0, len(body), *(place for place in places if 0 < place < len(body))})
    return [body[a:b] for a, b in itertools.pairwise(marks)]


def events(*given: Any) -> bytes:
    """Give a stream of events of JSON, or of text as it is."""
    texts = (
        one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in given
    )
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def as_json(record: Record) -> Any:
    """Give a record as JSON holds it, without what it does not say."""
    return _pruned(msgspec.to_builtins(record))


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if v not in (None, [], {}, ())}
    return [_pruned(one) for one in value] if isinstance(value, list | tuple) else value


def _body(given: Any) -> bytes | None:
    return given if given is None or isinstance(given, bytes) else msgspec.json.encode(given)
