"""Show one trace: its tree, its conversation, what it used."""

import argparse

from interceptor.cli._output import Output
from interceptor.store import Store

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("trace", metavar="TRACE", help="the first digits of its id")
    parser.add_argument("--store", metavar="PATH", help="the store to read")


def run(args: argparse.Namespace) -> Output:
    """Give the spans of the trace."""
    for span in Store(args.store).trace(args.trace):
        yield f"{span.span_id}  {span.status:7}  {span.name}"
