"""A thread that runs work from a queue bounded in bytes.

Whoever submits never waits: where too much is waiting, jobs let go of what they hold, the oldest
of the largest first, and are run all the same. Submitting takes no lock, because a finaliser may
do it that has interrupted any line of Python, these included; and it wakes nobody, because that
would cost the submitter more than everything else that happens to a call. The thread looks for
work by itself, often while there is some and not at all while none is foreseen.
"""

import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from interceptor.quiet import report

__all__ = ["Job", "Runner", "Worker", "pause"]

_Entry = tuple["Job", int]
"""A job in the queue, with the size that it was counted at: a bare tuple, made on others' time."""

_SIZE_CLASSES = 48
_SHORTEST_S, _LONGEST_S = 0.02, 0.1


class Job(Protocol):
    """Something to run later, which holds memory until then."""

    @property
    def size_bytes(self) -> int:
        """How much memory the job holds."""

    def run(self) -> None:
        """Do the work, on the worker's thread."""

    def let_go(self) -> None:
        """Drop what is held; `run` must still make sense. May be called twice."""


class Runner(Protocol):
    """Runs jobs, at once or later."""

    let_go_count: int

    def start(self) -> None:
        """Prepare for a job that is foreseen."""

    def submit(self, job: Job) -> None:
        """Run a job, at once or later."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was submitted has run; False where that took too long."""


def _nothing_foreseen() -> bool:
    return False


def _nothing_meanwhile() -> None:
    return


class Worker:
    """Runs jobs one after the other, on one daemon thread that starts when it is first needed.

    After a fork the child begins with an empty queue and a thread of its own: what was waiting
    belongs to the parent.
    """

    def __init__(
        self,
        *,
        budget_bytes: int,
        is_needed: Callable[[], bool] = _nothing_foreseen,
        meanwhile: Callable[[], None] = _nothing_meanwhile,
        name: str = "interceptor",
    ) -> None:
        """Hold at most about `budget_bytes` in waiting jobs.

        `is_needed` tells whether jobs are foreseen: while they are, the thread looks out for them.
        `meanwhile` is run between the jobs, for what is still under way.
        """
        self._budget_bytes, self._name = budget_bytes, name
        self._is_needed, self._meanwhile = is_needed, meanwhile
        self._begin()
        _workers.add(self)

    def _begin(self) -> None:
        self.let_go_count = 0
        self._jobs: deque[_Entry | threading.Event] = deque()
        # By size class and identity, the oldest first. Threads may queue in another order than
        # they are counted in, so that an entry is taken out by what it is, not by where it stands.
        self._waiting: tuple[OrderedDict[int, _Entry], ...] = tuple(
            OrderedDict() for _ in range(_SIZE_CLASSES)
        )
        # Counted without a lock, so it may drift; it is set right whenever nothing waits.
        self._held_bytes = 0
        self._thread: threading.Thread | None = None
        self._unstarted = [True]
        self._wake = threading.Event()
        self._is_asleep = False

    def start(self) -> None:
        """See to it that the thread runs and looks out for jobs; call it when one is foreseen.

        Not to be called from a finaliser: threads and events have locks that it may have
        interrupted. Raises `RuntimeError` where the system has no thread to give; the next call
        tries again.
        """
        if self._is_asleep:
            self._is_asleep = False
            self._wake.set()
        if self._unstarted:
            try:
                self._unstarted.pop()
            except IndexError:  # another thread was faster
                return
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self._unstarted.append(True)
                raise
            self._thread = thread

    def submit(self, job: Job) -> None:
        """Queue a job. Never blocks, and may be called from a finaliser; see `start`."""
        size = job.size_bytes
        entry = job, size
        self._waiting[_size_class(size)][id(entry)] = entry
        self._held_bytes += size
        self._jobs.append(entry)
        if self._held_bytes > self._budget_bytes:
            self._make_room()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was submitted before has run; False where that took too long."""
        if self._unstarted or self._thread is threading.current_thread():
            return not self._jobs
        done = threading.Event()
        self._jobs.append(done)
        self._wake.set()
        return done.wait(timeout_s)

    def _work(self) -> None:
        wait_s = _SHORTEST_S
        while True:
            wait_s = _SHORTEST_S if self._run_waiting() else min(2 * wait_s, _LONGEST_S)
            try:
                self._meanwhile()
            except BaseException as error:  # noqa: BLE001 - the thread must outlive this, too
                report("what is known of a call under way", error)
            if wait_s < _LONGEST_S or not self._falls_asleep():
                self._wake.wait(wait_s)
            else:
                self._wake.wait()
            self._wake.clear()

    def _falls_asleep(self) -> bool:
        """Say so before looking a last time: whoever comes later sees it, and wakes the thread."""
        self._is_asleep = True
        self._is_asleep = not self._jobs and not self._is_needed()
        return self._is_asleep

    def _run_waiting(self) -> bool:
        """Run all jobs that wait; tell whether there were any."""
        has_run = False
        while self._jobs:
            entry = self._jobs.popleft()
            has_run = True
            if isinstance(entry, threading.Event):
                entry.set()
                continue
            self._taken(entry)
            try:
                entry[0].run()
            except BaseException as error:  # noqa: BLE001 - the thread must outlive any job
                report("a recorded call", error)
        return has_run

    def _taken(self, entry: _Entry) -> None:
        """Count a job as no longer waiting, unless it has been let go of meanwhile."""
        _, size = entry
        if self._waiting[_size_class(size)].pop(id(entry), None) is not None:
            self._held_bytes -= size
        if not any(self._waiting):
            self._held_bytes = 0

    def _make_room(self) -> None:
        """Let jobs drop what they hold, the oldest of the largest first, until it fits."""
        for peers in reversed(self._waiting):
            while self._held_bytes > self._budget_bytes:
                try:
                    _, (job, size) = peers.popitem(last=False)
                except KeyError:
                    break
                self._held_bytes -= size
                job.let_go()
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
