"""A thread that runs work from a queue bounded in bytes.

Whoever submits never waits: where too much is waiting, jobs let go of what they hold, the oldest
of the largest first, and are run all the same. Nothing here takes a lock, because a job may be
submitted by a finaliser that interrupts any line of Python, these included.
"""

import os
import threading
import time
import weakref
from collections import deque
from queue import SimpleQueue
from typing import Protocol

from interceptor.quiet import report

__all__ = ["Job", "Worker", "pause"]

_SIZE_CLASSES = 48


class Job(Protocol):
    """Something to run later, which holds memory until then."""

    @property
    def size_bytes(self) -> int:
        """How much memory the job holds."""

    def run(self) -> None:
        """Do the work, on the worker's thread."""

    def let_go(self) -> None:
        """Drop what is held; `run` must still make sense. May be called twice."""


class _Entry:
    """A job in the queue, with the size that it was counted at."""

    __slots__ = ("job", "size")

    def __init__(self, job: Job, size: int) -> None:
        self.job, self.size = job, size


class Worker:
    """Runs jobs one after the other, on one daemon thread that starts when it is first needed.

    After a fork the child begins with an empty queue and a thread of its own: what was waiting
    belongs to the parent.
    """

    def __init__(self, *, budget_bytes: int, name: str = "interceptor") -> None:
        """Hold at most about `budget_bytes` in waiting jobs."""
        self._budget_bytes = budget_bytes
        self._name = name
        self.let_go_count = 0
        self._begin()
        _workers.add(self)

    def _begin(self) -> None:
        self._queue: SimpleQueue[_Entry | threading.Event] = SimpleQueue()
        self._waiting: tuple[deque[_Entry], ...] = tuple(deque() for _ in range(_SIZE_CLASSES))
        # Counted without a lock, so it may drift; it is set right whenever nothing waits.
        self._held_bytes = 0
        self._thread: threading.Thread | None = None
        self._unstarted = [True]

    def start(self) -> None:
        """Start the thread where it does not run yet. Not to be called from a finaliser.

        A thread cannot be started from there: `threading` has locks that a finaliser may have
        interrupted. So whoever will submit a job calls this when the job is first foreseen.
        """
        try:
            self._unstarted.pop()
        except IndexError:
            return
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. Never blocks, and may be called from a finaliser; see `start`."""
        entry = _Entry(job, job.size_bytes)
        self._waiting[_size_class(entry.size)].append(entry)
        self._held_bytes += entry.size
        self._queue.put(entry)
        if self._held_bytes > self._budget_bytes:
            self._make_room()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was submitted before has run; False where that took too long."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout_s)

    def _work(self) -> None:
        while True:
            entry = self._queue.get()
            if isinstance(entry, threading.Event):
                entry.set()
                continue
            self._taken(entry)
            try:
                entry.job.run()
            except Exception as error:  # noqa: BLE001 - the thread must outlive any job
                report("a recorded call", error)
            del entry

    def _taken(self, entry: _Entry) -> None:
        """Count a job as no longer waiting. Jobs of one size class leave in the order they came."""
        peers = self._waiting[_size_class(entry.size)]
        if peers and peers[0] is entry:
            peers.popleft()
            self._held_bytes -= entry.size
        if not any(self._waiting):
            self._held_bytes = 0

    def _make_room(self) -> None:
        """Let jobs drop what they hold, the oldest of the largest first, until it fits."""
        for peers in reversed(self._waiting):
            while self._held_bytes > self._budget_bytes:
                try:
                    entry = peers.popleft()
                except IndexError:
                    break
                self._held_bytes -= entry.size
                entry.job.let_go()
                self.let_go_count += 1


def _size_class(size: int) -> int:
    """Sizes within a factor of two count as alike."""
    return min(size.bit_length(), _SIZE_CLASSES - 1)


def pause() -> None:
    """Give other threads the interpreter for a moment, in the midst of long work."""
    time.sleep(0.00005)


_workers: "weakref.WeakSet[Worker]" = weakref.WeakSet()


def _after_fork() -> None:
    for worker in tuple(_workers):
        worker._begin()  # noqa: SLF001 - the fork hook is a part of the class


os.register_at_fork(after_in_child=_after_fork)
