"""Spans that had to do with the same tool call learn of each other, by the id alone."""

import pytest

from interceptor.links import Role, ToolCalls, roles
from interceptor.record import Input, Message, Output, Record, Text, Times, ToolCall, ToolResult

ASKED, RAN, TOOK = Role.ASKED, Role.RAN, Role.TOOK


def test_whoever_is_later_learns_of_those_before():
    known = ToolCalls()
    assert known.others("c1", ASKED, "a") == {}
    assert known.others("c1", RAN, "b") == {ASKED: "a"}
    assert known.others("c1", TOOK, "c") == {ASKED: "a", RAN: "b"}
    assert known.others("c2", TOOK, "d") == {}


def test_the_order_does_not_matter():
    known = ToolCalls()
    assert known.others("c1", RAN, "b") == {}
    assert known.others("c1", ASKED, "a") == {RAN: "b"}
    assert known.others("c1", TOOK, "c") == {ASKED: "a", RAN: "b"}


def test_an_id_that_is_asked_for_anew_is_another_call():
    known = ToolCalls()
    known.others("c1", ASKED, "a")
    known.others("c1", RAN, "b")
    assert known.others("c1", ASKED, "a2") == {}
    assert known.others("c1", TOOK, "c") == {ASKED: "a2"}


def test_who_takes_a_result_again_is_not_linked_to_who_took_it_before():
    known = ToolCalls()
    known.others("c1", ASKED, "a")
    known.others("c1", TOOK, "c")
    assert known.others("c1", TOOK, "c2") == {ASKED: "a"}


def test_the_oldest_ids_are_forgotten():
    known = ToolCalls(limit=2)
    for call_id in ("c1", "c2", "c3"):
        known.others(call_id, ASKED, call_id)
    assert known.others("c1", RAN, "x") == {}
    assert known.others("c3", RAN, "x") == {ASKED: "c3"}


def message(role, *parts):
    return Message(role=role, parts=parts)


def record(asked=(), answered=()):
    return Record(
        endpoint="chat.completions",
        operation="chat",
        times=Times(started_unix_ns=0),
        input=Input(messages=tuple(asked)),
        output=Output(messages=tuple(answered)),
    )


CALLS = message("assistant", ToolCall("c1", "f", "{}"), ToolCall("c2", "g", "{}"))
RESULTS = (message("tool", ToolResult("c1", "1")), message("tool", ToolResult("c2", "2")))
USER, ANSWER = message("user", Text("?")), message("assistant", Text("!"))

RECORDS = {
    "asks": (record([USER], [CALLS]), [("c1", ASKED), ("c2", ASKED)]),
    "takes": (record([USER, CALLS, *RESULTS], [ANSWER]), [("c1", TOOK), ("c2", TOOK)]),
    "takes, and asks on": (
        record([USER, CALLS, RESULTS[0]], [message("assistant", ToolCall("c3", "f", ""))]),
        [("c3", ASKED), ("c1", TOOK)],
    ),
    "results before a question": (
        record([USER, CALLS, *RESULTS, USER], [ANSWER]),
        [("c1", TOOK), ("c2", TOOK)],
    ),
    "results of a turn that is over": (record([USER, CALLS, *RESULTS, ANSWER, USER], [ANSWER]), []),
    "results alone, of a conversation kept on the server": (
        record(RESULTS, [ANSWER]),
        [("c1", TOOK), ("c2", TOOK)],
    ),
    "without ids": (
        record([message("tool", ToolResult(None, "1"))], [message("assistant", ToolCall())]),
        [],
    ),
    "nothing": (record(), []),
}


@pytest.mark.parametrize(("given", "found"), RECORDS.values(), ids=RECORDS)
def test_what_a_call_had_to_do_with(given, found):
    assert list(roles(given)) == found
