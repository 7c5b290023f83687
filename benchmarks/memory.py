"""How much memory a long stream adds where at most 4 MiB of a body are kept.

Each side is a process of its own, which reads 64 MiB of events in pieces of 64 KiB; what counts is the
difference of the two processes' peaks.
"""

import subprocess
import sys
from collections.abc import Iterator

from ._pairs import Figure, main

__all__ = ["ROUNDS", "figures"]

ROUNDS = 5

_LIMIT_MIB = 8.0
_PROGRAM = """
import resource, sys
import interceptor
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
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = sum(len(piece) for piece in transport.handle_request(request).stream)
assert size >= 64 << 20, size
spans.flush()
if sys.argv[1] == "tapped":
    spans.said(mistral_ai__response__bytes=size)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def figures(rounds: int) -> Iterator[Figure]:
    """Give the memory that recording adds to the peak of a process that reads 64 MiB."""
    tapped = sorted(_peak_mib("tapped") for _ in range(rounds))
    bare = sorted(_peak_mib("bare") for _ in range(rounds))
    middle = rounds // 2
    yield Figure(
        name="a stream of 64 MiB, 4 kept",
        unit="MiB peak",
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
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", figures, ROUNDS))
