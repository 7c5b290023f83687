"""What the server says it counted, under any of the names it has used for it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interceptor.record import Usage
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse, said

__all__ = ["Sum", "to_usage"]

_MOST = 2**63 - 1  # the largest integer that an OTLP attribute holds


class _Details(msgspec.Struct, kw_only=True, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class _View(msgspec.Struct, kw_only=True, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    num_cached_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    prompt_token_details: _Details | None = None
    input_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    prompt_audio_seconds: float | None = None
    connector_tokens: int | None = None
    connectors: dict[str, int] | None = None
    pages_processed: int | None = None
    doc_size_bytes: int | None = None
    service_tier: str | None = None


def to_usage(raw: msgspec.Raw, notes: Notes) -> Usage | None:
    """Read a `usage` or `usage_info` object; None where the wire says nothing.

    Counts are whole, not negative and within 64 bits; anything else is left out and noted.
    """
    text = said(raw)
    view = parse(raw, _View, notes, what="usage") if text else None
    if view is None:
        return None
    inputs = (view.prompt_tokens_details, view.prompt_token_details, view.input_tokens_details)
    outputs = (view.completion_tokens_details, view.output_tokens_details)
    counts = {
        "input_tokens": _first(view.prompt_tokens, view.input_tokens),
        "output_tokens": _first(view.completion_tokens, view.output_tokens),
        "total_tokens": view.total_tokens,
        "cache_read_tokens": _first(_of(inputs, "cached_tokens"), view.num_cached_tokens),
        "cache_write_tokens": _of(inputs, "cache_write_tokens"),
        "reasoning_tokens": _of(outputs, "reasoning_tokens"),
        "audio_tokens": _of(inputs, "audio_tokens"),
        "audio_seconds": view.prompt_audio_seconds,
        "connector_tokens": view.connector_tokens,
        "pages_processed": view.pages_processed,
        "doc_size_bytes": view.doc_size_bytes,
    }
    return Usage(
        **{name: _count(name, value, notes) for name, value in counts.items()},
        connectors=view.connectors,
        service_tier=view.service_tier,
        raw=text,
    )


class Sum:
    """What several answers used; a count that none of them names stays None."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts: dict[str, Any] = {}

    def add(self, usage: Usage) -> None:
        """Add what one answer used."""
        for name in _ADDED:
            if (count := getattr(usage, name)) is not None:
                self._counts[name] = self._counts.get(name, 0) + count

    def total(self) -> Usage:
        """Give the sum."""
        return Usage(**self._counts)


_ADDED = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "audio_seconds",
    "connector_tokens",
    "pages_processed",
    "doc_size_bytes",
)


def _of(details: Iterable[_Details | None], name: str) -> Any:
    """Give a count from the first of the details that names it."""
    return _first(*(getattr(one, name) for one in details if one is not None))


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _count(name: str, value: float | None, notes: Notes) -> Any:
    if value is None or 0 <= value <= _MOST:
        return value
    notes.add(f"usage.{name}: no count, left out")
    return None
