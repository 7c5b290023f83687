"""What is in force: the default recorder, made from the settings on the first call.

`configure` replaces it; a fork and the end of the program are seen to here.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace

from interceptor import destinations, slot
from interceptor.assembly import Runtime, left, stored
from interceptor.errors import SettingsError, quoted
from interceptor.observer import Observer
from interceptor.quiet import quietly
from interceptor.recorder import Recorder
from interceptor.settings import IN_CODE, PROVIDERS, Settings, doubts, unknown

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

_AT_EXIT_S = 5.0


class _State:
    """What is in force in this process. `runtime` None and `is_off` false: nothing made yet."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.runtime: Runtime | None = None
        self.retired: list[Runtime] = []
        self.is_off = False
        self.is_armed = False

    def runtimes(self) -> tuple[Runtime, ...]:
        """Give what was in force and may have calls under way, and what is."""
        return (*self.retired, *((self.runtime,) if self.runtime else ()))


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
        return stored(Settings.from_env_or_default(os.environ)[0])
    return runtime.kept()


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

    `redact` masks what was said: inputs, outputs, comments, the words of failures. Names, labels,
    metadata, the ids of sessions and users, and the values of scores group traces, and are kept.
    """
    _check(settings, changes, tracer_provider=tracer_provider, meter_provider=meter_provider)
    base = Settings.from_env(os.environ) if settings is None else settings
    wanted = base.changed(**changes)
    if settings is None and "content" not in changes:
        for doubt in doubts(os.environ):
            _say(doubt)
    runtime = None
    if not wanted.is_off:
        runtime = Runtime(
            wanted,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            adopting=_arm_exit_anew,
        )
    with _state.lock:
        old = _retire(runtime)
        _put(runtime)
    if old is not None:  # not under the lock: a call that begins meanwhile must not wait for it
        old.flush(_AT_EXIT_S)
        _stop_idle()


def _check(settings: Any, changes: Mapping[str, Any], **providers: Any) -> None:
    """Refuse what is no setting, and providers that are none of OpenTelemetry's."""
    if settings is not None and not isinstance(settings, Settings):
        raise SettingsError(
            f"settings is {quoted(settings)}; use interceptor.Settings, "
            "or settings by their names, such as content='metadata'"
        )
    for name in changes:
        if name not in IN_CODE and name != "disabled":
            raise unknown(name, (*IN_CODE, *PROVIDERS))
    for name, value in providers.items():
        gives, kind = PROVIDERS[name]
        is_one = callable(getattr(value, gives, None)) and not isinstance(value, type)
        if value is not None and not is_one:
            raise SettingsError(f"{name} is {quoted(value)}; use a {kind} of OpenTelemetry's")


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until every call that has ended is where its span goes; False where it took too long.

    Exporters' own time-outs apply besides. Gives True where nothing was recorded.
    """
    until = time.monotonic() + timeout_s
    runtimes = _state.runtimes()
    done = [runtime.flush(left(until)) for runtime in runtimes]
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


def _stop_idle() -> None:
    """Stop what was retired before the last and has nothing under way: some configure often.

    The last may yet be found by a thread that was about to begin a call, and where recording is
    off now it is what is read back from.
    """
    with _state.lock:
        idle = [runtime for runtime in _state.retired[:-1] if runtime.recorder.is_idle]
        _state.retired = [runtime for runtime in _state.retired if runtime not in idle]
    for runtime in idle:
        runtime.shutdown(_AT_EXIT_S)


def _from_environment(environ: Mapping[str, str]) -> Runtime | None:
    settings, errors = Settings.from_env_or_default(environ)
    for error in errors:
        _say(str(error))
    for doubt in doubts(environ):
        _say(doubt)
    if settings.is_off:
        return None
    if instead := destinations.instead(settings):
        settings, why = instead
        _say(why)
    return Runtime(
        settings,
        forgive=lambda error: _say(f"{error}; going on without it"),
        adopting=_arm_exit_anew,
    )


def _say(what: str) -> None:
    """Tell the person at the terminal, once, on stderr: their program does not raise it."""
    with quietly("a warning"):
        sys.stderr.write(f"interceptor: {what}\n")


def _arm_exit_anew() -> None:
    """Put us in front of exit handlers registered since, such as the application's provider's.

    That would otherwise close before our last spans come.
    """
    atexit.unregister(_at_exit)
    _state.is_armed = False
    _arm_exit()


def _arm_exit() -> None:
    """See to it that this process says everything before it ends.

    The children that multiprocessing forks run none of these handlers, but finalizers of its own.
    """
    if _state.is_armed:
        return
    _state.is_armed = True
    atexit.register(_at_exit)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _at_exit, exitpriority=0)


def _at_exit() -> None:
    """End what is open and bring everything where it goes. May run more than once."""
    for runtime in _state.runtimes():
        with quietly("the last calls of this program"):
            runtime.recorder.abandon()
            runtime.flush(_AT_EXIT_S)


def _after_fork() -> None:
    """The child has locks of its own, and its end is to be prepared anew."""
    _state.lock = threading.RLock()
    _state.is_armed = False
    for runtime in _state.runtimes():
        runtime.after_fork()


os.register_at_fork(after_in_child=_after_fork)
