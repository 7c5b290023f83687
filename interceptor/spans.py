"""Spans and metrics from records: a sink that speaks OpenTelemetry.

The span starts with the call, as a child of the caller's current span, and is filled and ended
from the record, with the record's own times.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode

from interceptor.dialects import genai
from interceptor.record import Record
from interceptor.recorder import Start

__all__ = ["SCOPE", "SpanSink", "Words", "is_ours"]

SCOPE = "interceptor"
"""The instrumentation scope of every span of ours."""

_OUTER_GENAI = "opentelemetry.genai.client.inference.context"

Words = dict[SpanContext, dict[str, Any]]
"""What spans say in words, kept beside them: for processors of ours on a provider that is not."""


def is_ours(span: Any) -> bool:
    """Tell whether a span of the OpenTelemetry SDK was made by this library."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name == SCOPE


class SpanSink:
    """Makes a span of each call, and child spans of the tools that the server ran for it.

    `tracer` gives the tracer in force at each call. With `words` None the words of a call are
    attributes of its span; else they are put there for as long as the span is ending, and
    whoever may show them takes them from there.
    """

    def __init__(
        self,
        tracer: Callable[[], trace.Tracer],
        *,
        content: bool = True,
        limit_bytes: int = 1 << 18,
        words: Words | None = None,
        measure: Callable[[Record], None] | None = None,
    ) -> None:
        """Make spans with `tracer`; `content` False leaves out everything anybody said."""
        self.tracer = tracer
        self.content, self.limit_bytes, self.words = content, limit_bytes, words
        self.measure = measure

    def begin(self, start: Start) -> "_Call | None":
        """Start a span; None where an outer GenAI instrumentation accounts for the call."""
        context = otel_context.get_current()
        if _OUTER_GENAI in context:
            return None
        first: SpanContext | None = start.first
        span = self.tracer().start_span(
            genai.name(start.operation, start.model),
            context=context,
            kind=SpanKind.CLIENT,
            attributes=genai.start(
                endpoint=start.endpoint,
                operation=start.operation,
                model=start.model,
                is_stream=start.is_stream,
                host=start.host,
                port=start.port,
            ),
            links=[Link(first)] if first is not None else None,
            start_time=start.started_unix_ns,
        )
        return _Call(self, span, context)

    def finish(self, span: Span, record: Record) -> None:
        """Fill and end a span; on the worker's thread."""
        span.update_name(genai.name(record.operation, _subject(record)))
        span.set_attributes(genai.attributes(record, limit_bytes=self.limit_bytes))
        for given in record.handoffs:
            span.add_event(genai.HANDOFF, genai.handoff(given), _at(record, ended=True))
        if record.failure is not None:
            span.set_status(Status(StatusCode.ERROR, record.failure.message))
        for run in record.tool_runs:
            self._tool_run(span, record, run)
        if self.measure is not None:
            self.measure(record)
        words = genai.content(record, limit_bytes=self.limit_bytes) if self.content else {}
        self._end(span, words, _at(record, ended=True))

    def _tool_run(self, parent: Span, record: Record, run: Any) -> None:
        span = self.tracer().start_span(
            genai.name("execute_tool", run.name),
            context=trace.set_span_in_context(parent, Context()),
            kind=SpanKind.INTERNAL,
            attributes=genai.tool_run(run),
            start_time=run.started_unix_ns or _at(record),
        )
        limit = self.limit_bytes
        words = genai.tool_run_content(run, limit_bytes=limit) if self.content else {}
        self._end(span, words, run.ended_unix_ns or run.started_unix_ns or _at(record))

    def _end(self, span: Span, words: dict[str, Any], at_unix_ns: int) -> None:
        if self.words is None or not words:
            span.set_attributes(words)
            span.end(at_unix_ns)
            return
        key = span.get_span_context()
        self.words[key] = words
        try:
            span.end(at_unix_ns)
        finally:
            del self.words[key]


class _Call:
    """A call in flight: its span."""

    __slots__ = ("_context", "_sink", "_span", "is_taped")

    def __init__(self, sink: SpanSink, span: Span, context: Context) -> None:
        self._sink, self._span, self._context = sink, span, context
        self.is_taped = span.is_recording()

    @property
    def identity(self) -> SpanContext:
        """Give what later attempts link to."""
        return self._span.get_span_context()

    def scope(self) -> "_Scope":
        """Make the span current while the request is sent, so that HTTP spans nest inside."""
        return _Scope(trace.set_span_in_context(self._span, self._context))

    def finish(self, record: Record) -> None:
        """Fill the span from the record, and end it."""
        self._sink.finish(self._span, record)


class _Scope:
    """Attaches a context and detaches it in the same frame."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = otel_context.attach(self._context)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        otel_context.detach(self._token)


def _subject(record: Record) -> str | None:
    """Give what a span's name says was asked: an agent where one was, else a model."""
    asked = record.input
    if record.operation == "invoke_agent":
        return asked.agent_id or asked.model
    return asked.model


def _at(record: Record, *, ended: bool = False) -> int:
    times = record.times
    return times.started_unix_ns + (times.ended_after_ns if ended else 0)
