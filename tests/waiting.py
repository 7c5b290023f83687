"""Waiting for what another thread or process does: no test sleeps and hopes."""

import time

__all__ = ["until"]

_LONGEST_S = 60
_PAUSE_S = 0.005


def until(found):
    """Ask again and again until there is an answer, and give it; fails loudly after a minute."""
    deadline = time.monotonic() + _LONGEST_S
    while not (answer := found()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(_PAUSE_S)
    return answer
