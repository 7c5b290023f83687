"""Observed spans, from their start on the caller's thread to their end on the worker's.

On the caller's thread a span begins, and what was said is copied. Everything else waits until
after the function's end: the policy, the JSON, the budget, and the end of the span itself, with
the function's own times. So a finaliser may end a generator's span too.
"""

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from interceptor import surroundings
from interceptor.dialects import observed
from interceptor.dialects.observed import Kind
from interceptor.exchange import Ending
from interceptor.links import Role
from interceptor.quiet import quietly
from interceptor.recorder import Recorder
from interceptor.recording import SHOWN_AFTER_NS
from interceptor.redaction import Policy
from interceptor.said import Said, redacted
from interceptor.scores import Score
from interceptor.settings import Content
from interceptor.spans import MESSAGE, SpanSink
from interceptor.surroundings import Labels, Surroundings

__all__ = ["Observed", "Observer", "root_here"]

Measure = Callable[[dict[str, Any], float], None]

_LET_GO = "too much was waiting to be recorded: words left out"
_NOWHERE = Context()
_NS = 1e9


class Observer:
    """Begins observed spans, and sees to it that they end where the spans of calls do."""

    def __init__(
        self,
        recorder: Recorder,
        sink: SpanSink,
        *,
        policy: Policy | None = None,
        measure: Measure | None = None,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        unix_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Make spans as `sink` does, and end them on the thread of `recorder`."""
        self.recorder, self.sink = recorder, sink
        self.policy, self.measure = policy, measure
        self.clock_ns, self.unix_ns = clock_ns, unix_ns

    def begin(self, name: str, kind: Kind, *, content: Content | None = None) -> "Observed":
        """Begin a span inside what is current.

        `content` metadata keeps this span's words out, whatever the settings say; full lets them
        go where the settings leave it open.
        """
        context = otel_context.get_current()
        around = surroundings.of(context)
        started_unix_ns, started_ns = self.unix_ns(), self.clock_ns()
        # What it is for is set when it ends: an attribute at the start costs a third of a span.
        span = self.sink.tracer().start_span(
            name, context, SpanKind.INTERNAL, around.attributes or None, None, started_unix_ns
        )
        surroundings.began(span)
        found = Observed(self, span, context, around)
        found.name, found.kind = name, kind
        found.started_unix_ns, found.started_ns = started_unix_ns, started_ns
        if span.is_recording():
            found.is_recording = True
            found.has_words = self.sink.content and content is not Content.METADATA
            found.is_openly = content is Content.FULL
            self.recorder.expect(found)
        return found

    def score(
        self,
        trace_id: int,
        parent_id: Callable[[], int],
        given: observed.Attributes,
        *,
        about: observed.Attributes,
        comment: str | None,
    ) -> None:
        """Say what somebody thought: an event on a span of its own, which says what it is `about`.

        `parent_id` gives the span to put that into; it is asked on the worker's thread.
        """
        score = Score(
            self.sink,
            given,
            about,
            trace_id=trace_id,
            parent_id=parent_id,
            comment=comment,
            policy=self.policy,
            at_unix_ns=self.unix_ns(),
        )
        self.recorder.expect(score)
        self.recorder.take(score)


class Observed:
    """An observed span: what has been said of it so far. Once it has ended, a job of the worker.

    Whatever is set is taken up when it ends; what comes later is not.
    """

    # What most spans never change stands on the class: each is made on the caller's time.
    owner = 0  # no transport's: closing one does not end it
    is_recording = has_words = is_openly = False
    input: Any = observed.ABSENT
    output: Any = observed.ABSENT
    size_bytes = 0
    tool_call_id: str | None = None
    completed = True
    _is_told = _is_shown = False
    counts_elsewhere = False
    usage: observed.Attributes = {}  # noqa: RUF012 - replaced, never changed
    labels = Labels()
    name: str
    kind: Kind
    started_unix_ns: int
    started_ns: int
    ended_unix_ns: int
    _own_labels = Labels()
    _failure: tuple[str, str | None] | None = None

    def __init__(
        self, observer: Observer, span: Span, context: Context, around: Surroundings
    ) -> None:
        """Keep a span that began in `context`; `self.context` is what is current inside."""
        self._observer = observer
        self.parent = around.span if isinstance(around.span, Observed) else None
        self._root = None if self.parent is None else self.parent.root
        self.span = span
        self.context = surroundings.inside(span, self, context, around)
        self._open = [True]

    @property
    def is_open(self) -> bool:
        """Whether it has not ended, so that there is a use in setting anything."""
        return bool(self._open)

    @property
    def root(self) -> "Observed":
        """The outermost observed span around this one, or itself."""
        return self if self._root is None else self._root

    @property
    def limit_bytes(self) -> int:
        """How long one attribute may be."""
        return self._observer.sink.limit_bytes

    def labelled(self, found: Labels) -> Labels:
        """Give the labels with those added that the trace was given since it began."""
        return found.and_(self.root.labels)

    def label(self, given: Labels) -> None:
        """Put labels on this span and on all that begin inside it from now on."""
        self.labels = self.labels.and_(given)
        self._show_labels()

    def describe(self, given: Labels) -> None:
        """Put labels on this span alone."""
        self._own_labels = self._own_labels.and_(given)
        self._show_labels()

    def _show_labels(self) -> None:
        around = surroundings.of(self.context).labels
        here = self.labelled(around).and_(self._own_labels)
        self.span.set_attributes(here.attributes)

    def has_call(self) -> None:
        """Learn that usage is counted inside: whatever is said of this span's own is not kept."""
        around: Observed | None = self
        while around is not None and not around.counts_elsewhere:
            around.counts_elsewhere = True
            around = around.parent

    def used(self, given: observed.Attributes) -> None:
        """Say what a model used that no tap can see; spans around this one then count none."""
        self.usage = {**self.usage, **given}
        if given and self.parent is not None:
            self.parent.has_call()

    def fail(self, error_type: str, message: str | None) -> None:
        """Say that it failed; the last word counts."""
        self._failure = (error_type, message)

    def tell(self) -> None:
        """Say what it is, for those who look at what is running; on the worker's thread."""
        if not self._is_told:
            self._is_told = True
            self._observer.sink.say(self.span, observed.about(self.kind, self.name))
        elif not self._is_shown and self.has_words and self.is_open and self._takes_time():
            self._is_shown = True
            with quietly("what a span under way says"):
                self._observer.sink.show(self.span, self._words(), openly=self.is_openly)

    def _takes_time(self) -> bool:
        return self._observer.clock_ns() - self.started_ns >= SHOWN_AFTER_NS

    def end(self, ending: Ending | None = None) -> None:
        """End it now; `ending` is None where it came to its own end. The first call counts.

        A finaliser may call it.
        """
        try:
            self._open.pop()
        except IndexError:
            return
        self.completed = ending is None
        taken_ns = self._observer.clock_ns() - self.started_ns
        self.ended_unix_ns = self.started_unix_ns + taken_ns
        # Nothing is kept that would keep others: tasks may start each other without an end, and
        # a context holds its span.
        self.parent, self.context = None, _NOWHERE
        if self.is_recording:
            self._observer.recorder.take(self)

    def forget(self) -> None:
        """Never end: in the child of a fork, it belongs to the parent."""
        self._open.clear()

    def let_go(self) -> None:
        """Drop the words."""
        self.has_words = False
        self.input = self.output = observed.ABSENT
        self.span.set_attribute("mistral_ai.notes", (_LET_GO,))

    def run(self) -> None:
        """Fill the span and end it, which it does too where it cannot be filled."""
        try:
            self._fill()
        finally:
            if self.span.is_recording():  # a policy of the caller's may have broken its record
                self._observer.sink.end_bare(self.span, self.ended_unix_ns)

    def _fill(self) -> None:
        """Say all that there is to say, and end the span; on the worker's thread."""
        observer, span = self._observer, self.span
        about = observed.about(self.kind, self.name)
        if self._failure is not None:
            about["error.type"] = self._failure[0]
            span.set_status(Status(StatusCode.ERROR))
        span.set_attributes(about)
        if not self.counts_elsewhere:
            span.set_attributes(self.usage)
        if not self.completed:
            span.set_attribute("interceptor.completed", False)  # noqa: FBT003 - the value itself
        if self.tool_call_id is not None:
            span.set_attributes(observed.tool_call_id(self.tool_call_id))
            observer.sink.link(span, [(self.tool_call_id, Role.RAN)])
        if observer.measure is not None:
            taken_ns = self.ended_unix_ns - self.started_unix_ns
            observer.measure(about, taken_ns / _NS)
        words = self._words() if self.has_words else {}
        observer.sink.end(span, words, self.ended_unix_ns, openly=self.is_openly)

    def _words(self) -> observed.Attributes:
        """Give what was said as attributes, as far as the policy leaves it."""
        message = None if self._failure is None else self._failure[1]
        said, notes = redacted(
            Said(self.input, self.output, message),
            self._observer.policy,
            operation=observed.operation(self.kind),
            started_unix_ns=self.started_unix_ns,
        )
        if notes:
            self.span.set_attribute("mistral_ai.notes", notes)
        if said is None:
            return {}
        limit = self.limit_bytes
        found = observed.content(input=said.input, output=said.output, limit_bytes=limit)
        if said.message:
            found[MESSAGE] = said.message[:limit]
        return found


def root_here(trace_id: int) -> int | None:
    """Give the id of the outermost observed span around this line, if it is of this trace."""
    around = surroundings.of(otel_context.get_current()).span
    if not isinstance(around, Observed):
        return None
    root = around.root.span.get_span_context()
    return root.span_id if root.trace_id == trace_id else None
