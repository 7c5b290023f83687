"""What a recorded call costs its caller, beside a bare OpenTelemetry span with the same attributes.

Nothing is sent anywhere (`destinations=()`), and the transport inside answers from memory: what is
left is the tap, the span, and the hand-over to the worker. The bare span is what anybody pays who
records the same by hand around the same call: `start_span`, `set_attribute` for each attribute,
`end`, no processor. Both are measured in the same rounds, against the call alone.
"""

import sys
from collections.abc import Iterator

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

import interceptor

from . import _memory_transport as memory
from ._pairs import Figure, Side, Twin, main, measured
from ._spans import Spans

__all__ = ["ROUNDS", "figures"]

ROUNDS = 201

_CALLS, _WARM_UP_CALLS = 20, 5


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a bare span around a call, and of a recorded call, whose limit it is."""
    spans = Spans()
    attributes = _attributes_of_a_call(spans)
    plain = memory.answer()
    tapped = interceptor.wrap(memory.answer())
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("bench")

    def sending(transport: object) -> Side:
        memory.sends(transport, memory.requests(_WARM_UP_CALLS))
        given = memory.requests(_CALLS)
        return lambda: memory.sends(transport, given)

    def by_hand() -> Side:
        def run() -> None:
            for request in given:
                span = tracer.start_span("chat mistral-small-latest", kind=SpanKind.CLIENT)
                memory.sends(plain, [request])
                for name, value in attributes.items():
                    span.set_attribute(name, value)
                span.end()

        given = memory.requests(_WARM_UP_CALLS)
        run()
        given = memory.requests(_CALLS)
        return run

    yield from measured(
        "a recorded call",
        tapped=lambda: sending(tapped),
        bare=lambda: sending(plain),
        units=_CALLS,
        rounds=rounds,
        between=spans.flush,
        twin=Twin(f"by hand, {len(attributes)} attributes", by_hand),
    )
    spans.said(gen_ai__usage__input_tokens=21)


def _attributes_of_a_call(spans: Spans) -> dict[str, object]:
    """Record one call, and give the attributes that its span came to have."""
    memory.sends(interceptor.wrap(memory.answer()), memory.requests(1))
    spans.flush()
    return spans.last()


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
