"""What the store gives back: spans, and one summary a trace.

Plain values. They know nothing of SQL and nothing of the process that wrote
them; `queries` fills them in.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
import orjson

from interceptor.record import Usage
from interceptor.spans import SCOPE

__all__ = [
    "TOOL_CALL",
    "Event",
    "Link",
    "Loss",
    "Score",
    "Span",
    "State",
    "Status",
    "Trace",
    "is_call",
]

TOOL_CALL = "interceptor.tool_call"
"""On a link: what the other span had to do with the same tool call."""

_COUNTS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "total_tokens": "mistral_ai.usage.total_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "audio_tokens": "gen_ai.usage.audio.input_tokens",
    "connector_tokens": "mistral_ai.usage.connector_tokens",
    "audio_seconds": "mistral_ai.usage.audio_seconds",
}


class State(StrEnum):
    """How far a span got."""

    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"
    """Its process died before the span ended."""


class Status(StrEnum):
    """State and outcome in one word, as lists show it and `search` takes it."""

    OK = "ok"
    ERROR = "error"
    RUNNING = "running"
    LOST = "lost"


def _status(state: State, *, failed: bool) -> Status:
    if state is not State.ENDED:
        return Status(state.value)
    return Status.ERROR if failed else Status.OK


def _duration_s(start_unix_ns: int, end_unix_ns: int | None) -> float | None:
    return None if end_unix_ns is None else (end_unix_ns - start_unix_ns) / 1e9


def is_call(kind: str, scope: str, attributes: Mapping[str, Any]) -> bool:
    """Tell whether a span is that of a call to the API; one in flight has no endpoint yet."""
    is_begun = scope == SCOPE and kind == "client" and "gen_ai.operation.name" in attributes
    return is_begun or "mistral_ai.endpoint" in attributes


class Event(msgspec.Struct, frozen=True):
    """Something that happened at one moment of a span."""

    name: str
    unix_ns: int
    attributes: dict[str, Any]


class Link(msgspec.Struct, frozen=True):
    """A span that has to do with this one without being its parent."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span, whole: what lists need and all that was recorded of it."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    parent_id: str | None = None
    """None for a root. The parent may stand in another process's store, or in none."""
    name: str
    kind: str
    """`internal`, `client`, `server`, `producer` or `consumer`."""
    start_unix_ns: int
    end_unix_ns: int | None = None
    """None until it has ended."""
    state: State
    failed: bool = False
    status_message: str | None = None
    attributes: dict[str, Any]
    """All of them; a running span's as they stood when it was last written."""
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: dict[str, Any]
    scope: str = ""
    """The name of the instrumentation scope."""
    pid: int | None = None
    """The process that runs, or ran, a span that has not ended; None for one that has."""

    @property
    def status(self) -> Status:
        """Give state and outcome in one word."""
        return _status(self.state, failed=self.failed)

    @property
    def duration_s(self) -> float | None:
        """Give the seconds from start to end; None until it has ended."""
        return _duration_s(self.start_unix_ns, self.end_unix_ns)

    @property
    def is_call(self) -> bool:
        """Whether it is the span of a call to the API, in flight or ended."""
        return is_call(self.kind, self.scope, self.attributes)

    @property
    def first_attempt(self) -> Link | None:
        """Give the first attempt at the same request, where this is a later one."""
        attempt = self.attributes.get("mistral_ai.request.attempt")
        if not isinstance(attempt, int) or attempt < 2:  # noqa: PLR2004 - the first has none before
            return None
        return next((link for link in self.links if TOOL_CALL not in link.attributes), None)

    @property
    def usage(self) -> Usage | None:
        """Give what the call used, as far as anybody counted it; None where nobody did."""
        counted: dict[str, Any] = {
            field: count
            for field, name in _COUNTS.items()
            if isinstance(count := self.attributes.get(name), int | float)
        }
        return Usage(**counted) if counted else None

    @property
    def input(self) -> Any:
        """Give what went in: a call's messages, a function's arguments; None if unknown."""
        return self._said("gen_ai.input.messages", "input.value", "gen_ai.tool.call.arguments")

    @property
    def output(self) -> Any:
        """Give what came out: a call's messages, a function's result; None if unknown."""
        return self._said("gen_ai.output.messages", "output.value", "gen_ai.tool.call.result")

    def _said(self, *names: str) -> Any:
        said = next((self.attributes[name] for name in names if name in self.attributes), None)
        try:
            return orjson.loads(said) if isinstance(said, str) else said
        except orjson.JSONDecodeError:
            return said


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A trace in one line: what `latest` and `search` give, read without a payload.

    Tokens and cost are summed over the spans of this library, on which nothing stands twice, and
    those of API calls (with `mistral_ai.endpoint`); None, never 0, where none said anything.
    """

    trace_id: str
    name: str
    """The root span's, else the earliest span's."""
    start_unix_ns: int
    end_unix_ns: int | None = None
    """None until all its spans have ended."""
    state: State
    failed: bool = False
    """The root span failed; where no root has ended (yet), any of its spans did."""
    failed_span_count: int = 0
    """Spans that failed, also those that somebody then coped with, such as retried calls."""
    error_type: str | None = None
    error_message: str | None = None
    """Of the root span if it failed, else of the earliest span that did."""
    models: tuple[str, ...] = ()
    """As asked for, in order of appearance."""
    endpoints: tuple[str, ...] = ()
    """As in `mistral_ai.endpoint`, in order of appearance."""
    span_count: int = 0
    call_count: int = 0
    """Spans of API calls, those in flight too."""
    left_early_count: int = 0
    """Streams that did not reach their end although nothing failed: nobody read on."""
    attempt: int | None = None
    """Which attempt at its request it was, of a trace that is one call by itself."""
    retry_of: str | None = None
    """The id of the trace of the first attempt, of one that is a later attempt."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    """The server's totals, which are not always the sum of the two."""
    cost_usd: float | None = None
    time_to_first_chunk_s: float | None = None
    """Of the earliest call that was streamed."""
    preview: str | None = None
    """The first words of the last answer, on one line."""
    session_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Give state and outcome in one word."""
        return _status(self.state, failed=self.failed)

    @property
    def duration_s(self) -> float | None:
        """Give the seconds from first start to last end; None until all has ended."""
        return _duration_s(self.start_unix_ns, self.end_unix_ns)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody thought of a span, or of the whole trace where `span_id` is None."""

    name: str
    value: float | None = None
    label: str | None = None
    """In place of a number, or beside it."""
    comment: str | None = None
    span_id: str | None = None
    unix_ns: int
    """When it was given."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be kept, over all processes that write to a store."""

    count: int
    """Spans."""
    reason: str
    """The newest one."""
    at_unix_ns: int
    """When that was."""
