"""Spans as a tree, with bars on one axis of time."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from interceptor.cli._tree import Tree
from interceptor.store import Span, State
from interceptor.store.tree import branches
from tests.cli_store import printed
from tests.store_spans import SECOND, START

USAGE = {"gen_ai.usage.input_tokens": 72, "gen_ai.usage.output_tokens": 8}
RUN_BY_SERVER = {"gen_ai.provider.name": "mistral_ai"}

IN_FLIGHT = {
    "kind": "client",
    "scope": "interceptor",
    "attributes": RUN_BY_SERVER | {"gen_ai.operation.name": "chat"},
}


def span(name, parent=None, *, at=0, lasts=10, **fields):
    """Give a span whose id is its name; times are in seconds."""
    start = START + int(at * SECOND)
    values = {
        "trace_id": "t",
        "span_id": name,
        "parent_id": parent,
        "name": name,
        "kind": "internal",
        "start_unix_ns": start,
        "end_unix_ns": None if lasts is None else start + int(lasts * SECOND),
        "state": State.ENDED,
        "attributes": {},
        "resource": {},
    }
    return Span(**values | fields)


def tree(*spans, width=60, now=20):
    found = Tree(branches(spans), now_unix_ns=START + now * SECOND)
    return printed(found, width=width).splitlines()[1:]


BARS = {
    "all of the time": ([span("a")], "━" * 40),
    "nothing takes any time": ([span("a", lasts=0)], "╸"),
    "the first half": ([span("a"), span("b", "a", lasts=5)], "━" * 20),
    "the second half": ([span("a"), span("b", "a", at=5, lasts=5)], " " * 20 + "━" * 20),
    "half cells": ([span("a"), span("b", "a", at=0.125, lasts=0.5)], "╺━╸"),
    "half a cell": ([span("a"), span("b", "a", at=0.125, lasts=0.125)], "╺"),
    "a moment at the end": ([span("a"), span("b", "a", at=10, lasts=0)], " " * 39 + "╺"),
    "running until now": (
        [span("a", state=State.RUNNING, lasts=None), span("b", "a", at=15, lasts=5)],
        " " * 30 + "━" * 10,
    ),
    "lost: nobody knows its end": (
        [span("a"), span("b", "a", at=5, lasts=None, state=State.LOST)],
        " " * 20 + "╸",
    ),
    "lost: it ran as long as what is in it": (
        [
            span("a"),
            span("b", "a", lasts=None, state=State.LOST),
            span("c", "b", lasts=None, state=State.LOST),
            span("d", "c", at=4, lasts=1),
        ],
        ["━" * 20, "━" * 20, " " * 16 + "━" * 4],
    ),
    "a call in flight is no tool of the server's": (
        [
            span("a", lasts=None, state=State.RUNNING),
            span("b", "a", at=10, lasts=None, state=State.RUNNING, **IN_FLIGHT),
        ],
        " " * 20 + "━" * 20,
    ),
    "the server's clock is behind": (
        [span("a"), span("b", "a", at=-99, lasts=1, attributes=RUN_BY_SERVER)],
        "╸",
    ),
    "the server's clock is ahead": (
        [span("a"), span("b", "a", at=99, lasts=1, attributes=RUN_BY_SERVER)],
        " " * 39 + "╺",
    ),
    "no clock but the server's": ([span("a", attributes=RUN_BY_SERVER)], "━" * 40),
}


@pytest.mark.parametrize(("spans", "bar"), BARS.values(), ids=BARS)
def test_a_bar_is_when(spans, bar):
    bars = [bar] if isinstance(bar, str) else bar
    for line, expected in zip(tree(*spans, width=None)[-len(bars) :], bars, strict=True):
        assert line.endswith(f"  {expected}")
        assert line.count("━") == expected.count("━")


def test_each_line_says_what_became_of_a_span():
    failed = span("pay", "all", lasts=1, failed=True)
    running = span("wait", "all", at=1, lasts=None, state=State.RUNNING)
    lost = span("hang", "all", at=2, lasts=None, state=State.LOST)
    assert tree(span("all", lasts=20), failed, running, lost, width=80) == [
        "  1  all       20.0s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "✗ 2  ├─ pay    1.00s  ━━",
        "● 3  ├─ wait  19.0s…    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "? 4  └─ hang       –      ╸",
    ]


def test_tokens_have_columns_where_there_are_any():
    lines = printed(
        Tree(branches([span("all"), span("chat", "all", attributes=USAGE)]), now_unix_ns=START),
        width=50,
    ).splitlines()
    assert lines == [
        "               TOOK  IN  OUT",
        "  1  all      10.0s   –    –  ━━━━━━━━━━━━━━━━━━━━",
        "  2  └─ chat  10.0s  72    8  ━━━━━━━━━━━━━━━━━━━━",
    ]


def test_a_long_name_gives_way_to_the_bar():
    lines = tree(span("a very long name that nobody reads to its end"), width=50)
    assert lines == ["  1  a very long nam…  10.0s  ━━━━━━━━━━━━━━━━━━━━"]


def test_numbers_are_aligned():
    lines = tree(*(span(str(n)) for n in range(10)), width=60)
    assert lines[0].startswith("   1  0")
    assert lines[9].startswith("  10  9")


@given(
    width=st.integers(50, 120),
    names=st.lists(st.text(max_size=80), min_size=1, max_size=8),
    parents=st.lists(st.integers(0, 7), min_size=8, max_size=8),
)
def test_no_line_is_longer_than_the_terminal(width, names, parents):
    spans = [
        msgspec.structs.replace(
            span(str(n), str(parents[n]) if parents[n] < n else None), name=name
        )
        for n, name in enumerate(names)
    ]
    assert all(cell_len(line) <= width for line in tree(*spans, width=width))
