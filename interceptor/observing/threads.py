"""Threads that know where they were started from."""

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["ContextThreadPoolExecutor"]

P = ParamSpec("P")
T = TypeVar("T")


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose tasks begin in a copy of their submitter's context.

    So spans of theirs have the parent that they would have had without the thread, and sessions
    and users hold for them. For a thread of your own: `Thread(target=copy_context().run,
    args=(function, ...))`, with `contextvars.copy_context`; `asyncio.to_thread` and
    `anyio.to_thread.run_sync` do it by themselves.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule a call, as `ThreadPoolExecutor` does."""
        context = contextvars.copy_context()
        return super().submit(lambda: context.run(fn, *args, **kwargs))
