"""Tool calls, whole and in the fragments of every shape that streams have had."""

import pytest

from interceptor.record import ToolCall
from interceptor.wire._tools import Call, Function, merged, to_part


def call(arguments="", *, id=None, name=None, index=None):
    return Call(id=id, index=index, function=Function(name=name, arguments=arguments))


STREAMS = {
    "nothing": ([], []),
    "one call": ([call("{}", id="A", name="f", index=0)], [("A", "f", "{}")]),
    "fragments by index": (
        [call('{"a"', id="A", name="f", index=0), call(":1", index=0), call("}", index=0)],
        [("A", "f", '{"a":1}')],
    ),
    "two calls at once": (
        [
            call('{"x"', id="A", name="f", index=0),
            call('{"y"', id="B", name="g", index=1),
            call(":1}", index=0),
            call(":2}", index=1),
        ],
        [("A", "f", '{"x":1}'), ("B", "g", '{"y":2}')],
    ),
    "no index, a new id opens a call": (
        [call("{}", id="A", name="f"), call("{}", id="B", name="g")],
        [("A", "f", "{}"), ("B", "g", "{}")],
    ),
    "no index, the same id goes on": (
        [call("{", id="A", name="f"), call("{", id="B", name="g"), call("}", id="A")],
        [("A", "f", "{}"), ("B", "g", "{")],
    ),
    "neither index nor id goes on with the last": (
        [call("{", id="A", name="f"), call("}")],
        [("A", "f", "{}")],
    ),
    "neither, and no call yet": ([call("{}", name="f")], [(None, "f", "{}")]),
    "index 0 for all": (
        [call("{}", id="A", name="f", index=0), call("{}", id="B", name="g", index=0)],
        [("A", "f", "{}"), ("B", "g", "{}")],
    ),
    "index 0 for all, in fragments": (
        [
            call("{", id="A", name="f", index=0),
            call("}", index=0),
            call("[", id="B", name="g", index=0),
            call("]", index=0),
        ],
        [("A", "f", "{}"), ("B", "g", "[]")],
    ),
    "index 0 for all, in fragments that take turns": (
        [
            call("{", id="A", name="f", index=0),
            call("[", id="B", name="g", index=0),
            call("}", id="A", index=0),
            call("]", id="B", index=0),
        ],
        [("A", "f", "{}"), ("B", "g", "[]")],
    ),
    "no id, and names that differ": (
        [call('{"a"', name="f"), call(":1}"), call("{", name="g"), call("}")],
        [(None, "f", '{"a":1}'), (None, "g", "{}")],
    ),
    "no id, and a name after whole arguments": (
        [call("{}", id="null", name="f", index=0), call("{", id="null", name="f", index=0)],
        [(None, "f", "{}"), (None, "f", "{")],
    ),
    "a name in each fragment": (
        [
            call('{"a":', name="f", index=0),
            call("{}", name="f", index=0),
            call("}", name="f", index=0),
        ],
        [(None, "f", '{"a":{}}')],
    ),
    "a name in each fragment, the last of which adds nothing": (
        [call("{", name="f", index=0), call("}", name="f", index=0), call("", name="f", index=0)],
        [(None, "f", "{}")],
    ),
    "no name after whole arguments": (
        [call("{}", id="A", name="f"), call(" ")],
        [("A", "f", "{} ")],
    ),
    "an id that comes late": (
        [call("{", name="f", index=0), call("}", id="A", index=0)],
        [("A", "f", "{}")],
    ),
    "null as an id": (
        [call("{", id="null", name="f", index=0), call("}", id="null", index=0)],
        [(None, "f", "{}")],
    ),
    "a name that comes late": (
        [call("{", id="A", index=0), call("}", name="f", index=0)],
        [("A", "f", "{}")],
    ),
    "arguments that are JSON": (
        [call({"a": [1]}, id="A", name="f", index=0)],
        [("A", "f", '{"a":[1]}')],
    ),
    "no arguments": ([call(None, id="A", name="f", index=0)], [("A", "f", "")]),
}


@pytest.mark.parametrize(("fragments", "calls"), STREAMS.values(), ids=STREAMS)
def test_fragments_are_merged(fragments, calls):
    found = [to_part(one) for one in merged(fragments)]
    assert found == [ToolCall(*one) for one in calls]


@pytest.mark.parametrize(
    ("whole", "part"),
    {
        "text": (call('{"a": 1}', id="A", name="f"), ToolCall("A", "f", '{"a": 1}')),
        "JSON": (call({"a": 1}, id="A", name="f"), ToolCall("A", "f", '{"a":1}')),
        "cut short": (call('{"a": "b', id="A", name="f"), ToolCall("A", "f", '{"a": "b')),
        "without an id": (call("{}", id="null", name="f"), ToolCall(None, "f", "{}")),
        "empty": (Call(), ToolCall()),
    }.values(),
)
def test_a_call_is_a_part(whole, part):
    assert to_part(whole) == part
