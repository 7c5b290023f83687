"""JSON within a budget: cut inside its structure, never across it."""

from collections.abc import Callable
from typing import Any

import orjson

__all__ = ["dumped", "fitted"]

_LEAST_CHARS = 16


def fitted(value: Any, limit_bytes: int) -> tuple[str, bool]:
    """Give a value as compact JSON text of at most `limit_bytes`, and whether it had to be cut.

    First the longest texts are shortened, to one length, each saying how much it lost; where that
    is not enough, items go from the middle of the longest lists.
    """
    text = dumped(value)
    if len(text) <= limit_bytes:
        return text.decode(), False
    keep = _most_that_fits(value, limit_bytes)
    if keep is not None:
        return dumped(_shortened(value, keep)).decode(), True
    return _thinned(_shortened(value, _LEAST_CHARS), limit_bytes), True


def dumped(value: Any) -> bytes:
    """Give a value as compact JSON; what JSON has no form for is given as text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer beyond 64 bits, or text that is no UTF-8
        return orjson.dumps(_plain(value), default=str)


def _most_that_fits(value: Any, limit_bytes: int) -> int | None:
    """Find how many characters of each text may stay, to a sixteenth; None where not even few."""
    low, high = _LEAST_CHARS, limit_bytes
    if len(dumped(_shortened(value, low))) > limit_bytes:
        return None
    while high - low > max(1, low // 16):
        middle = (low + high) // 2
        if len(dumped(_shortened(value, middle))) <= limit_bytes:
            low = middle
        else:
            high = middle
    return low


def _thinned(value: Any, limit_bytes: int) -> str:
    """Halve the longest lists until it fits; what cannot fit so becomes a word on its size."""
    for _ in range(64):
        text = dumped(value)
        if len(text) <= limit_bytes:
            return text.decode()
        value, longest = _halved(value, _longest(value))
        if longest <= 1:
            break
    return dumped(f"[{len(dumped(value))} bytes left out]").decode()


def _longest(value: Any) -> int:
    """Give the length of the longest list or object anywhere in a value."""
    if isinstance(value, dict):
        return max([len(value), *(_longest(one) for one in value.values())])
    if isinstance(value, list | tuple):
        return max([len(value), *(_longest(one) for one in value)])
    return 0


def _halved(value: Any, longest: int) -> tuple[Any, int]:
    def change(one: Any) -> Any:
        if isinstance(one, dict):
            kept = list(one.items())
            if len(kept) == longest > 1:
                kept = kept[: (longest + 1) // 2]
            return {key: change(held) for key, held in kept}
        if isinstance(one, list | tuple):
            items = list(one)
            if len(items) == longest > 1:
                keep = max(1, longest // 4)
                items = items[:keep] + items[-keep:] if longest > 2 else items[:1]  # noqa: PLR2004
            return [change(held) for held in items]
        return one

    return change(value), longest


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
    return [_texts(one, change) for one in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """Give a value with what orjson refuses made into text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)
    return value
