"""Embeddings: texts in, vectors out, of which only the number and the dimension are kept."""

from collections.abc import Callable
from typing import Any

import msgspec

from interceptor.record import Answer, Input, Message, Output, Text
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes

__all__ = ["CONTENT", "Request", "Response", "slimmed", "to_answer", "to_input"]

CONTENT = frozenset({"input", "inputs"})
"""The members of a request that are words, not parameters."""

_KEY = b'"embedding"'
_SLICE_BYTES = 1 << 17


class Request(msgspec.Struct, kw_only=True):
    """What is to be embedded, and how."""

    model: str | None = None
    input: Any = None
    output_dimension: int | None = None


class Vector(msgspec.Struct, kw_only=True):
    """One vector: its length where it was cut out (`slimmed`), or itself."""

    embedding: Any = None


class Response(msgspec.Struct, kw_only=True):
    """The answer; `data` has a vector for each text."""

    id: str | None = None
    model: str | None = None
    data: tuple[Vector, ...] | None = None
    usage: msgspec.Raw = msgspec.Raw()


def slimmed(body: bytes, rest: Callable[[], None]) -> bytes:
    """Cut each vector of numbers out of the JSON and leave its length there.

    A thousand vectors are megabytes of digits: parsed whole they would hold the interpreter for
    tens of milliseconds, while the caller's event loop waits. `rest` is called between pieces.
    """
    kept, at, since = [], 0, 0
    while (key := body.find(_KEY, at)) >= 0:
        start = body.find(b"[", key, key + len(_KEY) + 16)
        end = body.find(b"]", start) if start >= 0 else -1
        if end < 0:
            break
        numbers = body.count(b",", start, end) + 1 if body[start + 1 : end].strip() else 0
        kept += (body[at:start], b"%d" % numbers)
        since += end - at
        at = end + 1
        if since > _SLICE_BYTES:
            since = 0
            rest()
    return b"".join((*kept, body[at:]))


def to_input(request: Request) -> Input:
    """Give what was asked: each text is a part of one user message."""
    given = request.input if isinstance(request.input, list) else [request.input]
    parts = tuple(Text(text) for text in given if isinstance(text, str))
    return Input(
        model=request.model,
        dimensions=request.output_dimension,
        messages=(Message(role="user", parts=parts),) if parts else (),
    )


def to_answer(response: Response, notes: Notes) -> Answer:
    """Give how many vectors came and how long each is; the length of base64 ones stays unknown."""
    data = response.data
    lengths = {one.embedding for one in data or () if isinstance(one.embedding, int)}
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            embeddings_count=None if data is None else len(data),
            embeddings_dimensions=lengths.pop() if len(lengths) == 1 else None,
        ),
        usage=to_usage(response.usage, notes),
    )
