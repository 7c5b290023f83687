"""A loopback server that answers from recorded exchanges, for tests and for the demo.

    with Server.of("chat.completions/plain") as server:
        mistral = Mistral(api_key="any", server_url=server.url)

`fixtures` reads the exchanges, `scripts` turns a response into what a server writes (or fails to
write), `rules` picks one for a request, and `server` does the I/O.
"""

from interceptor.replay.fixtures import Fixture, all_fixtures, load, named
from interceptor.replay.messages import Request, Response
from interceptor.replay.rules import Rule, by_question, in_order
from interceptor.replay.scripts import (
    EARLY_HINTS,
    HANG_UP,
    HOLD,
    Pause,
    Script,
    cut,
    hold,
    script,
)
from interceptor.replay.server import Server

__all__ = [
    "EARLY_HINTS",
    "HANG_UP",
    "HOLD",
    "Fixture",
    "Pause",
    "Request",
    "Response",
    "Rule",
    "Script",
    "Server",
    "all_fixtures",
    "by_question",
    "cut",
    "hold",
    "in_order",
    "load",
    "named",
    "script",
]
