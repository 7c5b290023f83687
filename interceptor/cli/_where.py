"""Which store a command reads, and what its user should know about where spans go."""

import argparse
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from interceptor.cli._output import Note
from interceptor.cli._texts import counted, line
from interceptor.cli._times import clock
from interceptor.settings import OTLP_ENDPOINTS, OTLP_PROTOCOLS, Settings, first_said
from interceptor.store import Store

__all__ = ["add_store", "elsewhere", "endpoint", "losses", "store_of"]

_OFF = "off"


def add_store(parser: argparse.ArgumentParser) -> None:
    """Let the command read another store than the settings say."""
    parser.add_argument(
        "--store", metavar="PATH", help="read this store (default: INTERCEPTOR_STORE, or your own)"
    )


def store_of(args: argparse.Namespace, settings: Settings) -> tuple[Store, bool]:
    """Give the store to read, and whether somebody named it."""
    if args.store is not None:
        return Store(args.store, named_by="--store"), True
    path = None if settings.store == _OFF else settings.store
    return Store(path), path is not None


def elsewhere(settings: Settings, environ: Mapping[str, str]) -> Iterator[Note]:
    """Say where spans go when they do not go to a store, and when none are made."""
    if settings.disabled:
        yield Note("tracing is off here: OTEL_SDK_DISABLED is true")
    elif settings.on is False:
        yield Note("tracing is off here: INTERCEPTOR is 0")
    if settings.follows_otel:
        from interceptor import destinations  # OpenTelemetry's SDK: not for every look at a store

        if instead := destinations.instead(settings):
            settings, why = instead
            yield Note(why)
    is_off = settings.store == _OFF
    if not is_off and "store" in settings.destinations:
        return
    others = " and ".join(
        _described(name, environ) for name in settings.destinations if name != "store"
    )
    why = ": INTERCEPTOR_STORE is off" if is_off else ""
    yield Note(f"spans go {others or 'nowhere'}, not to a store{why}")


def losses(store: Store, *, now_unix_ns: int) -> Iterator[Note]:
    """Say what could not be kept."""
    if loss := store.lost():
        at = clock(loss.at_unix_ns, now_unix_ns=now_unix_ns)
        spans = counted(loss.count, "span")
        yield Note(f"{spans} could not be kept, most recently at {at}: {line(loss.reason)}")


def endpoint(environ: Mapping[str, str]) -> str:
    """Give the URL that spans go to by OTLP."""
    is_grpc = first_said(environ, OTLP_PROTOCOLS) == "grpc"
    default = "http://localhost:4317" if is_grpc else "http://localhost:4318"
    return first_said(environ, OTLP_ENDPOINTS) or default


def _described(name: str, environ: Mapping[str, str]) -> str:
    if name == "otlp":
        parts = urlsplit(endpoint(environ))  # without a user and a password that it may hold
        return f"to {parts.scheme}://{parts.netloc.rpartition('@')[2]} by OTLP"
    return {"console": "to stdout"}.get(name, f"to {name}")
