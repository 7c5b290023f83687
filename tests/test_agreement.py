"""The SDK's own reading of each fixture and ours agree.

The SDK parses what the fixture's server answered; what it says of ids, models, words, tool calls,
finish reasons and usage is held against the record. Where it says nothing, or cannot parse what
the API sends, a line below says why.
"""

import json

import pytest

from interceptor.reading import read
from interceptor.record import Reasoning, Text, ToolCall, Usage
from interceptor.replay.fixtures import all_fixtures
from tests.recorded_exchanges import of_fixture
from tests.sdk_calls import (
    MAJOR,
    METHODS,
    MINOR,
    Mistral,
    arguments,
    http,
    is_stream,
    method,
    method_name,
    models,
)

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif((MAJOR, MINOR) < (1, 12), reason="the SDK's types are older than the API's"),
]

FIXTURES = {
    fixture.name: fixture
    for fixture in all_fixtures()
    if fixture.name.partition("/")[0] in METHODS and fixture.response.status < 400
}
UNREADABLE = {
    "audio.speech/raw_audio": "the SDK takes JSON and events only",
    "chat.completions/error_in_stream": "the SDK knows no event but a chunk",
    "embeddings/base64": "the SDK has a type for lists of floats only",
}
DROPPED = {
    "audio.speech/plain": "the answer has none: the characters that are billed stand in a header",
    "chat.moderations/one_conversation": "the SDK's type has no usage, the API's answer has",
    "classifications/text": "the same",
    "moderations/one_text": "the same",
}
UNASKED = ("guardrails", "tools")  # older releases lack some kinds, and the answer is there anyway
if "messages" not in models.ChatCompletionChoice.model_fields:
    del FIXTURES["chat.completions/server_side_tool"]  # what this release has no type for


def parsed(fixture):
    """Give what the SDK made of the answer: a response, or the data of each event."""

    def answer(request):
        body, status = fixture.response.body, fixture.response.status
        return http.Response(status, headers=list(fixture.response.headers), content=body)

    with http.Client(transport=http.MockTransport(answer)) as client:
        sdk = Mistral(api_key="invented", client=client)
        called = method(sdk, method_name(fixture))
        if called is None:
            pytest.skip(f"this release line of the SDK has no {method_name(fixture)}")
        asked = arguments(fixture, called)
        given = called(**{name: asked[name] for name in asked if name not in UNASKED})
        return [event.data for event in given] if is_stream(fixture) else given


def words(content, kind="text"):
    """Give the words, or the thoughts, of a content: text, a part, or a list of parts."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    parts = content if isinstance(content, list) else [content] if content else []
    if kind == "thinking":
        thoughts = [part.thinking for part in parts if part.type == "thinking"]
        return "".join(one.text for thought in thoughts for one in thought)
    return "".join(part.text for part in parts if part.type in ("text", "output_text"))


def json_of(text):
    return json.loads(text) if isinstance(text, str) and text else text or ""


def called(calls):
    """Merge calls, or fragments of them, by their index or id."""
    whole, last = {}, {}
    for call in calls:
        is_first = call.id not in (None, "null")
        key = last[call.index] = call.id if is_first else last[call.index]
        id_, name, text = whole.get(key, (call.id, call.function.name, ""))
        whole[key] = (id_, name, text + call.function.arguments)
    return [(id_, name, json_of(text)) for id_, name, text in whole.values()]


def of_completion(given):
    choices = {}
    for chunk in given if isinstance(given, list) else [given]:
        for choice in chunk.choices:
            found = choices.setdefault(choice.index, {"messages": [], "reason": None})
            found["reason"] = choice.finish_reason or found["reason"]
            one = getattr(choice, "delta", None) or getattr(choice, "message", None)
            found["messages"] += choice.messages if one is None else [one]
    last = given[-1] if isinstance(given, list) else given
    ordered = [choices[index] for index in sorted(choices)]
    spoken = [[m for m in one["messages"] if m.role != "tool"] for one in ordered]
    return {
        "id": last.id,
        "model": last.model,
        "texts": ["".join(words(m.content) for m in one) for one in spoken],
        "thoughts": ["".join(words(m.content, "thinking") for m in one) for one in spoken],
        "calls": [
            c for one in spoken for c in called([c for m in one for c in m.tool_calls or ()])
        ],
        "reasons": [one["reason"] for one in ordered if one["reason"]],
        "usage": last.usage,
    }


def of_conversation(given):
    is_streamed = isinstance(given, list)
    entries = given if is_streamed else given.outputs
    of_kind = {"message": [], "function": [], "tool.execution": [], "agent.handoff": []}
    for one in entries:
        for kind, found in of_kind.items():
            if one.type.startswith(kind):
                found.append(one)
    calls, runs = {}, {}
    for one in of_kind["function"]:
        id_, name, text = calls.get(one.id, (one.tool_call_id, one.name, ""))
        calls[one.id] = (id_, name, text + one.arguments)
    for one in of_kind["tool.execution"]:
        name, text = runs.get(one.id, (one.name, ""))
        runs[one.id] = (name, text + (getattr(one, "arguments", None) or ""))
    said = {"conversation_id": given[0].conversation_id} if is_streamed else {}
    text = "".join(words(one.content) for one in of_kind["message"])
    thought = "".join(words(one.content, "thinking") for one in of_kind["message"])
    return said | {
        **({} if is_streamed else {"conversation_id": given.conversation_id}),
        "texts": [text] if text or calls else [],
        "thoughts": [thought] if text or calls else [],
        "calls": [(id_, name, json_of(text)) for id_, name, text in calls.values()],
        "runs": [(id_, name, json_of(text)) for id_, (name, text) in runs.items()],
        "handoffs": [
            one.next_agent_id for one in of_kind["agent.handoff"] if hasattr(one, "next_agent_id")
        ],
        "usage": getattr(given[-1] if is_streamed else given, "usage", None),
    }


def of_response(given):
    if isinstance(given, list):
        last = next((one.response for one in reversed(given) if hasattr(one, "response")), None)
        deltas = [one.delta for one in given if one.type == "response.output_text.delta"]
        if last.status not in ("completed", "incomplete"):
            text = "".join(deltas)
            return {"id": last.id, "model": last.model, "texts": [text], "usage": last.usage}
        given = last
    items = given.output
    reason = given.incomplete_details and given.incomplete_details.reason
    text = "".join(words(one.content) for one in items if one.type == "message")
    text += "".join(
        part.refusal
        for one in items
        if one.type == "message"
        for part in one.content
        if part.type == "refusal"
    )
    reasoning = [one for one in items if one.type == "reasoning"]
    thoughts = [part.text for one in reasoning for part in [*(one.content or ()), *one.summary]]
    return {
        "id": given.id,
        "model": given.model,
        "texts": [text] if items else [],
        "thoughts": ["".join(thoughts)] if items else [],
        "calls": [
            (one.call_id, one.name, json_of(one.arguments))
            for one in items
            if one.type == "function_call"
        ],
        "reasons": [reason] if reason else [],
        "usage": given.usage,
    }


def of_transcription(given):
    whole = given[-1] if isinstance(given, list) else given
    return {"model": whole.model, "texts": [whole.text], "usage": whole.usage}


def of_speech(given):
    return {"usage": given[-1].usage} if isinstance(given, list) else {}


def of_classification(given):
    return {"id": given.id, "model": given.model, "results": len(given.results)}


def of_ocr(given):
    usage = given.usage_info
    return {
        "model": given.model,
        "texts": ["".join(page.markdown for page in given.pages)],
        "pages": usage.pages_processed,
        "bytes": usage.doc_size_bytes,
    }


def of_embeddings(given):
    sizes = {len(one.embedding) for one in given.data}
    return {
        "id": given.id,
        "model": given.model,
        "vectors": (len(given.data), sizes.pop()),
        "usage": given.usage,
    }


def of_count(given):
    return {"input_tokens": given.input_tokens}


SAYS = {
    "chat.completions": of_completion,
    "fim.completions": of_completion,
    "agents.completions": of_completion,
    "conversations.start": of_conversation,
    "conversations.append": of_conversation,
    "conversations.restart": of_conversation,
    "responses": of_response,
    "responses.input_tokens": of_count,
    "embeddings": of_embeddings,
    "moderations": of_classification,
    "chat.moderations": of_classification,
    "classifications": of_classification,
    "chat.classifications": of_classification,
    "ocr": of_ocr,
    "audio.transcriptions": of_transcription,
    "audio.speech": of_speech,
}


def ours(record):
    """Give what we say, in the words of the functions above."""
    output, usage = record.output, record.usage or Usage()

    def joined(kind):
        return ["".join(p.content for p in m.parts if isinstance(p, kind)) for m in output.messages]

    calls = [part for m in output.messages for part in m.parts if isinstance(part, ToolCall)]
    return {
        "id": output.id,
        "model": output.model,
        "conversation_id": output.conversation_id,
        "texts": joined(Text),
        "thoughts": joined(Reasoning),
        "calls": [(one.id, one.name, json_of(one.arguments)) for one in calls],
        "runs": [(one.id, one.name, json_of(one.arguments)) for one in record.tool_runs],
        "handoffs": [one.next_agent_id for one in record.handoffs],
        "reasons": list(output.finish_reasons),
        "results": output.facts.get("results"),
        "input_tokens": output.facts.get("input_tokens"),
        "pages": usage.pages_processed,
        "bytes": usage.doc_size_bytes,
        "vectors": (output.embeddings_count, output.embeddings_dimensions),
        "usage": (usage.input_tokens, usage.output_tokens, usage.total_tokens),
    }


def counted(usage):
    """Give the counts of the SDK's usage, under either pair of names."""
    if not usage:
        return (None, None, None)
    said = usage.model_dump()
    return (
        said.get("prompt_tokens", said.get("input_tokens")),
        said.get("completion_tokens", said.get("output_tokens")),
        said["total_tokens"],
    )


@pytest.mark.parametrize("name", [name for name in FIXTURES if name not in UNREADABLE])
def test_the_sdk_and_we_agree(name):
    fixture = FIXTURES[name]
    theirs = SAYS[name.partition("/")[0]](parsed(fixture))
    if "usage" in theirs:
        theirs["usage"] = counted(theirs["usage"])
    said = ours(read(of_fixture(fixture)))
    assert {key: said[key] for key in theirs} == theirs


@pytest.mark.parametrize("name", DROPPED)
def test_usage_that_the_sdk_does_not_give_we_do(name):
    assert not hasattr(parsed(FIXTURES[name]), "usage")
    assert read(of_fixture(FIXTURES[name])).usage is not None


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_the_sdk_cannot_read_we_can(name):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each is another of the SDK's own
        parsed(FIXTURES[name])
    assert type(caught.value).__module__.startswith(("mistralai", "pydantic"))
    record = read(of_fixture(FIXTURES[name]))
    assert record.output.messages or record.output.embeddings_count
    assert not record.notes
