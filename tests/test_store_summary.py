"""The summary of a trace, span by span."""

import itertools

import msgspec
import pytest
from opentelemetry.trace import SpanKind

from interceptor.store._encoding import to_row
from interceptor.store._summary import Before, Summary, add
from interceptor.store.rows import State
from tests.store_spans import CALL, SECOND, START, message, span


def summary(*spans):
    """Add spans up, in this order; a span that was running before is known by its number."""
    total = Summary(trace_id="t")
    running = {}
    for one in spans:
        row = to_row(one, process="here")
        add(total, row, running.get(row.span_id))
        running[row.span_id] = Before(1, State.RUNNING, row.is_call)
    return total


def usage(number, at=0, lasts=1, **used):
    names = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "total": "mistral_ai.usage.total_tokens",
        "cost": "mistral_ai.cost.usd",
        "first": "gen_ai.response.time_to_first_chunk",
    }
    return span(
        "chat",
        number=number,
        parent=9,
        at=at,
        lasts=lasts,
        attributes=CALL | {names[name]: value for name, value in used.items()},
    )


ROOT = span("answer", number=9, lasts=5)
FAILED_ROOT = span("answer", number=9, lasts=5, error="wrong", attributes={"error.type": "E"})
FAILED = span("chat", number=2, parent=9, at=2, error="limited", attributes={"error.type": "429"})
FAILED_FIRST = span("chat", number=3, parent=9, at=1, error="cut", attributes={"error.type": "C"})
RUNNING = span("chat", number=4, parent=9, at=1, lasts=None, attributes=CALL)
SAID_FIRST = span(number=5, parent=9, attributes={"gen_ai.output.messages": message("first")})
SAID_LAST = span(number=6, parent=9, at=1, attributes={"gen_ai.output.messages": message("last")})
CHAT = {"gen_ai.operation.name": "chat"}
IN_FLIGHT = span(
    number=4, parent=9, lasts=None, kind=SpanKind.CLIENT, scope="interceptor", attributes=CHAT
)
UNREAD = {"mistral_ai.stream.completed": False}
ATTEMPT = "mistral_ai.request.attempt"

CASES = {
    "the root names it": ([SAID_LAST, ROOT], {"name": "answer", "spans": 2}),
    "the root names it, whenever it comes": ([ROOT, FAILED_FIRST], {"name": "answer"}),
    "without a root, the earliest does": (
        [span("b", number=2, parent=9, at=1), span("a", number=1, parent=9)],
        {"name": "a"},
    ),
    "from first start to last end": (
        [span(number=1, parent=9, at=1, lasts=8), span(number=2, parent=9, lasts=1)],
        {"start_unix_ns": START, "end_unix_ns": START + 9 * SECOND},
    ),
    "usage is added up": (
        [usage(1, input=3, output=4, total=7, cost=0.5), usage(2, input=1, total=2, cost=0.25)],
        {"input_tokens": 4, "output_tokens": 4, "total_tokens": 9, "cost_usd": 0.75, "calls": 2},
    ),
    "where nobody said anything there is none": (
        [usage(1), usage(2)],
        {"input_tokens": None, "output_tokens": None, "total_tokens": None, "cost_usd": None},
    ),
    "zero is a value": ([usage(1, input=0)], {"input_tokens": 0}),
    "usage on a parent is not added": (
        [usage(1, input=3), span(number=9, attributes={"gen_ai.usage.input_tokens": 3})],
        {"input_tokens": 3, "calls": 1},
    ),
    "the first stream's first chunk": (
        [usage(1, at=2, first=0.5), usage(2, at=1, first=0.25), usage(3, at=3, first=0.75)],
        {"time_to_first_chunk_s": 0.25},
    ),
    "the last answer": ([SAID_LAST, SAID_FIRST, ROOT], {"preview": "last"}),
    "a failed root": ([FAILED_ROOT, FAILED], {"failed": True, "error_message": "wrong"}),
    "a root that coped": (
        [FAILED, ROOT],
        {"failed": False, "failed_spans": 1, "error_type": "429", "error_message": "limited"},
    ),
    "no root yet": ([FAILED], {"failed": True, "error_type": "429"}),
    "the earliest error": ([FAILED, FAILED_FIRST], {"error_type": "C", "error_message": "cut"}),
    "the earliest error, whenever it comes": ([FAILED_FIRST, FAILED], {"error_type": "C"}),
    "the root's error first": ([FAILED_FIRST, FAILED_ROOT], {"error_type": "E"}),
    "a running span": ([ROOT, RUNNING], {"unfinished_spans": 1, "spans": 2, "calls": 1}),
    "a running span that ends": (
        [RUNNING, usage(4, at=1, input=5)],
        {"unfinished_spans": 0, "spans": 1, "calls": 1, "input_tokens": 5},
    ),
    "a call that says so only at its end": (
        [span(number=4, parent=9, lasts=None), usage(4, input=5)],
        {"spans": 1, "calls": 1},
    ),
    "a call in flight, and in the end": (
        [IN_FLIGHT, usage(4, input=5)],
        {"spans": 1, "calls": 1, "unfinished_spans": 0},
    ),
    "a call in flight": ([IN_FLIGHT], {"calls": 1, "endpoints": []}),
    "in flight, and not ours": (
        [span(kind=SpanKind.CLIENT, lasts=None, attributes=CHAT)],
        {"calls": 0},
    ),
    "in flight, and no call": (
        [span(scope="interceptor", lasts=None, attributes=CHAT)],
        {"calls": 0},
    ),
    "streams that were left, but for those that were cut": (
        [
            span(number=1, parent=9, attributes=UNREAD),
            span(number=2, parent=9, attributes=UNREAD, error="cut"),
            span(number=3, parent=9, attributes={"mistral_ai.stream.completed": True}),
        ],
        {"left_early": 1},
    ),
    "a first attempt": ([span(attributes={ATTEMPT: 1})], {"attempt": 1, "retry_of": None}),
    "a later attempt": (
        [span(trace=2, links=[(7, 1)], attributes={ATTEMPT: 2})],
        {"attempt": 2, "retry_of": f"{7:032x}"},
    ),
    "a later attempt under one roof with the first": (
        [ROOT, span(parent=9, number=2, links=[(1, 1)], attributes={ATTEMPT: 2})],
        {"attempt": None, "retry_of": None},
    ),
    "a root that was linked by somebody else": ([span(links=[(7, 1)])], {"retry_of": None}),
    "models and endpoints, each once": (
        [
            usage(1),
            span(number=2, attributes=CALL | {"gen_ai.request.model": "b"}),
            span(number=3, attributes={"mistral_ai.endpoint": "embeddings"}),
            usage(4),
        ],
        {
            "models": ["mistral-small-latest", "b"],
            "endpoints": ["chat.completions", "embeddings"],
        },
    ),
    "the first session and user": (
        [
            span(number=1, parent=9),
            span(number=2, parent=9, attributes={"session.id": "s", "user.id": "u"}),
            span(number=3, parent=9, attributes={"session.id": "s2", "user.id": "u2"}),
        ],
        {"session_id": "s", "user_id": "u"},
    ),
    "the root's session and user before others": (
        [
            span(number=2, parent=9, attributes={"session.id": "s", "user.id": "u"}),
            span(number=9, attributes={"session.id": "root's", "user.id": "its user"}),
            span(number=3, parent=9, attributes={"session.id": "s2", "user.id": "u2"}),
        ],
        {"session_id": "root's", "user_id": "its user"},
    ),
    "a root that has none": (
        [span(number=2, parent=9, attributes={"session.id": "s", "user.id": "u"}), ROOT],
        {"session_id": "s", "user_id": "u"},
    ),
    "tags, each once": (
        [
            span(number=1, attributes={"tag.tags": ["a", "b"]}),
            span(number=2, attributes={"tag.tags": ["b", "c"]}),
        ],
        {"tags": ["a", "b", "c"]},
    ),
}


@pytest.mark.parametrize(("spans", "expected"), CASES.values(), ids=CASES)
def test_summary(spans, expected):
    found = msgspec.structs.asdict(summary(*spans))
    assert {name: found[name] for name in expected} == expected


def test_order_does_not_matter():
    spans = [ROOT, FAILED, FAILED_FIRST, SAID_FIRST, SAID_LAST]
    summaries = [summary(*order) for order in itertools.permutations(spans)]
    assert all(one == summaries[0] for one in summaries)
