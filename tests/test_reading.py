"""From an exchange to a record: times, facts, endings, secrets, parameters, encodings."""

import gzip
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.exchange import ABANDONED, CLOSED_EARLY, Ending
from interceptor.reading import read
from interceptor.record import Failure, Input, Message, Output, Server, Text, Times
from tests.recorded_exchanges import CREDENTIAL, JSON, MS, SSE, cut, events, exchange

CHAT = "/v1/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
ANSWERED = {
    "id": "i",
    "model": "m-1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "b"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1},
}
STREAM = events(
    {
        "id": "i",
        "model": "m-1",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}],
    },
    {"id": "i", "choices": [{"index": 0, "delta": {"content": "Hé"}}]},
    {"id": "i", "choices": [{"index": 0, "delta": {"content": "llo 🌍"}, "finish_reason": "stop"}]},
    "[DONE]",
)
OPEN = events({"choices": [{"index": 0, "delta": {"content": "a"}}]})
CHOICES = events(
    {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]},
    {"choices": [{"index": 1, "delta": {"content": "b"}}]},
)


def said(record):
    return [part.content for message in record.output.messages for part in message.parts]


def test_a_record_tells_the_whole_call():
    record = read(exchange(CHAT, ASKED, ANSWERED))
    assert (record.endpoint, record.operation) == ("chat.completions", "chat")
    assert (record.method, record.path, record.status, record.attempt) == ("POST", CHAT, 200, 1)
    assert record.times == Times(
        started_unix_ns=0,
        ended_after_ns=3 * MS,
        headers_after_ns=MS,
        first_byte_after_ns=2 * MS,
    )
    assert record.server == Server(host="api.mistral.ai", port=443, http_version="HTTP/1.1")
    assert record.request_bytes == len(msgspec.json.encode(ASKED))
    assert record.response_bytes == len(msgspec.json.encode(ANSWERED))
    message = Message(role="user", parts=(Text("a"),))
    assert record.input == Input(model="m", messages=(message,), parameters={"model": "m"})
    assert (said(record), record.usage.input_tokens) == (["b"], 1)
    assert (record.stream, record.failure, record.notes) == (None, None, ())


def test_a_call_that_got_no_answer():
    record = read(exchange(CHAT, ASKED, status=None, ending=Ending("ConnectError", message="no")))
    assert record.failure == Failure(kind="ConnectError", message="no")
    assert (record.status, record.output, record.input.model) == (None, Output(), "m")
    assert record.times.headers_after_ns is None


def test_a_body_that_was_not_seen_has_no_size():
    assert read(exchange(CHAT, None, ANSWERED)).request_bytes is None
    assert read(exchange(CHAT, b"", ANSWERED)).request_bytes == 0


def test_headers_are_read_by_an_allow_list():
    headers = JSON | {
        "mistral-correlation-id": "c",
        "x-ratelimit-remaining-req-minute": "12",
        "x-ratelimit-limit-tokens-minute": "0",
        "x-ratelimit-reset": "soon",
        "x-ratelimit-huge": "9" * 30,
        "x-ratelimit-other": "²",
        "x-envoy-upstream-service-time": "31",
        "x-model-deprecation-timestamp": "2027-01-01T00:00:00Z",
        "set-cookie": "secret",
    }
    server = read(exchange(CHAT, ASKED, ANSWERED, headers=headers)).server
    assert server.correlation_id == "c"
    assert server.ratelimit == {"remaining-req-minute": 12, "limit-tokens-minute": 0}
    assert server.upstream_ns == 31_000_000
    assert server.deprecated_at == "2027-01-01T00:00:00Z"


def test_bodies_that_were_let_go_leave_a_note():
    made = exchange(CHAT, ASKED, ANSWERED)
    made.let_go()
    record = read(made)
    size = len(msgspec.json.encode(ASKED)) + len(msgspec.json.encode(ANSWERED))
    assert record.notes == (f"{size} bytes were let go unread: the queue was full",)
    assert (record.input, record.output, record.status) == (Input(), Output(), 200)


# How a stream ends

ENDINGS = {
    "at its end mark": (STREAM, None, True, None, ("stop",)),
    "closed at the end mark": (STREAM, CLOSED_EARLY, True, None, ("stop",)),
    "left by the caller": (OPEN, CLOSED_EARLY, False, None, ()),
    "abandoned": (OPEN, ABANDONED, False, None, ()),
    "broken": (OPEN, Ending("ReadError"), False, "ReadError", ("error",)),
    "cancelled": (OPEN, Ending("CancelledError"), False, "CancelledError", ("error",)),
    "broken before anything came": (b"", Ending("ReadError"), False, "ReadError", ("error",)),
    "broken after the end": (STREAM, Ending("ReadError"), True, "ReadError", ("stop",)),
    "broken within one of two choices": (
        CHOICES,
        Ending("ReadError"),
        True,
        "ReadError",
        ("stop", "error"),
    ),
}


@pytest.mark.parametrize(
    ("body", "ending", "is_complete", "kind", "reasons"), ENDINGS.values(), ids=ENDINGS
)
def test_how_a_stream_ended_is_told(body, ending, is_complete, kind, reasons):
    record = read(exchange(CHAT, ASKED, [body], headers=SSE, ending=ending))
    assert record.stream.completed == is_complete
    assert (record.failure and record.failure.kind) == kind
    assert record.output.finish_reasons == reasons


def test_a_stream_without_finish_reasons_that_came_to_its_end_was_not_cut_short():
    body = events({"type": "transcription.done", "text": "a"})
    record = read(
        exchange("/v1/audio/transcriptions", None, body, headers=SSE, ending=Ending("ReadError"))
    )
    assert (record.failure.kind, record.output.finish_reasons) == ("ReadError", ())


def test_an_answer_that_is_no_stream_has_no_reason_added():
    record = read(exchange(CHAT, ASKED, b'{"id":', ending=Ending("ReadError")))
    assert (record.failure.kind, record.output.finish_reasons) == ("ReadError", ())


def test_the_words_of_the_server_hold_over_those_of_the_exception():
    body = events({"error": {"message": "no", "type": "t"}})
    record = read(exchange(CHAT, ASKED, body, headers=SSE, ending=Ending("ReadError")))
    assert record.failure == Failure(kind="t", message="no")


def test_an_error_whose_reading_broke_is_named_by_the_exception():
    made = exchange(CHAT, ASKED, b'{"message":"no"}', status=400, ending=Ending("ReadError"))
    assert read(made).failure == Failure(kind="ReadError", message="no")


def test_the_cadence_of_a_stream_is_told():
    pieces = [events({"choices": []}) for _ in range(101)]
    stream = read(exchange(CHAT, ASKED, pieces, headers=SSE)).stream
    assert (stream.events, stream.gap_p50_ns, stream.gap_p95_ns, stream.gap_max_ns) == (
        101,
        MS,
        MS,
        MS,
    )
    lonely = read(exchange(CHAT, ASKED, pieces[:1], headers=SSE)).stream
    assert (lonely.events, lonely.gap_p50_ns, lonely.gap_max_ns) == (1, None, None)


TAILS = {
    "whole": (b"\n\n", 2, "ab"),
    "without its blank lines": (b"", 2, "ab"),
    "without the last of them": (b"\n", 1, "ab"),  # read, but its event never ended
}


@pytest.mark.parametrize(("end", "count", "text"), TAILS.values(), ids=TAILS)
def test_an_event_that_the_end_leaves_open_is_read(end, count, text):
    last = events({"choices": [{"index": 0, "delta": {"content": "b"}}]})
    record = read(exchange(CHAT, ASKED, OPEN + last.removesuffix(b"\n\n") + end, headers=SSE))
    assert (record.stream.events, said(record), record.notes) == (count, [text], ())


def test_an_end_mark_that_the_end_leaves_open_is_one():
    record = read(exchange(CHAT, ASKED, OPEN + b"data: [DONE]", headers=SSE))
    assert (record.stream.completed, record.stream.events) == (True, 1)


def test_an_event_cut_short_is_noted():
    record = read(exchange(CHAT, ASKED, OPEN + b'data: {"choices": [{"ind', headers=SSE))
    assert record.notes == ("the last event is cut short",)
    assert (record.stream.events, said(record)) == (1, ["a"])


def test_an_event_that_is_no_json_is_noted_and_counted():
    record = read(exchange(CHAT, ASKED, b"data: {\n\ndata: hello\n\n" + OPEN, headers=SSE))
    assert record.notes == ("event: not JSON (×2)",)
    assert (record.stream.events, said(record)) == (3, ["a"])


def test_past_the_limit_the_events_that_are_whole_are_read():
    pieces = [OPEN] * 300 + [events({"choices": [], "usage": {"prompt_tokens": 7}})]
    record = read(exchange(CHAT, ASKED, pieces, headers=SSE, limit_bytes=20_000))
    (note,) = record.notes
    assert note.endswith("bytes in the middle were dropped: the body is over the limit")
    assert record.usage.input_tokens == 7
    assert 20 < record.stream.events < 300
    assert set(said(record)[0]) == {"a"}


# Which body is what

BODIES = {
    "JSON under the name of events": (msgspec.json.encode(ANSWERED), SSE, ["b"], ()),
    "events under the name of JSON": (STREAM, JSON, ["Héllo 🌍"], ()),
    "events under no name": (STREAM, {}, ["Héllo 🌍"], ()),
    "a comment first": (b": hello\n\n" + STREAM, {}, ["Héllo 🌍"], ()),
    "JSON under no name": (msgspec.json.encode(ANSWERED), {}, ["b"], ()),
    "JSON after blanks": (b"\n \t" + msgspec.json.encode(ANSWERED), JSON, ["b"], ()),
    "JSON after a mark": (b"\xef\xbb\xbf" + msgspec.json.encode(ANSWERED), JSON, ["b"], ()),
    "a page": (
        b"<html></html>",
        {"content-type": "text/html; charset=utf-8"},
        [],
        ("the body is text/html, not JSON",),
    ),
    "bytes": (b"\x00\x01", {}, [], ("the body is of no named type, not JSON",)),
    "a number": (b"17", JSON, [], ("the body is application/json, not JSON",)),
    "nothing": (b"", JSON, [], ()),
    "blanks": (b" \n ", JSON, [], ()),
    "no events": (b"", SSE, [], ()),
    "JSON cut short": (b'{"id":"i","choices":[', JSON, [], ("response: not JSON",)),
    "a list": (b"[1]", JSON, [], ("response: in a shape that is not known, left out",)),
}


@pytest.mark.parametrize(("body", "headers", "texts", "notes"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_the_bytes_tell_what_a_body_is(body, headers, texts, notes, size):
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    record = read(exchange(CHAT, ASKED, pieces, headers=headers))
    assert (said(record), record.notes) == (texts, notes)


def test_an_endpoint_without_streams_counts_the_events_of_one():
    record = read(exchange("/v1/embeddings", ASKED, STREAM, headers=SSE))
    assert (record.stream.events, record.stream.completed, record.output) == (3, True, Output())


UNREAD = {
    "to its end": (None, True),
    "left early": (CLOSED_EARLY, False),
    "broken": (Ending("ReadError"), False),
}


@pytest.mark.parametrize(("ending", "is_complete"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("path", ["/v1/telepathy", "/v1/workflows/events/stream"])
def test_a_stream_of_an_endpoint_that_is_not_read_is_counted(path, ending, is_complete):
    data = events({"type": "begun", "message": "a"}, {"error": {"message": "no", "code": 5}})
    record = read(exchange(path, None, data, headers=SSE, ending=ending))
    assert (record.stream.events, record.stream.completed) == (2, is_complete)
    kind = ending.kind if ending and ending.is_error else "200"
    assert record.failure == Failure(kind=kind, message="no", code="5")
    assert record.output == Output()


def test_what_says_that_it_is_a_stream_and_is_none_is_not_read():
    record = read(exchange("/v1/telepathy", ASKED, ANSWERED, headers=SSE))
    assert (record.stream, record.output, record.notes) == (None, Output(), ())


def test_an_unknown_path_keeps_no_words():
    record = read(exchange("/v1/telepathy", ASKED, ANSWERED))
    assert (record.endpoint, record.input, record.output) == ("other", Input(), Output())
    failed = read(exchange("/v1/telepathy", ASKED, {"detail": "no"}, status=404))
    assert failed.failure == Failure(kind="404", message="no")


# Content encodings


@pytest.mark.parametrize("status", [200, 422])
def test_a_compressed_answer_is_read(status):
    body = {"detail": "no"} if status == 422 else ANSWERED
    packed = gzip.compress(msgspec.json.encode(body))
    record = read(
        exchange(CHAT, ASKED, packed, status=status, headers=JSON | {"content-encoding": "gzip"})
    )
    assert record.response_bytes == len(packed)
    assert (said(record) == ["b"]) == (status == 200)
    assert record.failure == (Failure(kind="422", message="no") if status == 422 else None)


def test_a_compressed_request_is_read():
    packed = gzip.compress(msgspec.json.encode(ASKED))
    record = read(exchange(CHAT, packed, ANSWERED, sent=JSON | {"content-encoding": "gzip"}))
    assert (record.input.model, record.request_bytes) == ("m", len(packed))


def test_a_compressed_stream_keeps_the_times_of_its_packets():
    packed = gzip.compress(STREAM)
    pieces = [packed[:1], packed[1:40], packed[40:]]
    record = read(exchange(CHAT, ASKED, pieces, headers=SSE | {"content-encoding": "gzip"}))
    assert said(record) == ["Héllo 🌍"]
    assert record.times.first_byte_after_ns == 2 * MS
    assert record.times.first_content_after_ns == 4 * MS


ENCODINGS = {
    "unknown": ("zstd", b"x", "response: nobody here can undo the content encoding zstd"),
    "broken": ("gzip", b"not gzip", "response: is not the gzip that it says (error)"),
    "a bomb": (
        "gzip",
        gzip.compress(bytes(1 << 22)),
        "response: decoded up to 100000 bytes, the rest left unread",
    ),
}


@pytest.mark.parametrize(("name", "body", "note"), ENCODINGS.values(), ids=ENCODINGS)
def test_a_body_that_cannot_be_decoded_is_noted(name, body, note):
    headers = JSON | {"content-encoding": name}
    record = read(exchange(CHAT, ASKED, body, headers=headers, limit_bytes=100_000))
    assert record.notes[0] == note
    assert (record.status, record.failure) == (200, None)


def test_a_compressed_body_with_bytes_missing_is_noted():
    headers = JSON | {"content-encoding": "gzip"}
    record = read(exchange(CHAT, ASKED, [b"x" * 500] * 50, headers=headers, limit_bytes=9000))
    assert record.notes[1:] == ("an encoded body with bytes missing cannot be read",)


def test_an_encoding_of_the_http_library_is_undone_by_it():
    headers = JSON | {"content-encoding": "flip"}
    made = exchange(CHAT, ASKED, flipped(msgspec.json.encode(ANSWERED)), headers=headers)
    made.decode = lambda name, pieces: map(flipped, pieces)
    assert said(read(made)) == ["b"]


def flipped(data):
    return bytes(byte ^ 1 for byte in data)


# Requests

PARAMETERS = {
    "words are left out": (ASKED | {"top_k": 1}, {"model": "m", "top_k": 1}),
    "a credential by name": (
        {"api_key": "x", "Authorization": "x", "client-secret": "x", "n": 1},
        {"n": 1},
    ),
    "credentials inside": (
        {"metadata": {"password": "x", "a": [{"token": "x", "tokens": 1, "api_key": ""}]}},
        {
            "metadata": {
                "password": "[redacted]",
                "a": [{"token": "[redacted]", "tokens": 1, "api_key": ""}],
            }
        },
    ),
    "a credential by a longer name": (
        {"metadata": {"headers": {"X-API-Key": "x", "Proxy-Authorization": "x", "max_tokens": 1}}},
        {
            "metadata": {
                "headers": {
                    "X-API-Key": "[redacted]",
                    "Proxy-Authorization": "[redacted]",
                    "max_tokens": 1,
                }
            }
        },
    ),
    "odd JSON": ({"x": [1, {"y": None}]}, {"x": [1, {"y": None}]}),
}


@pytest.mark.parametrize(("sent", "kept"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_are_the_rest_of_the_request(sent, kept):
    assert read(exchange(CHAT, sent, ANSWERED)).input.parameters == kept


def test_parameters_nested_too_deeply_are_struck_out():
    sent = b'{"metadata":' + b"[" * 200 + b"]" * 200 + b"}"
    record = read(exchange(CHAT, sent, ANSWERED))
    assert "[redacted]" in repr(record.input.parameters)


def test_the_credentials_of_a_tool_are_struck_out():
    tools = [{"type": "connector", "authorization": {"type": "api-key", "value": "x"}, "name": "a"}]
    record = read(exchange(CHAT, {"tools": tools}, ANSWERED))
    assert json.loads(record.input.tools) == [
        {"type": "connector", "authorization": "[redacted]", "name": "a"}
    ]


def test_a_tool_that_takes_a_password_is_described_all_the_same():
    """What `properties` names is said to be something: it is not that itself."""
    password = {"type": "string", "default": {"token": "x", "n": 1}}
    odd = {"properties": [{"secret": "x"}]}
    schema = {"properties": {"password": password, "api_key": "x", "odd": odd}}
    tools = [{"type": "function", "function": {"name": "log_in", "parameters": schema}}]
    record = read(exchange(CHAT, {"tools": tools}, ANSWERED))
    ((kept,),) = (json.loads(record.input.tools),)
    assert kept["function"]["parameters"]["properties"] == {
        "password": {"type": "string", "default": {"token": "[redacted]", "n": 1}},
        "api_key": "[redacted]",
        "odd": {"properties": [{"secret": "[redacted]"}]},
    }


def test_tools_without_credentials_stay_as_they_were_sent():
    tools = b'[{"type": "function", "function": {"name": "count_tokens", "key": 1}}]'
    record = read(exchange(CHAT, b'{"tools": ' + tools + b"}", ANSWERED))
    assert record.input.tools == tools.decode()


REQUESTS = {
    "not JSON": (b"hello", ("request: not JSON",)),
    "a list": (b"[1]", ("request: in a shape that is not known, left out",)),
    "cut short": (b'{"model":"m"', ("request: not JSON",)),
    "empty": (b"", ()),
    "an empty object": (b"{}", ()),
}


@pytest.mark.parametrize(("body", "notes"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_cannot_be_read_is_noted(body, notes):
    record = read(exchange(CHAT, body, ANSWERED))
    assert (record.input, record.notes, said(record)) == (Input(), notes, ["b"])


def test_a_request_of_which_one_field_is_odd_is_read_but_for_that():
    record = read(exchange(CHAT, ASKED | {"temperature": "hot"}, ANSWERED))
    assert (record.input.model, record.input.temperature) == ("m", None)
    assert record.input.parameters["temperature"] == "hot"
    assert record.notes == ("request.temperature: in a shape that is not known, left out",)


VERTEX = "/v1/projects/p/locations/l/publishers/mistralai/models/m-1:rawPredict"
CHOSEN = {
    "chat": ({"messages": [], "model": "m"}, "chat.completions", "chat", "m"),
    "FIM": ({"prompt": "a", "suffix": "b"}, "fim.completions", "text_completion", "m-1"),
    "neither": ({"x": 1}, "chat.completions", "chat", "m-1"),
    "nothing": (None, "chat.completions", "chat", "m-1"),
}


@pytest.mark.parametrize(("sent", "name", "operation", "model"), CHOSEN.values(), ids=CHOSEN)
def test_the_body_tells_apart_what_shares_a_path(sent, name, operation, model):
    record = read(exchange(VERTEX, sent, ANSWERED))
    assert (record.endpoint, record.operation, record.input.model) == (name, operation, model)
    assert said(record) == ["b"]


def test_a_document_on_a_path_of_completions_is_read():
    sent = {"document": {"type": "document_url", "document_url": "https://a.example/b"}}
    pages = {"pages": [{"markdown": "b"}], "usage_info": {"pages_processed": 1}}
    record = read(exchange(VERTEX, sent, pages))
    assert (record.endpoint, record.operation, record.input.model) == ("ocr", "ocr", "m-1")
    assert (said(record), record.usage.pages_processed) == (["b"], 1)


# Secrets


def test_a_credential_is_struck_out_wherever_it_comes_back():
    asked = ASKED | {"metadata": {"note": f"my {CREDENTIAL}!"}}
    answered = json.loads(json.dumps(ANSWERED).replace('"b"', f'"b {CREDENTIAL}"'))
    for body, headers in ((answered, JSON), (STREAM.replace(b"H", CREDENTIAL.encode()), SSE)):
        record = read(exchange(CHAT, asked, body, headers=headers))
        assert CREDENTIAL not in repr(record)
        assert record.input.parameters["metadata"] == {"note": "my [redacted]!"}
        assert "[redacted]" in said(record)[0]
    failed = read(exchange(CHAT, ASKED, f"bad key {CREDENTIAL}".encode(), status=401))
    assert failed.failure.message == "bad key [redacted]"


def test_a_credential_that_comes_in_pieces_is_struck_out():
    """An answer is streamed a few letters an event: none of them holds the credential."""
    pieces = ["your key is ", CREDENTIAL[:5], CREDENTIAL[5:], "!"]
    body = events(*({"choices": [{"delta": {"content": piece}}]} for piece in pieces))
    assert said(read(exchange(CHAT, ASKED, body, headers=SSE))) == ["your key is [redacted]!"]


def test_a_credential_in_a_streamed_form_is_struck_out():
    form = {"model": "m", "note": f"my {CREDENTIAL}!"}
    record = read(exchange("/v1/audio/transcriptions", None, ANSWERED, form=form))
    assert record.input.parameters == {"model": "m", "note": "my [redacted]!"}


@pytest.mark.parametrize("place", [0, (1 << 20) - 5, (1 << 20) + 9])
def test_a_credential_in_a_large_body_is_found_wherever_windows_end(place):
    text = "." * place + CREDENTIAL + "." * (1 << 20)
    answer = {"choices": [{"message": {"content": text}}]}
    assert CREDENTIAL not in said(read(exchange(CHAT, ASKED, answer)))[0]


def test_a_large_body_without_a_credential_stays_as_it_is():
    text = "." * (3 << 20)
    assert said(read(exchange(CHAT, ASKED, {"choices": [{"message": {"content": text}}]}))) == [
        text
    ]


def test_a_word_that_served_as_a_key_is_left_where_it_stands():
    body = msgspec.json.encode(ANSWERED).replace(b'"b"', b'"a test"')
    made = exchange(CHAT, ASKED, body, secrets=("test", CREDENTIAL))
    assert said(read(made)) == ["a test"]


def test_nothing_is_read_of_what_carries_secrets():
    for status in (200, 403):
        record = read(exchange("/v1/client/sessions", ASKED, {"client_secret": "x"}, status=status))
        assert (record.input, record.output) == (Input(), Output())
        assert record.failure == (Failure(kind="403") if status == 403 else None)


# Laws


@given(places=st.lists(st.integers(0, 600)), is_packed=st.booleans())
def test_packets_do_not_matter(places, is_packed):
    raw = gzip.compress(STREAM) if is_packed else STREAM
    headers = SSE | {"content-encoding": "gzip" if is_packed else "identity"}
    whole = read(exchange(CHAT, ASKED, STREAM, headers=SSE))
    record = read(exchange(CHAT, ASKED, cut(raw, places), headers=headers))
    assert record.output == whole.output
    assert (record.stream.events, record.notes) == (3, ())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "id",
                    "content",
                    "choices",
                    "message",
                    "delta",
                    "usage",
                    "outputs",
                    "output",
                    "item",
                    "part",
                    "data",
                    "pages",
                    "text",
                    "error",
                    "object",
                    "results",
                    "tools",
                    "messages",
                    "input",
                    "inputs",
                    "document",
                    "arguments",
                    "function",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
PATHS = [
    CHAT,
    VERTEX,
    "/v1/fim/completions",
    "/v1/conversations",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/chat/moderations",
    "/v1/ocr",
    "/v1/audio/transcriptions",
    "/v1/audio/speech",
    "/v1/batch/jobs",
    "/v1/agents",
    "/v1/files/f/content",
]


@given(
    path=st.sampled_from(PATHS),
    asked=json_values,
    answered=st.lists(json_values, max_size=4),
    is_stream=st.booleans(),
    status=st.sampled_from([200, 200, 204, 302, 404, 500]),
)
def test_whatever_is_sent_makes_a_record(path, asked, answered, is_stream, status):
    sent = json.dumps(asked).encode()
    body = events(*answered) if is_stream else json.dumps(answered and answered[0]).encode()
    headers = SSE if is_stream else JSON
    record = read(exchange(path, sent, body, status=status, headers=headers, method="POST"))
    assert record.status == status
    assert msgspec.json.encode(record)


@given(st.binary(max_size=200), st.sampled_from(PATHS), st.sampled_from([JSON, SSE, {}]))
def test_whatever_bytes_come_make_a_record(data, path, headers):
    record = read(exchange(path, data, data, headers=headers))
    assert record.response_bytes == len(data)
    assert msgspec.json.encode(record)


DEEP = {
    "arguments": (
        CHAT,
        b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":%s}}]}}]}',
    ),
    "content": (CHAT, b'{"choices":[{"message":{"content":%s}}]}'),
    "an annotation": ("/v1/ocr", b'{"document_annotation":%s}'),
    "results": ("/v1/moderations", b'{"results":[{"a":%s}]}'),
    "a tool's info": ("/v1/conversations", b'{"outputs":[{"type":"tool.execution","info":%s}]}'),
    "an error's code": ("/v1/conversations", b'{"error":{"message":"no","code":%s}}'),
    "citations": (
        "/v1/responses",
        b'{"output":[{"content":[{"type":"output_text","annotations":%s}]}]}',
    ),
}


@pytest.mark.parametrize("levels", [60, 300, 700, 900, 980, 3000, 100_000])
@pytest.mark.parametrize(("path", "answer"), DEEP.values(), ids=DEEP)
def test_nesting_does_not_matter(path, answer, levels):
    deep = b"[" * levels + b"]" * levels
    body = answer % deep
    asked = b'{"model":"m","metadata":%s,"input":%s,"tools":[{"secret":1},%s]}' % (deep, deep, deep)
    for data, headers in ((body, JSON), (b"data: " + body + b"\n\n", SSE)):
        record = read(exchange(path, asked, data, headers=headers))
        assert record.response_bytes == len(data)
        assert msgspec.json.encode(record)
    failed = read(exchange(path, asked, b'{"message":%s}' % deep, status=500))
    assert failed.failure.kind == "500"
