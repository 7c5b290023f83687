"""What a server writes, step by step: a response well told, or told wrong on purpose.

A `Script` is a tuple of steps, so that a fault which has no function here is a line in a test:
`(EARLY_HINTS, *script(response))`, `(HOLD, *script(response))`, `(b"garbage", HANG_UP)`.
"""

import enum
import re
from typing import Final, NamedTuple

from interceptor.replay.messages import Response, value

__all__ = ["EARLY_HINTS", "HANG_UP", "HOLD", "Pause", "Script", "Step", "cut", "hold", "script"]

_EVENT_GAP_S = 0.015
_ANSWER_AFTER_MS = "150"  # where the recorded response does not say
_FRAMING = ("connection", "content-length", "keep-alive", "transfer-encoding")


class Pause(NamedTuple):
    """Let time pass, as it does at the real API; a server's `pace` stretches or skips it."""

    seconds: float


class _Signal(enum.Enum):
    HOLD = "hold"
    HANG_UP = "hang up"


HOLD: Final = _Signal.HOLD
"""Write nothing more until `Server.release()` is called."""

HANG_UP: Final = _Signal.HANG_UP
"""Close the connection here."""

EARLY_HINTS: Final = b"HTTP/1.1 103 Early Hints\r\nlink: </status>; rel=preconnect\r\n\r\n"
"""An informational response, which any number of times may come before the real one."""

Step = bytes | Pause | _Signal
Script = tuple[Step, ...]


def script(response: Response) -> Script:
    """Give the steps of a server that does all well.

    An event stream goes out chunked, an event a chunk; any other body in one piece under its
    Content-Length. The answer begins as late as the recorded one says it did.
    """
    wait_ms = value(response.headers, "x-envoy-upstream-service-time") or _ANSWER_AFTER_MS
    steps: list[Step] = [Pause(int(wait_ms) / 1000)]
    if not _is_stream(response):
        return *steps, _head(response, f"content-length: {len(response.body)}"), response.body
    steps.append(_head(response, "transfer-encoding: chunked"))
    for event in _events(response.body):
        steps += (b"%x\r\n%s\r\n" % (len(event), event), Pause(_EVENT_GAP_S))
    return *steps, b"0\r\n\r\n"


def cut(response: Response, *, after_events: int = 0) -> Script:
    """Give the steps of a server that hangs up in the middle of the event after these.

    A body that is no stream is cut in its middle, short of the length it announced.
    """
    before, write, _ = _parted(script(response), after_events)
    return *before, write[: len(write) // 2], HANG_UP


def hold(response: Response, *, after_events: int = 0) -> Script:
    """Give the steps of a server that sends so many events and then waits for its release."""
    before, write, rest = _parted(script(response), after_events)
    return *before, HOLD, write, *rest


def _is_stream(response: Response) -> bool:
    return (value(response.headers, "content-type") or "").startswith("text/event-stream")


def _head(response: Response, framing: str) -> bytes:
    kept = (f"{name}: {text}" for name, text in response.headers if name not in _FRAMING)
    lines = (f"HTTP/1.1 {response.status} {response.reason}", *kept, framing, "", "")
    return "\r\n".join(lines).encode("latin-1")


def _events(body: bytes) -> list[bytes]:
    """Cut a body after each blank line: nothing is lost, so that encoded bodies may pass too."""
    return [piece for piece in re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", body) if piece]


def _parted(steps: Script, events: int) -> tuple[Script, bytes, Script]:
    """Part a script at what it writes after the head and so many events."""
    writes = [(at, step) for at, step in enumerate(steps) if isinstance(step, bytes)]
    at, write = writes[1 + events]
    return steps[:at], write, steps[at + 1 :]
