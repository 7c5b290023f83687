"""The seam between recording calls and telling of them.

A `Recorder` tells a `Sink` that a call starts; the `Call` it gets back is told what the call was
when it has ended. What a sink makes of it, a span say, is its own affair.
"""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import msgspec

from interceptor.endpoints import Endpoint
from interceptor.exchange import Request
from interceptor.record import Record

__all__ = ["Asked", "Call", "Sink", "Start", "asked"]

_SCAN_BYTES = 2048
_NAMED = re.compile(rb'"(model|agent_id)"\s*:\s*"([^"\\]{1,200})"')


class Asked(NamedTuple):
    """What is asked of whom, as far as a bounded look at the request tells.

    A model or an agent, one of them at most. The record has the last word.
    """

    operation: str
    model: str | None
    agent_id: str | None
    host: str
    port: int | None
    method: str
    path: str


class Start(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a call before it is sent.

    Whoever must know at once what is asked looks at it with `asked`; others are told later, by
    `Call.tell`. It is not to be kept: it holds the body. `first` is what the first attempt's
    `Call.identity` was, where this is a further one. `headers` and `extensions` are the request's
    own, for what other tracers left there.
    """

    row: Endpoint
    request: Request
    attempt: int
    started_unix_ns: int
    first: Any = None
    headers: Mapping[str, str] = {}
    extensions: Mapping[str, Any] = {}


class Call(Protocol):
    """A call in flight, as a sink keeps it."""

    @property
    def is_taped(self) -> bool:
        """Whether anybody wants the record; a call that is not sampled is not taped."""

    @property
    def identity(self) -> Any:
        """What a later attempt at the same request is told of this one."""

    def scope(self) -> AbstractContextManager[Any]:
        """Give the context to send the request in."""

    def tell(self, known: Asked) -> None:
        """Learn what is asked, once: while the call is under way, or just before it finishes.

        On the thread that `finish` is called on.
        """

    def show(self, record: Record) -> None:
        """Show what was asked of a call that takes its time: the record so far, without an answer.

        On the thread that `finish` is called on, and before that; not for each call.
        """

    def finish(self, record: Record) -> None:
        """Take the record of the call. May run on another thread."""


class Sink(Protocol):
    """Told when a call starts; what it gives back is told when the call ends."""

    def begin(self, start: Start) -> Call | None:
        """Begin a call; None where somebody else accounts for it."""


def asked(row: Endpoint, request: Request) -> Asked:
    """Look for a model, or else an agent, in the first and last kilobytes of a JSON body."""
    operation, model, agent_id = row.operation, None, None
    body = request.body
    if body:
        ends = body if len(body) <= 2 * _SCAN_BYTES else body[:_SCAN_BYTES] + body[-_SCAN_BYTES:]
        if found := _NAMED.search(ends):
            name = found[2].decode(errors="replace")
            if found[1] == b"model":
                model = name
            else:
                operation, agent_id = row.agent_operation or operation, name
    where = request.host, request.port, request.method, request.path
    return Asked(operation, model, agent_id, *where)
