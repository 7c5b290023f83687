"""Processes in a virtual environment of their own, for what must be seen from outside."""

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

from interceptor.store import Store

PROGRAMS = Path(__file__).parent / "programs"
ANSWER = "chat.completions/plain"
TOKENS = "49"

_LEADS_ELSEWHERE = ("INTERCEPTOR", "MISTRAL", "OTEL", "PYTHONPATH")


class Environment:
    """A virtual environment with the packages that these tests run with behind its own."""

    def __init__(self, folder):
        venv.create(folder, symlinks=True)
        self.python = str(folder / "bin" / "python")
        self.packages = Path(
            sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        )
        ours = sysconfig.get_path("purelib")
        behind = f"import site; site.addsitedir({ours!r})\n"
        (self.packages / "a-test.pth").write_text(behind, "utf-8")  # the first to be read

    def interceptor(self, *words):
        """Give the command for a command of interceptor's."""
        return [self.python, "-m", "interceptor", *words]


def environ(**changes):
    """Give this environment without what could switch recording on or lead it elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEADS_ELSEWHERE) and not name.lower().endswith("_proxy")
    }
    return kept | {name: str(value) for name, value in changes.items()}


def run(command, *, env, status=0, **options):
    """Run a command to its end; give what it printed, on stdout and on stderr."""
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=90, check=False, **options
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def traces(store):
    """Give the traces of a store, newest first; none where there is no store."""
    return Store(store).latest(1000) if Path(store).exists() else []
