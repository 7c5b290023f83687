"""Streams do not matter: a response cut into events is that response again."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from interceptor.wire import chat, conversations, responses, speech, transcriptions
from interceptor.wire.notes import Notes

words = st.text(max_size=12)
some_words = st.text(min_size=1, max_size=12)
names = st.sampled_from(["f", "g", "find_berth"])
usages = st.sampled_from([{"prompt_tokens": 3, "total_tokens": 5}, {"completion_tokens": 0}])
thoughts = st.builds(lambda text: {"type": "thinking", "thinking": text}, some_words)
texts = st.builds(lambda text: {"type": "text", "text": text}, some_words)
references = st.builds(
    lambda ids: {"type": "reference", "reference_ids": ids}, st.lists(st.integers())
)


def unlike_neighbours(parts):
    """Neighbours that hold text of one kind are one text to whoever sends a stream."""
    kept = []
    for part in parts:
        if not kept or part["type"] != kept[-1]["type"] or part["type"] == "reference":
            kept.append(part)
    return kept


contents = st.lists(thoughts | texts | references, min_size=1, max_size=4).map(unlike_neighbours)


def pieces(draw, text):
    """Cut a text into one to four pieces."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=3).map(sorted))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def part_pieces(draw, part):
    """Cut a part into parts of its kind."""
    key = {"text": "text", "thinking": "thinking"}.get(part["type"])
    return [{**part, key: one} for one in pieces(draw, part[key])] if key else [part]


def interleaved(draw, sequences):
    """Mix sequences, each in its own order."""
    left = [list(one) for one in sequences if one]
    mixed = []
    while left:
        chosen = draw(st.sampled_from(left))
        mixed.append(chosen.pop(0))
        left = [one for one in left if one]
    return mixed


def decoded(values, kind):
    return msgspec.json.Decoder(tuple[kind, ...]).decode(msgspec.json.encode(values))


def says(module, whole):
    response = msgspec.json.decode(msgspec.json.encode(whole), type=module.Response)
    return module.to_answer(response, Notes())


def says_streamed(module, kind, events):
    notes = Notes()
    answer = module.to_answer(module.fold(iter(decoded(events, kind)), notes), notes)
    assert notes.texts() == ()
    return answer


@st.composite
def completions(draw):
    choices = []
    for index in range(draw(st.integers(1, 3))):
        message = {"role": "assistant", "content": draw(some_words | contents | st.none())}
        calls = draw(st.integers(0, 2))
        message["tool_calls"] = [
            {
                "id": f"{index}{i}",
                "index": i,
                "function": {"name": draw(names), "arguments": draw(words)},
            }
            for i in range(calls)
        ]
        reason = draw(st.sampled_from(["stop", "length", None]))
        choices.append({"index": index, "message": message, "finish_reason": reason})
    return {"id": "i", "model": "m", "choices": choices, "usage": draw(usages)}


@st.composite
def completions_and_streams(draw):
    whole = draw(completions())
    streams = []
    for choice in whole["choices"]:
        message, deltas = choice["message"], [{"role": "assistant", "content": ""}]
        content = message["content"] or ""
        if isinstance(content, str):
            deltas += [{"content": one} for one in pieces(draw, content)]
        else:
            deltas += [{"content": [one]} for part in content for one in part_pieces(draw, part)]
        calls = [
            [
                {"tool_calls": [{"index": call["index"], "function": {"arguments": one}}]}
                for one in pieces(draw, call["function"]["arguments"])
            ]
            for call in message["tool_calls"]
        ]
        for call, fragments in zip(message["tool_calls"], calls, strict=True):
            fragments[0]["tool_calls"][0]["id"] = call["id"]
            fragments[0]["tool_calls"][0]["function"]["name"] = call["function"]["name"]
        opening = [fragments.pop(0) for fragments in calls]  # calls open in their order
        deltas += opening + interleaved(draw, calls)
        events = [{"index": choice["index"], "delta": one, "finish_reason": None} for one in deltas]
        events[-1]["finish_reason"] = choice["finish_reason"]
        streams.append([{"id": "i", "model": "m", "choices": [one]} for one in events])
    chunks = interleaved(draw, streams)
    chunks[-1]["usage"] = whole["usage"]
    return whole, chunks


@given(completions_and_streams())
def test_of_completions(both):
    whole, chunks = both
    assert says_streamed(chat, chat.Chunk, chunks) == says(chat, whole)


@st.composite
def conversations_and_streams(draw):
    entries, streams = [], []
    for index in range(draw(st.integers(0, 4))):
        who = {"id": f"e{index}", "model": draw(st.sampled_from(["m", "n"]))}
        at = f"2026-10-19T12:00:0{index}Z"
        frame = {**who, "output_index": index, "created_at": at}
        match draw(st.sampled_from(["message", "call", "tool", "handoff"])):
            case "message":
                content = draw(some_words | contents)
                entries.append(
                    {"type": "message.output", **who, "created_at": at, "content": content}
                )
                cut = (
                    pieces(draw, content)
                    if isinstance(content, str)
                    else [one for part in content for one in part_pieces(draw, part)]
                )
                deltas = [{"type": "message.output.delta", **frame, "content": one} for one in cut]
                streams.append(deltas)
            case "call":
                call = {"tool_call_id": f"t{index}", "name": draw(names)}
                text = draw(words)
                entries.append({"type": "function.call", **who, **call, "arguments": text})
                streams.append(
                    [
                        {"type": "function.call.delta", **frame, **call, "arguments": one}
                        for one in pieces(draw, text)
                    ]
                )
            case "tool":
                text, name = draw(words), {"name": draw(names)}
                times = {"created_at": at, "completed_at": "2026-10-19T12:00:09Z"}
                info = {"info": draw(st.sampled_from([{"a": 1}, {}]))}
                entries.append(
                    {"type": "tool.execution", **who, **name, **times, **info, "arguments": text}
                )
                first, *more = pieces(draw, text)
                streams.append(
                    [
                        {"type": "tool.execution.started", **frame, **name, "arguments": first},
                        *(
                            {"type": "tool.execution.delta", **frame, **name, "arguments": one}
                            for one in more
                        ),
                        {
                            "type": "tool.execution.done",
                            **frame,
                            **name,
                            **info,
                            "created_at": times["completed_at"],
                        },
                    ]
                )
            case "handoff":
                before, after = {"previous_agent_id": "a"}, {"next_agent_id": "b"}
                entries.append({"type": "agent.handoff", **who, **before, **after})
                streams.append(
                    [
                        {"type": "agent.handoff.started", **frame, **before},
                        {"type": "agent.handoff.done", **frame, **after},
                    ]
                )
    whole = {"conversation_id": "c", "outputs": entries, "usage": draw(usages)}
    opening = [stream.pop(0) for stream in streams]  # entries open in their order
    events = [
        {"type": "conversation.response.started", "conversation_id": "c"},
        *opening,
        *interleaved(draw, streams),
        {"type": "conversation.response.done", "usage": whole["usage"]},
    ]
    return whole, events


@given(conversations_and_streams())
def test_of_conversations(both):
    whole, events = both
    streamed = says_streamed(conversations, conversations.Event, events)
    assert streamed == says(conversations, whole)


@st.composite
def responses_and_streams(draw):
    items, events = [], []
    for index in range(draw(st.integers(0, 3))):
        place = {"output_index": index, "content_index": 0}
        added = {"type": "response.output_item.added", **place}
        kind = draw(st.sampled_from(["message", "reasoning", "function_call"]))
        text = draw(some_words)
        if kind == "function_call":
            call = {"type": kind, "call_id": f"c{index}", "name": draw(names)}
            items.append({**call, "arguments": text})
            events.append({**added, "item": {**call, "arguments": ""}})
            name = "function_call_arguments"
        else:
            part = {"message": "output_text", "reasoning": "reasoning_text"}[kind]
            items.append({"type": kind, "content": [{"type": part, "text": text}]})
            events.append({**added, "item": {"type": kind, "content": []}})
            name = part
        events += [
            {"type": f"response.{name}.delta", **place, "delta": one} for one in pieces(draw, text)
        ]
        if draw(st.booleans()):
            done = {"function_call_arguments": "arguments"}.get(name, "text")
            events.append({"type": f"response.{name}.done", **place, done: text})
        if draw(st.booleans()):
            done = {"type": "response.output_item.done", **place, "item": items[-1]}
            events.append(done)
    whole = {"id": "r", "model": "m", "output": items, "usage": draw(usages)}
    last = [{"type": "response.completed", "response": whole}] if draw(st.booleans()) else []
    begun = {"type": "response.created", "response": whole | {"output": []}}
    return whole, [begun, *events, *last]


@given(responses_and_streams())
def test_of_responses(both):
    whole, events = both
    assert says_streamed(responses, responses.Event, events) == says(responses, whole)


@st.composite
def transcriptions_and_streams(draw):
    text = draw(some_words)
    whole = {"model": "m", "text": text, "language": draw(st.sampled_from(["en", None]))}
    whole["usage"] = draw(usages)
    deltas = [{"type": "transcription.text.delta", "text": one} for one in pieces(draw, text)]
    return whole, [*deltas, {"type": "transcription.done", **whole}]


@given(transcriptions_and_streams())
def test_of_transcriptions(both):
    whole, events = both
    streamed = says_streamed(transcriptions, transcriptions.Event, events)
    assert streamed == says(transcriptions, whole)


@st.composite
def speeches_and_streams(draw):
    whole = {"audio_data": draw(st.text("ABab+/", min_size=1)), "usage": draw(usages)}
    deltas = [
        {"type": "speech.audio.delta", "audio_data": one}
        for one in pieces(draw, whole["audio_data"])
    ]
    return whole, [*deltas, {"type": "speech.audio.done", "usage": whole["usage"]}]


@given(speeches_and_streams())
def test_of_speech(both):
    whole, events = both
    assert says_streamed(speech, speech.Event, events) == says(speech, whole)
