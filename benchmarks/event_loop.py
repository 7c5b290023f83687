"""How long an event loop waits while a large answer is read on another thread.

An answer of 1,000 vectors, 13 MB of JSON, comes in over an asynchronous transport, while a ticker
wakes every millisecond on the same loop. What counts is the longest time between two ticks, from
the request until the call's span has ended, beside the same without recording.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import interceptor

from . import _memory_transport as memory
from ._pairs import Figure, main
from ._spans import Spans

__all__ = ["ROUNDS", "figures"]

ROUNDS = 21

_VECTORS, _DIMENSIONS = 1000, 1024
_PIECE_BYTES = 1 << 16
_LIMIT_MS = 5.0


def figures(rounds: int) -> Iterator[Figure]:
    """Give the longest gap between ticks, in milliseconds, tapped and bare."""
    spans = Spans()
    body = _answer()
    pieces = [body[at : at + _PIECE_BYTES] for at in range(0, len(body), _PIECE_BYTES)]
    inner = _transport(pieces)
    tapped = interceptor.wrap(_transport(pieces))
    rows = []
    for number in range(rounds):
        sides = [tapped, inner, inner]
        order = [0, 1, 2] if number % 2 else [2, 1, 0]
        found = {which: asyncio.run(_longest_gap_ms(sides[which])) for which in order}
        rows.append([found[0], found[1], found[2]])
    spans.said(
        mistral_ai__embeddings__count=_VECTORS,
        gen_ai__embeddings__dimension__count=_DIMENSIONS,
        gen_ai__usage__input_tokens=7000,
    )
    columns = list(zip(*rows, strict=True))
    differences = sorted(a - b for a, b, _ in rows)
    yield Figure(
        name=f"a loop beside {len(body) / 1e6:.0f} MB",
        unit="ms gap",
        tapped=statistics.median(columns[0]),
        bare=statistics.median(columns[1]),
        added=statistics.median(differences),
        low=differences[rounds // 10],
        high=differences[-1 - rounds // 10],
        control=statistics.median(c - b for _, b, c in rows),
        limit=_LIMIT_MS,
        why="5 ms",
        runs=rounds,
    )


async def _longest_gap_ms(transport: Any) -> float:
    """Send one request and wait for its span, and give the longest gap between ticks meanwhile."""
    gaps: list[float] = []
    is_over = False

    async def ticker() -> None:
        last = time.perf_counter()
        while not is_over:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(ticker())
    await asyncio.sleep(0.01)
    request = memory.http().Request(
        "POST",
        "https://api.mistral.ai/v1/embeddings",
        json={"model": "mistral-embed", "input": ["text"] * _VECTORS},
    )
    response = await transport.handle_async_request(request)
    async for _ in response.stream:
        await asyncio.sleep(0)
    await response.aclose()
    await asyncio.get_running_loop().run_in_executor(None, interceptor.flush, 60)
    is_over = True
    await ticking
    return max(gaps) * 1000


def _answer() -> bytes:
    numbers = ",".join(["-0.01234567"] * _DIMENSIONS)
    data = ",".join(
        f'{{"object":"embedding","index":{index},"embedding":[{numbers}]}}'
        for index in range(_VECTORS)
    )
    return (
        f'{{"id":"bench","object":"list","model":"mistral-embed","data":[{data}],'
        '"usage":{"prompt_tokens":7000,"total_tokens":7000,"completion_tokens":0}}'
    ).encode()


def _transport(pieces: list[bytes]) -> Any:
    library = memory.http()

    class Body(library.AsyncByteStream):  # type: ignore[name-defined,misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

    class Inner(library.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        async def handle_async_request(self, request: Any) -> Any:  # noqa: ARG002
            headers = {"content-type": "application/json"}
            return library.Response(200, headers=headers, stream=Body())

    return Inner()


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
