"""A request and a response as HTTP/1.1 writes them: a start line, headers, a body.

Bodies are whole and unframed here: `scripts` frames a response when it is sent.
"""

import json
import re
from typing import Any, NamedTuple

__all__ = ["Headers", "Request", "Response", "parse_head", "split_head", "value"]

Headers = tuple[tuple[str, str], ...]
"""Names in lower case and values, in their order; a name may stand there twice."""


class Request(NamedTuple):
    """What a client sent; `path` is the request's target, with its query."""

    method: str
    path: str
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """Give the body's JSON; raises `ValueError` where it is none."""
        return json.loads(self.body)


class Response(NamedTuple):
    """What a server answers; `body` is as encoded as its Content-Encoding says."""

    status: int
    reason: str
    headers: Headers
    body: bytes


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Part a message at its first blank line: the head, and the body as it stands."""
    head, _, body = re.split(rb"(\r?\n\r?\n)", data, maxsplit=1)
    return head, body


def parse_head(head: bytes) -> tuple[str, Headers]:
    """Give the start line and the headers; lines may end in LF or CRLF."""
    start, *lines = head.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if line)
    return start, tuple((name.strip().lower(), text.strip()) for name, _, text in pairs)


def value(headers: Headers, name: str) -> str | None:
    """Give the value of the first header of this name, which is in lower case."""
    return next((text for key, text in headers if key == name), None)
