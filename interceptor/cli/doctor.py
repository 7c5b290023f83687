"""Say what is installed, what switches recording on, where spans go, and try it with one call.

The call goes from a process of its own to a server on this machine, in the way that this
environment switches on, or through `interceptor.clients()` where it switches none on. The exit
status is 1 where its span does not arrive, where a setting is wrong, or where spans cannot get
where they are sent.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from interceptor._version import __version__
from interceptor.cli._checked import unknown_operations
from interceptor.cli._output import Note, Output
from interceptor.cli._probe import QUESTION
from interceptor.cli._usable import unusable
from interceptor.cli._where import elsewhere
from interceptor.destinations import instead
from interceptor.errors import InterceptorError
from interceptor.installing import autostart
from interceptor.installing.environment import missing, way_in
from interceptor.replay import Server
from interceptor.settings import Native, Settings, doubts, misspelt
from interceptor.store import Store, Trace, default_path
from interceptor.transports import sdk_library

__all__ = ["add_arguments", "run"]

_TIMEOUT_S = 60
_LIBRARIES = ("mistralai", "httpx", "httpx2", "opentelemetry-sdk", "opentelemetry-instrumentation")
_FRAMEWORKS = ("langchain-mistralai", "litellm", "llama-index-llms-mistralai", "pydantic-ai-slim")
_AIOHTTP = "DISABLE_AIOHTTP_TRANSPORT"
_SAMPLER = "OTEL_TRACES_SAMPLER"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing: what counts is the environment."""


def run(args: argparse.Namespace) -> Output:  # noqa: ARG001 - it has none
    """Give a line for each thing, then try the call."""
    settings, errors = Settings.from_env_or_default(os.environ)
    way = way_in(os.environ)
    facts = {
        "interceptor": f"{__version__}, Python {platform.python_version()} at {sys.executable}",
        "installed": ", ".join(_versions(_LIBRARIES)) + f"; the SDK uses {sdk_library()}",
        "switched on": _switched_on(way, settings),
        "spans go": _where(settings),
        "SDK's own": _native(settings, os.environ),
    }
    if found := [*_versions(_FRAMEWORKS)]:
        facts["frameworks"] = "; ".join([", ".join(found), *_advice(os.environ)])
    yield from (f"{name:12} {fact}" for name, fact in facts.items())
    possible, _ = instead(settings) or (settings, "")
    wrong = (*misspelt(os.environ), *errors, *unknown_operations(settings), *unusable(possible))
    problems = [*map(str, wrong)]
    try:
        yield f"{'one call':12} {_tried(way, settings)}"
    except InterceptorError as error:
        problems.append(str(error))
    if unheeded := missing(os.environ):
        problems.append(unheeded)
    doubted = (one for one in doubts(os.environ) if one not in problems)
    yield from map(Note, (*doubted, *problems[:-1]))
    if problems:
        raise InterceptorError(problems[-1])


def _versions(names: tuple[str, ...]) -> Iterator[str]:
    """Give the names of the distributions that are installed, with their versions."""
    for name in names:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def _switched_on(way: str | None, settings: Settings) -> str:
    if settings.is_off:
        return "no, and code cannot: INTERCEPTOR is 0, or OTEL_SDK_DISABLED is true"
    if way is not None:
        return f"for every program started here: {way}"
    waits = "; autostart is enabled, and waits for INTERCEPTOR=1" if autostart.found() else ""
    return f"only where code does it (clients, wrap, instrument, install){waits}"


def _where(settings: Settings) -> str:
    found = [note.text.removeprefix("spans go ") for note in elsewhere(settings, os.environ)]
    if not found:
        path = Path(settings.store or default_path())
        others = [name for name in settings.destinations if name != "store"]
        found = [" and ".join([f"to the store {path}", *(f"to {name}" for name in others)])]
    if "ratio" in _sampler(os.environ):
        found.append(f"{_SAMPLER}={_sampler(os.environ)} leaves out some")
    return "; ".join(found)


def _sampler(environ: Mapping[str, str]) -> str:
    return environ.get(_SAMPLER, "").strip().lower()


def _native(settings: Settings, environ: Mapping[str, str]) -> str:
    """Say whether the environment switches the SDK's own tracing on, and what then is kept."""
    mode = environ.get("MISTRAL_SDK_TELEMETRY", "").strip()
    if mode.lower() in ("", "false"):
        return "tracing is not switched on by the environment"
    kept = "ours steps back" if settings.native is Native.DEFER else "ours is kept, once a call"
    return f"tracing is on too (MISTRAL_SDK_TELEMETRY={mode}): {kept}"


def _advice(environ: Mapping[str, str]) -> Iterator[str]:
    if any(_versions(("litellm",))):
        is_set = environ.get(_AIOHTTP, "").lower() == "true"
        yield (
            f"litellm's async calls go by aiohttp unless {_AIOHTTP}=True, and only then are they "
            f"recorded: it is {'' if is_set else 'not '}set"
        )


def _tried(way: str | None, settings: Settings) -> str:
    """Make one call and say that it was recorded; raise `InterceptorError` where it was not.

    Its span goes to a store of its own: what is tried of the user's is whether it can be had.
    """
    how = "in the way that is switched on" if way else "through interceptor.clients()"
    with tempfile.TemporaryDirectory() as folder, Server.of(QUESTION) as server:
        store = Store(Path(folder) / "doctor.db")
        arguments = [server.url] if way else [server.url, "in-code"]
        done = _probe(arguments, store.path)
        if done.returncode != 0 or not server.requests:
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise InterceptorError(f"the SDK could not make a call {how}: {last[0]}")
        if store.path.exists() and (traces := store.latest(2)):
            return f"made {how}: {_arrived(traces)}"
    raise InterceptorError(f"a call {how} left no span: {_reason(settings, os.environ)}")


def _reason(settings: Settings, environ: Mapping[str, str]) -> str:
    """Say why a call may have left no span."""
    if settings.is_off:
        return "recording is off"
    if (sampler := _sampler(environ)).endswith("always_off"):
        return f"{_SAMPLER} is {sampler}"
    if settings.operations != ("all",):
        return f"it is a chat, and INTERCEPTOR_OPERATIONS is {','.join(settings.operations)}"
    return "nothing recorded it"


def _probe(arguments: list[str], store: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "interceptor.cli._probe", *arguments],
            env=_probing(os.environ, store),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InterceptorError(f"a call to this machine took over {_TIMEOUT_S} s") from error


def _probing(environ: Mapping[str, str], store: Path) -> dict[str, str]:
    """Give the environment of the probe: this one, but for where spans go and what leads away."""
    kept = {name: value for name, value in environ.items() if not name.lower().endswith("_proxy")}
    return kept | {
        "INTERCEPTOR_DESTINATIONS": "store",
        "INTERCEPTOR_STORE": str(store),
        "MISTRAL_SDK_TELEMETRY": "false",
        # What leaves out some calls may leave out this one.
        **({_SAMPLER: "always_on"} if "ratio" in _sampler(environ) else {}),
    }


def _arrived(traces: list[Trace]) -> str:
    if len(traces) > 1:
        raise InterceptorError("the call left two traces; something else records it too")
    (trace,) = traces
    return f"recorded ({trace.name}, {trace.total_tokens} tokens)"
