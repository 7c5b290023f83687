"""What each piece of a stream costs its caller: a clock's reading and an append."""

import sys
from collections.abc import Iterator

import interceptor

from . import _memory_transport as memory
from ._pairs import Figure, Limit, Side, main, measured
from ._spans import Spans

__all__ = ["ROUNDS", "figures"]

ROUNDS = 21

_CHUNKS = 20_000
_LIMIT = Limit(1.0, "1 µs a chunk")


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a piece in a stream of twenty thousand."""
    spans = Spans()
    plain = memory.stream(_CHUNKS)
    tapped = interceptor.wrap(memory.stream(_CHUNKS))

    def sending(transport: object) -> Side:
        given = memory.requests(1)
        return lambda: memory.sends(transport, given)

    yield from measured(
        "a chunk of a stream",
        tapped=lambda: sending(tapped),
        bare=lambda: sending(plain),
        units=_CHUNKS,
        rounds=rounds,
        between=spans.flush,
        limit=_LIMIT,
    )
    spans.said(mistral_ai__stream__events=_CHUNKS, gen_ai__usage__input_tokens=9)


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
