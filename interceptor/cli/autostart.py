"""Let INTERCEPTOR=1 alone switch recording on, in this Python environment.

`enable` writes two small files into this environment's site-packages. Python runs one of them at
each start, and it does nothing where INTERCEPTOR is not set. `disable` removes them; `status` says
whether they are there. Nothing else writes them.
"""

import argparse

from interceptor.cli._output import Output
from interceptor.installing import autostart

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    choices = ["enable", "status", "disable"]
    # Without a name of its own, an error would call it `what`.
    parser.add_argument("what", choices=choices, metavar=f"{{{','.join(choices)}}}")


def run(args: argparse.Namespace) -> Output:
    """Do it, and say which files that concerns."""
    if args.what == "disable":
        removed = autostart.disable()
        yield from (f"removed {path}" for path in removed)
        if not removed:
            yield "autostart was not enabled"
        return
    files = autostart.enable() if args.what == "enable" else autostart.found()
    if not files:
        yield "autostart is not enabled"
        return
    yield "autostart is enabled: INTERCEPTOR=1 switches recording on"
    yield from (f"  {path}" for path in files)
