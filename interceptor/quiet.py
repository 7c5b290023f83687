"""The edge between our mistakes and the caller's program: caught, logged once a kind, dropped."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["quietly", "report", "warn_once"]

_log = logging.getLogger("interceptor")
_reported: set[tuple[str, str]] = set()


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """Run a block; log an exception of its own as `what` that was lost, and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - this is the one edge where everything is caught
        report(what, error)


def report(what: str, error: BaseException) -> None:
    """Log that `what` was lost: as a warning the first time, for debugging after that.

    A mistake that comes with every call must not fill the caller's log.
    """
    level = _level((what, type(error).__name__))
    with suppress(Exception):  # the program's own handlers and filters: there is no edge past this
        _log.log(
            level,
            "%s was lost; the call itself is unaffected (%s: %s)",
            what,
            type(error).__name__,
            error,
            exc_info=error,
        )


def warn_once(kind: str, sentence: str) -> None:
    """Log a sentence: as a warning the first time that one of its kind is, for debugging after."""
    with suppress(Exception):  # as above
        _log.log(_level((kind, "")), "%s", sentence)


def _level(key: tuple[str, str]) -> int:
    level = logging.DEBUG if key in _reported else logging.WARNING
    _reported.add(key)
    return level
