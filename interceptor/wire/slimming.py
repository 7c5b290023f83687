"""Media cut out of large JSON before it is parsed.

A base64 image of 20 MB is one string to a JSON parser, which holds the interpreter while it
copies it. Its size and hash are all that is recorded, so they are put in its place first.
"""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Elided", "elided_in", "without_media"]

_BACKSLASH = ord("\\")
_LEAST_BYTES = 1 << 13
_SAMPLE_BYTES = 256
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=_-]|\\/)*\\?")  # some escape a slash
_HEAD = re.compile(rb"data:[^,\"]{0,200},")
_KEY = re.compile(
    rb'"(?:audio|audio_data|data|embedding|file_data|image_base64|input_audio|ref_audio)"\s*:\s*\Z'
)
_KEY_BYTES = 32
_MARK = re.compile(r"~(\d+)~([0-9a-f]{64})")
_REST_EVERY = 2048


class Elided(NamedTuple):
    """What stood where a mark stands: the size of the base64 text and its SHA-256, in hex."""

    size_bytes: int
    sha256: str


def without_media(body: bytes, rest: Callable[[], None]) -> bytes:
    """Put a mark in place of each long base64 string; `rest` is called between pieces of work.

    Such a string is a data URI, or stands under a name that the API uses for media: what a model
    writes may look like base64 too, and stays.
    """
    kept: list[bytes] = []
    copied = at = strings = 0
    while (start := body.find(b'"', at)) >= 0 and (end := _string_end(body, start)) >= 0:
        at = end + 1
        strings += 1
        if strings % _REST_EVERY == 0:
            rest()
        if end - start > _LEAST_BYTES and (data_at := _media_at(body, start + 1, end)) >= 0:
            kept += (body[copied:data_at], _mark(body, data_at, end))
            copied = end
            rest()
    return b"".join((*kept, body[copied:])) if kept else body


def elided_in(text: str) -> Elided | None:
    """Give what a mark stands for; None where the text is no mark."""
    if found := _MARK.fullmatch(text):
        return Elided(int(found[1]), found[2])
    return None


def _string_end(body: bytes, start: int) -> int:
    """Find the quote that closes the string opened at `start`; -1 where none does."""
    end = body.find(b'"', start + 1)
    while end > 0 and body[end - 1] == _BACKSLASH and _is_escaped(body, end):
        end = body.find(b'"', end + 1)
    return end


def _is_escaped(body: bytes, at: int) -> bool:
    first = at
    while body[first - 1] == _BACKSLASH:
        first -= 1
    return (at - first) % 2 == 1


def _media_at(body: bytes, start: int, end: int) -> int:
    """Give where base64 begins in a string, past a data URI's head; -1 where it holds text."""
    head = _HEAD.match(body, start, end)
    if head is None and not _KEY.search(body[max(0, start - 1 - _KEY_BYTES) : start - 1]):
        return -1
    begin = head.end() if head else start
    middle = (begin + end) // 2
    samples = (begin, middle, max(begin, end - _SAMPLE_BYTES))
    for sample in samples:
        stop = min(sample + _SAMPLE_BYTES, end)
        if not _BASE64.fullmatch(body, sample, stop):
            return -1
    return begin


def _mark(body: bytes, start: int, end: int) -> bytes:
    digest = hashlib.sha256(memoryview(body)[start:end]).hexdigest()
    return f"~{end - start}~{digest}".encode()
