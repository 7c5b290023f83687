"""Puts it together: the default recorder, made from the settings on the first call.

`configure` replaces it. Spans go through the application's TracerProvider where it has set one,
before us or after; else through a private one, and the global one is never set.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON

from interceptor import destinations, endpoints, slot
from interceptor._version import __version__
from interceptor.destinations.memory import Memory
from interceptor.errors import InterceptorError, SettingsError
from interceptor.metrics import around, latest, v1_41
from interceptor.observer import Observer
from interceptor.quiet import quietly
from interceptor.record import Record
from interceptor.recorder import Recorder
from interceptor.redaction import policy
from interceptor.settings import Content, Metrics, Settings, doubts
from interceptor.spans import SCOPE, SpanSink, Words

if TYPE_CHECKING:
    from interceptor.store import Store

__all__ = [
    "Runtime",
    "configure",
    "current",
    "flush",
    "kept",
    "observer",
    "recorder",
    "shutdown",
]

_MB = 1 << 20
_AT_EXIT_S = 5.0


Forgive = Callable[[InterceptorError], None]
"""Is told what cannot be had, where that must not stop a program."""


class Runtime:
    """A recorder with all that it needs, and the processors that take its spans onward.

    Raises `SettingsError` and `StoreError` where a destination cannot be had; with `forgive`, that
    is told the error instead, and the rest goes on without it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        forgive: Forgive | None = None,
    ) -> None:
        """Put together what the settings describe; the providers are the caller's, if given."""
        # First of all what may be wrong with the settings: a destination that is built stays open.
        self.settings, redact = settings, policy(settings.redact)
        operations = _operations(settings.operations, forgive)
        self._words: Words = {}
        self._given = tracer_provider
        self._private: TracerProvider | None = None
        self._adopted: TracerProvider | None = None
        self._passed_by: trace.TracerProvider | None = None  # a global one that is not the SDK's
        self._tracer: trace.Tracer | None = None
        self._watched = True
        self._stand_in = trace.ProxyTracerProvider()
        self.after_fork()
        self.processors = tuple(self._delivered(forgive))
        self.memory = None if "store" in self._destinations() else Memory()
        if self.memory is not None:
            words = None if settings.content is Content.METADATA else self._words
            self.processors += (destinations.Delivery(self.memory, words),)
        sink = SpanSink(
            self.tracer,
            content=settings.content is not Content.METADATA,
            limit_bytes=settings.attribute_limit_kb << 10,
            words=self._words if settings.content is None else None,
            measure=_measure(settings.metrics, meter_provider),
            is_watched=self.is_watched,
            native=settings.native,
        )
        self.recorder = Recorder(
            sink,
            hosts=settings.hosts,
            operations=operations,
            limit_bytes=settings.body_limit_mb * _MB,
            queue_bytes=settings.queue_mb * _MB,
            policy=redact,
            phases=settings.phases,
        )
        self.observer = Observer(
            self.recorder,
            sink,
            policy=redact,
            measure=_measure_observed(settings.metrics, meter_provider),
        )

    def tracer(self) -> trace.Tracer:
        """Give the tracer in force: of the provider given, the application's, or our own.

        The application may set its provider at any time, so until it has the global one is
        looked at for each call.
        """
        if self._tracer is not None:
            if self._adopted is not None:
                return self._tracer
            # The API's stand-in gives tracers of its own until somebody has set a provider. To ask
            # for the provider costs three times as much: that looks at the environment, too.
            if type(self._stand_in.get_tracer(SCOPE)) is trace.ProxyTracer:
                return self._tracer
        provider = self._given or trace.get_tracer_provider()
        if provider is self._passed_by and self._tracer is not None:
            return self._tracer
        with self._attaching:  # attached by two threads, processors would deliver each span twice
            return self._tracer_of(provider)

    def is_watched(self) -> bool:
        """Whether others than us may look at a span as it starts: see `SpanSink`.

        To be asked after `tracer`, which may have changed what is in force.
        """
        return self._watched

    def give_way(self, successor: "Runtime | None") -> None:
        """Deliver no span that begins from now on, and have `successor` deliver no other.

        Both may be on the application's provider, which hands every span to each.
        """
        now_unix_ns = time.time_ns()
        for processor in self.processors:
            processor.retire(now_unix_ns)
        for processor in () if successor is None else successor.processors:
            processor.succeed(now_unix_ns)

    def after_fork(self) -> None:
        """Take a lock that nobody holds: another thread of the parent's may have held the old."""
        self._attaching = threading.RLock()  # a finaliser may make a call, too

    def flush(self, timeout_s: float) -> bool:
        """Wait until the spans of all calls that have ended are where they go."""
        until = time.monotonic() + timeout_s
        is_done = self.recorder.flush(timeout_s)
        for processor in self.processors:
            left_ms = int(_left(until) * 1000)
            is_done = processor.force_flush(left_ms) and is_done
        return is_done

    def kept(self) -> AbstractContextManager["Store"]:
        """Give what reads back the traces: the store, or without one what is in memory."""
        return _stored(self.settings) if self.memory is None else self.memory.reading()

    def shutdown(self, timeout_s: float) -> None:
        """End what is open, bring everything where it goes, and stop."""
        self.recorder.abandon()
        self.flush(timeout_s)
        for processor in self.processors:
            with quietly("the end of a destination"):
                processor.shutdown()

    def _delivered(self, forgive: Forgive | None) -> Iterator[destinations.Delivery]:
        for name in self._destinations():
            try:
                yield destinations.build(name, self.settings, self._words)
            except InterceptorError as error:
                _forgiven(error, forgive)

    def _destinations(self) -> tuple[str, ...]:
        off = self.settings.store == "off"
        return tuple(name for name in self.settings.destinations if not (off and name == "store"))

    def _tracer_of(self, provider: trace.TracerProvider) -> trace.Tracer:
        is_done = provider is self._adopted or provider is self._passed_by
        if self._tracer is not None and is_done:  # another thread was faster
            return self._tracer
        if isinstance(provider, TracerProvider):
            return self._adopt(provider)
        if self._given is not None:  # another implementation of the API: it takes no processors
            return self._given.get_tracer(SCOPE, __version__)
        if self._private is None:
            self._private = TracerProvider(shutdown_on_exit=False)
            self._watched = self._private.sampler is not DEFAULT_ON
            self._tracer = self._attached(self._private, self.processors)
        self._passed_by = provider
        return self._tracer or self._attached(self._private, self.processors)

    def _adopt(self, provider: TracerProvider) -> trace.Tracer:
        """Use the application's provider from now on, with our processors on it.

        Not with those that `OTEL_*` variables ask for: the application's own have heeded them,
        and a backend would have each span twice.
        """
        self._watched = True
        heeded = len(self._destinations()) if self.settings.follows_otel else 0
        self._tracer = self._attached(provider, self.processors[heeded:])
        self._adopted = provider
        _arm_exit(again=True)
        return self._tracer

    def _attached(
        self, provider: TracerProvider, processors: tuple[destinations.Delivery, ...]
    ) -> trace.Tracer:
        for processor in processors:
            provider.add_span_processor(processor)
        return provider.get_tracer(SCOPE, __version__)


class _State:
    """What is in force in this process. `runtime` None and `is_off` false: nothing made yet."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.runtime: Runtime | None = None
        self.retired: list[Runtime] = []
        self.is_off = False
        self.is_armed = False


_state = _State()


def recorder() -> Recorder | None:
    """Give the recorder in force, made from the environment if need be; None where it is off."""
    runtime = _state.runtime
    if runtime is None:
        runtime = current()
    elif not _state.is_armed:
        _arm_exit()
    return None if runtime is None else runtime.recorder


def observer() -> Observer | None:
    """Give the observer in force, made from the environment if need be; None where it is off."""
    runtime = _state.runtime
    if runtime is None:
        runtime = current()
    elif not _state.is_armed:
        _arm_exit()
    return None if runtime is None else runtime.observer


def kept() -> AbstractContextManager["Store"]:
    """Give what reads back: the store, or without one what is in memory.

    Where recording is off, that is what was last in force, or else the store of the environment.
    """
    runtime = current()
    if runtime is None and _state.retired:
        runtime = _state.retired[-1]
    if runtime is None:
        return _stored(Settings.from_env_or_default(os.environ)[0])
    return runtime.kept()


def _stored(settings: Settings) -> AbstractContextManager["Store"]:
    from interceptor.store import Store  # SQLite: not for programs that never read back

    return nullcontext(Store(None if settings.store == "off" else settings.store))


def current() -> Runtime | None:
    """Give what is in force; make it from the environment where nothing is yet.

    This is how a traced program gets here, so nothing is raised: a bad variable gives way to its
    default, a destination that cannot be had is left out, and each is said once.
    """
    if _is_open():
        with _state.lock:
            if _is_open():  # nobody was faster
                _put(_from_environment(os.environ))
    return _state.runtime


def _is_open() -> bool:
    """Tell whether nothing has been put in force yet, nor recording been put off."""
    return _state.runtime is None and not _state.is_off


def configure(
    settings: Settings | None = None,
    /,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
    **changes: Any,
) -> None:
    """Put these settings in force, in place of what was.

    `settings` None means those of the environment; `changes` are fields of `Settings` to set
    differently, such as `content="metadata"` or `destinations=()`. Spans go through
    `tracer_provider` where one is given, metrics through `meter_provider`. Calls under way keep
    the recorder that they began with. Raises `SettingsError` for an unknown name or value, and
    `StoreError` where the store cannot be opened; then what was in force stays.
    """
    base = Settings.from_env(os.environ) if settings is None else settings
    wanted = base.changed(**changes)
    if settings is None and "content" not in changes:
        for doubt in doubts(os.environ):
            _say(doubt)
    runtime = None
    if not wanted.is_off:
        runtime = Runtime(wanted, tracer_provider=tracer_provider, meter_provider=meter_provider)
    with _state.lock:
        old = _retire(runtime)
        _put(runtime)
    if old is not None:  # not under the lock: a call that begins meanwhile must not wait for it
        old.flush(_AT_EXIT_S)


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until every call that has ended is where its span goes; False where it took too long.

    Exporters' own time-outs apply besides. Gives True where nothing was recorded.
    """
    until = time.monotonic() + timeout_s
    runtimes = (*_state.retired, *((_state.runtime,) if _state.runtime else ()))
    done = [runtime.flush(_left(until)) for runtime in runtimes]
    return all(done)


def shutdown() -> None:
    """Bring everything where it goes and stop recording, until `configure` is called again."""
    with _state.lock:
        _retire(None)
        retired, _state.retired = _state.retired, []
        _put(None)
    for runtime in retired:
        runtime.shutdown(_AT_EXIT_S)


def _put(runtime: Runtime | None) -> None:
    _state.runtime, _state.is_off = runtime, runtime is None
    slot.recorder, slot.observer = recorder, observer
    slot.flush, slot.kept = flush, kept
    slot.is_off = runtime is None
    if runtime is not None:
        slot.knows = runtime.recorder.knows
        _arm_exit()


def _retire(successor: Runtime | None) -> Runtime | None:
    """Take out what is in force, and give it; calls under way still end in it."""
    old = _state.runtime
    _state.runtime = None
    if old is not None:
        old.give_way(successor)
        _state.retired.append(old)
    return old


def _from_environment(environ: Mapping[str, str]) -> Runtime | None:
    settings, errors = Settings.from_env_or_default(environ)
    for error in errors:
        _say(f"{error}; going on with the default")
    for doubt in doubts(environ):
        _say(doubt)
    if settings.is_off:
        return None
    return Runtime(settings, forgive=lambda error: _say(f"{error}; going on without it"))


def _operations(names: tuple[str, ...], forgive: Forgive | None) -> tuple[str, ...]:
    """Give the operations to record; a name that no endpoint has is most likely misspelt."""
    unknown = [name for name in names if name not in endpoints.OPERATIONS]
    if not unknown:
        return names
    wrong = SettingsError(
        f"operations names {unknown[0]!r}; use all, inference, or names of endpoints: "
        f"{', '.join(dict.fromkeys(row.name for row in endpoints.TABLE if row.is_inference))}, …"
    )
    _forgiven(wrong, forgive)
    return tuple(name for name in names if name not in unknown) or ("all",)


def _forgiven(error: InterceptorError, forgive: Forgive | None) -> None:
    if forgive is None:
        raise error
    forgive(error)


def _left(until_s: float) -> float:
    """Give the seconds that are left until a reading of the monotonic clock."""
    return max(0.0, until_s - time.monotonic())


def _say(what: str) -> None:
    """Tell the person at the terminal, once, on stderr: their program does not raise it."""
    with quietly("a warning"):
        sys.stderr.write(f"interceptor: {what}\n")


def _measure(
    kind: Metrics, provider: metrics.MeterProvider | None
) -> Callable[[Record], None] | None:
    if kind is Metrics.OFF:
        return None
    meter = (provider or metrics.get_meter_provider()).get_meter(SCOPE, __version__)
    return latest(meter) if kind is Metrics.LATEST else v1_41(meter)


def _measure_observed(
    kind: Metrics, provider: metrics.MeterProvider | None
) -> Callable[[Mapping[str, Any], float], None] | None:
    if kind is Metrics.OFF:
        return None
    return around((provider or metrics.get_meter_provider()).get_meter(SCOPE, __version__))


def _arm_exit(*, again: bool = False) -> None:
    """See to it that this process says everything before it ends.

    `again` puts us in front of exit handlers registered since, such as the application's
    provider's, which would otherwise close before our last spans come. The children that
    multiprocessing forks run none of these handlers, but finalizers of its own.
    """
    if again:
        atexit.unregister(_at_exit)
    elif _state.is_armed:
        return
    _state.is_armed = True
    atexit.register(_at_exit)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _at_exit, exitpriority=0)


def _at_exit() -> None:
    """End what is open and bring everything where it goes. May run more than once."""
    for runtime in (*_state.retired, *((_state.runtime,) if _state.runtime else ())):
        with quietly("the last calls of this program"):
            runtime.recorder.abandon()
            runtime.flush(_AT_EXIT_S)


def _after_fork() -> None:
    """The child has locks of its own, and its end is to be prepared anew."""
    _state.lock = threading.RLock()
    _state.is_armed = False
    for runtime in (*_state.retired, *((_state.runtime,) if _state.runtime else ())):
        runtime.after_fork()


os.register_at_fork(after_in_child=_after_fork)
