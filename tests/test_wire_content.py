"""Content of messages: every kind of part, whole and in the pieces of a stream."""

import hashlib
import json

import msgspec
import pytest

from interceptor.record import Blob, FileRef, Generic, Link, Reasoning, Text
from interceptor.wire._content import Chunk, Content, fused, to_parts
from interceptor.wire.notes import Notes
from interceptor.wire.parsing import parse

DATA = "iVBORw0KGgo="
SHA = hashlib.sha256(DATA.encode()).hexdigest()
URI = "https://a.example/b"


def blob(modality, mime_type=None, name=None):
    return Blob(modality=modality, mime_type=mime_type, size_bytes=len(DATA), sha256=SHA, name=name)


PARTS = {
    "text": ({"type": "text", "text": "a"}, [Text("a")]),
    "text without a type": ({"text": "a"}, [Text("a")]),
    "text that is null": ({"type": "text", "text": None}, [Text("")]),
    "input text": ({"type": "input_text", "text": "a"}, [Text("a")]),
    "output text": ({"type": "output_text", "text": "a", "annotations": []}, [Text("a")]),
    "output text with citations": (
        {"type": "output_text", "text": "a", "annotations": [{"type": "url_citation"}, 1, {}]},
        [
            Text("a"),
            Generic("url_citation", '{"type":"url_citation"}'),
            Generic("annotation", "1"),
            Generic("annotation", "{}"),
        ],
    ),
    "refusal": ({"type": "refusal", "refusal": "no"}, [Text("no")]),
    "refusal without a word": ({"type": "refusal"}, [Text("")]),
    "thinking": ({"type": "thinking", "thinking": "a"}, [Reasoning("a")]),
    "thinking in parts": (
        {"type": "thinking", "thinking": [{"type": "text", "text": "a"}, "b", {"x": 1}, 7]},
        [Reasoning("ab")],
    ),
    "thinking in no known shape": ({"type": "thinking", "thinking": 7}, [Reasoning("")]),
    "reasoning text": ({"type": "reasoning_text", "text": "a"}, [Reasoning("a")]),
    "a summary": ({"type": "summary_text", "text": "a"}, [Reasoning("a")]),
    "an image's address": ({"type": "image_url", "image_url": URI}, [Link("image", URI)]),
    "an image's address in an object": (
        {"type": "image_url", "image_url": {"url": URI, "detail": "low"}},
        [Link("image", URI)],
    ),
    "an image itself": (
        {"type": "image_url", "image_url": f"data:image/png;base64,{DATA}"},
        [blob("image", "image/png")],
    ),
    "a data URI without a type": (
        {"type": "image_url", "image_url": f"data:,{DATA}"},
        [blob("image")],
    ),
    "an image's id": ({"type": "input_image", "file_id": "f"}, [FileRef("image", "f")]),
    "no image": ({"type": "image_url"}, [Generic("image_url")]),
    "an image in no known shape": (
        {"type": "image_url", "image_url": {"url": 5}},
        [Generic("image_url")],
    ),
    "a document": ({"type": "document_url", "document_url": URI}, [Link("document", URI)]),
    "a document itself": (
        {
            "type": "document_url",
            "document_url": f"data:application/pdf;base64,{DATA}",
            "document_name": "a.pdf",
        },
        [blob("document", "application/pdf", "a.pdf")],
    ),
    "audio": ({"type": "input_audio", "input_audio": DATA}, [blob("audio")]),
    "audio with its format": (
        {"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}},
        [blob("audio", "audio/mp3")],
    ),
    "audio with no known format": (
        {"type": "input_audio", "input_audio": {"data": DATA, "format": 3}},
        [blob("audio")],
    ),
    "audio's address": ({"type": "input_audio", "input_audio": URI}, [Link("audio", URI)]),
    "audio as a data URI": (
        {"type": "input_audio", "input_audio": f"data:audio/wav;base64,{DATA}"},
        [blob("audio", "audio/wav")],
    ),
    "a file's id": ({"type": "file", "file_id": "f"}, [FileRef("file", "f")]),
    "a file's id in an object": (
        {"type": "file", "file": {"file_id": "f"}},
        [FileRef("file", "f")],
    ),
    "a file's id by itself": ({"type": "file", "file": "f"}, [FileRef("file", "f")]),
    "a file's address": ({"type": "input_file", "file_url": URI}, [Link("file", URI)]),
    "a file itself": (
        {"type": "input_file", "file_data": DATA, "filename": "a"},
        [blob("file", None, "a")],
    ),
    "a file as a data URI": (
        {"type": "input_file", "file_data": f"data:text/plain;base64,{DATA}", "filename": "a"},
        [blob("file", "text/plain", "a")],
    ),
    "a tool's file": ({"type": "tool_file", "tool": "t", "file_id": "f"}, [FileRef("file", "f")]),
    "a reference": (
        {"type": "reference", "reference_ids": [1, "b"]},
        [Generic("reference", '{"type":"reference","reference_ids":[1,"b"]}')],
    ),
    "a tool's reference": (
        {"type": "tool_reference", "tool": "t", "title": "T", "url": URI},
        [
            Generic(
                "tool_reference",
                json.dumps(
                    {"type": "tool_reference", "tool": "t", "title": "T", "url": URI},
                    separators=(",", ":"),
                ),
            )
        ],
    ),
    "a resource": (
        {"type": "resource", "uri": "a:b", "content": {"type": "text", "text": "c"}},
        [
            Generic(
                "resource", '{"type":"resource","uri":"a:b","content":{"type":"text","text":"c"}}'
            )
        ],
    ),
    "a link to a resource": (
        {"type": "resource_link", "uri": "a:b"},
        [Generic("resource_link", '{"type":"resource_link","uri":"a:b"}')],
    ),
    "what is new": ({"type": "hologram", "data": [1]}, [Generic("hologram")]),
    "what has no kind": ({"x": 1}, [Generic("unknown")]),
}


def read(value):
    return parse(msgspec.json.encode(value), Content, Notes(), what="content")


@pytest.mark.parametrize(("sent", "parts"), PARTS.values(), ids=PARTS)
def test_a_part_is_read(sent, parts):
    assert to_parts(read([sent])) == tuple(parts)


@pytest.mark.parametrize(
    ("content", "parts"),
    {"a": (Text("a"),), "": (), None: ()}.items(),
)
def test_content_that_is_no_list(content, parts):
    assert to_parts(content) == parts


def text(words):
    return Chunk(type="text", text=words)


def thought(words):
    return Chunk(type="thinking", thinking=words)


REFERENCE = Chunk(type="reference", reference_ids=[1])

STREAMS = {
    "nothing": ([], None),
    "nothing said": (["", None, ()], None),
    "text": (["a", "b", "", "c"], "abc"),
    "parts of one text": ([(text("a"),), (text("b"), text(None), text("c"))], (text("abc"),)),
    "parts of one thought": ([(thought("a"),), (thought("b"),)], (thought("ab"),)),
    "text among parts": (["a", (text("b"), REFERENCE), "c"], (text("ab"), REFERENCE, text("c"))),
    "thoughts and text": ([(thought("a"),), "b"], (thought("a"), text("b"))),
    "references stay apart": ([(REFERENCE,), (REFERENCE,)], (REFERENCE, REFERENCE)),
}


@pytest.mark.parametrize(("contents", "whole"), STREAMS.values(), ids=STREAMS)
def test_a_stream_of_contents_is_one(contents, whole):
    assert fused(contents) == whole
