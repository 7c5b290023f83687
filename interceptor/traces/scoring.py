"""What somebody thinks of a trace, or of a span of it: said while it runs, or long after."""

import math

from interceptor import slot, surroundings
from interceptor.dialects import observed
from interceptor.errors import InterceptorError, StoreError
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
    `InterceptorError` for a value or an id that cannot be one; does nothing where nothing is
    recorded.
    """
    given = _given(name, value)
    trace = _number("trace_id", trace_id or last_trace_id(), _TRACE_DIGITS)
    span = None if span_id is None else _number("span_id", span_id, _SPAN_DIGITS)
    observer = None if slot.is_off else slot.observer()
    if observer is None:
        return
    under = span or root_here(trace)
    observer.score(
        trace,
        lambda: under or _root(trace),
        given,
        about=observed.judging(span_id),
        comment=comment,
    )


def _given(name: str, value: float | str) -> observed.Attributes:
    if isinstance(value, str):
        return observed.evaluation(name, value=None, label=value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InterceptorError(f"the score {name!r} is {value!r}; use a number or a word")
    return observed.evaluation(name, value=number, label=None)


def _number(what: str, given: str | None, digits: int) -> int:
    if given is None:
        raise InterceptorError("there is no trace to score in this process yet; give a trace_id")
    try:
        found = int(given, 16) if len(given) == digits else 0
    except ValueError:
        found = 0
    if not found:
        raise InterceptorError(f"{what} is {given!r}; use its {digits} hexadecimal digits")
    return found


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
