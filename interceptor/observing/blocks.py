"""A block of your program as a span, and what can be said of it while it runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from opentelemetry import context as otel_context
from opentelemetry.trace import format_span_id, format_trace_id

from interceptor import slot, surroundings
from interceptor.credentials import STRUCK, is_credential
from interceptor.dialects import observed
from interceptor.dialects.observed import Kind
from interceptor.exchange import CLOSED_EARLY
from interceptor.observer import Observed
from interceptor.observing._checks import (
    check_mapping,
    check_text,
    check_usage,
    to_content,
    to_kind,
    to_name,
)
from interceptor.observing._values import copied
from interceptor.observing.sessions import to_labels
from interceptor.quiet import quietly, report, warn_once
from interceptor.settings import Content

__all__ = [
    "NOTHING",
    "Contents",
    "Kinds",
    "Span",
    "begin",
    "failed",
    "span",
]

Kinds = Literal["chain", "agent", "tool", "retriever", "llm"]
Contents = Literal["full", "metadata"]


class Span:
    """A span of yours while it runs; what is said after its end is warned of, and not recorded.

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
        name = to_name(name)
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
        check_text("model", model)
        check_mapping("parameters", parameters)
        check_mapping("metadata", metadata)
        if usage is not None:
            check_usage(usage)
        if input is not observed.ABSENT:
            self.set_input(input)
        if output is not observed.ABSENT:
            self.set_output(output)
        with quietly("an update"):
            if (to := self._open()) is not None:
                plain = copied(dict(parameters), to.limit_bytes)[0] if parameters else {}
                to.span.set_attributes(observed.model(model, plain, to.limit_bytes))
                if usage is not None:
                    _used(to, usage)
                if metadata:
                    to.describe(to_labels(None, None, None, metadata))

    def _recorded(self) -> Observed | None:
        found = self._observed
        return found if found is not None and found.is_recording else None

    def _open(self) -> Observed | None:
        found = self._recorded()
        if found is None or found.is_open:
            return found
        warn_once(
            "said late",
            f"what is said of a span after its end is not recorded, as of {found.name!r}; "
            "say it inside its block or function",
        )
        return None


NOTHING = Span(None)
"""In place of one where nothing is recorded."""


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
    `ArgumentError` for an unknown kind or content, and for a name that is no text.
    """
    found = begin(to_name(name), to_kind(kind), to_content(content))
    if found is None:
        yield NOTHING
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


def _used(span: Observed, usage: Any) -> None:
    """Say what was used, and of what is not kept that it is not: it may be a model's answer."""
    span.used(observed.usage(usage))
    names, odd = observed.USAGE_NAMES, observed.uncounted(usage)
    if odd:
        say = f"of usage, {', '.join(odd)} is not kept; use whole numbers from 0 up"
        warn_once("no counts", say)
    elif usage and not isinstance(usage, dict) and not any(hasattr(usage, one) for one in names):
        warn_once("no usage", f"usage has none of {', '.join(names)}: nothing of it is kept")


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
