"""What a recorded call costs its caller, beside a bare OpenTelemetry span with the same attributes.

Nothing is sent anywhere (`destinations=()`), and the transport inside answers from memory: what is
left is the tap, the span, and the hand-over to the worker. The bare span is what anybody pays who
records the same by hand around the same call: `start_span`, `set_attribute` for each attribute,
`end`, no processor. Both are measured in the same rounds, against the call alone.
"""

import sys
from collections.abc import Iterator

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

import interceptor

from . import _memory_transport as memory
from ._pairs import Figure, Side, Twin, arguments, measured, printed

__all__ = ["figures"]

_CALLS = 20


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a bare span around a call, and of a recorded call, the limit of which it is."""
    attributes = _attributes_of_a_call()
    plain = memory.answer()
    tapped = interceptor.wrap(memory.answer())
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("bench")

    def sending(transport: object) -> Side:
        given = memory.requests(_CALLS)
        return lambda: memory.sends(transport, given)

    def by_hand() -> Side:
        given = memory.requests(_CALLS)

        def run() -> None:
            for request in given:
                span = tracer.start_span("chat mistral-small-latest", kind=SpanKind.CLIENT)
                memory.sends(plain, [request])
                for name, value in attributes.items():
                    span.set_attribute(name, value)
                span.end()

        return run

    yield from measured(
        "a recorded call",
        tapped=lambda: sending(tapped),
        bare=lambda: sending(plain),
        units=_CALLS,
        rounds=rounds,
        between=interceptor.flush,
        twin=Twin(f"a bare span, {len(attributes)} attributes", by_hand),
    )


def _attributes_of_a_call() -> dict[str, object]:
    """Record one call, and give the attributes that its span came to have."""
    ended: list[ReadableSpan] = []

    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Keep())
    interceptor.configure(destinations=(), content="full", tracer_provider=provider)
    memory.sends(interceptor.wrap(memory.answer()), memory.requests(1))
    interceptor.flush()
    return dict(ended[0].attributes or {})


if __name__ == "__main__":
    given = arguments(__doc__ or "", rounds=201)
    sys.exit(printed(figures(given.rounds), as_json=given.json))
