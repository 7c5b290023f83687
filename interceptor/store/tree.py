"""The spans of a trace in their places: from the top of the tree down."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from interceptor.store.rows import Span

__all__ = ["Branch", "branches"]


class Branch(NamedTuple):
    """A span in its place: its number from the top, its depth, the lines that lead to it."""

    span: Span
    number: int
    depth: int
    stem: str


def branches(spans: Iterable[Span]) -> tuple[Branch, ...]:
    """Give spans from the top of the tree down; one whose parent is not here is a root."""
    given = tuple(spans)
    known = {span.span_id for span in given}
    children: dict[str | None, list[Span]] = defaultdict(list)
    for span in given:
        children[span.parent_id if span.parent_id in known else None].append(span)
    found: list[Branch] = []
    # A stack of our own: a tree may be deeper than Python's calls.
    waiting = [(span, 0, "", "") for span in reversed(children[None])]
    while waiting:
        span, depth, stem, below = waiting.pop()
        found.append(Branch(span, len(found) + 1, depth, stem))
        mine, theirs = "└─ ", "   "
        for child in reversed(children[span.span_id]):
            waiting.append((child, depth + 1, below + mine, below + theirs))
            mine, theirs = "├─ ", "│  "
    return tuple(found)
