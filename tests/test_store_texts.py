"""What full-text search finds of a span, and the preview of an answer."""

import json

import pytest

from interceptor.store._texts import preview, words


def said(*parts, role="assistant"):
    return json.dumps([{"role": role, "parts": list(parts)}])


TEXT = {"type": "text", "content": "Hello\n  you"}
TOOL = {"type": "tool_call", "id": "c1", "name": "get_status", "arguments": {"id": "T1001"}}

PREVIEWS = {
    "text, on one line": (said(TEXT), "Hello you"),
    "texts are joined": (said(TEXT, {"type": "text", "content": "too"}), "Hello you too"),
    "thoughts are no answer": (said({"type": "reasoning", "content": "hm"}, TEXT), "Hello you"),
    "tools, where there is no text": (said(TOOL, TOOL), "get_status(…), get_status(…)"),
    "text before tools": (said(TOOL, TEXT), "Hello you"),
    "long": (said({"type": "text", "content": "ab " * 99}), "ab " * 39 + "ab…"),
    "nothing said": (said(), None),
    "blank": (said({"type": "text", "content": " \n"}), None),
    "absent": (None, None),
    "no JSON": ("[{", None),
    "no list": ('{"parts": []}', None),
    "no messages": ('["text", 1, null]', None),
    "no parts": ('[{"parts": "text"}]', None),
    "odd parts": ('[{"parts": [1, {"type": "text"}, {"type": "text", "content": 2}]}]', None),
}


@pytest.mark.parametrize(("messages", "expected"), PREVIEWS.values(), ids=PREVIEWS)
def test_preview(messages, expected):
    assert preview({"gen_ai.output.messages": messages}) == expected


WORDS = {
    "what the model said": ({"gen_ai.output.messages": said(TEXT)}, "Hello"),
    "what it thought": (
        {"gen_ai.output.messages": said({"type": "reasoning", "content": "pondering"})},
        "pondering",
    ),
    "the tool it calls": ({"gen_ai.output.messages": said(TOOL)}, "get_status"),
    "with what": ({"gen_ai.output.messages": said(TOOL)}, "T1001"),
    "what it was told": ({"gen_ai.input.messages": said(TEXT, role="user")}, "Hello"),
    "what a tool gave": (
        {
            "gen_ai.input.messages": said(
                {"type": "tool_call_response", "id": "c1", "response": {"paid": [True, "Paid"]}}
            )
        },
        "Paid",
    ),
    "instructions": ({"gen_ai.system_instructions": json.dumps([TEXT])}, "Hello"),
    "an observed input": ({"input.value": '{"city": "Paris"}'}, "Paris"),
    "that is no JSON": ({"input.value": "Paris?"}, "Paris?"),
    "a number": ({"output.value": "[12.5]"}, "12.5"),
    "typed objects of the user's own": ({"output.value": '[{"type": "bill", "of": "Ana"}]'}, "Ana"),
    "an observed output": ({"output.value": '"a\\nb"'}, "a\nb"),
    "a tool's arguments": ({"gen_ai.tool.call.arguments": '{"id": "T7"}'}, "T7"),
    "messages that are a list already": ({"input.value": ("one", "two")}, "one\ntwo"),
}


@pytest.mark.parametrize(("attributes", "expected"), WORDS.values(), ids=WORDS)
def test_words(attributes, expected):
    assert expected in words("chat", None, attributes)


def test_words_begin_with_the_name_and_the_error():
    assert words("chat m", "rate limited", {}).split("\n") == ["chat m", "rate limited"]


SILENT = {
    "media": said({"type": "blob", "content": "aGVsbG8=", "mime_type": "image/png"}),
    "new part types": said({"type": "hologram", "content": "x"}),
    "a type that is no text": said({"type": ["text"], "content": "x"}),
    "parts that are none": json.dumps([{"role": "user", "parts": ["x", 1, None]}, "x"]),
}


@pytest.mark.parametrize("messages", SILENT.values(), ids=SILENT)
def test_what_has_no_words(messages):
    attributes = {"gen_ai.input.messages": messages, "gen_ai.output.messages": messages}
    assert words("chat", None, attributes).split() == ["chat"]


def test_data_urls_are_no_words():
    assert "base64" not in words("f", None, {"input.value": '["data:image/png;base64,iVBOR"]'})


def test_a_long_conversation_is_cut_at_its_oldest():
    history = [
        {"role": "user", "parts": [{"type": "text", "content": f"turn{turn} " + "x" * 1000}]}
        for turn in range(200)
    ]
    found = words("chat", None, {"gen_ai.input.messages": json.dumps(history)})
    assert "turn199" in found
    assert "turn0 " not in found
    assert len(found) < 70_000


def test_depth_is_no_danger():
    deep = "[" * 900 + "]" * 900
    assert words("chat", None, {"input.value": deep}) is not None
