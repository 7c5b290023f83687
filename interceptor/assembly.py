"""A recorder with all that it needs, put together from settings.

Spans go through the application's TracerProvider where it has set one, before us or after; else
through a private one, and the global one is never set.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON

from interceptor import destinations, endpoints
from interceptor._version import __version__
from interceptor.destinations.memory import Memory
from interceptor.errors import InterceptorError, SettingsError
from interceptor.metrics import around, latest, v1_41
from interceptor.observer import Observer
from interceptor.quiet import quietly
from interceptor.record import Record
from interceptor.recorder import Recorder
from interceptor.redaction import policy
from interceptor.settings import Content, Metrics, Settings
from interceptor.spans import SCOPE, SpanSink, Words

if TYPE_CHECKING:
    from interceptor.store import Store

__all__ = ["Forgive", "Runtime", "left", "stored"]

_MB = 1 << 20

Forgive = Callable[[InterceptorError], None]
"""Is told what cannot be had, where that must not stop a program."""


def _unheard() -> None:
    return


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
        adopting: Callable[[], None] = _unheard,
    ) -> None:
        """Put together what the settings describe; the providers are the caller's, if given.

        `adopting` hears that the application's provider is in use from now on.
        """
        # First of all what may be wrong with the settings: a destination that is built stays open.
        self.settings, redact = settings, policy(settings.redact)
        operations = _operations(settings.operations, forgive)
        self._words: Words = {}
        self._given, self._adopting = tracer_provider, adopting
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
            left_ms = int(left(until) * 1000)
            is_done = processor.force_flush(left_ms) and is_done
        return is_done

    def kept(self) -> AbstractContextManager["Store"]:
        """Give what reads back the traces: the store, or without one what is in memory."""
        return stored(self.settings) if self.memory is None else self.memory.reading()

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
        self._adopting()
        return self._tracer

    def _attached(
        self, provider: TracerProvider, processors: tuple[destinations.Delivery, ...]
    ) -> trace.Tracer:
        for processor in processors:
            provider.add_span_processor(processor)
        return provider.get_tracer(SCOPE, __version__)


def stored(settings: Settings) -> AbstractContextManager["Store"]:
    """Give the store of the settings, to read back with."""
    from interceptor.store import Store  # SQLite: not for programs that never read back

    return nullcontext(Store(None if settings.store == "off" else settings.store))


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


def left(until_s: float) -> float:
    """Give the seconds that are left until a reading of the monotonic clock."""
    return max(0.0, until_s - time.monotonic())


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
