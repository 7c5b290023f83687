"""What is refused of what is written around the calls, and what is only warned of.

A type that will never do, or a name that there is not, is written in the program: it is an error
on the line that says it, whether anything is recorded there or not. What may come of the
program's data is none: None is always nothing said, and what cannot be used is left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from interceptor.dialects import observed
from interceptor.dialects.observed import Kind
from interceptor.errors import ArgumentError, quoted
from interceptor.quiet import warn_once
from interceptor.settings import Content

__all__ = [
    "check_labels",
    "check_mapping",
    "check_text",
    "check_usage",
    "to_content",
    "to_kind",
    "to_name",
]

_UNNAMED = "unnamed"
_NO_USAGE = (str, bytes, bytearray, int, float, list, tuple, set, frozenset)


def to_kind(given: str) -> Kind:
    """Read a kind; raise `ArgumentError` where it is none."""
    try:
        return Kind(given)
    except ValueError as error:
        raise ArgumentError(f"kind is {quoted(given)}; use one of: {', '.join(Kind)}") from error


def to_content(given: str | None) -> Content | None:
    """Read what to do with words; raise `ArgumentError` where it is neither of the two."""
    try:
        return None if given is None else Content(given)
    except ValueError as error:
        raise ArgumentError(
            f"content is {quoted(given)}; use one of: {', '.join(Content)}"
        ) from error


def to_name(given: Any) -> str:
    """Read the name of a span or an event, which a model may have given: there may be none."""
    check_text("name", given)
    if given and not given.isspace():
        return str.__str__(given)
    warn_once("no name", f"a span or an event without a name is called {_UNNAMED!r}")
    return _UNNAMED


def check_text(what: str, given: Any) -> None:
    """Refuse what is no text."""
    if given is not None and not isinstance(given, str):
        raise ArgumentError(f"{what} is {quoted(given)}; use text")


def check_mapping(what: str, given: Any) -> None:
    """Refuse what has no names for what it holds."""
    if given is not None and not isinstance(given, Mapping):
        raise ArgumentError(f"{what} is {quoted(given)}; use a dict")


def check_labels(tags: Any, metadata: Any) -> None:
    """Refuse tags that are no words, and metadata without names; ids become text, as words do."""
    no_words = isinstance(tags, bytes | bytearray | Mapping) or not isinstance(tags, Iterable)
    if tags is not None and no_words:
        raise ArgumentError(f"tags is {quoted(tags)}; use a list of words")
    check_mapping("metadata", metadata)


def check_usage(given: Any) -> None:
    """Refuse usage that can never have a count of ours, whatever counts there are in it."""
    names = observed.USAGE_NAMES
    if isinstance(given, dict):
        is_usable = not given or any(name in given for name in names)
    else:  # what other objects have may be different from one to the next
        is_usable = not isinstance(given, _NO_USAGE) or any(
            hasattr(type(given), name) for name in names
        )
    if not is_usable:
        raise ArgumentError(
            f"usage is {quoted(given)}; use a dict or an object with any of: {', '.join(names)}"
        )
