"""Server-sent events from bytes.

The format is that of the HTML standard, section *Server-sent events*: lines end in LF, CR or
CRLF, a blank line ends an event. Two things differ, on purpose, because SDKs do the same: an
event that the stream's end leaves open is given all the same, and nothing is decoded here:
`data` stays bytes, for a JSON parser reads UTF-8 itself.
"""

from collections.abc import Iterator

import msgspec

__all__ = ["Event", "Reader"]

_BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event: its data, the lines joined by LF, and its type where one was named."""

    data: bytes
    type: str | None = None


class Reader:
    """Turn pieces of a stream, cut anywhere, into events.

    A line that never ends is held as the pieces it came in and joined once: time stays linear
    in the bytes fed.
    """

    def __init__(self) -> None:
        """Begin at the start of a stream."""
        self._pieces: list[bytes] = []
        self._skip_lf = False
        self._at_start = True
        self._skipping = False
        self._data: list[bytes] = []
        self._type: str | None = None

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Give the events that this piece completes."""
        if self._skip_lf and piece:
            self._skip_lf = False
            piece = piece.removeprefix(b"\n")
        if b"\n" not in piece and b"\r" not in piece:
            if piece:
                self._pieces.append(piece)
            return
        self._skip_lf = piece.endswith(b"\r")
        whole = b"".join((*self._pieces, piece))
        self._pieces.clear()
        lines = whole.splitlines()
        if not whole.endswith((b"\n", b"\r")):
            self._pieces.append(lines.pop())
        for line in lines:
            if event := self._line(line):
                yield event

    @property
    def is_inside_line(self) -> bool:
        """Whether the bytes so far end inside a line."""
        return bool(self._pieces)

    def end(self) -> Iterator[Event]:
        """Give the event that the end of the stream leaves open, if there is one."""
        if self._pieces:
            self._line(b"".join(self._pieces))
            self._pieces.clear()
        if event := self._line(b""):
            yield event

    def skip_to_next_event(self) -> None:
        """Forget the event in progress: bytes are missing here, and it ends among what follows."""
        self._pieces.clear()
        self._data, self._type, self._skip_lf = [], None, False
        self._skipping = True

    def _line(self, line: bytes) -> Event | None:
        """Take in one line; give the event that it ends."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b"data:"):
            self._data.append(line[6 if line.startswith(b"data: ") else 5 :])
        elif line == b"data":
            self._data.append(b"")
        elif line.startswith(b"event:"):
            self._type = line[6:].removeprefix(b" ").decode(errors="replace")
        return None

    def _dispatch(self) -> Event | None:
        data, self._data = self._data, []
        kind, self._type = self._type, None
        if self._skipping:
            self._skipping = False
            return None
        return Event(b"\n".join(data), kind) if data else None
