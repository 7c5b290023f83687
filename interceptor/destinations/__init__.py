"""Where spans go, a module each: `build` gives the span processor that takes them there.

A destination that exists to show what was said (`SHOWS_CONTENT`) gets it unless the settings say
otherwise; the rest get it only where the settings say so.
"""

import importlib

from interceptor.destinations._delivering import Delivery
from interceptor.errors import SettingsError
from interceptor.settings import Content, Settings
from interceptor.spans import Words

__all__ = ["NAMES", "Delivery", "build"]

NAMES = ("store", "otlp", "console")


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
