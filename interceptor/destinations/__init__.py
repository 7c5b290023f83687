"""Where spans go, a module each: `build` gives the span processor that takes them there.

A destination that exists to show what was said (`SHOWS_CONTENT`) gets it unless the settings say
otherwise; the rest get it only where the settings say so.
"""

import importlib

from interceptor.destinations._delivering import Delivery
from interceptor.errors import SettingsError
from interceptor.settings import Content, Settings
from interceptor.spans import Words

__all__ = ["NAMES", "Delivery", "build", "instead"]

NAMES = ("store", "otlp", "console")


def instead(settings: Settings) -> tuple[Settings, str] | None:
    """Give settings with the store in place of OTLP, and why; None where OTLP can be had.

    That is where `OTEL_*` alone asks for it, and its exporter is not installed: those variables
    may be there for something else, and what nobody exports must not be lost.
    """
    if not settings.follows_otel or "otlp" not in settings.destinations:
        return None
    remedy = importlib.import_module("interceptor.destinations.otlp").remedy()
    if remedy is None:
        return None
    names = tuple("store" if name == "otlp" else name for name in settings.destinations)
    kept = "kept nowhere" if settings.store == "off" else "kept in the store"
    why = (
        f"OTEL_* asks for OTLP, and its exporter is not installed ({remedy}): traces are {kept} "
        "instead"
    )
    return settings.changed(destinations=names), why


def build(name: str, settings: Settings, words: Words) -> Delivery:
    """Give the span processor that takes spans of ours to a destination.

    Raises `SettingsError` where a package that it needs is not installed, `StoreError` where the
    store cannot be opened.
    """
    if name not in NAMES:
        raise SettingsError(f"no destination is called {name!r}; there are: {', '.join(NAMES)}")
    module = importlib.import_module(f"interceptor.destinations.{name}")
    shows = module.SHOWS_CONTENT if settings.content is None else settings.content is Content.FULL
    return Delivery(module.build(settings), words if shows else None)
