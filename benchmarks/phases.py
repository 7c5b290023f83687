"""What timing the network's phases adds to a recorded call, over a real connection.

Both sides are recorded, one with `phases` on and one with it off, and both send to a server on
this machine over a connection that stays open. The phases come from httpcore's `trace` extension,
which calls a function of ours a dozen times a call.
"""

import sys
from collections.abc import Iterator

from interceptor.replay import Server
from interceptor.runtime import Runtime
from interceptor.settings import Settings
from interceptor.transports import wrap

from . import _memory_transport as memory
from ._pairs import Figure, Side, main, measured

__all__ = ["ROUNDS", "figures"]

ROUNDS = 41
_CALLS = 20


def figures(rounds: int) -> Iterator[Figure]:
    """Give what a call with phases costs its caller over one without."""
    library = memory.http()
    on, off = (
        Runtime(Settings(destinations=(), phases=phases)).recorder for phases in (True, False)
    )
    with (
        Server.of("chat.completions/plain") as server,
        wrap(library.HTTPTransport(), recorder=on) as timed,
        wrap(library.HTTPTransport(), recorder=off) as untimed,
    ):
        url = f"{server.url}/v1/chat/completions"

        def sending(transport: object) -> Side:
            given = memory.requests(_CALLS, url)
            return lambda: memory.sends(transport, given)

        def between() -> None:
            on.flush(60)
            off.flush(60)

        yield from measured(
            "the phases of a call",
            tapped=lambda: sending(timed),
            bare=lambda: sending(untimed),
            units=_CALLS,
            rounds=rounds,
            between=between,
        )


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
