"""Scores: what somebody thought of a span, as an event on a span of its own."""

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from interceptor.dialects import observed
from interceptor.exchange import Ending
from interceptor.redaction import Policy
from interceptor.said import Said, redacted
from interceptor.spans import SpanSink

__all__ = ["Score"]


class Score:
    """A score, as a span of no length with one event: ended spans take no events any more."""

    owner = 0
    size_bytes = 0
    __slots__ = (
        "_about",
        "_at_unix_ns",
        "_comment",
        "_given",
        "_parent_id",
        "_policy",
        "_sink",
        "_trace_id",
    )

    def __init__(
        self,
        sink: SpanSink,
        given: observed.Attributes,
        about: observed.Attributes,
        *,
        trace_id: int,
        parent_id: Callable[[], int],
        comment: str | None,
        policy: Policy | None,
        at_unix_ns: int,
    ) -> None:
        """Say `given` of the span that `parent_id` gives, when it is asked on the worker's thread.

        `about` says what the score's own span is; the comment is shown as far as `policy` goes.
        """
        self._sink, self._given, self._about = sink, given, about
        self._trace_id, self._parent_id = trace_id, parent_id
        self._comment, self._policy, self._at_unix_ns = comment, policy, at_unix_ns

    def tell(self) -> None:
        """Do nothing: it is queued as soon as it is foreseen."""

    def end(self, ending: Ending | None = None) -> None:
        """Do nothing, for the same reason."""

    def forget(self) -> None:
        """Do nothing, for the same reason."""

    def let_go(self) -> None:
        """Do nothing: it holds next to nothing."""

    def run(self) -> None:
        """Make the span with its event, and end it; on the worker's thread."""
        sink, at = self._sink, self._at_unix_ns
        sampled = TraceFlags(TraceFlags.SAMPLED)
        parent = SpanContext(self._trace_id, self._parent_id(), is_remote=True, trace_flags=sampled)
        span = sink.tracer().start_span(
            f"{observed.SCORE} {self._given['gen_ai.evaluation.name']}",
            context=trace.set_span_in_context(NonRecordingSpan(parent), Context()),
            attributes=self._about,
            start_time=at,
        )
        try:
            words = self._words()
            openly = words if sink.words is None else {}
            span.add_event(observed.EVALUATION, {**self._given, **openly}, at)
            sink.end(span, {} if openly else words, at)
        finally:
            if span.is_recording():  # open for ever, it would keep its trace from ending
                span.end(at)

    def _words(self) -> observed.Attributes:
        """Give the comment as attributes, as far as the policy leaves it."""
        if self._comment is None or not self._sink.content:
            return {}
        said, _ = redacted(
            Said(self._comment, observed.ABSENT),
            self._policy,
            operation=observed.SCORE,
            started_unix_ns=self._at_unix_ns,
        )
        limit = self._sink.limit_bytes
        return {} if said is None else observed.evaluation_words(said.input, limit)
