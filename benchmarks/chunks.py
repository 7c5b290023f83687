"""What each piece of a stream costs its caller: a clock's reading and an append."""

import sys
from collections.abc import Iterator

import interceptor

from . import _memory_transport as memory
from ._pairs import Figure, Limit, Side, arguments, measured, printed

__all__ = ["figures"]

_CHUNKS = 20_000
_LIMIT = Limit(1.0, "1 µs a chunk")


def figures(rounds: int) -> Iterator[Figure]:
    """Give the cost of a piece in a stream of twenty thousand."""
    interceptor.configure(destinations=(), content="full")
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
        between=lambda: _flushed(),
        limit=_LIMIT,
    )


def _flushed() -> None:
    if not interceptor.flush(60):
        raise TimeoutError("the worker did not keep up")


if __name__ == "__main__":
    given = arguments(__doc__ or "", rounds=21)
    sys.exit(printed(figures(given.rounds), as_json=given.json))
