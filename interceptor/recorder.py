"""Opens exchanges and hands their records to a sink.

A tap asks `Recorder.open` for a `Recording` before it sends, feeds it while bytes move, and ends
it once. Reading happens later, on the worker's thread. Nothing here knows what a span is.
"""

import os
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from interceptor import endpoints, phases
from interceptor.endpoints import Endpoint
from interceptor.exchange import ABANDONED, Decode, Exchange, Request
from interceptor.hosts import knower
from interceptor.quiet import report
from interceptor.reading import read
from interceptor.record import Failure, Input, Record, Server, Times
from interceptor.recording import EXTENSION, Attempts, Open, Recording
from interceptor.redaction import Policy, redact
from interceptor.sink import Sink, Start, asked
from interceptor.worker import Runner, Worker, pause

__all__ = ["Recorder"]

_FAILED = 400


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
            budget_bytes=queue_bytes,
            is_needed=lambda: bool(self._open),
            meanwhile=self._tell,
        )
        self._limit_bytes, self._policy = limit_bytes, policy
        self._operations = frozenset(operations)
        self._wants_all = "all" in self._operations
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
        return row if self._wants_all or self._is_wanted(row) else None

    def open(
        self,
        row: Endpoint,
        request: Request,
        extensions: MutableMapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        complete: Callable[[Request], Request] | None = None,
        decode: Decode | None = None,
        trace: type[phases.Trace] | None = None,
        owner: int = 0,
    ) -> Recording | None:
        """Begin a recording; None where the request is inside one already, or the sink declines.

        `request` is what is known at once, `complete` adds the rest later, on the worker's thread;
        `headers` are the request's own, for the sink to look at meanwhile. `trace` is the kind of
        hook that the request's phases are told to.
        """
        attempts = extensions.get(EXTENSION)
        if attempts is None:
            attempts = extensions[EXTENSION] = Attempts()
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
        start = Start(
            row=row,
            request=request,
            attempt=attempts.count,
            started_unix_ns=exchange.started_unix_ns,
            first=attempts.first,
            headers=request.headers if headers is None else headers,
            extensions=extensions,
        )
        call = self._sink.begin(start)
        if call is None:
            return None
        if attempts.first is None:
            attempts.first = call.identity
        timed = trace if self.phases else None
        opened = Recording(self, row, exchange, call, extensions, attempts, timed, owner)
        if opened.is_taped:
            opened.complete = complete
            self.expect(opened)
        return opened

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

    def _tell(self) -> None:
        """Have said of all that is open what is known of it; on the worker's thread."""
        for job in list(self._open.values()):
            job.tell()

    def abandon(self, owner: int | None = None) -> None:
        """End what is still open, of one tap or of all: nobody will read it to its end."""
        for job in list(self._open.values()):  # `tuple` may run finalisers half way
            if owner is None or job.owner == owner:
                job.end(ABANDONED)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._open

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
        for job in list(self._open.values()):
            job.forget()
        self._open.clear()

    def _is_wanted(self, row: Endpoint) -> bool:
        wanted = self._operations
        return (
            row.name in wanted
            or row.operation in wanted
            or ("inference" in wanted and row.is_inference)
        )


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
    known = asked(row, request)
    return Record(
        endpoint=row.name,
        operation=known.operation,
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
        input=Input(model=known.model, agent_id=known.agent_id),
        failure=_failure(exchange),
        notes=(f"could not be read, by a mistake of this library ({type(error).__name__})",),
    )


_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


def _after_fork() -> None:
    for recorder in tuple(_recorders):
        recorder.forget_all()


os.register_at_fork(after_in_child=_after_fork)
