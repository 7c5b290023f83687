"""A block of your program as a span, and what can be said of a span while it runs."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from opentelemetry import context as otel_context
from opentelemetry.trace import format_span_id, format_trace_id

from interceptor import slot, surroundings
from interceptor.credentials import STRUCK, is_credential
from interceptor.dialects import observed
from interceptor.dialects.observed import Kind
from interceptor.errors import InterceptorError
from interceptor.exchange import CLOSED_EARLY
from interceptor.observer import Observed
from interceptor.observing._values import copied
from interceptor.observing.sessions import to_labels
from interceptor.quiet import quietly, report
from interceptor.settings import Content

__all__ = [
    "Contents",
    "Kinds",
    "Span",
    "begin",
    "current_span",
    "failed",
    "last_trace_id",
    "span",
    "to_content",
    "to_kind",
    "update_span",
    "update_trace",
]

Kinds = Literal["chain", "agent", "tool", "retriever", "llm"]
Contents = Literal["full", "metadata"]

_log = logging.getLogger("interceptor")


class Span:
    """A span of yours while it runs; what is said after its end is not recorded.

    Where nothing is recorded there is one too, which does nothing: code that uses it needs no
    `if`. Values are copied when they are given; see `observe` for how.
    """

    __slots__ = ("_observed",)

    def __init__(self, observed: Observed | None) -> None:
        self._observed = observed

    @property
    def trace_id(self) -> str | None:
        """The trace's id, 32 hexadecimal digits, as `get_trace` takes it; None if not recorded."""
        found = self._recorded()
        return None if found is None else format_trace_id(found.span.get_span_context().trace_id)

    @property
    def span_id(self) -> str | None:
        """Its own id, 16 hexadecimal digits; None where nothing is recorded."""
        found = self._recorded()
        return None if found is None else format_span_id(found.span.get_span_context().span_id)

    def set_input(self, value: Any) -> None:
        """Say what went in."""
        with quietly("an input"):
            if (to := self._open()) is not None and to.has_words:
                to.input, chars = copied(value, to.limit_bytes)
                to.size_bytes += chars

    def set_output(self, value: Any) -> None:
        """Say what came out."""
        with quietly("an output"):
            if (to := self._open()) is not None and to.has_words:
                to.output, chars = copied(value, to.limit_bytes)
                to.size_bytes += chars

    def set(self, **attributes: Any) -> None:
        """Set attributes: texts, numbers, truth values; anything else is kept as JSON text.

        They are labels: kept whatever `content` is set to. What people or models said belongs
        into the input and the output.
        """
        with quietly("attributes"):
            if (to := self._open()) is not None:
                to.span.set_attributes(_flat(attributes, to.limit_bytes))

    def event(self, name: str, **attributes: Any) -> None:
        """Say that something happened just now; attributes as in `set`."""
        with quietly("an event"):
            if (to := self._open()) is not None:
                to.span.add_event(name, _flat(attributes, to.limit_bytes))

    def fail(self, reason: BaseException | str) -> None:
        """Say that it failed, where no exception that leaves the block says so."""
        with quietly("a failure"):
            if (to := self._open()) is not None:
                to.fail(*_failure(reason))

    def update(
        self,
        *,
        input: Any = observed.ABSENT,
        output: Any = observed.ABSENT,
        model: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        usage: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Say more of it; see `update_span`."""
        if input is not observed.ABSENT:
            self.set_input(input)
        if output is not observed.ABSENT:
            self.set_output(output)
        with quietly("an update"):
            if (to := self._open()) is not None:
                plain = copied(dict(parameters), to.limit_bytes)[0] if parameters else {}
                to.span.set_attributes(observed.model(model, plain, to.limit_bytes))
                if usage is not None:
                    to.used(observed.usage(usage))
                if metadata:
                    to.describe(to_labels(None, None, None, metadata))

    def _recorded(self) -> Observed | None:
        found = self._observed
        return found if found is not None and found.is_recording else None

    def _open(self) -> Observed | None:
        found = self._recorded()
        return found if found is not None and found.is_open else None


_NOTHING = Span(None)


@contextmanager
def span(
    name: str,
    *,
    kind: Kinds = "chain",
    tool_call_id: str | None = None,
    content: Contents | None = None,
) -> Iterator[Span]:
    """Record a block as a span: what is called inside becomes its children.

    `kind` says what the block is there for. A tool that runs for a model is given the id of the
    model's tool call: then the call that asked for it, this span, and the call that takes the
    result are linked. `content="metadata"` keeps the input and the output out, whatever the
    settings say. An exception that leaves the block is recorded and goes on its way. Raises
    `InterceptorError` for an unknown kind or content.
    """
    found = begin(name, to_kind(kind), to_content(content))
    if found is None:
        yield _NOTHING
        return
    found.tool_call_id = tool_call_id
    token = otel_context.attach(found.context)
    try:
        yield Span(found)
    except BaseException as error:
        surroundings.leave(token)
        failed(found, error)
        raise
    surroundings.leave(token)
    found.end()


def current_span() -> Span:
    """Give the nearest span of yours around this line: of `span` or of `observe`.

    Outside of any, and where nothing is recorded, one that does nothing.
    """
    found = _enclosing()
    return _NOTHING if found is None else Span(found)


def last_trace_id() -> str | None:
    """Give the id of the trace that this line is in, or else of the one that began last.

    The latter in this process, in whatever thread: for notebooks, scripts and tests. Where several
    things happen at once, keep `current_span().trace_id`. None where nothing has been recorded.
    """
    inside = current_span().trace_id
    if inside is not None:
        return inside
    last = surroundings.last_trace_id()
    return None if last is None else format_trace_id(last)


def update_span(
    *,
    input: Any = observed.ABSENT,
    output: Any = observed.ABSENT,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    usage: Any = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Say more of the nearest span of yours around this line.

    It reaches no call to Mistral: the span of a call has ended before your program has the
    answer, and says by itself all that it can. Yours are those of `observe` and `span`.

    `model`, `parameters` and `usage` are for a model that no tap can see, one that runs in your
    own process. `usage` is a mapping or an object with `input_tokens` and `output_tokens`, or
    Mistral's `prompt_tokens` and `completion_tokens`, and `total_tokens`. It is kept only where no
    recorded call happens inside: that one counts its own. `metadata` is added to what is there.
    """
    found = _enclosing(what="update_span")
    if found is not None:
        Span(found).update(
            input=input,
            output=output,
            model=model,
            parameters=parameters,
            usage=usage,
            metadata=metadata,
        )


def update_trace(
    *,
    name: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: Iterable[str] | str | None = None,
    metadata: Mapping[str, Any] | None = None,
    input: Any = observed.ABSENT,
    output: Any = observed.ABSENT,
) -> None:
    """Say more of the trace that this line is in: of its outermost span of yours.

    It reaches no call to Mistral that has been made; see `update_span`. The session, the user, the
    tags and the metadata stand on the outermost span and on every span that begins from now on,
    before what `context` says. `name` renames the outermost span.
    """
    found = _enclosing(what="update_trace")
    if found is None:
        return
    root = Span(found.root)
    root.update(input=input, output=output)
    with quietly("an update"):
        if found.root.is_open and found.root.is_recording:
            found.root.label(to_labels(session_id, user_id, tags, metadata))
            if name is not None:
                found.root.span.update_name(name)


def begin(name: str, kind: Kind, content: Content | None) -> Observed | None:
    """Begin a span; None where nothing is recorded, or by a mistake of ours, which is logged."""
    if slot.is_off:
        return None
    try:
        observer = slot.observer()
        return None if observer is None else observer.begin(name, kind, content=content)
    except Exception as error:  # noqa: BLE001 - the edge: the program goes on unrecorded
        report("a span", error)
        return None


def failed(span: Observed, error: BaseException) -> None:
    """End a span with the exception that ends it; a generator left early has not failed."""
    if isinstance(error, GeneratorExit):
        span.end(CLOSED_EARLY)
    else:
        span.fail(*_failure(error))
        span.end()


def to_kind(given: str) -> Kind:
    """Read a kind; raise `InterceptorError` where it is none."""
    try:
        return Kind(given)
    except ValueError as error:
        raise InterceptorError(f"kind is {given!r}; use one of: {', '.join(Kind)}") from error


def to_content(given: str | None) -> Content | None:
    """Read what to do with words; raise `InterceptorError` where it is neither of the two."""
    try:
        return None if given is None else Content(given)
    except ValueError as error:
        raise InterceptorError(f"content is {given!r}; use one of: {', '.join(Content)}") from error


def _enclosing(*, what: str | None = None) -> Observed | None:
    """Give the nearest observed span; where there might be one, say that `what` did nothing."""
    found = surroundings.of(otel_context.get_current()).span
    if isinstance(found, Observed):
        return found
    if what is not None and not slot.is_off:
        _log.warning(
            "interceptor.%s did nothing: it was called outside of any function with "
            "@interceptor.observe and any block of interceptor.span",
            what,
        )
    return None


def _failure(reason: BaseException | str) -> tuple[str, str | None]:
    if isinstance(reason, str):
        return "_OTHER", reason
    try:
        message = str(reason)
    except Exception as error:  # noqa: BLE001 - a message is made by anybody's code
        report("an exception's message", error)
        message = ""
    return type(reason).__qualname__, message or None


def _flat(attributes: Mapping[str, Any], limit: int) -> dict[str, observed.Value]:
    return {
        name: STRUCK if is_credential(name) else observed.flat(copied(value, limit)[0], limit)
        for name, value in attributes.items()
        if value is not None
    }
