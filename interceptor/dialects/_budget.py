"""JSON within a budget: cut inside its structure, never across it."""

import itertools
from collections.abc import Callable
from typing import Any

import orjson

__all__ = ["dumped", "fitted"]

_LEAST_CHARS = 16
_LEAST_ITEM_BYTES = 16
_MOST_LEVELS = 200  # orjson writes 254


def fitted(value: Any, limit_bytes: int) -> tuple[str, bool]:
    """Give a value as compact JSON text of at most `limit_bytes`, and whether it had to be cut.

    Where not even a few characters of each text would fit, items go from the middle of the longest
    lists. Then the longest texts are shortened, to one length, each saying how much it lost. What
    cannot be cut so becomes a word on its size. `limit_bytes` is at least 64.
    """
    text = dumped(value)
    if len(text) <= limit_bytes:
        return text.decode(), False
    thin = _thinned(orjson.loads(text), limit_bytes)  # plain values, whatever they were before
    if thin is None:
        return dumped(f"[{len(text)} bytes left out]").decode(), True
    return dumped(_shortened(thin, _most_that_fits(thin, limit_bytes))).decode(), True


def dumped(value: Any) -> bytes:
    """Give a value as compact JSON; what JSON has no form for is given as text."""
    try:
        return _encoded(value)
    except TypeError:  # an integer beyond 64 bits, text that is no UTF-8, too many levels
        return _encoded(_plain(value, _MOST_LEVELS))


def _encoded(value: Any) -> bytes:
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS)


def _most_that_fits(value: Any, limit_bytes: int) -> int:
    """Find how many characters of each text may stay, to a sixteenth; the least of them fit."""

    def fits(keep: int) -> bool:
        return len(dumped(_shortened(value, keep))) <= limit_bytes

    low = _LEAST_CHARS
    while low < limit_bytes and fits(2 * low):
        low *= 2
    for step in (low // 2, low // 4, low // 8, low // 16):
        if fits(low + step):
            low += step
    return low


def _thinned(value: Any, limit_bytes: int) -> Any:
    """Take from the longest lists until the least of each text fits; None where it never does."""
    most = (
        limit_bytes // _LEAST_ITEM_BYTES
    )  # of a list far too long, most items are never looked at
    value = _cut(value, over=most, keep=most)
    while (size := len(dumped(_shortened(value, _LEAST_CHARS)))) > limit_bytes:
        longest = _longest(value)
        if longest <= 1:
            return None
        keep = max(1, min(longest // 2, longest * limit_bytes // size))
        value = _cut(value, over=longest // 2, keep=keep)
    return value


def _longest(value: Any) -> int:
    """Give the length of the longest list or object anywhere in a value."""
    if isinstance(value, dict):
        return max([len(value), *(_longest(one) for one in value.values())])
    if isinstance(value, list):
        return max([len(value), *(_longest(one) for one in value)])
    return 0


def _cut(value: Any, *, over: int, keep: int) -> Any:
    """Keep `keep` items of each list and object that has more than `over`."""
    if isinstance(value, dict):
        members = itertools.islice(value.items(), keep if len(value) > over else None)
        return {name: _cut(held, over=over, keep=keep) for name, held in members}
    if isinstance(value, list):
        items = value
        if len(items) > over:
            last = keep // 2
            items = items[: keep - last] + items[len(items) - last :]
        return [_cut(held, over=over, keep=keep) for held in items]
    return value


def _shortened(value: Any, keep: int) -> Any:
    def shorten(text: str) -> str:
        lost = len(text) - keep
        return f"{text[:keep]}… [{lost} more]" if lost > _LEAST_CHARS else text

    return _texts(value, shorten)


def _texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _texts(one, change) for key, one in value.items()}
    return [_texts(one, change) for one in value] if isinstance(value, list) else value


def _plain(value: Any, levels: int) -> Any:
    """Give a value with what orjson refuses made into text."""
    if isinstance(value, str):
        return _readable(value)
    if isinstance(value, dict | list | tuple) and not levels:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {_readable(_as_text(k)): _plain(one, levels - 1) for k, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, levels - 1) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return str(value)
    return value


def _readable(text: str) -> str:
    """Give text without what UTF-8 has no form for."""
    return text.encode("utf-8", "replace").decode()


def _as_text(value: Any) -> str:
    """Give any value as text, also one that fails to say what it is."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the value is the caller's, and may do anything
        return f"[{type(value).__name__}]"
