"""Measure on this machine what being recorded costs, each figure beside its bare twin.

    calls       a call that is recorded, and one with a span by hand (201 rounds)
    chunks      a piece of a stream that goes by (21 rounds)
    phases      the network's phases of a call, timed or not (41 rounds)
    observe     a call of a function with @observe (201 rounds)
    boot        the start of a Python where `interceptor env` is set (150 rounds)
    memory      a stream of 64 MiB of which 4 are kept (5 rounds)
    event_loop  the pauses of an event loop while a large answer is read (21 rounds)

Both sides are run alternately, nothing is sent anywhere, and what the environment says of
interceptor does not count. A line has what it takes with that and without it, the median of the
differences with its 95 % interval, and how much of them is noise: the same difference between the
side without and itself. Exits with 1 where a figure is over its limit.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator
from typing import Any

from interceptor._resources import benchmarks_folder
from interceptor.errors import InterceptorError

__all__ = ["NAMES", "add_arguments", "run"]

NAMES = ("calls", "chunks", "phases", "observe", "boot", "memory", "event_loop")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which to run, all by default: {', '.join(NAMES)}",
    )
    parser.add_argument("--rounds", type=int, help="how often each side is run (default: as above)")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each figure")


def run(args: argparse.Namespace) -> Iterator[str]:
    """Give the figures as they come; raise `InterceptorError` at the end where one is over."""
    for name in args.names:
        if name not in NAMES:
            raise InterceptorError(
                f"no benchmark is called {name!r}; there are: {', '.join(NAMES)}"
            )
    if args.rounds is not None and args.rounds < 1:
        raise InterceptorError(f"--rounds is {args.rounds}; use a whole number above 0")
    pairs = _module("_pairs")
    over = []
    if not args.json:
        yield pairs.machine()
        yield pairs.HEAD
    for name in args.names or NAMES:
        benchmark = _module(name)
        for figure in benchmark.figures(args.rounds or benchmark.ROUNDS):
            yield pairs.as_json(figure) if args.json else pairs.line(figure)
            if not figure.is_met:
                over.append(figure.name)
    if over:
        raise InterceptorError(f"over the limit: {', '.join(over)}")


def _module(name: str) -> Any:
    """Import a benchmark from the checkout, or from the wheel that carries them inside."""
    folder = benchmarks_folder()
    package = "interceptor._benchmarks"
    if folder.name == "benchmarks":
        package = folder.name
        if str(folder.parent) not in sys.path:
            sys.path.append(str(folder.parent))
    return importlib.import_module(f"{package}.{name}")
