"""The command line: `interceptor COMMAND`, a module of this folder for each command.

A command is a module with a docstring (`interceptor COMMAND --help` shows it),
`add_arguments(parser)`, and `run(args)`, a generator of what there is to say: lines of text, rich
renderables, and `Note`s. Only `main` prints them. What goes wrong is raised as an
`InterceptorError`, and said in one line on stderr. A new command is a module and a line in
`COMMANDS`; it is imported when it is asked for, so that `interceptor --help` stays quick.
"""

import argparse
import importlib
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NoReturn

from interceptor._version import __version__
from interceptor.cli._output import say_in_ascii, written
from interceptor.errors import InterceptorError

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "demo": "make the SDK call a server of our own, and see the traces",
    "ls": "list the newest traces",
    "show": "show one trace: its tree, its conversation, what it used",
    "run": "run a program and record it, without a change to it",
    "env": "print variables that do the same: for a shell, an image, a service",
    "autostart": "let INTERCEPTOR=1 alone switch recording on in this environment",
    "bench": "measure on this machine what being recorded costs",
    "doctor": "say what is installed and what is on, and try it with one call",
}
"""Each command and what it does, in the order of `interceptor --help`."""

_INTERRUPTED = 130  # 128 and the signal's number, as a shell has it
_NOBODY_READS = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give the exit status: 0, or 1 when it could not do what was asked."""
    say_in_ascii(sys.stdout)
    try:
        status = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it goes: let that fail no more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = _parser().parse_args(argv)
        with closing(args.run(args)) as output:
            for stream, text in written(output):
                print(text, end="", file=stream, flush=True)
    except InterceptorError as error:
        sys.stdout.flush()
        print(f"interceptor: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except SystemExit as leaving:  # argparse has said the version or the help
        return int(leaving.code or 0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="interceptor",
        usage="%(prog)s [-h] [--version] COMMAND ...",
        description="See every call that a Python program makes to Mistral's API.",
        epilog="\n".join(_help()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(run=lambda _: (text for text in [parser.format_help().rstrip()]))
    # Argparse would list the commands in its own way, under a line that says nothing.
    commands = parser.add_subparsers(
        prog=parser.prog, metavar="COMMAND", help=argparse.SUPPRESS, parser_class=_Command
    )
    for name in COMMANDS:
        commands.add_parser(name)
    return parser


def _help() -> Iterator[str]:
    longest = max(map(len, COMMANDS))
    yield "commands:"
    yield from (f"  {name:{longest}}  {what}" for name, what in COMMANDS.items())
    yield ""
    yield "`interceptor COMMAND --help` says more about each."


def _filled(text: str) -> str:
    """Fit the paragraphs of a docstring to 80 columns; what is indented stays as it is."""
    parts = text.strip().split("\n\n")
    return "\n\n".join(one if one.startswith(" ") else textwrap.fill(one, 79) for one in parts)


class _Parser(argparse.ArgumentParser):
    """Raises what it is told wrongly, so that it is said as every other error is."""

    def error(self, message: str) -> NoReturn:
        raise InterceptorError(f"{message}; `{self.prog} --help` says what there is")


class _Command(_Parser):
    """Imports its command when that is asked for."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        command = importlib.import_module(f"{__name__}.{self.prog.split()[-1]}")
        self.description = _filled(command.__doc__ or "")
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        self.set_defaults(run=command.run)
        command.add_arguments(self)
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:  # left to the parser of all commands, it would point to its own help
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown
