"""Times as people read and write them: `1.24s`, `14:03:22`, `--since 1h`."""

from argparse import ArgumentTypeError
from datetime import datetime

from interceptor.moments import unix_ns

__all__ = ["clock", "date_and_time", "moment", "seconds"]

_MINUTE_S, _HOUR_S = 60, 3600
# Below how many seconds, times what, with how many digits: bounds are where rounding would go up.
_STEPS = (
    (0.00009995, 1_000_000, 0, "µs"),
    (0.00995, 1000, 1, "ms"),
    (0.9995, 1000, 0, "ms"),
    (9.995, 1, 2, "s"),
    (59.95, 1, 1, "s"),
)


def seconds(value: float) -> str:
    """Give a duration in some six characters: `46µs`, `0.4ms`, `1.24s`, `2m05s`, `27h46m`."""
    for below, factor, digits, unit in _STEPS:
        if value < below:
            return f"{value * factor:.{digits}f}{unit}"
    whole = round(value)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02}s"
    return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02}m"


def clock(unix_ns: int, *, now_unix_ns: int) -> str:
    """Give a moment in local time as shortly as `now` allows: the time, the day too, the year."""
    at, now = _local(unix_ns), _local(now_unix_ns)
    if at.date() == now.date():
        return f"{at:%H:%M:%S}"
    return f"{at:%m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d}"


def date_and_time(unix_ns: int) -> str:
    """Give a moment in local time, whole."""
    return f"{_local(unix_ns):%Y-%m-%d %H:%M:%S}"


def moment(text: str, *, now_unix_ns: int) -> int:
    """Read how long ago (`90s`, `10m`, `1h`, `2d`, `1w`) or a local date and time (ISO 8601).

    Gives nanoseconds since the epoch; raises ArgumentTypeError.
    """
    found = unix_ns(text, now_unix_ns=now_unix_ns)
    if found is None:
        raise ArgumentTypeError(
            f"{text!r} is no time; use how long ago, such as 90s, 10m, 1h or 2d, "
            "or a date, such as 2026-11-21 or 2026-11-21T14:00"
        )
    return found


def _local(unix_ns: int) -> datetime:
    return datetime.fromtimestamp(unix_ns / 1e9).astimezone()
