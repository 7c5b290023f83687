"""List the newest traces, newest first."""

import argparse

from interceptor.cli._output import Output
from interceptor.store import Store

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("-n", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--store", metavar="PATH", help="the store to read")


def run(args: argparse.Namespace) -> Output:
    """Give a line for each trace."""
    for trace in Store(args.store).latest(args.n):
        yield f"{trace.trace_id[:8]}  {trace.status:7}  {trace.name}"
