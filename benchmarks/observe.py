"""What an observed function costs its caller, beside a bare OpenTelemetry span around it.

The span by hand is what anybody writes who records the same: `start_as_current_span` around the
call, `set_attribute` for each of the attributes that the observed span comes to have, no
processor. They are handed to it ready made; the observed function has to make them of its
arguments and its result. Nothing is sent anywhere (`destinations=()`). Both are measured in the
same rounds, against the function alone. The last figure is the whole process's CPU, until all that
was recorded can be read: the caller's part, and the worker's afterwards.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

import interceptor

from ._pairs import Figure, Side, Twin, main, measured
from ._spans import Spans

__all__ = ["ROUNDS", "figures"]

ROUNDS = 201

_CALLS, _WARM_UP_CALLS = 100, 20
_TIMES = 1.3
_HISTORY = [
    {"role": "user", "content": "Which ferry goes to the island in the morning?"},
    {"role": "assistant", "content": "The one at 7:40 from the second quay."},
]


def answer(question: str, history: list[dict[str, str]], *, limit: int = 3) -> dict[str, Any]:
    """Do nothing, with arguments and a result as such functions have."""
    return {"answer": question, "turns": len(history), "limit": limit}


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a span by hand, of an observed call, and of that with the worker's part."""
    spans = Spans()
    observed = interceptor.observe(answer)
    _calls(observed, 1)
    attributes = spans.last()
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("bench")

    def by_hand(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span("answer") as span:
            result = answer(*args, **kwargs)
            for name, value in attributes.items():
                span.set_attribute(name, value)
        return result

    twin = f"by hand, {len(attributes)} attributes"
    yield from measured(
        "an observed call",
        tapped=lambda: _calling(observed),
        bare=lambda: _calling(answer),
        units=_CALLS,
        rounds=rounds,
        between=spans.flush,
        twin=Twin(twin, lambda: _calling(by_hand), _TIMES),
    )
    yield _with_the_worker(observed, by_hand, spans, rounds)
    spans.said(input__mime_type="application/json", gen_ai__operation__name="invoke_workflow")


def _calls(function: Callable[..., Any], count: int) -> None:
    for _ in range(count):
        function("And in the evening?", _HISTORY, limit=5)


def _calling(function: Callable[..., Any]) -> Side:
    _calls(function, _WARM_UP_CALLS)
    return lambda: _calls(function, _CALLS)


def _with_the_worker(
    observed: Callable[..., Any], by_hand: Callable[..., Any], spans: Spans, rounds: int
) -> Figure:
    """Give the CPU of all threads for an observed call, beside that for a span by hand."""

    def spent(function: Callable[..., Any]) -> float:
        spans.flush()
        started_ns = time.process_time_ns()
        _calls(function, _CALLS)
        spans.flush()
        return (time.process_time_ns() - started_ns) / _CALLS / 1000

    pairs = [(spent(observed), spent(by_hand)) for _ in range(rounds)]
    return Figure(
        name="observed, all threads",
        unit="µs cpu",
        tapped=statistics.median(ours for ours, _ in pairs),
        bare=statistics.median(theirs for _, theirs in pairs),
        added=statistics.median(ours - theirs for ours, theirs in pairs),
        ratio=statistics.median(ours / theirs for ours, theirs in pairs),
        runs=rounds,
    )


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
