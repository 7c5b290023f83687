"""Whether spans can get where the settings send them: looked at, and nothing left behind."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from interceptor import destinations
from interceptor.errors import InterceptorError, StoreError
from interceptor.settings import Settings
from interceptor.store import default_path
from interceptor.store.exporter import StoreExporter

__all__ = ["unusable"]


def unusable(settings: Settings) -> Iterator[InterceptorError]:
    """Give what is wrong with each destination that cannot be had."""
    for name in settings.destinations:
        try:
            if name != "store":
                destinations.build(name, settings, {}).shutdown()
            elif settings.store != "off":
                _open(Path(settings.store or default_path()).absolute())
        except InterceptorError as error:
            yield error


def _open(path: Path) -> None:
    """Open a store that there is; else see whether one could be made, but make none."""
    if path.exists():
        StoreExporter(path).shutdown()
        return
    folder = next(one for one in path.parents if one.exists())
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StoreError(
            f"no store can be kept at {str(path)!r}: {error.strerror}; set INTERCEPTOR_STORE to a "
            "file in a folder that you can write to, or to off"
        ) from error
