"""What was said, message by message."""

import json

import pytest

from interceptor.cli._conversation import Conversation
from tests.cli_store import messages

ASKED = "gen_ai.input.messages"
ANSWERED = "gen_ai.output.messages"


def told(*attributes, is_full=False):
    """Give the words of spans numbered from 1, a line each: `label: text`."""
    words = Conversation(is_full=is_full)
    return [
        f"{field.label}: {field.text}"
        for number, one in enumerate(attributes, 1)
        for field in words.of(one, number)
    ]


CALL = {"type": "tool_call", "id": "c1", "name": "tide", "arguments": {}}
RESULT = {"type": "tool_call_response", "id": "c1", "response": "18:42"}
THOUGHT = {"type": "reasoning", "content": "Hm."}
IMAGE = {"type": "blob", "modality": "image"}
SPANS = {
    "nothing": ({}, []),
    "a question and its answer": (
        {ASKED: messages(("user", "Hello?")), ANSWERED: messages(("assistant", "Hi."))},
        ["user: Hello?", "assistant: Hi."],
    ),
    "instructions apart": (
        {
            "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
            ASKED: messages(("user", "Hello?")),
        },
        ["system: Be brief.", "user: Hello?"],
    ),
    "parts of one message": (
        {ASKED: messages(("user", "What is this?", IMAGE))},
        ["user: What is this?", ": [image, elided]"],
    ),
    "a thought before the answer": (
        {ANSWERED: messages(("assistant", THOUGHT, "Yes."))},
        ["thinking: Hm.", "assistant: Yes."],
    ),
    "a message without parts": ({ASKED: messages(("user",))}, ["user: –"]),
    "several choices": (
        {ANSWERED: messages(("assistant", "Rain"), ("assistant", THOUGHT, "Sun"))},
        ["choice 1: Rain", "thinking: Hm.", "choice 2: Sun"],
    ),
    "a tool by its name": (
        {ASKED: json.dumps([{"role": "tool", "name": "tide", "parts": [RESULT, RESULT]}])},
        ["tool: tide ← 18:42  c1", ": ← 18:42  c1"],
    ),
    "a role that is new": ({ASKED: messages(("cri\x1btic", "No."))}, ["cri␛tic: No."]),
    "what a function took and gave": (
        {"input.value": '{"a":1}', "output.value": "text\x1b"},
        ['input: {"a": 1}', "output: text␛"],
    ),
    "a function that gave nothing": ({"output.value": "null"}, []),
    "a function that gave the word for it": ({"output.value": '"null"'}, ["output: null"]),
    "texts that were embedded": (
        {
            "gen_ai.operation.name": "embeddings",
            ASKED: messages(("user", "the tide", "the moon")),
        },
        ["input: the tide", ": the moon"],
    ),
    "a document that was read": (
        {
            "gen_ai.operation.name": "ocr",
            ASKED: messages(("user", IMAGE)),
            ANSWERED: messages(("assistant", "# Menu")),
        },
        ["input: [image, elided]", "output: # Menu"],
    ),
    "a tool that the server ran": (
        {"gen_ai.tool.call.arguments": '{"q":"tide"}', "gen_ai.tool.call.result": "[1]"},
        ['input: {"q": "tide"}', "output: [1]"],
    ),
    "what is no list of messages": (
        {ASKED: "Hello", ANSWERED: '{"role":"assistant"}', "gen_ai.system_instructions": "[1]"},
        [],
    ),
    "messages of other shapes": (
        {ASKED: '[1, {"parts": "Hello"}, {"role": "user", "name": 2, "parts": [3]}]'},
        ["None: –", "user: –"],
    ),
}


@pytest.mark.parametrize(("attributes", "lines"), SPANS.values(), ids=SPANS)
def test_a_span_tells(attributes, lines):
    assert told(attributes) == lines


FIRST = {ASKED: messages(("user", "Tide?")), ANSWERED: messages(("assistant", CALL))}
SECOND = {
    ASKED: messages(("user", "Tide?"), ("assistant", CALL), ("tool", RESULT)),
    ANSWERED: messages(("assistant", "At 18:42.")),
}


def test_what_an_earlier_call_said_is_counted():
    assert told(FIRST, SECOND)[2:] == [
        ": 2 messages as in span 1",
        "tool: ← 18:42  c1",
        "assistant: At 18:42.",
    ]


def test_a_call_made_again_says_that_it_asks_the_same():
    assert told(FIRST, FIRST)[2:] == [": 1 message as in span 1", "assistant: → tide()  c1"]


def test_texts_that_were_embedded_before_are_those_of_that_span():
    embedded = {"gen_ai.operation.name": "embeddings", ASKED: messages(("user", "the tide"))}
    assert told(embedded, embedded)[1:] == ["input: as in span 1"]


def test_the_finish_reason_makes_no_other_message():
    answer = json.loads(FIRST[ANSWERED])
    answer[0]["finish_reason"] = "tool_calls"
    assert told(FIRST | {ANSWERED: json.dumps(answer)}, SECOND)[2] == ": 2 messages as in span 1"


def test_what_differs_is_said_from_there_on():
    other = {ASKED: messages(("system", "Be brief."), ("user", "Tide?"))}
    assert told(FIRST, other)[2:] == ["system: Be brief.", "user: Tide?"]


def test_full_repeats_everything():
    assert told(FIRST, SECOND, is_full=True)[2:] == [
        "user: Tide?",
        "assistant: → tide()  c1",
        "tool: ← 18:42  c1",
        "assistant: At 18:42.",
    ]


LONG = "word " * 1_000
HISTORY = messages(*(("user", str(n)) for n in range(30)))


def test_a_long_text_is_shortened_with_a_hint():
    (said,) = told({ASKED: messages(("user", LONG))})
    beginning, hint = said.split("\n")
    assert beginning == f"user: {LONG[:1_199]}"
    assert hint == f"… {len(LONG.rstrip()) - 1_199} more characters; --full shows all"


def test_what_a_function_took_is_shortened_too():
    (said,) = told({"input.value": LONG})
    assert said.endswith("more characters; --full shows all")


def test_a_long_history_is_shortened_at_its_beginning():
    lines = told({ASKED: HISTORY})
    assert lines[0] == ": 10 messages before these; --full shows all"
    assert lines[1:] == [f"user: {n}" for n in range(10, 30)]


def test_full_shortens_nothing():
    assert told({ASKED: messages(("user", LONG))}, is_full=True) == [f"user: {LONG}"]
    assert len(told({ASKED: HISTORY}, is_full=True)) == 30
