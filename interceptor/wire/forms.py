"""Forms, with files in them or without: their fields, and of a file what it was, not its bytes.

The SDK sends a transcription as a form in parts where there is a file to send, else URL-encoded.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

__all__ = ["File", "fields", "is_form"]

_WINDOW_BYTES = 1 << 20
_HEAD_BYTES = 1 << 12
_VALUE_BYTES = 1 << 16
_MOST_PARTS = 1000
_URL_ENCODED = "application/x-www-form-urlencoded"
_URL_ENCODED_BYTES = 1 << 20
_BOUNDARY = re.compile(r';\s*boundary="?([^";]+)', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PARAMETER = re.compile(r';\s*(name|filename)="([^"]*)"', re.IGNORECASE)
_TYPE = re.compile(r"^content-type:\s*([^;\s]+)", re.IGNORECASE | re.MULTILINE)


class File(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that was sent: its name, its type as the sender says it, its size."""

    name: str | None = None
    type: str | None = None
    size_bytes: int | None = None


def is_form(content_type: str) -> bool:
    """Tell whether a body of this type is a form."""
    return content_type.lower().startswith(("multipart/form-data", _URL_ENCODED))


def fields(body: bytes, content_type: str, rest: Callable[[], None]) -> dict[str, Any]:
    """Give a form's fields by name: text, several texts where a name repeats, or a `File`.

    `rest` is called between bounded pieces of work. What is no form gives no fields.
    """
    if content_type.lower().startswith(_URL_ENCODED):
        text = body[:_URL_ENCODED_BYTES].decode(errors="replace")
        return _by_name(parse_qsl(text, keep_blank_values=True))
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return {}
    spans = _spans(body, b"--" + boundary[1].encode(), rest)
    return _by_name(pair for start, end in spans for pair in _field(body, start, end))


def _by_name(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = _together(found[name], value) if name in found else value
    return found


def _spans(body: bytes, mark: bytes, rest: Callable[[], None]) -> Iterator[tuple[int, int]]:
    """Give where each part lies between two marks, without the line ends around it."""
    start = _next(body, mark, 0, rest)
    for _ in range(_MOST_PARTS):
        end = -1 if start < 0 else _next(body, mark, start + len(mark), rest)
        if end < 0:
            return
        begin = start + len(mark)
        begin += 2 if body.startswith(b"\r\n", begin) else 1
        yield begin, end - (2 if body[end - 2 : end] == b"\r\n" else 1)
        start = end


def _next(body: bytes, mark: bytes, at: int, rest: Callable[[], None]) -> int:
    """Find a mark at the start of a line, a window at a time; -1 where there is none."""
    while at < len(body):
        found = body.find(mark, at, at + _WINDOW_BYTES + len(mark))
        if found == 0 or (found > 0 and body[found - 1] == ord("\n")):
            return found
        at = at + _WINDOW_BYTES if found < 0 else found + 1
        rest()
    return -1


def _field(body: bytes, start: int, end: int) -> Iterator[tuple[str, Any]]:
    """Give the field that a part holds, where it names one."""
    blank = _BLANK_LINE.search(body, start, min(start + _HEAD_BYTES, end + 4))
    if blank is None:
        return
    head = body[start : blank.start()].decode(errors="replace")
    names = {kind.lower(): name for kind, name in _PARAMETER.findall(head)}
    if "name" not in names:
        return
    size = max(0, end - blank.end())
    if "filename" in names or size > _VALUE_BYTES:
        kind = _TYPE.search(head)
        yield (
            names["name"],
            File(name=names.get("filename"), type=kind and kind[1], size_bytes=size),
        )
    else:
        yield names["name"], body[blank.end() : blank.end() + size].decode(errors="replace")


def _together(held: Any, value: Any) -> list[Any]:
    return [*held, value] if isinstance(held, list) else [held, value]
