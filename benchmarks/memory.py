"""How much memory a long stream adds where at most 4 MiB of a body are kept.

Each side is a process of its own, which reads 64 MiB of events in pieces of 64 KiB. What counts
is the difference of the two processes' peaks, as Linux keeps them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ._pairs import Figure, main

__all__ = ["ROUNDS", "figures"]

ROUNDS = 5

_LIMIT_MIB = 8.0
_RESETS_PEAK = Path("/proc/self/clear_refs")
_PROGRAM = """
import pathlib, sys
import interceptor

def peak_kib():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

from {package}._memory_transport import CHUNK, http as library
from {package}._spans import Spans
http = library()
spans = Spans(body_limit_mb=4)
PIECE = 1 << 16

class Body(http.SyncByteStream):
    def __iter__(self):
        for number in range(1024):
            yield CHUNK * (PIECE // len(CHUNK)) + b": " + bytes(PIECE % len(CHUNK) - 4) + b"\\n\\n"

class Inner(http.BaseTransport):
    def handle_request(self, request):
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

transport = interceptor.wrap(Inner()) if sys.argv[1] == "tapped" else Inner()
request = http.Request("POST", "https://api.mistral.ai/v1/chat/completions", json={"model": "m"})
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here, not at imports
before = peak_kib()
size = sum(len(piece) for piece in transport.handle_request(request).stream)
assert size >= 64 << 20, size
spans.flush()
if sys.argv[1] == "tapped":
    spans.said(mistral_ai__response__bytes=size)
print(peak_kib() - before)
"""


def figures(rounds: int) -> Iterator[Figure]:
    """Give the memory that recording adds to the peak of a process that reads 64 MiB.

    None where the system keeps no peak that can be reset: only Linux does.
    """
    if not _RESETS_PEAK.exists():
        return
    tapped = sorted(_peak_mib("tapped") for _ in range(rounds))
    bare = sorted(_peak_mib("bare") for _ in range(rounds))
    middle = rounds // 2
    yield Figure(
        name="a stream of 64 MiB",
        unit="MiB",
        tapped=tapped[middle],
        bare=bare[middle],
        added=tapped[middle] - bare[middle],
        low=tapped[0] - bare[-1],
        high=tapped[-1] - bare[0],
        control=bare[-1] - bare[0],
        limit=_LIMIT_MIB,
        why="8 MiB",
        runs=rounds,
    )


def _peak_mib(side: str) -> float:
    program = _PROGRAM.replace("{package}", __package__ or "benchmarks")
    command = [sys.executable, "-c", program, side]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a program of ours
    return int(done.stdout) / 1024


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
