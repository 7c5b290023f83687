"""What a command may yield, and how that becomes text for a terminal or for a pipe."""

import codecs
import io
import os
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Note", "Output", "say_in_ascii", "written"]

_PLAIN = str.maketrans("✗●–·…≈→←µ├└│─━╺╸", "x*-|~~><u|`|-=--") | {ord("✓"): "ok"}
"""What stands for a sign of ours where it cannot be said: as wide as it, but for a title's mark."""
_HANDLER = "interceptor.plain"
_MOST_COLUMNS, _USUAL_COLUMNS = 10_000, 80


class Note(NamedTuple):
    """A sentence beside the output: it goes to stderr, where nobody takes it for data."""

    text: str


Output = Generator["str | Note | RenderableType", None, None]
"""What `run` of a command is. A `str` is printed as it is: without markup, never wrapped."""


def written(output: Iterable[Any]) -> Iterator[tuple[TextIO, str]]:
    """Give the text of each item, and the stream it belongs on.

    Rich is loaded when something first needs it. It lays out for the width of a terminal, or for
    the one that COLUMNS says; for a pipe it adds no colours, and cuts and wraps nothing where
    nobody has set COLUMNS.
    """
    console = None
    for item in output:
        if isinstance(item, Note):
            yield sys.stderr, f"interceptor: {item.text}\n"
        elif isinstance(item, str):
            yield sys.stdout, f"{item}\n"
        else:
            console = console or _console()
            yield sys.stdout, _rendered(console, item)


def say_in_ascii(stream: TextIO) -> None:
    """Have a stream say in ASCII those signs of ours that its encoding has not, and `?` for others.

    Left alone, each would be `?`, which is the sign of a trace that was lost.
    """
    if isinstance(stream, io.TextIOWrapper):
        codecs.register_error(_HANDLER, _in_ascii)
        stream.reconfigure(errors=_HANDLER)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    said = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(one if one.isascii() else "?" for one in said), error.end


def _console() -> "Console":
    from rich.console import Console

    width = _columns(os.environ)
    if width is None and "COLUMNS" in os.environ:
        width = _USUAL_COLUMNS  # rich would take what it says, 0 too
    return Console(force_jupyter=False, markup=False, highlight=False, emoji=False, width=width)


def _columns(environ: Mapping[str, str]) -> int | None:
    """Give the width that somebody has set; None where nobody has, or none that can be."""
    said = environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() and 0 < int(said) <= _MOST_COLUMNS else None


def _rendered(console: "Console", item: "RenderableType") -> str:
    """Let rich lay an item out, but not write it: how a closed pipe is met is `main`'s."""
    has_width = console.is_terminal or _columns(os.environ) is not None
    with console.capture() as captured:
        console.print(item, soft_wrap=not has_width)
    return captured.get()
