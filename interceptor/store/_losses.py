"""What could not be kept, noted in a small file beside the store.

Not in the store: it is noted just when that cannot be written. Each process adds a line
now and then, so that `interceptor ls` sees it from another one. Where even that cannot be
written, the count waits for the next attempt, and the last word is said on stderr.
"""

import os
import time
from pathlib import Path

import msgspec

from interceptor.store.rows import Loss

__all__ = ["Losses", "noted"]

_BETWEEN_NOTES_S = 60.0


class Losses:
    """Counts what this process could not keep. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = _beside(path)
        self.count = 0
        self._said = 0
        self._noted = 0
        self._reason = ""
        self._at_unix_ns = 0
        self._next_note = 0.0

    def add(self, count: int, reason: str) -> None:
        """Count spans that are lost, and note it if it was not noted just now."""
        self.count += count
        self._reason = reason
        self._at_unix_ns = time.time_ns()
        if time.monotonic() >= self._next_note:
            self.note()

    def note(self) -> None:
        """Note what has not been noted yet, if that can be written."""
        unnoted = self.count - self._noted
        if not unnoted:
            return
        self._next_note = time.monotonic() + _BETWEEN_NOTES_S
        loss = Loss(count=unnoted, reason=self._reason, at_unix_ns=self._at_unix_ns)
        try:
            _append(self._path, msgspec.json.encode(loss) + b"\n")
        except OSError:
            return  # it waits for the next attempt; at the end it is said in any case
        self._noted = self.count

    def sentence(self) -> str | None:
        """Give what there is to say at the end; None if nothing, or if it has been said."""
        unsaid, self._said = self.count - self._said, self.count
        if not unsaid:
            return None
        spans = "1 span" if unsaid == 1 else f"{unsaid} spans"
        return f"{spans} could not be kept: {self._reason}"


def noted(path: Path) -> Loss | None:
    """Give what all processes together have noted beside a store."""
    try:
        lines = _beside(path).read_bytes().splitlines()
    except OSError:
        return None
    losses = [loss for line in lines if (loss := _decoded(line)) is not None]
    if not losses:
        return None
    newest = max(losses, key=lambda loss: loss.at_unix_ns)
    return msgspec.structs.replace(newest, count=sum(loss.count for loss in losses))


def _beside(path: Path) -> Path:
    return Path(f"{path}-lost")


def _append(path: Path, line: bytes) -> None:
    # One write to a file opened for appending: lines of two processes do not mix.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def _decoded(line: bytes) -> Loss | None:
    try:
        return msgspec.json.decode(line, type=Loss)
    except msgspec.MsgspecError:  # cut short by a full disk
        return None
