"""The spans of a benchmark: fast is not enough, each must have been made and say what it should."""

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import interceptor

__all__ = ["NotRecordedError", "Spans"]


class NotRecordedError(AssertionError):
    """What was timed was not recorded, or not as it should be: its figure would mean nothing."""


class Spans(SpanProcessor):
    """Puts a bare setting in force, and keeps what the last spans said."""

    def __init__(self, **settings: object) -> None:
        """Record with `settings`, to nowhere."""
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(self)
        self.count = 0
        self.last: ReadableSpan | None = None
        interceptor.configure(
            destinations=(), content="full", tracer_provider=self._provider, **settings
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Count a span."""
        self.count += 1
        self.last = span

    def flush(self) -> None:
        """Wait until all that was recorded has become spans."""
        if not interceptor.flush(120):
            raise NotRecordedError("the worker did not keep up")

    def said(self, **wanted: object) -> None:
        """Raise `NotRecordedError` unless the last span says this (`__` stands for a dot)."""
        says = (self.last.attributes if self.last is not None else None) or {}
        for name, value in wanted.items():
            found = says.get(name.replace("__", "."))
            if found != value:
                raise NotRecordedError(f"{name} is {found!r}, not {value!r}")
