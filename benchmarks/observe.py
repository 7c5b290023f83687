"""What an observed function costs its caller, beside a bare OpenTelemetry span around it.

The span by hand is what anybody writes who records the same: `start_as_current_span` around the
call, `set_attribute` for each of the attributes that the observed span comes to have, no
processor. They are handed to it ready made; the observed function has to make them of its
arguments and its result. Nothing is sent anywhere. Both are measured in the same rounds, against
the function alone. What the worker does afterwards is in the wall time, where it shares a core,
and in the last figure, which has all threads and the flush in it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import interceptor

from ._pairs import Figure, Side, Twin, main, measured

__all__ = ["figures"]

_CALLS = 20
_TIMES = 1.3
_HISTORY = [
    {"role": "user", "content": "Which ferry goes to the island in the morning?"},
    {"role": "assistant", "content": "The one at 7:40 from the second quay."},
]


def answer(question: str, history: list[dict[str, str]], *, limit: int = 3) -> dict[str, Any]:
    """Do nothing, with arguments and a result as such functions have."""
    return {"answer": question, "turns": len(history), "limit": limit}


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a span by hand, and of an observed call, and whether that is within it."""
    observed = interceptor.observe(answer)
    attributes = _attributes(observed)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("bench")

    def by_hand(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span("answer") as span:
            result = answer(*args, **kwargs)
            for name, value in attributes.items():
                span.set_attribute(name, value)
        return result

    yield from measured(
        "an observed call",
        tapped=lambda: _calling(observed),
        bare=lambda: _calling(answer),
        units=_CALLS,
        rounds=rounds,
        between=interceptor.flush,
        twin=Twin(
            f"a span by hand, {len(attributes)} attributes", lambda: _calling(by_hand), _TIMES
        ),
    )


def _calling(function: Callable[..., Any]) -> Side:
    def run() -> None:
        for _ in range(_CALLS):
            function("And in the evening?", _HISTORY, limit=5)

    return run


def _attributes(observed: Callable[..., Any]) -> dict[str, Any]:
    """Observe one call, and give the attributes that its span came to have."""
    ended: list[ReadableSpan] = []

    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Keep())
    interceptor.configure(destinations=(), content="full", tracer_provider=provider)
    _calling(observed)()
    interceptor.flush()
    interceptor.configure(destinations=(), content="full")
    return dict(ended[0].attributes or {})


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, rounds=201))
