"""Spans and metrics from records: a sink that speaks OpenTelemetry.

The span starts with the call, as a child of the caller's current span, and is filled and ended
from the record, with the record's own times.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode

from interceptor import native, surroundings
from interceptor.dialects import genai, observed
from interceptor.links import Role, ToolCalls, roles
from interceptor.record import Record
from interceptor.settings import Native
from interceptor.sink import Asked, Start, asked

__all__ = ["MESSAGE", "SCOPE", "SpanSink", "Words", "began_unix_ns", "is_ours"]

SCOPE = "interceptor"
"""The instrumentation scope of every span of ours."""

MESSAGE = "exception.message"
"""Among the words of a span: what its status is described by, where it may be shown."""

_SUPPRESSED = (
    "opentelemetry.genai.client.inference.context",  # an outer GenAI instrumentation has the call
    "suppress_instrumentation",  # somebody wants no instrumentation to make a span
)

# Held while a span that others have in their hands is written to, and by whoever forks: the span
# has locks of its own, which the child would find taken for ever.
_writing = threading.RLock()
os.register_at_fork(
    before=_writing.acquire, after_in_parent=_writing.release, after_in_child=_writing.release
)

Words = dict[int, dict[str, Any]]
"""What spans say in words, by span id: for processors of ours on a provider that is not."""


def _always() -> bool:
    return True


def is_ours(span: Any) -> bool:
    """Tell whether a span of the OpenTelemetry SDK was made by this library."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name == SCOPE


_calls: dict[int, int] = {}  # when a call began, by its span's id: while the tools' spans are made


def began_unix_ns(span: Any) -> int:
    """Give when a span of ours began by this machine's clock.

    The span of a tool that the server ran has the server's times; it began with its call.
    """
    call = None if span.parent is None else _calls.get(span.parent.span_id)
    return (span.start_time or 0) if call is None else call


class SpanSink:
    """Makes a span of each call, and child spans of the tools that the server ran for it.

    `tracer` gives the tracer in force at each call. With `words` None the words of a call are
    attributes of its span; else they are put there for as long as the span is ending, or is shown
    while it is under way, and whoever may show them takes them from there.
    """

    def __init__(
        self,
        tracer: Callable[[], trace.Tracer],
        *,
        content: bool = True,
        limit_bytes: int = 1 << 18,
        words: Words | None = None,
        measure: Callable[[Record], None] | None = None,
        is_watched: Callable[[], bool] = _always,
        native: Native = Native.KEEP_OURS,
    ) -> None:
        """Make spans with `tracer`; `content` False leaves out everything anybody said.

        `is_watched` tells whether anybody may look at a span when it starts: a sampler that goes
        by attributes, a processor of the application's. Where nobody does, the attributes follow
        from the worker's thread: they are most of what a start costs.
        """
        self.tracer = tracer
        self.content, self.limit_bytes, self.words = content, limit_bytes, words
        self.measure = measure
        self._is_watched, self._native = is_watched, native
        self._tool_calls: ToolCalls[SpanContext] = ToolCalls()

    def begin(self, start: Start) -> "_Call | None":
        """Start a span; None where somebody else accounts for the call."""
        context = otel_context.get_current()
        if context and any(map(context.get, _SUPPRESSED)):
            return None
        beside = native.beside(start.headers, start.extensions, context)
        if beside is not None:
            if self._native is Native.DEFER:
                return None
            context = beside
        first: SpanContext | None = start.first
        around = surroundings.of(context) if context else surroundings.NONE
        labels = around.attributes
        tracer, name, attributes = self.tracer(), start.row.operation, labels
        if self._is_watched():
            known = asked(start.row, start.request)
            name, attributes = _name(known), {**_start(known), **labels}
        span = tracer.start_span(
            name,
            context,
            SpanKind.CLIENT,
            attributes or None,
            None if first is None else [Link(first)],
            start.started_unix_ns,
        )
        surroundings.began(span)
        if around.span is not None:
            around.span.has_call()
        return _Call(self, span, context, labels)

    def finish(self, span: Span, record: Record, labels: Mapping[str, Any]) -> None:
        """Fill and end a span; on the worker's thread. `labels` stand on its children too."""
        span.update_name(genai.name(record.operation, _subject(record)))
        attributes = genai.attributes(record, limit_bytes=self.limit_bytes)
        span.set_attributes(attributes)
        for given in record.handoffs:
            span.add_event(genai.HANDOFF, genai.handoff(given), _at(record, ended=True))
        if record.failure is not None:
            span.set_status(Status(StatusCode.ERROR))
        self._tool_runs(span, record, labels)
        self.link(span, roles(record))
        if self.measure is not None:
            self.measure(record)
        words = self.words_of(record, attributes) if self.content else {}
        if cut := genai.cut(words):
            words[genai.TRUNCATED] = tuple(dict.fromkeys(genai.cut(attributes) + cut))
        self.end(span, words, _at(record, ended=True))

    def words_of(self, record: Record, beside: Mapping[str, Any]) -> dict[str, Any]:
        """Give what was said, the server's account of a failure included: it may quote the rest."""
        limit = self.limit_bytes
        words: dict[str, Any] = {**genai.content(record, limit_bytes=limit, beside=beside)}
        if record.failure is not None and record.failure.message:
            words[MESSAGE] = record.failure.message[:limit]
        return words

    def link(self, span: Span, had: Iterable[tuple[str, Role]]) -> None:
        """Link a span to those that had to do with the same tool calls; on the worker's thread."""
        here = span.get_span_context()
        for call_id, role in had:
            for other, there in self._tool_calls.others(call_id, role, here).items():
                span.add_link(there, observed.link(call_id, other))

    def _tool_runs(self, span: Span, record: Record, labels: Mapping[str, Any]) -> None:
        key = span.get_span_context().span_id
        _calls[key] = getattr(span, "start_time", None) or _at(record)  # only the SDK's spans tell
        try:
            for run in record.tool_runs:
                self._tool_run(span, record, run, labels)
        finally:
            _calls.pop(key, None)  # no spans at all have one id

    def _tool_run(self, parent: Span, record: Record, run: Any, labels: Mapping[str, Any]) -> None:
        span = self.tracer().start_span(
            genai.name("execute_tool", run.name),
            context=trace.set_span_in_context(parent, Context()),
            kind=SpanKind.INTERNAL,
            attributes={**genai.tool_run(run), **labels},
            start_time=run.started_unix_ns or _at(record),
        )
        limit = self.limit_bytes
        words = genai.tool_run_content(run, limit_bytes=limit) if self.content else {}
        self.end(span, words, run.ended_unix_ns or run.started_unix_ns or _at(record))

    def say(self, span: Span, attributes: Mapping[str, Any], *, name: str | None = None) -> None:
        """Set attributes, and a name, of a span that is under way; on the worker's thread."""
        with _writing:
            if name is not None:
                span.update_name(name)
            span.set_attributes(attributes)

    def show(self, span: Span, words: dict[str, Any], *, openly: bool = False) -> None:
        """Have the words of a span that is under way where they go when it ends."""
        if self.words is None or openly:
            self.say(span, words)
        elif words:
            self.words[span.get_span_context().span_id] = words

    def end(
        self, span: Span, words: dict[str, Any], at_unix_ns: int, *, openly: bool = False
    ) -> None:
        """End a span, its words on it where the settings say so or `openly`, else beside it."""
        surroundings.ended(span)
        key = span.get_span_context().span_id
        if self.words is not None:
            self.words.pop(key, None)  # what was shown before
        if self.words is None or openly or not words:
            if MESSAGE in words:
                span.set_status(Status(StatusCode.ERROR, words.pop(MESSAGE)))
            span.set_attributes(words)
            span.end(at_unix_ns)
            return
        self.words[key] = words
        try:
            span.end(at_unix_ns)
        finally:
            del self.words[key]

    def end_bare(self, span: Span, at_unix_ns: int) -> None:
        """End a span that could not be filled; nothing that was shown of it stays."""
        if self.words is not None:
            self.words.pop(span.get_span_context().span_id, None)
        span.end(at_unix_ns)


class _Call:
    """A call in flight: its span. As a context, it makes the span current.

    That context is attached and detached in the same frame.
    """

    __slots__ = ("_context", "_labels", "_sink", "_span", "_token", "is_taped")

    def __init__(
        self, sink: SpanSink, span: Span, context: Context, labels: Mapping[str, Any]
    ) -> None:
        self._sink, self._span, self._context, self._labels = sink, span, context, labels
        self.is_taped = span.is_recording()

    @property
    def identity(self) -> SpanContext:
        """Give what later attempts link to."""
        return self._span.get_span_context()

    def scope(self) -> "_Call":
        """Make the span current while the request is sent, so that HTTP spans nest inside."""
        return self

    def __enter__(self) -> None:
        here = trace.set_span_in_context(self._span, self._context)
        self._token = otel_context.attach(here)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        surroundings.leave(self._token)

    def tell(self, known: Asked) -> None:
        """Name the span, and set what is known of it before there is an answer."""
        attributes = {**_start(known), **genai.sent(known.method, known.path)}
        self._sink.say(self._span, attributes, name=_name(known))

    def show(self, record: Record) -> None:
        """Say on the span what was asked, for those who look at what is running."""
        sink, limit = self._sink, self._sink.limit_bytes
        attributes = genai.attributes(record, limit_bytes=limit)
        attributes.pop(genai.RESPONSE_BYTES)  # they are still coming
        sink.say(self._span, attributes)
        sink.show(self._span, sink.words_of(record, attributes) if sink.content else {})

    def finish(self, record: Record) -> None:
        """Fill the span from the record, and end it; where that fails it ends all the same."""
        try:
            self._sink.finish(self._span, record, self._labels)
        finally:
            if self._span.is_recording():  # a policy of the caller's may have made it unreadable
                self._sink.end_bare(self._span, _at(record, ended=True))


def _start(known: Asked) -> Mapping[str, Any]:
    return genai.start(known.operation, known.model, known.agent_id, known.host, known.port)


def _name(known: Asked) -> str:
    return genai.name(known.operation, known.agent_id or known.model)


def _subject(record: Record) -> str | None:
    """Give what a span's name says was asked: an agent where one was, else a model."""
    asked = record.input
    if record.operation == "invoke_agent":
        return asked.agent_id or asked.model
    return asked.model


def _at(record: Record, *, ended: bool = False) -> int:
    times = record.times
    return times.started_unix_ns + (times.ended_after_ns if ended else 0)
