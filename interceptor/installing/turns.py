"""One thread at a time, where clients are changed: a tap put in by two at once could not be undone.

The lock may be taken again by who has it, for a finaliser may come in between. The child of a
fork has a new one: whoever held the old one is not there.
"""

import os
import threading
from contextlib import AbstractContextManager
from typing import Any

__all__ = ["turn"]


_turn = threading.RLock()


def turn() -> AbstractContextManager[Any]:
    """Give what to hold meanwhile."""
    return _turn


def _after_fork() -> None:
    global _turn  # noqa: PLW0603 - it is one for the process
    _turn = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)
