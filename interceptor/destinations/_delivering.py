"""Our spans, and only ours, brought to a destination, with their words where it may have them."""

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, Status

from interceptor.native import parent_of
from interceptor.spans import MESSAGE, Words, began_unix_ns, is_ours

__all__ = ["Delivery"]


class Delivery(SpanProcessor):
    """Hands spans of ours on to a destination's own processor.

    `words` holds what spans say in words, beside them; a destination that may not have the words
    is given None.
    """

    def __init__(self, inner: SpanProcessor, words: Words | None) -> None:
        """Deliver to `inner`."""
        self._inner, self._words = inner, words
        self._hears_starts = type(inner).on_start is not SpanProcessor.on_start
        self._since_unix_ns = 0
        self._until_unix_ns: int | None = None

    def retire(self, at_unix_ns: int) -> None:
        """Hand on no span that begins from then on; those under way still end here."""
        self._until_unix_ns = at_unix_ns

    def succeed(self, at_unix_ns: int) -> None:
        """Hand on no span that began before then: it ends where it began."""
        self._since_unix_ns = at_unix_ns

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Hand on a span of ours, where anybody listens: this is on the caller's thread."""
        if self._hears_starts and self._takes(span):
            seen = span if self._words is None else _Live(span, self._words)
            self._inner.on_start(seen, parent_context)  # type: ignore[arg-type]

    def on_end(self, span: ReadableSpan) -> None:
        """Hand on a span of ours, with its words."""
        if not self._takes(span):
            return
        context = span.get_span_context()
        words = self._words.get(context.span_id) if self._words and context is not None else None
        parent = parent_of(span.parent)
        is_as_it_is = not words and parent is span.parent
        self._inner.on_end(span if is_as_it_is else _with(span, words or {}, parent))

    def shutdown(self) -> None:
        """Shut the destination down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Bring everything there now."""
        return self._inner.force_flush(timeout_millis)

    def _takes(self, span: ReadableSpan) -> bool:
        if not is_ours(span):
            return False
        began, until = began_unix_ns(span), self._until_unix_ns
        return began >= self._since_unix_ns and (until is None or began < until)


class _Live:
    """A span that is under way, with the words that are shown of it by then."""

    __slots__ = ("_span", "_words")

    def __init__(self, span: Span, words: Words) -> None:
        self._span, self._words = span, words

    @property
    def attributes(self) -> Mapping[str, Any]:
        words = self._words.get(self._span.context.span_id, {})
        own: Any = self._span.attributes or {}
        return ChainMap(words, own)  # no copy: another thread may be setting them

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)


def _with(span: ReadableSpan, words: dict[str, Any], parent: SpanContext | None) -> ReadableSpan:
    """Give an ended span with more to say and this parent; the span itself is others' too."""
    words = dict(words)
    message = words.pop(MESSAGE, None)
    status = span.status if message is None else Status(span.status.status_code, message)
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), **words},
        events=span.events,
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
    )
