"""Opens exchanges and hands their records to a sink.

A tap asks `Recorder.open` for a `Recording` before it sends, feeds it while bytes move, and ends
it once. Reading happens later, on the worker's thread. Nothing here knows what a span is.
"""

import os
import re
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Protocol

import msgspec

from interceptor import endpoints
from interceptor.endpoints import Endpoint
from interceptor.exchange import ABANDONED, Decode, Ending, Exchange, Request
from interceptor.hosts import knower
from interceptor.quiet import quietly, report
from interceptor.reading import read
from interceptor.record import Failure, Input, Record, Server, Times
from interceptor.redaction import Policy, redact
from interceptor.worker import Job, Runner, Worker, pause

__all__ = ["Call", "Mark", "Open", "Recorder", "Recording", "Sink", "Start", "Trace", "Tracing"]

Mark = Callable[[tuple[str, int]], None]
Trace = Callable[[str, Any], Any]
"""A function for httpcore's `trace` extension: takes an event's name and facts."""

Tracing = Callable[[Mark, Callable[[], int], Trace | None], Trace]
"""Makes such a function of where to put a mark, a clock, and the function that was there before."""

_EXTENSION = "interceptor"
_SCAN_BYTES = 2048
_ASKED = re.compile(rb'"(model|agent_id)"\s*:\s*"([^"\\]{1,200})"')
_FAILED = 400


class Start(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a call before it is sent.

    `model` and `agent_id` come from a bounded look at the body, so that samplers see what is
    asked: one of them at most, and the record has the last word. `first` is what the first
    attempt's `Call.identity` was, where this is a further one. `extensions` is the request's own,
    for what other tracers left there.
    """

    endpoint: str
    operation: str
    model: str | None
    agent_id: str | None
    host: str
    port: int | None
    attempt: int
    started_unix_ns: int
    first: Any = None
    headers: Mapping[str, str] = {}
    extensions: Mapping[str, Any] = {}


class Call(Protocol):
    """A call in flight, as a sink keeps it."""

    @property
    def is_taped(self) -> bool:
        """Whether anybody wants the record; a call that is not sampled is not taped."""

    @property
    def identity(self) -> Any:
        """What a later attempt at the same request is told of this one."""

    def scope(self) -> AbstractContextManager[Any]:
        """Give the context to send the request in."""

    def finish(self, record: Record) -> None:
        """Take the record of the call. May run on another thread."""


class Sink(Protocol):
    """Told when a call starts; what it gives back is told when the call ends."""

    def begin(self, start: Start) -> Call | None:
        """Begin a call; None where somebody else accounts for it."""


class Open(Job, Protocol):
    """Something under way; once it has ended, a job of the worker."""

    @property
    def owner(self) -> int:
        """The id of the tap that feeds it, 0 where none does."""

    def end(self, ending: Ending | None = None) -> None:
        """End it now, unless it has ended; `ending` says why it did not come to its own end."""

    def forget(self) -> None:
        """Never end: it belongs to another process."""


class _Attempts:
    """What stays with a request that is sent again: kept in its `extensions`.

    `owners` are the taps that are sending it now. One that is not among them is inside another;
    one that is sends it twice at a time, as hedging clients do.
    """

    __slots__ = ("count", "first", "owners")

    def __init__(self) -> None:
        self.count, self.first = 0, None
        self.owners: list[int] = []


class Recording:
    """One exchange on its way from a tap to the sink. A context to send the request in.

    `end` may be called any number of times, from any thread and from a finaliser: the first one
    counts, and it only takes a list's last item and puts into a queue. Neither it nor the context
    ever raises anything of its own. `asked` completes the request with the headers that are kept
    and the credentials that it carried, `answered` gives the headers of the response: there are
    many, so they are gone through on the worker's thread.
    """

    __slots__ = (
        "_attempts",
        "_before",
        "_composed",
        "_extensions",
        "_pending",
        "_recorder",
        "_row",
        "_scope",
        "_trace",
        "answered",
        "asked",
        "call",
        "clock_ns",
        "exchange",
        "is_taped",
        "owner",
    )

    def __init__(
        self,
        recorder: "Recorder",
        row: Endpoint,
        exchange: Exchange,
        call: Call,
        extensions: MutableMapping[str, Any],
        trace: Tracing | None,
        owner: int,
    ) -> None:
        """Begin; `owner` is the id of the tap that will feed it."""
        self.exchange, self.call, self.owner = exchange, call, owner
        self.asked: Callable[[Request], Request] | None = None
        self.answered: Callable[[], Mapping[str, str]] | None = None
        self.is_taped = call.is_taped
        self.clock_ns = recorder.clock_ns
        self._recorder, self._row, self._extensions = recorder, row, extensions
        self._attempts: _Attempts = extensions[_EXTENSION]
        self._trace = trace if self.is_taped else None
        self._scope = call.scope()
        self._pending = [True] if self.is_taped else []

    def __enter__(self) -> None:
        """Enter the call's scope; taps further in see that the request is recorded already.

        httpcore's `trace` extension is ours meanwhile, and calls one that was there before.
        """
        self._attempts.owners.append(self.owner)
        try:
            self._scope.__enter__()
        except Exception as error:  # noqa: BLE001 - the edge: the request is sent without it
            report("the context of a call", error)
            self._scope = nullcontext()
        if self._trace is not None:
            self._before = self._extensions.get("trace")
            mark = self.exchange.marks.append
            self._composed = self._trace(mark, self.clock_ns, self._before)
            self._extensions["trace"] = self._composed

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave all as it was: the same request may be sent again. Exceptions pass through."""
        if self._trace is not None and self._extensions.get("trace") is self._composed:
            if self._before is None:
                del self._extensions["trace"]
            else:
                self._extensions["trace"] = self._before
        self._attempts.owners.remove(self.owner)
        try:
            self._scope.__exit__(kind, error, trace)
        except Exception as ours:  # noqa: BLE001 - the edge: the caller has an answer to get
            report("the context of a call", ours)

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
            self._recorder.take(self)
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
        self.exchange.let_go()

    def run(self) -> None:
        """Read the exchange and hand the record over; on the worker's thread."""
        if self.asked is not None:
            try:
                self.exchange.request = self.asked(self.exchange.request)
            except Exception as error:  # noqa: BLE001 - what is to be struck out is not known now
                report("the head of a request", error)
                self.exchange.let_go()
                self.exchange.ending = _without_message(self.exchange.ending)
        if self.answered is not None:
            with quietly("the head of an answer"):
                self.exchange.headers = self.answered()
        record = self._recorder.read(self.exchange, self._row)
        with quietly("a span"):
            self.call.finish(record)


class Recorder:
    """Decides which requests are recorded, and carries each from its tap to the sink.

    `clock_ns` is the monotonic clock that taps read, `unix_ns` the wall clock.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        hosts: Iterable[str] = (),
        operations: Iterable[str] = ("all",),
        limit_bytes: int = 1 << 25,
        queue_bytes: int = 1 << 26,
        policy: Policy | None = None,
        phases: bool = True,
        worker: Runner | None = None,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        unix_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Record requests to Mistral's hosts and to `hosts` (globs), of `operations`.

        Of a body at most `limit_bytes` are kept, of all that wait to be read `queue_bytes`.
        `worker` reads what has ended; None means a thread of the recorder's own.
        """
        self.clock_ns = clock_ns
        self.phases = phases
        self._sink, self._unix_ns = sink, unix_ns
        self._open: dict[int, Open] = {}
        self._worker = worker or Worker(
            budget_bytes=queue_bytes, is_needed=lambda: bool(self._open)
        )
        self._limit_bytes, self._policy = limit_bytes, policy
        self._operations = frozenset(operations)
        self.knows = knower(hosts)
        _recorders.add(self)

    def row(
        self,
        method: str,
        host: str,
        path: str,
        agent: Callable[[], str],
        *,
        any_host: bool,
    ) -> Endpoint | None:
        """Give the table's row where a request is to be recorded, else None.

        Mistral's hosts, the hosts of the setting and the SDK's own requests (by their User-Agent)
        are recorded whatever they ask for; `any_host` adds requests to other hosts whose path
        ends in a known endpoint's. `agent` gives the User-Agent, and is asked only where it counts.
        """
        known = self.knows(host, agent)
        if not known and not any_host:
            return None
        row = endpoints.match(method, path).endpoint
        if not known and row is endpoints.OTHER:
            return None
        return row if self._is_wanted(row) else None

    def open(
        self,
        row: Endpoint,
        request: Request,
        extensions: MutableMapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        asked: Callable[[Request], Request] | None = None,
        decode: Decode | None = None,
        trace: Tracing | None = None,
        owner: int = 0,
    ) -> Recording | None:
        """Begin a recording; None where the request is inside one already, or the sink declines.

        `request` is what is known at once, `asked` completes it later, on the worker's thread;
        `headers` are the request's own, for the sink to look at meanwhile.
        """
        attempts = extensions.get(_EXTENSION)
        if attempts is None:
            attempts = extensions[_EXTENSION] = _Attempts()
        if attempts.owners and owner not in attempts.owners:
            return None
        attempts.count += 1
        if row.is_secret:
            request = request._replace(body=None)
        exchange = Exchange(
            request,
            started_unix_ns=self._unix_ns(),
            started_ns=self.clock_ns(),
            attempt=attempts.count,
            limit_bytes=0 if row.is_secret else self._limit_bytes,
            decode=decode,
        )
        model, agent_id = _glance(request.body)
        call = self._sink.begin(
            Start(
                endpoint=row.name,
                operation=(row.agent_operation if agent_id else None) or row.operation,
                model=model,
                agent_id=agent_id,
                host=request.host,
                port=request.port,
                attempt=attempts.count,
                started_unix_ns=exchange.started_unix_ns,
                first=attempts.first,
                headers=request.headers if headers is None else headers,
                extensions=extensions,
            )
        )
        if call is None:
            return None
        if attempts.first is None:
            attempts.first = call.identity
        timed = trace if self.phases else None
        recording = Recording(self, row, exchange, call, extensions, timed, owner)
        if recording.is_taped:
            recording.asked = asked
            self.expect(recording)
        return recording

    def expect(self, job: Open) -> None:
        """Keep something that will end later; then it is to be given to `take`.

        Raises `RuntimeError` where the worker has no thread and can have none.
        """
        self._open[id(job)] = job
        try:
            self._worker.start()
        except RuntimeError:
            del self._open[id(job)]
            raise

    def take(self, job: Open) -> None:
        """Queue what has ended, to be run later. Never blocks; a finaliser may call it."""
        self._worker.submit(job)
        self._open.pop(id(job), None)  # only now: a worker for whom nothing is open may sleep

    def abandon(self, owner: int | None = None) -> None:
        """End what is still open, of one tap or of all: nobody will read it to its end."""
        for recording in list(self._open.values()):  # `tuple` may run finalisers half way
            if owner is None or recording.owner == owner:
                recording.end(ABANDONED)

    def flush(self, timeout_s: float) -> bool:
        """Wait until the records of all calls that have ended are handed over."""
        return self._worker.flush(timeout_s)

    @property
    def let_go_count(self) -> int:
        """How many bodies were dropped because too much was waiting to be read."""
        return self._worker.let_go_count

    def read(self, exchange: Exchange, row: Endpoint) -> Record:
        """Read an exchange and apply the policy; a bare record where reading itself fails."""
        try:
            return redact(read(exchange, rest=pause), self._policy)
        except Exception as error:  # noqa: BLE001 - a span must end, whatever our mistake was
            report("what a call said", error)
            return _bare(exchange, row, error)

    def forget_all(self) -> None:
        """Forget what is open: in the child of a fork, it belongs to the parent."""
        for recording in list(self._open.values()):
            recording.forget()
        self._open.clear()

    def _is_wanted(self, row: Endpoint) -> bool:
        wanted = self._operations
        return (
            "all" in wanted
            or row.name in wanted
            or row.operation in wanted
            or ("inference" in wanted and row.is_inference)
        )


def _glance(body: bytes | None) -> tuple[str | None, str | None]:
    """Look for a model, or else an agent, in the first and last kilobytes of a JSON body."""
    if not body:
        return None, None
    ends = body if len(body) <= 2 * _SCAN_BYTES else body[:_SCAN_BYTES] + body[-_SCAN_BYTES:]
    found = _ASKED.search(ends)
    if found is None:
        return None, None
    name = found[2].decode(errors="replace")
    return (name, None) if found[1] == b"model" else (None, name)


def _without_message(ending: Ending | None) -> Ending | None:
    """An exception may quote a credential."""
    return None if ending is None else ending._replace(message=None)


def _failure(exchange: Exchange) -> Failure | None:
    """Give what failed as far as the end and the status of an exchange say it."""
    if exchange.ending is not None and exchange.ending.is_error:
        return Failure(kind=exchange.ending.kind)
    if exchange.status is not None and exchange.status >= _FAILED:
        return Failure(kind=str(exchange.status))
    return None


def _bare(exchange: Exchange, row: Endpoint, error: Exception) -> Record:
    """Give what is known of an exchange without reading its bodies."""
    request, ended_at_ns = exchange.request, exchange.ended_at_ns or exchange.started_ns
    model, agent_id = _glance(request.body)
    return Record(
        endpoint=row.name,
        operation=row.operation,
        method=request.method,
        path=request.path,
        attempt=exchange.attempt,
        times=Times(
            started_unix_ns=exchange.started_unix_ns,
            ended_after_ns=ended_at_ns - exchange.started_ns,
        ),
        server=Server(host=request.host, port=request.port),
        status=exchange.status,
        response_bytes=exchange.received_bytes,
        input=Input(model=model, agent_id=agent_id),
        failure=_failure(exchange),
        notes=(f"could not be read, by a mistake of this library ({type(error).__name__})",),
    )


_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


def _after_fork() -> None:
    for recorder in tuple(_recorders):
        recorder.forget_all()


os.register_at_fork(after_in_child=_after_fork)
