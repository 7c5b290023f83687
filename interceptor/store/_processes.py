"""Which process runs a span, and whether it is still there.

A process number alone says little: numbers are used again, and another container
counts its own. So a process is named by the machine's boot, its number space, its
number and its start, as far as the system tells them.
"""

import os
import sys
from pathlib import Path

__all__ = ["is_gone", "pid_of", "this_process"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBER_SPACE = Path("/proc/self/ns/pid")


def this_process() -> str:
    """Give the name of the running process: `boot/number space/number/start`."""
    pid = os.getpid()
    return f"{_boot()}/{_number_space()}/{pid}/{_start(pid) or ''}"


def pid_of(process: str) -> int:
    """Give the number in a process's name."""
    return int(process.split("/")[2])


def is_gone(process: str) -> bool:
    """Say whether the named process has certainly died.

    False also where that cannot be known from here: in another container, and on
    systems that neither have `/proc` nor can be asked without harm.
    """
    boot, number_space, _, start = process.split("/")
    pid = pid_of(process)
    if boot != _boot():
        return True
    if number_space != _number_space():
        return False
    return _start(pid) != start if start else not _exists(pid)


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def _number_space() -> str:
    try:
        return str(_NUMBER_SPACE.stat().st_ino)
    except OSError:
        return ""


def _start(pid: int) -> str | None:
    """Give when a process began, in clock ticks since boot; None if it is not there or dead."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may hold any character.
    fields = status.rpartition(")")[2].split()
    state, start = fields[0], fields[19]
    return None if state in "ZX" else start


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, signal 0 is Ctrl+C
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True
