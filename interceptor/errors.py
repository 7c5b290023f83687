"""The exceptions that a caller of this library can catch.

Only what the caller asked for wrongly is raised: a setting, a transport of the wrong
flavour, a store that cannot be opened. What goes wrong while recording is logged and
dropped, and never reaches the program that is being recorded.
"""

__all__ = ["InterceptorError", "SettingsError", "StoreError", "TransportError"]


class InterceptorError(Exception):
    """The base of every exception that this library raises."""


class SettingsError(InterceptorError, ValueError):
    """A setting has an unknown name or a value that cannot be used."""


class StoreError(InterceptorError):
    """The store cannot be opened, or holds nothing under the given name."""


class TransportError(InterceptorError, TypeError):
    """An object is no transport or client that can be tapped, or is one of the wrong flavour."""
