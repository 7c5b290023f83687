"""Content encodings undone, on our copy of a body, lazily and within bounds.

gzip and deflate are undone here. What else there is (br, zstd) needs the HTTP library that the
caller uses: its transport's module gives an exchange a `decode` for that.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator

__all__ = ["decoded", "encodings"]

_PIECE_BYTES = 1 << 16
_SLICE_BYTES = 32
_GZIP, _ZLIB = b"\x1f", b"\x78"
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS


def encodings(header: str) -> tuple[str, ...]:
    """Give the encodings that a Content-Encoding header names, in the order they were applied."""
    names = (name.strip().lower() for name in header.split(","))
    return tuple(name for name in names if name and name != "identity")


def decoded(
    names: tuple[str, ...],
    pieces: Iterable[bytes],
    other: Callable[[str, Iterable[bytes]], Iterator[bytes]] | None = None,
) -> Iterator[bytes]:
    """Undo encodings, the last applied first; a body cut short gives what it has.

    Each piece that comes out is bounded, so that whoever reads can stop before a small body has
    become a large one. Raises `LookupError` for an encoding that nobody here knows, and whatever
    the decoder raises (`zlib.error`, for one) where the bytes are not what the header said.
    """
    for name in reversed(names):
        if name in ("gzip", "x-gzip", "deflate"):
            pieces = _inflated(pieces)
        elif other is None:
            raise LookupError(name)
        else:
            pieces = other(name, _sliced(pieces))
    return iter(pieces)


def _sliced(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Cut small: a decoder may give at once all that a piece stands for: in br 16 MB for 20."""
    for piece in pieces:
        for at in range(0, len(piece), _SLICE_BYTES):
            yield piece[at : at + _SLICE_BYTES]


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip, zlib and raw deflate, told apart by the first byte; gzip members may follow."""
    engine = None
    for piece in pieces:
        data = piece
        while data:
            if engine is None:
                engine = zlib.decompressobj(_wbits(data))
            elif engine.eof:
                if not data.startswith(_GZIP):
                    break  # what follows the last member is padding
                engine = zlib.decompressobj(_wbits(data))
            out = engine.decompress(data, _PIECE_BYTES)
            while out:
                yield out
                # A full piece may have left output inside the engine with no input to go with it.
                more = engine.unconsumed_tail
                out = engine.decompress(more, _PIECE_BYTES) if len(out) == _PIECE_BYTES else b""
            data = engine.unused_data


def _wbits(data: bytes) -> int:
    """Servers send deflate with and without zlib's header: the first byte tells."""
    return _ZLIB_OR_GZIP if data.startswith((_GZIP, _ZLIB)) else _RAW_DEFLATE
