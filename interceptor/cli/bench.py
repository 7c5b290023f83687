"""Measure on this machine what being recorded costs, each figure beside its bare twin.

Both sides are run alternately in one process, nothing is sent anywhere, and a control says how
much of a figure is noise. `calls` and `chunks` are the caller's side, `memory` a long stream,
`event_loop` the pauses of a loop while a large answer is read. Exits with 1 where a figure is over
its limit.
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
    parser.add_argument("--rounds", type=int, help="how often each side is run")
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
