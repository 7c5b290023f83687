"""The network's phases of a call: httpcore's public `trace` hook, which requests carry.

The hook lies in `request.extensions`, and those belong to the request, not to one sending of it:
a client that hedges sends the same one twice at a time. So what lies there is the same for every
sending, and finds by the context it is called in whose phases it hears of.
"""

from collections.abc import Callable, MutableMapping
from contextvars import ContextVar, Token
from typing import Any

from interceptor.quiet import report

__all__ = ["AsyncTrace", "Mark", "Marks", "Trace", "begin", "end"]

Mark = tuple[str, int]
"""The name of one of httpcore's events, and the clock's reading when it came."""

Hook = Callable[[str, Any], Any]
Marks = tuple[Callable[[Mark], None], Callable[[], int]]
"""Where marks go, and the clock that they are read from."""

_KEY = "trace"
_marks: ContextVar[Marks | None] = ContextVar("interceptor_phases", default=None)


class Trace:
    """The hook of synchronous requests; one that was there before is called, too."""

    def __init__(self, other: Hook | None = None) -> None:
        """Call `other` after each mark."""
        self.other = other

    def __call__(self, name: str, info: Any) -> Any:
        """Mark an event."""
        _mark(name)
        return None if self.other is None else self.other(name, info)


class AsyncTrace(Trace):
    """The hook of asynchronous requests: it is awaited."""

    def __call__(self, name: str, info: Any) -> Any:
        """Mark an event; give something to await, or what httpcore will refuse by itself."""
        _mark(name)
        return _nothing() if self.other is None else self.other(name, info)


_ALONE: dict[type[Trace], Trace] = {Trace: Trace(), AsyncTrace: AsyncTrace()}


def begin(
    extensions: MutableMapping[str, Any], kind: type[Trace], marks: Marks
) -> Token[Marks | None]:
    """Hear of the phases of what is sent in this context, with a hook of this kind."""
    there = extensions.get(_KEY)
    if not isinstance(there, Trace):  # else an overlapping sending has put it there
        extensions[_KEY] = _ALONE[kind] if there is None else kind(there)
    return _marks.set(marks)


def end(extensions: MutableMapping[str, Any], token: Token[Marks | None], *, is_last: bool) -> None:
    """Hear no more; the last of those who are sending the request leaves it as it was."""
    there = extensions.get(_KEY)
    if is_last and isinstance(there, Trace):
        if there.other is None:
            del extensions[_KEY]
        else:
            extensions[_KEY] = there.other
    try:
        _marks.reset(token)
    except ValueError:  # a coroutine that is closed elsewhere than it ran
        return


def _mark(name: str) -> None:
    try:
        marks = _marks.get()
        if marks is not None:
            add, clock_ns = marks
            add((name, clock_ns()))
    except Exception as error:  # noqa: BLE001 - the edge: httpcore is in the midst of its work
        report("the phases of a call", error)


async def _nothing() -> None:
    return
