"""What somebody thinks of a trace, or of a span of it: said while it runs, or long after."""

import math
import re
from contextlib import suppress
from typing import Any, SupportsFloat, SupportsIndex

from interceptor import slot, surroundings
from interceptor.dialects import observed
from interceptor.errors import ArgumentError, InterceptorError, StoreError, quoted
from interceptor.observer import root_here
from interceptor.observing import last_trace_id

__all__ = ["score"]

_TRACE_DIGITS, _SPAN_DIGITS = 32, 16
_LOW_BITS = (1 << 64) - 1


def score(
    name: str,
    value: float | str,
    *,
    trace_id: str | None = None,
    span_id: str | None = None,
    comment: str | None = None,
) -> None:
    """Keep what somebody thought of a trace, and send it where the spans go.

    `value` is a number, a truth value, or a word, such as "good". `trace_id` None means the trace
    of `last_trace_id`; `span_id` says that one span of it is meant. The comment is words: it is
    kept where words are. For OpenTelemetry a score is a span of no length in the trace, with the
    event `gen_ai.evaluation.result`; in the store it is no span, and lengthens nothing. Raises
    `ArgumentError` for a name, a value, an id or a comment that cannot be one; whether there is
    such a trace or span is not looked at, for it may be on its way. Does nothing where nothing is
    recorded.
    """
    given = _given(name, value)
    if comment is not None and not isinstance(comment, str):
        raise ArgumentError(f"comment is {quoted(comment)}; use text")
    meant = None if trace_id is None else _number("trace_id", trace_id, _TRACE_DIGITS)
    span = None if span_id is None else _number("span_id", span_id, _SPAN_DIGITS)
    observer = None if slot.is_off else slot.observer()
    if observer is None:
        return
    trace = meant or _last()
    under = span or root_here(trace)
    observer.score(
        trace,
        lambda: under or _root(trace),
        given,
        about=observed.judging(None if span is None else f"{span:016x}"),
        comment=comment,
    )


def _given(name: Any, value: Any) -> observed.Attributes:
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError(f"the name of a score is {quoted(name)}; use a word")
    if isinstance(value, str) and value.strip():
        return observed.evaluation(name, value=None, label=value)
    number = math.nan
    # By what it has, for `float` reads texts and bytes as well.
    if isinstance(value, SupportsFloat | SupportsIndex):
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise ArgumentError(f"the score {quoted(name)} is {quoted(value)}; use a number or a word")
    return observed.evaluation(name, value=number, label=None)


def _number(what: str, given: Any, digits: int) -> int:
    is_id = isinstance(given, str) and re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", given)
    found = int(given, 16) if is_id else 0
    if not found:
        raise ArgumentError(f"{what} is {quoted(given)}; use its {digits} hexadecimal digits")
    return found


def _last() -> int:
    last = last_trace_id()
    if last is None:
        raise InterceptorError("there is no trace to score in this process yet; give a trace_id")
    return int(last, 16)


def _root(trace_id: int) -> int:
    """Give the span that a trace's score stands under: the root, if it can be found.

    It is looked for on the worker's thread, when all that ended before has gone by there.

    In another process than the trace's, without a store that both have, nobody knows it. But the
    score's span has to stand under one, or it would be in another trace.
    """
    known = surroundings.root_span_id(trace_id)
    if known is not None:
        return known
    try:
        with slot.kept() as store:
            spans = store.trace(f"{trace_id:032x}")
    except StoreError:
        return trace_id & _LOW_BITS or 1
    root = next((span for span in spans if span.parent_id is None), spans[0])
    return int(root.span_id, 16)
