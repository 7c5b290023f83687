"""The table: which requests we can read, and with which Structs.

A new endpoint is a wire module and a row here. A path matches by its end, so that gateways may
put any prefix before it; `{id}` stands for one segment.
"""

import functools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from interceptor.record import Answer, Input
from interceptor.wire import chat, embeddings, fim
from interceptor.wire.notes import Notes

__all__ = ["OTHER", "TABLE", "Endpoint", "Match", "match"]


def _as_it_is(body: bytes, rest: Callable[[], None]) -> bytes:  # noqa: ARG001 - the column's type
    return body


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row: how a request is recognised, and what reads it.

    `agent_operation` is the operation where an agent is asked; `ids` are the segments of the path
    that `Input` has a field for. `content` names the members of the request's JSON that are words rather than parameters.
    `prepare` cuts out of a response what need not be parsed. `to_answer`, `fold`, `has_content`
    and `is_last` read the answer; a row without them stands for a call of which only method,
    status and times are kept.
    """

    name: str
    operation: str
    path: str
    method: str = "POST"
    agent_operation: str | None = None
    ids: tuple[str, ...] = ()
    is_inference: bool = True
    is_secret: bool = False
    request: type | None = None
    to_input: Callable[[Any], Input] | None = None
    content: frozenset[str] = frozenset()
    response: type | None = None
    prepare: Callable[[bytes, Callable[[], None]], bytes] = _as_it_is
    to_answer: Callable[[Any, Notes], Answer] | None = None
    chunk: type | None = None
    fold: Callable[[Any, Notes], Any] | None = None
    has_content: Callable[[Any], bool] | None = None
    is_last: Callable[[Any], bool] | None = None


class Match(NamedTuple):
    """The row that a request belongs to, and the segments that its path names."""

    endpoint: Endpoint
    ids: dict[str, str]


TABLE: tuple[Endpoint, ...] = (
    Endpoint(
        name="chat.completions",
        operation="chat",
        path="/v1/chat/completions",
        request=chat.Request,
        to_input=chat.to_input,
        content=chat.CONTENT,
        response=chat.Response,
        to_answer=chat.to_answer,
        chunk=chat.Chunk,
        fold=chat.fold,
        has_content=chat.has_content,
        is_last=chat.is_last,
    ),
    Endpoint(
        name="fim.completions",
        operation="text_completion",
        path="/v1/fim/completions",
        request=fim.Request,
        to_input=fim.to_input,
        content=fim.CONTENT,
        response=chat.Response,
        to_answer=chat.to_answer,
        chunk=chat.Chunk,
        fold=chat.fold,
        has_content=chat.has_content,
        is_last=chat.is_last,
    ),
    Endpoint(
        name="embeddings",
        operation="embeddings",
        path="/v1/embeddings",
        request=embeddings.Request,
        to_input=embeddings.to_input,
        content=embeddings.CONTENT,
        response=embeddings.Response,
        prepare=embeddings.slimmed,
        to_answer=embeddings.to_answer,
    ),
)

OTHER = Endpoint(name="other", operation="other", path="", method="", is_inference=False)
"""The row of a request that no other row knows."""


@functools.lru_cache(maxsize=1024)
def match(method: str, path: str) -> Match:
    """Give the row for a request, by its method and the end of its path; `OTHER` where none fits."""
    for endpoint, pattern in _patterns():
        if endpoint.method == method and (found := pattern.fullmatch(path)):
            return Match(endpoint, found.groupdict())
    return Match(OTHER, {})


@functools.cache
def _patterns() -> tuple[tuple[Endpoint, re.Pattern[str]], ...]:
    return tuple((endpoint, _pattern(endpoint.path)) for endpoint in TABLE)


def _pattern(path: str) -> re.Pattern[str]:
    tail = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(f".*{tail}/?")
