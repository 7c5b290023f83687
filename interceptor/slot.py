"""Where taps that were given no recorder find one.

`interceptor/__init__.py` fills it, so that taps need not know how a recorder is put together.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from interceptor.recorder import Recorder

__all__ = ["recorder"]


def _nobody() -> "Recorder | None":
    return None


recorder: "Callable[[], Recorder | None]" = _nobody
"""Gives the recorder in force, or None where recording is off."""
