"""No SQLite connection of ours is open in this process while it forks.

SQLite keeps its locks in the process, and the system does not hand them to a child. A
child that inherits an open connection believes to hold locks that it does not, as does
every connection that it then opens to the same file, and the database breaks. So a
fork waits until nobody is `using` SQLite, and the connections that stay open between
two uses are closed before it. Their owners open them again when they need them, in
the parent and in the child.
"""

import os
import threading
import weakref
from typing import Protocol

__all__ = ["Forks", "on_fork", "using"]


class Forks(Protocol):
    """Told when this process forks."""

    def before_fork(self) -> None:
        """Close what must not be open; nobody else is using SQLite."""

    def after_fork_in_child(self) -> None:
        """Forget what was the parent's: threads, queues, counts."""


# Held during each use, so an ordinary `with using:` is all that a use needs. It can be
# taken twice by one thread: a finaliser may run inside our own section.
using = threading.RLock()
_told: "weakref.WeakSet[Forks]" = weakref.WeakSet()


def on_fork(told: Forks) -> None:
    """Tell an object of this process's forks for as long as it lives."""
    _told.add(told)


def _before() -> None:
    using.acquire()
    for told in tuple(_told):
        told.before_fork()


def _after_in_child() -> None:
    using.release()
    for told in tuple(_told):
        told.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=using.release, after_in_child=_after_in_child
    )
