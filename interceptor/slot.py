"""Where taps find a recorder, observed functions an observer, and readers what was kept.

`interceptor/__init__.py` fills it, so that they need not know how these are put together, and
whoever puts others in force fills it anew.
"""

TYPE_CHECKING = False  # `typing` would be most of what `import interceptor` costs

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

    from interceptor.hosts import Knows
    from interceptor.observer import Observer
    from interceptor.recorder import Recorder

__all__ = ["flush", "is_off", "kept", "knows", "observer", "recorder"]


def _nobody() -> "Recorder | None":
    return None


def _unobserved() -> "Observer | None":
    return None


def _unflushed() -> bool:
    return True


def _unkept() -> "AbstractContextManager[Any]":
    raise LookupError("nothing keeps traces here: import interceptor first")


def _nothing(_host: str, _agent: "Callable[[], str]") -> bool:
    return False


recorder: "Callable[[], Recorder | None]" = _nobody
"""Gives the recorder in force, made on the first call; None where recording is off."""

observer: "Callable[[], Observer | None]" = _unobserved
"""Gives the observer in force, as `recorder` does."""

flush: "Callable[[], bool]" = _unflushed
"""Brings all that has ended where it goes; False where that took too long."""

kept: "Callable[[], AbstractContextManager[Any]]" = _unkept
"""Gives a `store.Store` to read back with."""

knows: "Knows" = _nothing
"""Tells whether a request is Mistral's whatever it asks for. Makes no recorder."""

is_off: bool = False
"""Whether recording has been found to be off: taps then look at nothing else."""
