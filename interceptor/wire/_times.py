"""Times as the API writes them."""

from datetime import UTC, datetime, timedelta

__all__ = ["unix_ns"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def unix_ns(text: str | None) -> int | None:
    """Give an ISO 8601 time as nanoseconds since the epoch; None where it is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    zoned = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (zoned - _EPOCH) // _MICROSECOND * 1000
