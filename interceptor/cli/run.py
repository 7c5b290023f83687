"""Run a program, and record what it says to Mistral's API. No line of it changes.

COMMAND is a script (`interceptor run app.py --port 80`), a module (`interceptor run -m pytest`),
or a command on the PATH (`interceptor run gunicorn -w 2 app:app`). The processes that it starts
are recorded too: they find the same variables, which `interceptor env` prints.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from interceptor.cli._checked import checked
from interceptor.cli._output import Note, Output
from interceptor.errors import InterceptorError
from interceptor.installing.environment import variables

__all__ = ["add_arguments", "run"]

_RUN_BY_PYTHON = {".py", ".pyc", ".pyz", ".zip"}
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.usage = "%(prog)s [-h] [-m MODULE | COMMAND] [ARG …]"
    parser.add_argument(
        "-m",
        dest="module",
        metavar="MODULE …",
        nargs=argparse.REMAINDER,
        help="run a module with its arguments, as `python -m` does",
    )
    parser.add_argument(
        "command",
        metavar="COMMAND …",
        nargs=argparse.REMAINDER,
        help="a script or a command, and its arguments",
    )


def run(args: argparse.Namespace) -> Output:
    """Become the program."""
    settings = checked(os.environ)
    command = _command(args)
    environ = {**os.environ, **variables(os.environ)}
    if settings.is_off:
        why = "OTEL_SDK_DISABLED is true" if settings.disabled else "INTERCEPTOR is 0"
        yield Note(f"{why}: nothing is recorded")
        environ["INTERCEPTOR"] = "0"
    _become(command, environ)


def _command(args: argparse.Namespace) -> list[str]:
    """Give the words to execute, the program's path first."""
    if args.module:
        return [sys.executable, "-m", *args.module, *args.command]
    if not args.command:
        raise InterceptorError("nothing to run; give a script, -m and a module, or a command")
    name, *rest = args.command
    path, found = Path(name), shutil.which(name)
    if (path.suffix in _RUN_BY_PYTHON and (path.exists() or found is None)) or _is_program(path):
        return [sys.executable, name, *rest]
    if found is not None:
        return [found, *rest]
    if path.exists():
        return [sys.executable, name, *rest]
    raise InterceptorError(
        f"there is no file and no command {name!r}; give a script, -m and a module, or a command "
        "on the PATH"
    )


def _is_program(path: Path) -> bool:
    """Tell whether Python runs a folder; others may bear a command's name, as alembic's does."""
    return (path / "__main__.py").is_file()


def _become(command: list[str], environ: dict[str, str]) -> NoReturn:
    """Let the program take this process's place: signals and the exit status are its own."""
    sys.stdout.flush()
    for name in _IGNORED_BY_PYTHON:  # and by what it becomes, unless that is a Python again
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_DFL)
    try:
        if os.name == "nt":  # pragma: no cover - there, a process cannot take another's place
            raise SystemExit(subprocess.call(command, env=environ))  # noqa: S603
        os.execve(command[0], command, environ)  # noqa: S606 - what the user asked to run
    except OSError as error:
        raise InterceptorError(f"{command[0]!r} cannot be run: {error.strerror}") from error
