"""Recorded texts, made fit for a terminal: what anybody may have written into them is harmless."""

import json
from typing import Any

__all__ = [
    "compact",
    "counted",
    "dollars",
    "line",
    "parsed",
    "plain",
    "readable",
    "shortened",
    "size",
    "visible",
]

# A terminal obeys control characters, and these texts come from strangers. Those that turn the
# direction of writing let a text look like another.
_TURNING = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_PICTURES = (
    {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"}
    | {0x7F: 0x2421}
    | dict.fromkeys([*range(0x80, 0xA0), *_TURNING], 0xFFFD)
)
_KB = 1000
_CENT = 0.01
_LEAST_DOLLARS = 0.0001
_MOST_CHARS = 1200
_MOST_LINES = 16
_WIDE = 72


def visible(text: str) -> str:
    """Give a text with its control characters as pictures, ␛ or �; its lines stay."""
    return text.replace("\r\n", "\n").translate(_PICTURES)


def line(text: str) -> str:
    """Give a text on one line."""
    return visible(" ".join(text.split()))


def shortened(text: str) -> tuple[str, int]:
    """Give the beginning of a long text and how many characters were left out."""
    lines = text.split("\n", maxsplit=_MOST_LINES)
    kept = "\n".join(lines[:_MOST_LINES])
    if len(kept) > _MOST_CHARS:
        kept = kept[:_MOST_CHARS]
    kept = kept.rstrip()
    left = len(text.rstrip()) - len(kept)
    # To say that little is left out takes as much room as that little.
    return (text.rstrip(), 0) if left <= _WIDE else (kept, left)


def parsed(value: Any) -> Any:
    """Read JSON text; what is none stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def plain(value: Any) -> str:
    """Give a value on one line: a text as it is, JSON for anything else."""
    value = parsed(value)
    return value if isinstance(value, str) else compact(value)


def compact(value: Any) -> str:
    """Give a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def readable(value: Any) -> str:
    """Give a value, or the value that JSON text stands for, as text: JSON indented where long."""
    found = parsed(value)
    if isinstance(found, dict | list):
        text = compact(found)
        return text if len(text) <= _WIDE else json.dumps(found, ensure_ascii=False, indent=2)
    if isinstance(found, str):
        return found
    return value if isinstance(value, str) else compact(value)  # a number as it was written


def counted(number: int, thing: str) -> str:
    """Give a number of things: `1 call`, `2 calls`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def size(count_bytes: int) -> str:
    """Give a number of bytes: `120 B`, `12 kB`, `3.4 MB`."""
    if count_bytes < _KB:
        return f"{count_bytes} B"
    if count_bytes < _KB**2:
        return f"{count_bytes / _KB:.0f} kB"
    return f"{count_bytes / _KB**2:.1f} MB"


def dollars(usd: float) -> str:
    """Give an amount; costs are estimates, and are said to be by their heading."""
    if 0 < usd < _LEAST_DOLLARS:
        return f"<${_LEAST_DOLLARS}"
    return f"${usd:.4f}" if usd < _CENT else f"${usd:.2f}"
