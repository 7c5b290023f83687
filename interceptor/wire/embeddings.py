"""Embeddings: texts in, vectors out, of which only the number and the dimension are kept."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from interceptor.record import Answer, Input, Message, Output, Text
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes

__all__ = ["CONTENT", "Request", "Response", "slimmed", "to_answer", "to_input"]

CONTENT = frozenset({"input", "inputs"})
"""The members of a request that are words, not parameters."""

_VECTOR = re.compile(rb'"embedding"\s*:\s*\[')
_SLICE_BYTES = 1 << 17


class Request(msgspec.Struct, kw_only=True, gc=False):
    """What is to be embedded, and how."""

    model: str | None = None
    input: Any = None
    output_dimension: int | None = None


class Vector(msgspec.Struct, kw_only=True, gc=False):
    """One vector: its length where it was cut out (`slimmed`), or itself."""

    embedding: Any = None


class Response(msgspec.Struct, kw_only=True, gc=False):
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
    kept: list[bytes] = []
    at = since = 0
    while key := _VECTOR.search(body, at):
        start, end = key.end(), body.find(b"]", key.end())
        if end < 0:
            break
        kept += (body[at : start - 1], b"%d" % _length(body, start, end))
        since += end - at
        at = end + 1
        if since > _SLICE_BYTES:
            since = 0
            rest()
    return b"".join((*kept, body[at:])) if kept else body


def _length(body: bytes, start: int, end: int) -> int:
    """Count the numbers between two brackets."""
    commas = body.count(b",", start, end)
    return commas + 1 if commas or body[start:end].strip() else 0


def to_input(request: Request, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
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
