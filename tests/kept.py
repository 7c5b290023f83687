"""What the tests of spans around calls look at: the traces that are kept in memory."""

from collections import Counter

import interceptor
from interceptor.store.tree import branches


def tree(trace):
    """Give the names of a trace's spans, indented by their depth."""
    return [f"{'  ' * branch.depth}{branch.span.name}" for branch in branches(trace.spans)]


def traces():
    """Give all traces, the oldest first."""
    return list(reversed(interceptor.search(limit=10_000)))


def spans():
    """Give all spans of all traces."""
    return [span for trace in traces() for span in trace.spans]


def only():
    """Give the one span that there is."""
    (span,) = spans()
    return span


def named(name):
    """Give the one span of this name."""
    (span,) = [span for span in spans() if span.name == name]
    return span


def parents():
    """Give how often a span of one name stands in one of another."""
    found = spans()
    names = {span.span_id: span.name for span in found}
    return Counter((span.name, names.get(span.parent_id)) for span in found)
