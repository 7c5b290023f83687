"""Moments as people write them: how long ago, or a date; at a terminal and in code alike.

It reads no clock: what is now is an argument.
"""

import re
from datetime import date, datetime, time, timedelta

__all__ = ["unix_ns"]

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NS = 1e9
_LAST_NS = 2**63 - 1  # what 64 bits hold: the year 2262


def unix_ns(given: str | timedelta | date, *, now_unix_ns: int) -> int | None:
    """Read how long ago (`90s`, `10m`, `1h`, `2d`, `1w`, or a timedelta) or a date and time.

    A text may be a date and time of ISO 8601, too; what names no zone is local, a date its first
    moment. Gives nanoseconds since the epoch, which nothing is before, or None for what is no time.
    """
    try:
        found = _ago_s(given)
        at = now_unix_ns - round(found * _NS) if found is not None else _at_ns(given)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(at, 0), _LAST_NS)


def _ago_s(given: object) -> float | None:
    """Give how many seconds ago is said; None where it is not said so."""
    if isinstance(given, timedelta):
        if given < timedelta(0):
            raise ValueError("less than no time ago")
        return given.total_seconds()
    if isinstance(given, str) and (ago := re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", given.strip())):
        return float(ago[1]) * _UNITS_S[ago[2]]
    return None


def _at_ns(given: object) -> int:
    at = datetime.fromisoformat(given.strip()) if isinstance(given, str) else given
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime.combine(at, time())
    if not isinstance(at, datetime):
        raise TypeError("neither a text nor a date")
    return round(at.timestamp() * _NS)
