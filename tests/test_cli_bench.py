"""`interceptor bench`: what it says of itself, its table, and what it needs to measure anything.

How fast we are is not tested here: that is `test_budget`.
"""

import re
import subprocess
import sys

import pytest

from interceptor.cli import bench
from interceptor.errors import InterceptorError
from tests.environments import environ

pairs = bench._module("_pairs")
TABLE = {
    "large and small": (
        {"tapped": 146.579, "bare": 24.362, "added": 124.6, "low": 9.996, "high": 99.96},
        "a recorded call         µs cpu   147    24.4   125   10.0 … 100",
    ),
    "less than nothing": (
        {"added": 0.139, "low": -0.044, "high": 0.381, "control": -0.003, "limit": 1.0},
        "a recorded call         µs cpu                0.14 -0.04 … 0.38  0.00  1.00 ok",
    ),
    "over its limit": (
        {"added": 124.6, "limit": 115.96},
        "a recorded call         µs cpu                 125                      116 OVER",
    ),
}


@pytest.mark.parametrize(("fields", "line"), TABLE.values(), ids=TABLE)
def test_a_line_fits_a_terminal_and_ends_with_what_it_says(fields, line):
    figure = pairs.Figure(name="a recorded call", unit="µs cpu", **fields)
    assert pairs.line(figure) == line
    assert len(line) <= 80
    assert pairs.HEAD.split() == ["unit", "with", "without", "added", "95", "%", "noise", "limit"]
    assert len(pairs.HEAD) <= 80


def test_each_benchmark_is_explained_with_how_often_it_is_run():
    said = dict(re.findall(r"^    (\w+) +.* \((\d+) rounds\)$", bench.__doc__, re.MULTILINE))
    assert said == {name: str(bench._module(name).ROUNDS) for name in bench.NAMES}


def ran(**changes):
    return subprocess.run(
        [sys.executable, "-m", "interceptor", "bench", "--rounds", "1", "calls"],
        env=environ(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_measures_whatever_the_environment_says():
    done = ran(INTERCEPTOR="0")
    assert "\na recorded call         µs cpu" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    # One round is nothing to judge by.
    assert done.stderr in ("", "interceptor: over the limit: a recorded call\n")


def test_where_no_span_is_made_is_one_line():
    done = ran(OTEL_SDK_DISABLED="true")
    assert done.returncode == 1
    said = "interceptor: no span was made; OpenTelemetry makes none where OTEL_SDK_DISABLED is true"
    assert done.stderr == f"{said}\n"


BAD = {
    "a name": (["nothing"], None, "no benchmark is called 'nothing'; there are: calls, "),
    "a number": ([], 0, "--rounds is 0; use a whole number above 0"),
}


@pytest.mark.parametrize(("names", "rounds", "said"), BAD.values(), ids=BAD)
def test_what_is_asked_wrongly_is_said(names, rounds, said):
    args = bench.argparse.Namespace(names=names, rounds=rounds, json=False)
    with pytest.raises(InterceptorError, match=re.escape(said)):
        next(bench.run(args))
