"""What spans have to do with each other."""

import pytest

from interceptor.cli._links import Links
from interceptor.store import Link, Span, State, Trace
from interceptor.store.tree import branches
from tests.store_spans import SECOND, START

ATTEMPT = "mistral_ai.request.attempt"


def one(number, *links, parent=None, failed=False, attributes=None):
    return Span(
        trace_id="a" * 32,
        span_id=f"{number}" * 16,
        parent_id=parent and f"{parent}" * 16,
        name="chat",
        kind="client",
        start_unix_ns=START + number,
        end_unix_ns=START + SECOND,
        state=State.ENDED,
        failed=failed,
        attributes=attributes or {},
        links=links,
        resource={},
    )


def link(number, trace="a", call=None, did=None):
    about = {"gen_ai.tool.call.id": call, "interceptor.tool_call": did} if did else {}
    return Link(trace * 32, f"{number}" * 16, about)


ASKED, RAN = link(2, call="c1", did="asked"), link(3, call="c1", did="ran")
TOOK = link(4, "b", "c2", "took")
FIRST, ELSEWHERE = link(2), link(7, "b")
LINKS = {
    "none": (one(1), []),
    "one tool call": (one(1, ASKED, RAN), ["c1 asked for in span 2, run in span 3"]),
    "another trace": (one(1, TOOK), ["c2 taken by trace bbbbbbbb"]),
    "several": (one(1, RAN, TOOK), ["c1 run in span 3", "c2 taken by trace bbbbbbbb"]),
    "somebody else's": (one(1, FIRST), ["see span 2"]),
    "the first attempt": (one(1, FIRST, attributes={ATTEMPT: 2}), ["retry of span 2"]),
    "the first attempt, elsewhere": (
        one(1, ELSEWHERE, TOOK, attributes={ATTEMPT: 3}),
        ["retry of trace bbbbbbbb", "c2 taken by trace bbbbbbbb"],
    ),
    "a later attempt that forgot the first": (
        one(1, TOOK, attributes={ATTEMPT: 2}),
        ["c2 taken by trace bbbbbbbb"],
    ),
}


@pytest.mark.parametrize(("span", "said"), LINKS.values(), ids=LINKS)
def test_links_read(span, said):
    tree = branches([span, one(2, parent=1), one(3, parent=1)])
    assert [*Links(tree).of(span)] == said


def test_the_first_attempt_says_what_became_of_it():
    first = one(2, parent=1, failed=True, attributes={ATTEMPT: 1})
    second = one(3, link(2), parent=1, failed=True, attributes={ATTEMPT: 2})
    third = one(4, link(2), parent=1, attributes={ATTEMPT: 3})
    links = Links(branches([one(1), first, second, third]))
    assert [*links.of(first)] == ["sent again as span 3 (error), span 4 (ok)"]
    assert [*links.of(second)] == [*links.of(third)] == ["retry of span 2"]
    assert [*links.of(one(1))] == []


@pytest.mark.parametrize(("status", "how"), [(429, "sent again"), (307, "redirected")])
def test_later_attempts_may_stand_in_traces_of_their_own(status, how):
    first = one(1, failed=True, attributes={ATTEMPT: 1, "http.response.status_code": status})
    later = [
        Trace(trace_id=digit * 32, name="chat", start_unix_ns=START, state=state, failed=failed)
        for digit, state, failed in [("b", State.ENDED, True), ("c", State.RUNNING, False)]
    ]
    links = Links(branches([first]), later)
    assert [*links.of(first)] == [f"{how} as trace bbbbbbbb (error), trace cccccccc (running)"]
