"""Embeddings: texts in, vectors out, of which only the number and the dimensions are kept."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from interceptor.record import Answer, Input, Message, Output, Text
from interceptor.wire._usage import to_usage
from interceptor.wire.notes import Notes
from interceptor.wire.slimming import elided_in

__all__ = ["CONTENT", "Request", "Response", "measured", "slimmed", "to_answer", "to_input"]

CONTENT = frozenset({"input", "inputs"})
"""The members of a request that are no parameters, but what the parameters are for."""

_FLOAT_BYTES = 4
_BYTES = ("int8", "uint8", "binary", "ubinary")
_BITS = ("binary", "ubinary")
_BITS_A_BYTE = 8
_VECTOR = re.compile(rb'"embedding"\s*:\s*\[')
_NAME_BYTES = 64


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


def slimmed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut each vector of numbers out of the JSON and leave its length there.

    A thousand vectors are megabytes of digits: joined and parsed at once they would hold the
    interpreter for tens of milliseconds, while the caller's event loop waits. What is inside of
    a vector is counted and dropped as it comes; what may be half of a vector's name is held.
    """
    held, vector = b"", _Vector()
    for piece in pieces:
        data, at = held + piece, 0
        held = b""
        while at < len(data):
            if vector.is_open:
                end = data.find(b"]", at)
                vector.count(data, at, len(data) if end < 0 else end)
                at = len(data) if end < 0 else end + 1
                if end >= 0:
                    yield b"%d" % vector.close()
            elif name := _VECTOR.search(data, at):
                yield data[at : name.end() - 1]
                vector.open()
                at = name.end()
            else:
                keep = max(at, len(data) - _NAME_BYTES)
                yield data[at:keep]
                held, at = data[keep:], len(data)
    yield held


class _Vector:
    """A vector going by: how many numbers it has had."""

    def __init__(self) -> None:
        self.is_open = False
        self._commas, self._is_empty = 0, True

    def open(self) -> None:
        """Begin a vector."""
        self.is_open, self._commas, self._is_empty = True, 0, True

    def count(self, data: bytes, start: int, stop: int) -> None:
        """Count what came of it."""
        self._commas += data.count(b",", start, stop)
        self._is_empty = self._is_empty and not data[start:stop].strip()

    def close(self) -> int:
        """End it, and give how many numbers came: one more than commas."""
        self.is_open = False
        return 0 if self._is_empty else self._commas + 1


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
    """Give how many vectors came and how long each is, in numbers or in bytes of base64."""
    data = response.data
    found = [one.embedding for one in data or ()]
    return Answer(
        output=Output(
            id=response.id,
            model=response.model,
            embeddings_count=None if data is None else len(data),
            embeddings_dimensions=_same(one for one in found if isinstance(one, int)),
            embeddings_bytes=_same(_size(one) for one in found if isinstance(one, str)),
        ),
        usage=to_usage(response.usage, notes),
    )


def measured(answer: Answer, asked: Input) -> Answer:
    """Give the dimensions that the numbers or the bytes of a vector stand for.

    Which kind of number came was asked for, and stands nowhere in the answer. Of a binary one
    each has eight dimensions.
    """
    output, kind = answer.output, asked.parameters.get("output_dtype") or "float"
    numbers, size = output.embeddings_dimensions, output.embeddings_bytes
    if size is not None and kind in _BYTES:
        numbers = size
    elif size is not None and kind == "float" and size % _FLOAT_BYTES == 0:
        numbers = size // _FLOAT_BYTES
    if numbers is not None and kind in _BITS:
        numbers *= _BITS_A_BYTE
    return msgspec.structs.replace(
        answer, output=msgspec.structs.replace(output, embeddings_dimensions=numbers)
    )


def _same(lengths: Iterable[int]) -> int | None:
    """Give the length that all have; None where there is no such."""
    found = set(lengths)
    return found.pop() if len(found) == 1 else None


def _size(text: str) -> int:
    """Give how many bytes base64 stands for.

    Of a large one, which was cut out, the padding is not known: it is taken for whole floats.
    """
    mark = elided_in(text)
    if mark is None:
        return len(text.rstrip("=")) * 3 // 4
    return mark.size_bytes * 3 // 4 // _FLOAT_BYTES * _FLOAT_BYTES
