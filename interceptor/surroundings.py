"""What a call is in the midst of: the observed span around it, and what is said of all inside.

Both are kept in OpenTelemetry's context, so that they go wherever that goes: into tasks, and into
threads that are given a copy of their caller's context.
"""

from collections import OrderedDict
from collections.abc import Mapping
from contextvars import Token
from typing import Any, NamedTuple, Protocol

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from interceptor.dialects import observed

__all__ = [
    "NONE",
    "Enclosing",
    "Labels",
    "Surroundings",
    "began",
    "ended",
    "inside",
    "labels",
    "last_trace_id",
    "leave",
    "of",
    "root_span_id",
    "within",
]

_KEY = otel_context.create_key("interceptor")
_MOST_ROOTS = 1024


class Labels(NamedTuple):
    """What stands on every span of a session, of a user, of a trace; and that as attributes."""

    session_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    attributes: Mapping[str, observed.Value] = {}

    def and_(self, more: "Labels") -> "Labels":
        """Give both: another session or user replaces, tags and metadata are added."""
        if not more.attributes:
            return self
        return labels(
            session_id=self.session_id if more.session_id is None else more.session_id,
            user_id=self.user_id if more.user_id is None else more.user_id,
            tags=tuple(dict.fromkeys((*self.tags, *more.tags))),
            metadata={**self.metadata, **more.metadata},
        )


def labels(
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: tuple[str, ...] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Labels:
    """Give labels with the attributes that they are."""
    held = metadata or {}
    found = observed.labels(session_id, user_id, tags, held)
    return Labels(session_id, user_id, tags, held, found)


class Enclosing(Protocol):
    """An observed span, as what happens inside it sees it."""

    def labelled(self, found: Labels) -> Labels:
        """Give the labels with those added that the trace was given since it began."""

    def has_call(self) -> None:
        """Learn that a call began inside, which counts its own usage."""


class Surroundings(NamedTuple):
    """What stands in the context: the nearest observed span, and the labels of all inside."""

    span: Enclosing | None = None
    labels: Labels = Labels()

    @property
    def attributes(self) -> Mapping[str, observed.Value]:
        """Give what a span that begins here says of where it is."""
        return (self.labels if self.span is None else self.span.labelled(self.labels)).attributes


NONE = Surroundings()
"""What stands in a context that says nothing."""

_last: trace.Span | None = None
# The root spans that ended last, by their traces: to hang scores on.
_roots: OrderedDict[int, int] = OrderedDict()


def of(context: Context) -> Surroundings:
    """Give what a context says."""
    found = context.get(_KEY)
    return found if isinstance(found, Surroundings) else NONE


def within(context: Context, surroundings: Surroundings) -> Context:
    """Give a context that says this."""
    return otel_context.set_value(_KEY, surroundings, context)


def inside(
    span: trace.Span, enclosing: Enclosing, context: Context, around: Surroundings
) -> Context:
    """Give the context of what happens inside an observed span that began in `context`."""
    here = Context({**context, _KEY: Surroundings(enclosing, around.labels)})
    return trace.set_span_in_context(span, here)


def leave(token: Token[Context]) -> None:
    """Undo `opentelemetry.context.attach`.

    OpenTelemetry's own `detach` logs an error where that happens in another context than the
    attaching, as it does for a generator that another task or the collector closes. There is
    nothing to undo in such a place, and nothing to say.
    """
    try:
        token.var.reset(token)
    except ValueError:
        return


def began(span: trace.Span) -> None:
    """Remember the span of ours that began last."""
    global _last  # noqa: PLW0603 - what was last is one thing for the process
    _last = span


def ended(span: trace.Span) -> None:
    """Remember a span of ours if it is a trace's root; on the worker's thread."""
    if getattr(span, "parent", span) is not None:  # the SDK's; others do not tell
        return
    begun = span.get_span_context()
    _roots[begun.trace_id] = begun.span_id
    if len(_roots) > _MOST_ROOTS:
        _roots.popitem(last=False)


def last_trace_id() -> int | None:
    """Give the trace of the span of ours that began last, in any thread; None where none did."""
    return None if _last is None else _last.get_span_context().trace_id


def root_span_id(trace_id: int) -> int | None:
    """Give the root span of one of the last thousand traces of this process; None for others."""
    return _roots.get(trace_id)
