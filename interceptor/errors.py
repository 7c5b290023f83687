"""The exceptions that a caller of this library can catch.

Only what the caller asked for wrongly is raised: a setting, an argument, a transport of the
wrong flavour, a store that cannot be opened. What goes wrong while recording is logged and
dropped, and never reaches the program that is being recorded.
"""

__all__ = [
    "ArgumentError",
    "InterceptorError",
    "SettingsError",
    "StoreError",
    "TransportError",
    "quoted",
]

_MOST_CHARS = 80


class InterceptorError(Exception):
    """The base of every exception that this library raises."""


class ArgumentError(InterceptorError, TypeError, ValueError):
    """An argument is of a type that cannot be used, or names what there is not."""


class SettingsError(InterceptorError, ValueError):
    """A setting has an unknown name or a value that cannot be used."""


class StoreError(InterceptorError):
    """The store cannot be opened, or holds nothing under the given name."""


class TransportError(InterceptorError, TypeError):
    """An object is no transport or client that can be tapped, or is one of the wrong flavour."""


def quoted(value: object) -> str:
    """Give a value as an error quotes it: short, whatever it is and whatever its `repr` does."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - anybody's code, and an integer may be too long for a text
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"
