"""Waits for the HTTP libraries to be imported: all that happens at the start of a program.

A finder on `sys.meta_path` finds nothing itself. When it sees one of the libraries being looked
for, it lets the others find it and has it armed once it is loaded. This module imports `sys`
alone, so that a program which never talks HTTP pays for nothing else.
"""

import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

__all__ = ["LIBRARIES", "asked_for", "from_environment", "is_started", "refused", "start", "stop"]

LIBRARIES = ("httpx", "httpx2")


class _Waiting:
    """The finder."""

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Give what the other finders find, with a loader that tells us when it is done."""
        if name not in LIBRARIES:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                if spec.loader is not None:  # a folder without an __init__.py has none
                    _tell_when_loaded(spec.loader)
                return spec
        return None


_waiting = _Waiting()


def asked_for(environ: "Mapping[str, str]") -> bool:
    """Tell whether the environment asks for taps on every client."""
    return _word(environ, "INTERCEPTOR") in ("1", "true", "on") and not refused(environ)


def refused(environ: "Mapping[str, str]") -> bool:
    """Tell whether the environment says that there are to be no taps."""
    is_disabled = _word(environ, "OTEL_SDK_DISABLED") == "true"
    return is_disabled or _word(environ, "INTERCEPTOR") in ("0", "false", "off")


def from_environment() -> None:
    """Start where the environment asks for it: what `interceptor autostart enable` has called."""
    if asked_for(sys.modules["os"].environ):
        start()


def is_started() -> bool:
    """Tell whether clients that are made from now on will be tapped."""
    return _waiting in sys.meta_path


def start() -> None:
    """Arm the libraries: those that are imported now, and those that will be."""
    if not is_started():
        sys.meta_path.insert(0, _waiting)
    for library in LIBRARIES:
        if library in sys.modules:
            _arm(library)


def stop() -> None:
    """Undo `start`: wait no more, and disarm what is armed."""
    while is_started():  # two threads may have started at once, and may stop at once
        try:
            sys.meta_path.remove(_waiting)
        except ValueError:  # pragma: no cover - the other was faster
            break
    arming = sys.modules.get("interceptor.installing.arming")
    if arming is not None:  # something is armed
        arming.disarm()


def _word(environ: "Mapping[str, str]", name: str) -> str:
    return environ.get(name, "").strip().lower()


def _tell_when_loaded(loader: "Any") -> None:
    """Have a library armed as soon as this loader has run it; then the loader is as it was."""
    load: Callable[[ModuleType], None] = loader.exec_module

    def exec_module(module: "ModuleType") -> None:
        vars(loader).pop("exec_module", None)
        load(module)
        if is_started():
            _arm(module.__name__)

    try:
        loader.exec_module = exec_module
    except AttributeError:
        sys.stderr.write(f"interceptor: cannot see {loader!r} load; nothing is recorded\n")


def _arm(library: str) -> None:
    """Arm a library that is loaded; whatever goes wrong, its import has not."""
    try:
        from interceptor.installing import arming

        arming.arm(library)
    except Exception as error:  # noqa: BLE001 - the edge: the program wants its HTTP library
        sys.stderr.write(f"interceptor: {library} could not be armed: {error!r}\n")
