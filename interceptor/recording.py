"""One exchange on its way from a tap to the sink, and what is alike of all that is under way."""

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Protocol

import msgspec

from interceptor import phases
from interceptor.endpoints import Endpoint
from interceptor.exchange import Ending, Exchange, Request
from interceptor.quiet import quietly, report
from interceptor.record import Record
from interceptor.sink import Asked, Call, asked
from interceptor.worker import Job

__all__ = ["EXTENSION", "SHOWN_AFTER_NS", "Attempts", "Keeper", "Open", "Recording"]

EXTENSION = "interceptor"
"""The name under which a request's extensions hold its `Attempts`."""

SHOWN_AFTER_NS = 500_000_000
"""How long something is under way before its words are shown: the store writes it down after a
second."""


class Open(Job, Protocol):
    """Something under way; once it has ended, a job of the worker."""

    @property
    def owner(self) -> int:
        """The id of the tap that feeds it, 0 where none does."""

    def tell(self) -> None:
        """Have said what is known so far, where it is not said yet; on the worker's thread."""

    def end(self, ending: Ending | None = None) -> None:
        """End it now, unless it has ended; `ending` says why it did not come to its own end."""

    def forget(self) -> None:
        """Never end: it belongs to another process."""


class Keeper(Protocol):
    """Whoever opened a recording, and takes it when it has ended."""

    @property
    def clock_ns(self) -> Callable[[], int]:
        """Gives the monotonic clock that taps read."""

    def take(self, job: Open) -> None:
        """Queue what has ended, to be run later. Never blocks; a finaliser may call it."""

    def read(self, exchange: Exchange, row: Endpoint) -> Record:
        """Read an exchange, whatever is in it."""


class Attempts:
    """What stays with a request that is sent again: kept in its `extensions`.

    `owners` are the taps that are sending it now. One that is not among them is inside another;
    one that is sends it twice at a time, as hedging clients do.
    """

    __slots__ = ("count", "first", "owners")

    def __init__(self) -> None:
        """Begin with none."""
        self.count, self.first = 0, None
        self.owners: list[int] = []


class Recording:
    """One exchange on its way from a tap to the sink. A context to send the request in.

    `end` may be called any number of times, from any thread and from a finaliser: the first one
    counts, and it only takes a list's last item and puts into a queue. Neither it nor the context
    ever raises anything of its own. `complete` adds to the request the headers that are kept and
    the credentials that it carried, `answered` gives the headers of the response: there are
    many, so they are gone through on the worker's thread.
    """

    __slots__ = (
        "_attempts",
        "_extensions",
        "_is_shown",
        "_is_told",
        "_keeper",
        "_known",
        "_marking",
        "_pending",
        "_row",
        "_scope",
        "_trace",
        "answered",
        "call",
        "clock_ns",
        "complete",
        "exchange",
        "is_taped",
        "owner",
    )

    def __init__(
        self,
        keeper: Keeper,
        row: Endpoint,
        exchange: Exchange,
        call: Call,
        extensions: MutableMapping[str, Any],
        attempts: Attempts,
        trace: type[phases.Trace] | None,
        owner: int,
    ) -> None:
        """Begin; `owner` is the id of the tap that will feed it."""
        self.exchange, self.call, self.owner = exchange, call, owner
        self.complete: Callable[[Request], Request] | None = None
        self.answered: Callable[[], Mapping[str, str]] | None = None
        self.is_taped = is_taped = call.is_taped
        self.clock_ns = keeper.clock_ns
        self._keeper, self._row = keeper, row
        self._extensions, self._attempts = extensions, attempts
        self._trace = trace if is_taped else None
        self._scope = call.scope()
        self._pending = [True] if is_taped else []
        self._is_told = self._is_shown = False
        self._known: Asked | None = None

    def __enter__(self) -> None:
        """Enter the call's scope; taps further in see that the request is recorded already."""
        self._attempts.owners.append(self.owner)
        try:
            self._scope.__enter__()
        except Exception as error:  # noqa: BLE001 - the edge: the request is sent without it
            report("the context of a call", error)
            self._scope = nullcontext()
        if self._trace is not None:
            marks = (self.exchange.marks.append, self.clock_ns)
            self._marking = phases.begin(self._extensions, self._trace, marks)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave all as it was: the same request may be sent again. Exceptions pass through."""
        owners = self._attempts.owners
        owners.remove(self.owner)
        if self._trace is not None:
            phases.end(self._extensions, self._marking, is_last=not owners)
        try:
            self._scope.__exit__(kind, error, trace)
        except Exception as ours:  # noqa: BLE001 - the edge: the caller has an answer to get
            report("the context of a call", ours)

    def tell(self) -> None:
        """Tell the sink what is asked, once, and all of it if the call takes its time."""
        if not self._is_told:
            self._is_told = True
            self.call.tell(self._known or asked(self._row, self.exchange.request))
        elif not self._is_shown and self._pending:
            now_ns = self.clock_ns()
            if now_ns - self.exchange.started_ns >= SHOWN_AFTER_NS:
                self._is_shown = True
                with quietly("what a call under way says"):
                    self._show(now_ns)

    def _show(self, now_ns: int) -> None:
        status, request = self.exchange.status, self.exchange.request
        if self.complete is not None:
            request = self.complete(request)
        record = self._keeper.read(self.exchange.asked(request, now_ns), self._row)
        self.call.show(msgspec.structs.replace(record, status=status))

    def end(self, ending: Ending | None = None) -> None:
        """End the exchange now; `ending` is None where the body came to its own end."""
        if not self._pending:
            return
        try:
            self._pending.pop()
        except IndexError:  # another thread was faster
            return
        try:
            self.exchange.end(self.clock_ns(), ending)
            self._keeper.take(self)
        except Exception as error:  # noqa: BLE001 - the edge: the caller is about to go on
            report("the end of a call", error)

    def forget(self) -> None:
        """Never report this exchange: it belongs to another process."""
        self._pending.clear()

    @property
    def size_bytes(self) -> int:
        """How much memory the bodies hold, roughly."""
        return self.exchange.size_bytes

    def let_go(self) -> None:
        """Drop the bodies; the record will have times, status and a note."""
        self._known = self._known or asked(self._row, self.exchange.request)
        self.exchange.let_go()

    def run(self) -> None:
        """Read the exchange and hand the record over; on the worker's thread."""
        if self.complete is not None:
            try:
                self.exchange.request = self.complete(self.exchange.request)
            except Exception as error:  # noqa: BLE001 - what is to be struck out is not known now
                report("the head of a request", error)
                self.exchange.let_go()
                self.exchange.ending = _without_message(self.exchange.ending)
        if self.answered is not None:
            with quietly("the head of an answer"):
                self.exchange.headers = self.answered()
        with quietly("what was asked"):
            self.tell()
        record = self._keeper.read(self.exchange, self._row)
        with quietly("a span"):
            self.call.finish(record)


def _without_message(ending: Ending | None) -> Ending | None:
    """An exception may quote a credential."""
    return None if ending is None else ending._replace(message=None)
