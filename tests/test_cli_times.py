"""Times as people read and write them."""

from argparse import ArgumentTypeError

import pytest

from interceptor.cli._times import clock, date_and_time, moment, seconds
from tests.cli_store import fresh_machine
from tests.store_spans import SECOND, START

DAY = 86_400 * SECOND


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    with fresh_machine(monkeypatch, tmp_path):
        yield


DURATIONS = {
    0: "0µs",
    0.000046: "46µs",
    0.0000999: "100µs",
    0.0001: "0.1ms",
    0.0042: "4.2ms",
    0.00994: "9.9ms",
    0.00996: "10ms",
    0.312: "312ms",
    0.9994: "999ms",
    0.9996: "1.00s",
    1.24: "1.24s",
    9.994: "9.99s",
    9.996: "10.0s",
    59.94: "59.9s",
    59.96: "1m00s",
    125: "2m05s",
    3599.4: "59m59s",
    3599.6: "1h00m",
    100_000: "27h46m",
}


@pytest.mark.parametrize(("value", "text"), DURATIONS.items())
def test_a_duration_reads(value, text):
    assert seconds(value) == text


CLOCKS = {
    "today": (START + 3 * 3600 * SECOND, "08:53:20"),
    "this year": (START + 3 * DAY, "10-09 08:53"),
    "before": (START + 365 * DAY, "2025-10-09"),
    "later than now": (START - DAY, "10-09 08:53"),
}


@pytest.mark.parametrize(("now", "text"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_says_what_now_leaves_open(now, text):
    assert clock(START, now_unix_ns=now) == text


def test_a_date_and_time_is_whole():
    assert date_and_time(START) == "2025-10-09 08:53:20"


MOMENTS = {
    "90s": START - 90 * SECOND,
    "10m": START - 600 * SECOND,
    " 1h ": START - 3600 * SECOND,
    "1.5h": START - 5400 * SECOND,
    "2d": START - 2 * DAY,
    "1w": START - 7 * DAY,
    "2025-10-09T08:53:20": START,
    "2025-10-09 08:53:20": START,
    "2025-10-09": START - (8 * 3600 + 53 * 60 + 20) * SECOND,
    "2025-10-09T10:53:20+02:00": START,
}


@pytest.mark.parametrize(("text", "unix_ns"), MOMENTS.items())
def test_a_moment_is_read(text, unix_ns):
    assert moment(text, now_unix_ns=START) == unix_ns


NO_MOMENTS = ["", "1", "h", "-1h", "1y", "soon", "2025-13-01", "0001-01-01", f"{'9' * 400}w"]


@pytest.mark.parametrize("text", NO_MOMENTS)
def test_what_is_no_moment_is_said(text):
    with pytest.raises(ArgumentTypeError, match="is no time; use how long ago"):
        moment(text, now_unix_ns=START)
