"""What a program pays for our boot hook before its first line: CPU time of the whole process.

The hook stands on PYTHONPATH, as `interceptor run` and `interceptor env` put it there, once with
INTERCEPTOR unset and once with it set; the bare twin has an empty folder there. Each start is a
process of its own, whose CPU time the system counts, and whose bytecode is cached, as that of
installed packages is.
"""

import os
import sys
import tempfile
from collections.abc import Iterator

from interceptor.installing.environment import VARIABLE, variables

from ._pairs import Figure, Limit, figure, main

__all__ = ["ROUNDS", "figures"]

ROUNDS = 150

_PROGRAM = (sys.executable, "-c", "pass")
_LIMITS = {"a start, switched off": 1.0, "a start, switched on": 3.0}
_LEADS_ELSEWHERE = ("INTERCEPTOR", "OTEL", "PYTHON", "COV")
_WARM_UP_ROUNDS = 3


def figures(rounds: int) -> Iterator[Figure]:
    """Give the CPU milliseconds that the hook adds; none where a system does not tell them."""
    if not hasattr(os, "wait4"):
        return
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(_LEADS_ELSEWHERE)}
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
        kept["PYTHONPYCACHEPREFIX"] = cache
        on = kept | variables({})
        starts = (
            {name: value for name, value in on.items() if name != "INTERCEPTOR"},
            on,
            kept | {VARIABLE: empty},
            kept | {VARIABLE: empty},
        )
        rows = []
        for number in range(-_WARM_UP_ROUNDS, rounds):
            order = range(len(starts)) if number % 2 else reversed(range(len(starts)))
            found = {which: _cpu_ms(starts[which]) for which in order}
            if number >= 0:
                rows.append([found[which] for which in range(len(starts))])
    columns = [list(column) for column in zip(*rows, strict=True)]
    for which, (name, at_most) in enumerate(_LIMITS.items()):
        limit = Limit(at_most, "what a start may cost")
        yield figure(name, "ms cpu", columns[which], *columns[2:], limit=limit)


def _cpu_ms(environ: dict[str, str]) -> float:
    """Start a Python that does nothing, and give the CPU time of its whole life."""
    process = os.posix_spawn(sys.executable, _PROGRAM, environ)
    _, status, used = os.wait4(process, 0)
    assert status == 0
    return (used.ru_utime + used.ru_stime) * 1000


if __name__ == "__main__":
    sys.exit(main(__doc__, figures, ROUNDS))
