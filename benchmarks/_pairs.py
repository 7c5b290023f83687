"""Paired measurements: both sides alternately in one process, so that drift hits both alike.

A sample is one run of a side, timed on the calling thread: CPU by the thread's own clock, and
wall time. Each round takes a sample of either side and a second one of the bare side, in an order
that turns with the round. What counts is the median of the rounds' differences, with a 95 %
interval from order statistics; the control is the same difference between the bare side and
itself, which says how much of a figure is noise.
"""

import argparse
import gc
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

__all__ = [
    "HEAD",
    "Figure",
    "Limit",
    "Side",
    "Twin",
    "as_json",
    "figure",
    "line",
    "machine",
    "main",
    "measured",
    "sampled",
]

Side = Callable[[], None]
_WARM_UP_ROUNDS = 3


class Limit(NamedTuple):
    """What a figure must not exceed, and where that is written."""

    at_most: float
    why: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a cost for each unit of work, beside its bare twin's and the control.

    `low` and `high` bound the median of the differences with 95 % confidence. `ratio` is tapped
    over bare, where that says something.
    """

    name: str
    unit: str
    tapped: float | None = None
    bare: float | None = None
    added: float
    low: float | None = None
    high: float | None = None
    control: float | None = None
    ratio: float | None = None
    limit: float | None = None
    why: str = ""
    runs: int = 0

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its limit; True where it has none."""
        return self.limit is None or self.added <= self.limit


class Twin(NamedTuple):
    """Another way of doing what the tap does, to measure it by; `times` what it adds is allowed."""

    name: str
    prepare: Callable[[], Side]
    times: float = 1.0


class Sample(NamedTuple):
    """What one run of a side took, in nanoseconds."""

    cpu_ns: int
    wall_ns: int


def sampled(run: Side, *, between: Side) -> Sample:
    """Run a side once; `between` runs after it, outside the timing."""
    gc.collect()
    gc.disable()
    try:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        run()
        cpu_ns = time.thread_time_ns() - cpu_ns
        wall_ns = time.perf_counter_ns() - wall_ns
    finally:
        gc.enable()
    between()
    return Sample(cpu_ns, wall_ns)


def measured(
    name: str,
    *,
    tapped: Callable[[], Side],
    bare: Callable[[], Side],
    units: int,
    rounds: int,
    between: Side = lambda: None,
    limit: Limit | None = None,
    twin: Twin | None = None,
) -> Iterator[Figure]:
    """Measure two sides against each other; give CPU and wall microseconds for each unit.

    `tapped` and `bare` prepare a run, untimed, and give what is timed; it does `units` of work.
    A `twin` is another way of doing what the tap does: it is run in the same rounds, and what it
    adds to the bare side is the limit. Limits apply to the CPU of the calling thread: wall time
    has the worker in it as well, wherever both share a core.
    """
    makers = (tapped, bare, bare) if twin is None else (tapped, bare, bare, twin.prepare)
    rows: list[list[Sample]] = []
    for number in range(-_WARM_UP_ROUNDS, rounds):
        order = range(len(makers)) if number % 2 else reversed(range(len(makers)))
        found = {which: sampled(makers[which](), between=between) for which in order}
        if number >= 0:
            rows.append([found[which] for which in range(len(makers))])
    for clock in ("cpu", "wall"):
        columns = [
            [getattr(row[which], f"{clock}_ns") / units / 1000 for row in rows]
            for which in range(len(makers))
        ]
        held = limit if clock == "cpu" else None
        if twin is not None:
            beside = figure(twin.name, f"µs {clock}", columns[3], *columns[1:3], limit=None)
            yield beside
            most = Limit(twin.times * beside.added, f"{twin.name}, in the same rounds")
            held = most if held is None else held
        yield figure(name, f"µs {clock}", *columns[:3], limit=held if clock == "cpu" else None)


def figure(
    name: str,
    unit: str,
    tapped: list[float],
    bare: list[float],
    again: list[float],
    *,
    limit: Limit | None,
) -> Figure:
    """Make a figure of the samples of both sides, and of the bare side's second ones."""
    differences = [a - b for a, b in zip(tapped, bare, strict=True)]
    low, high = _interval(differences)
    return Figure(
        name=name,
        unit=unit,
        tapped=statistics.median(tapped),
        bare=statistics.median(bare),
        added=statistics.median(differences),
        low=low,
        high=high,
        control=statistics.median(a - b for a, b in zip(again, bare, strict=True)),
        ratio=statistics.median(a / b for a, b in zip(tapped, bare, strict=True)),
        limit=limit.at_most if limit is not None else None,
        why=limit.why if limit is not None else "",
        runs=len(differences),
    )


def _interval(values: list[float]) -> tuple[float, float]:
    """Give the 95 % interval of the median, from the order of the values alone."""
    ordered, n = sorted(values), len(values)
    spread = 0.98 * math.sqrt(n)
    low = max(0, math.floor((n - 1) / 2 - spread))
    high = min(n - 1, math.ceil((n - 1) / 2 + spread))
    return ordered[low], ordered[high]


def main(description: str, figures: Callable[[int], Iterable[Figure]], rounds: int) -> int:
    """Run one benchmark from its own command line; give 1 where a figure is over its limit."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each side is run")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each figure")
    given = parser.parse_args()
    is_met = True
    if not given.json:
        print(f"{machine()}\n{HEAD}")
    for figure in figures(given.rounds):
        is_met = is_met and figure.is_met
        print(as_json(figure) if given.json else line(figure), flush=True)
    return 0 if is_met else 1


def as_json(figure: Figure) -> str:
    """Give a figure as a line of JSON."""
    return msgspec.json.encode(figure).decode()


def machine() -> str:
    """Say what the figures were measured on."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, GIL {'on' if _has_gil() else 'off'}"
    )


_COLUMNS = "{:22} {:>7} {:>5} {:>7} {:>5} {:>12} {:>5} {:>5} {}"
"""What fits a terminal of 80 columns; JSON has every digit, and the ratio."""

HEAD = _COLUMNS.format(
    "", "unit", "with", "without", "added", "95 %", "noise", "limit", ""
).rstrip()


def line(figure: Figure) -> str:
    """Give a figure as one line of the table."""
    low, high = _number(figure.low), _number(figure.high)
    return _COLUMNS.format(
        figure.name,
        figure.unit,
        _number(figure.tapped),
        _number(figure.bare),
        _number(figure.added),
        f"{low} … {high}" if low else "",
        _number(figure.control),
        _number(figure.limit),
        "" if figure.limit is None else ("ok" if figure.is_met else "OVER"),
    ).rstrip()


def _number(value: float | None) -> str:
    """Give three digits of a number, two of them behind the point at most."""
    if value is None:
        return ""
    digits = next((n for n, above in ((0, 99.95), (1, 9.995)) if abs(value) >= above), 2)
    return f"{round(value, digits) + 0.0:.{digits}f}"  # nothing is not less than nothing


def _has_gil() -> bool:
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return True if is_enabled is None else bool(is_enabled())
