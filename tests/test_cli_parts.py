"""The parts of a message as text."""

import pytest

from interceptor.cli._parts import blocks

LONG = {"city": "Saint-Malo", "code": "import math\nprint(math.pi)", "options": {"unit": "metres"}}
CALLED_AT_LENGTH = """\
→ run  c1
  city: Saint-Malo
  code:
    import math
    print(math.pi)
  options: {"unit": "metres"}"""
PARTS = {
    "text": ({"type": "text", "content": "Hello"}, "Hello"),
    "text without any": ({"type": "text"}, ""),
    "text with an escape": ({"type": "text", "content": "\x1b[1m"}, "␛[1m"),
    "reasoning": ({"type": "reasoning", "content": "Hm."}, "Hm."),
    "a call": (
        {"type": "tool_call", "id": "c1", "name": "tide", "arguments": {"city": "Brest", "n": 2}},
        '→ tide(city="Brest", n=2)  c1',
    ),
    "a call without arguments": (
        {"type": "tool_call", "id": None, "name": "now", "arguments": {}},
        "→ now()",
    ),
    "a call whose arguments were cut": (
        {"type": "tool_call", "id": "c1", "name": "tide", "arguments": '{"city": "Br'},
        '→ tide({"city": "Br)  c1',
    ),
    "a call with no word on arguments": ({"type": "tool_call", "name": "now"}, "→ now()"),
    "a call with long arguments": (
        {"type": "tool_call", "id": "c1", "name": "run", "arguments": LONG},
        CALLED_AT_LENGTH,
    ),
    "a result": (
        {"type": "tool_call_response", "id": "c1", "response": '{"tide":18}'},
        '← {"tide": 18}  c1',
    ),
    "a result in words": (
        {"type": "tool_call_response", "id": "c1", "response": "one\ntwo"},
        "←  c1\none\ntwo",
    ),
    "an image": (
        {"type": "blob", "modality": "image", "mime_type": "image/png", "size_bytes": 12_000},
        "[image/png, 12 kB, elided]",
    ),
    "an image that was kept": (
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        "[image/png]",
    ),
    "a file with a name": (
        {"type": "blob", "modality": "audio", "name": "talk.mp3", "size_bytes": 5},
        "[talk.mp3, audio, 5 B, elided]",
    ),
    "an address": (
        {"type": "uri", "modality": "image", "uri": "https://host.example/a.png"},
        "[image at https://host.example/a.png]",
    ),
    "an uploaded file": (
        {"type": "file", "modality": "document", "file_id": "f-1"},
        "[document, file f-1]",
    ),
    "something else": (
        {"type": "generic", "generic_type": "hologram", "content": {"depth": 3}},
        '[hologram] {"depth": 3}',
    ),
    "something without content": ({"type": "generic", "generic_type": "pause"}, "[pause]"),
    "a type that is new": ({"type": "smell"}, "[smell]"),
    "no type": ({}, "[None]"),
}  # fmt: skip


@pytest.mark.parametrize(("part", "text"), PARTS.values(), ids=PARTS)
def test_a_part_reads(part, text):
    ((_, found),) = blocks([part])
    assert found.plain == text


def reference(*ids):
    content = {"type": "reference", "reference_ids": [*ids]}
    return {"type": "generic", "generic_type": "reference", "content": content}


def text(content):
    return {"type": "text", "content": content}


TOGETHER = {
    "nothing": ([], []),
    "two texts are two": ([text("a"), text("b")], [(None, "a"), (None, "b")]),
    "a thought has a label": (
        [{"type": "reasoning", "content": "Hm."}, text("Yes.")],
        [("thinking", "Hm."), (None, "Yes.")],
    ),
    "references stand in the text": (
        [text("Dogs may"), reference(1, 4), text(", cats too"), reference(0), text(".")],
        [(None, "Dogs may[1, 4], cats too[0].")],
    ),
    "a reference at the beginning": ([reference(1), text("so")], [(None, "[1]so")]),
    "a reference without numbers": (
        [text("a"), {"type": "generic", "generic_type": "reference"}],
        [(None, "a[reference]")],
    ),
    "an image after a reference": (
        [text("a"), reference(0), {"type": "blob", "modality": "image"}],
        [(None, "a[0]"), (None, "[image, elided]")],
    ),
}


@pytest.mark.parametrize(("parts", "said"), TOGETHER.values(), ids=TOGETHER)
def test_parts_together(parts, said):
    assert [(label, found.plain) for label, found in blocks(parts)] == said
