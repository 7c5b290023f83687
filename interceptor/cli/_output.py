"""What a command may yield, and how that becomes text for a terminal or for a pipe."""

import sys
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Note", "Output", "written"]


class Note(NamedTuple):
    """A sentence beside the output: it goes to stderr, where nobody takes it for data."""

    text: str


Output = Generator["str | Note | RenderableType", None, None]
"""What `run` of a command is. A `str` is printed as it is: without markup, never wrapped."""


def written(output: Iterable[Any]) -> Iterator[tuple[TextIO, str]]:
    """Give the text of each item, and the stream it belongs on.

    Rich is loaded when something first needs it. It lays out for the width of a terminal; for a
    pipe it adds no colours, and cuts and wraps nothing.
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


def _console() -> "Console":
    from rich.console import Console

    return Console(force_jupyter=False, markup=False, highlight=False, emoji=False)


def _rendered(console: "Console", item: "RenderableType") -> str:
    """Let rich lay an item out, but not write it: how a closed pipe is met is `main`'s."""
    with console.capture() as captured:
        console.print(item, soft_wrap=not console.is_terminal)
    return captured.get()
