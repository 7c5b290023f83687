"""Moments as people write them, in a terminal and in code."""

import datetime as dt

import pytest

from interceptor.moments import unix_ns
from tests.cli_store import fresh_machine
from tests.store_spans import SECOND, START

DAY = 86_400 * SECOND
MIDNIGHT = START - (8 * 3600 + 53 * 60 + 20) * SECOND
UTC = dt.timezone.utc  # noqa: UP017 - beside other zones


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    with fresh_machine(monkeypatch, tmp_path):
        yield


MOMENTS = {
    "seconds ago": ("90s", START - 90 * SECOND),
    "minutes ago": ("10m", START - 600 * SECOND),
    "hours ago, with spaces": (" 1h ", START - 3600 * SECOND),
    "a part of an hour": ("1.5h", START - 5400 * SECOND),
    "days ago": ("2d", START - 2 * DAY),
    "weeks ago": ("1w", START - 7 * DAY),
    "a duration": (dt.timedelta(minutes=10), START - 600 * SECOND),
    "no time ago": (dt.timedelta(0), START),
    "longer ago than there are times": ("99999w", 0),
    "as long ago as can be said": (dt.timedelta.max, 0),
    "a date and time": ("2025-10-09T08:53:20", START),
    "with a space": (" 2025-10-09 08:53:20 ", START),
    "a date": ("2025-10-09", MIDNIGHT),
    "a zone": ("2025-10-09T10:53:20+02:00", START),
    "a datetime": (dt.datetime(2025, 10, 9, 8, 53, 20), START),  # noqa: DTZ001 - local, as people
    "a datetime with a zone": (dt.datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC), START),
    "a date, as such": (dt.date(2025, 10, 9), MIDNIGHT),
    "the first there is": (dt.datetime.min.replace(tzinfo=UTC), 0),
    "the last there is": (dt.datetime.max.replace(tzinfo=UTC), 2**63 - 1),
}


@pytest.mark.parametrize(("given", "found"), MOMENTS.values(), ids=MOMENTS)
def test_a_moment_is_read(given, found):
    assert unix_ns(given, now_unix_ns=START) == found


NONE = {
    "nothing": "",
    "a number": "1",
    "a unit": "h",
    "less than nothing": "-1h",
    "a unit that we have not": "1y",
    "a word": "soon",
    "no month": "2025-13-01",
    "before there were zones": "0001-01-01",
    "no float": f"{'9' * 400}w",
    "a duration of less than nothing": dt.timedelta(seconds=-1),
    "a number, as such": 3600,
    "a time without a date": dt.time(8, 53),
    "bytes": b"1h",
}


@pytest.mark.parametrize("given", NONE.values(), ids=NONE)
def test_what_is_no_moment_is_none(given):
    assert unix_ns(given, now_unix_ns=START) is None
