"""Spans in their places in a tree."""

import pytest

from interceptor.store import Span, State
from interceptor.store.tree import branches


def span(name, parent=None):
    """Give a span whose id is its name."""
    return Span(
        trace_id="t",
        span_id=name,
        parent_id=parent,
        name=name,
        kind="internal",
        start_unix_ns=0,
        state=State.RUNNING,
        attributes={},
        resource={},
    )


PLACES = {
    "alone": ([span("a")], ["a"]),
    "two roots": ([span("a"), span("b")], ["a", "b"]),
    "an orphan is a root": ([span("a", "gone")], ["a"]),
    "children": (
        [span("a"), span("b", "a"), span("c", "a"), span("d", "b"), span("e", "b")],
        ["a", "├─ b", "│  ├─ d", "│  └─ e", "└─ c"],
    ),
    "a child that began before its parent": ([span("b", "a"), span("a")], ["a", "└─ b"]),
    "the last child's children": (
        [span("a"), span("b", "a"), span("c", "b"), span("d", "c")],
        ["a", "└─ b", "   └─ c", "      └─ d"],
    ),
}


@pytest.mark.parametrize(("spans", "lines"), PLACES.values(), ids=PLACES)
def test_spans_stand_under_their_parents(spans, lines):
    found = branches(spans)
    assert [f"{one.stem}{one.span.name}" for one in found] == lines
    assert [one.number for one in found] == [*range(1, len(spans) + 1)]
    assert [one.depth for one in found] == [len(one.stem) // 3 for one in found]


def test_a_deep_tree_is_no_deep_recursion():
    spans = [span("0"), *(span(str(n), str(n - 1)) for n in range(1, 5_000))]
    assert len(branches(spans)) == 5_000
