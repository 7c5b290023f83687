"""The records of the calls that a block makes, read at once and kept in a list."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from interceptor import slot
from interceptor.record import Record
from interceptor.recorder import Recorder
from interceptor.sink import Asked, Start
from interceptor.worker import Job

__all__ = ["recorded"]


@contextmanager
def recorded() -> Iterator[list[Record]]:
    """Collect the records of all calls in the block, in the order of their ends.

    A call is in the list as soon as it has ended: an answer when it has been read, a stream when it
    has been closed. In the block nothing is sent or stored and no span is made, whatever the
    settings say, and recording works where they put it off. Calls through a transport that was
    given a recorder of its own are not in it.

    The records hold all that was said; no policy is applied. Blocks may be nested: a call is in
    the innermost list. It holds for all threads of the process.
    """
    records: list[Record] = []
    recorder = Recorder(_Listing(records), worker=_AtOnce())
    before = slot.recorder, slot.observer, slot.knows, slot.is_off
    slot.recorder, slot.observer = lambda: recorder, lambda: None
    slot.knows, slot.is_off = recorder.knows, False
    try:
        yield records
    finally:
        recorder.abandon()
        slot.recorder, slot.observer, slot.knows, slot.is_off = before


class _Listing:
    """A sink that keeps records."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def begin(self, start: Start) -> "_Call":  # noqa: ARG002 - the record will say it all
        return _Call(self._records)


class _Call:
    """A call in flight, of which the record is wanted."""

    is_taped = True
    identity = None

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def scope(self) -> AbstractContextManager[None]:
        return nullcontext()

    def tell(self, known: Asked) -> None:
        """Do nothing: the record will say it."""

    def show(self, record: Record) -> None:
        """Do nothing: it is the call's end that puts it into the list."""

    def finish(self, record: Record) -> None:
        self._records.append(record)


class _AtOnce:
    """In place of the worker: whoever ends a call reads it, and finds it in the list."""

    let_go_count = 0

    def start(self) -> None:
        """Do nothing: there is no thread."""

    def submit(self, job: Job) -> None:
        """Run the job now."""
        job.run()

    def flush(self, timeout_s: float) -> bool:  # noqa: ARG002 - nothing waits
        """Say that all has run."""
        return True
