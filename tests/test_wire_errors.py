"""What an error says, in every shape that was seen."""

import pytest

from interceptor.reading import read
from interceptor.record import Failure
from interceptor.wire.errors import of_body
from interceptor.wire.notes import Notes
from tests.recorded_exchanges import SSE, events, exchange

PAGE = (
    b"<html><head><TITLE>502\n Bad  Gateway</TITLE></head><body>" + b"x" * 9000 + b"</body></html>"
)

BODIES = {
    "newer": (
        b'{"object":"error","message":"no","type":"invalid_model","param":null,"code":"1500"}',
        Failure(kind="invalid_model", message="no", code="1500"),
    ),
    "a code that is a number": (
        b'{"object":"Error","message":"no","type":"internal_server_error","code":3000}',
        Failure(kind="internal_server_error", message="no", code="3000"),
    ),
    "a message that is an object": (
        b'{"message":{"detail":[{"loc":["a"],"msg":"one"},{"msg":"two"}]},"type":"bad_request"}',
        Failure(kind="bad_request", message="one; two"),
    ),
    "a detail": (b'{"detail":"Unauthorized"}', Failure(kind="400", message="Unauthorized")),
    "details": (
        b'{"detail":[{"loc":["a"],"msg":"one","type":"missing"}]}',
        Failure(kind="400", message="one"),
    ),
    "a gateway's": (
        b'{"message":"no Route matched with those values"}',
        Failure(kind="400", message="no Route matched with those values"),
    ),
    "wrapped": (
        b'{"error":{"message":"no","type":"t","code":7}}',
        Failure(kind="t", message="no", code="7"),
    ),
    "wrapped, as text": (b'{"error":"no"}', Failure(kind="400", message="no")),
    "a type that is no text": (
        b'{"message":"no","type":{"a":1}}',
        Failure(kind="400", message="no"),
    ),
    "wrapped by what says that it is an error": (
        b'{"type":"error","error":{"type":null,"message":{"detail":"no"},"code":{"a":1}}}',
        Failure(kind="error", message="no", code='{"a":1}'),
    ),
    "wrapped, in a list": (
        b'[{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}]',
        Failure(kind="400", message="no", code="404"),
    ),
    "an authorization server's": (
        b'{"error":"invalid_token","error_description":"no"}',
        Failure(kind="400", message="no"),
    ),
    "after a mark of the byte order": (
        b'\xef\xbb\xbf {"message":"no","type":"t"}',
        Failure(kind="t", message="no"),
    ),
    "text after a mark of the byte order": (
        b"\xef\xbb\xbfno",
        Failure(kind="400", message="no"),
    ),
    "an event": (
        b'event: error\ndata: {"object":"error","message":"no","type":"t","code":"1"}\n\n',
        Failure(kind="t", message="no", code="1"),
    ),
    "an event of text": (b": hello\n\ndata: no", Failure(kind="400", message="no")),
    "text that begins as an event does": (b"id: no", Failure(kind="400", message="id: no")),
    "an empty message": (b'{"message":"","detail":"no"}', Failure(kind="400", message="no")),
    "nothing in it": (b"{}", Failure(kind="400")),
    "a list": (
        b'["one",{"msg":"two"},{"a":{"b":"three"}},4,null]',
        Failure(kind="400", message="one; two; three"),
    ),
    "text in JSON": (b'"no"', Failure(kind="400", message="no")),
    "text": (b" upstream connect error \n", Failure(kind="400", message="upstream connect error")),
    "a page": (PAGE, Failure(kind="400", message="502 Bad Gateway")),
    "a page without a title": (b"<html><body>no</body></html>", Failure(kind="400")),
    "empty": (b"", Failure(kind="400")),
}


@pytest.mark.parametrize(("body", "failure"), BODIES.values(), ids=BODIES)
def test_an_error_body_is_read(body, failure):
    record = read(exchange("/v1/chat/completions", answered=body, status=400))
    assert (record.failure, record.notes) == (failure, ())


def test_a_long_text_is_no_message():
    assert len(of_body(b"x" * 100_000, "500", Notes()).message) == 500


def test_json_that_is_broken_is_noted():
    record = read(exchange("/v1/chat/completions", answered=b'{"message":', status=500))
    assert (record.failure, record.notes) == (Failure(kind="500"), ("error body: not JSON",))


def test_texts_are_looked_for_within_bounds():
    deep = b'{"message":' + b'{"a":' * 200 + b'"no"' + b"}" * 200 + b"}"
    assert of_body(deep, "500", Notes()) == Failure(kind="500")


IN_ANSWERS = {
    "an error object": (
        {"object": "error", "message": "no", "type": "t", "code": 1},
        Failure(kind="t", message="no", code="1"),
    ),
    "an error object without a type": (
        {"object": "Error", "message": "no"},
        Failure(kind="200", message="no"),
    ),
    "a wrapper": ({"error": {"message": "no"}}, Failure(kind="200", message="no")),
    "an event of the type error": (
        {"type": "error", "message": "no", "code": "c"},
        Failure(kind="error", message="no", code="c"),
    ),
    "a word in the answer": (
        {"choices": [{"message": {"content": 'say "error"'}, "finish_reason": "error"}]},
        None,
    ),
    "no error": ({"error": None, "choices": []}, None),
    "an empty error": ({"error": {}, "choices": []}, None),
    "text": ({"error": "no"}, Failure(kind="200", message="no")),
    "a detail and no more": ({"detail": "no"}, Failure(kind="200", message="no")),
    "details and no more": (
        {"detail": [{"loc": ["a"], "msg": "one"}, {"msg": "two"}]},
        Failure(kind="200", message="one; two"),
    ),
    "a gateway's": ({"message": "no", "request_id": "r"}, Failure(kind="200", message="no")),
    "a message beside an answer": ({"message": "no", "choices": []}, None),
    "an empty detail": ({"detail": []}, None),
}


@pytest.mark.parametrize(("answer", "failure"), IN_ANSWERS.values(), ids=IN_ANSWERS)
def test_an_error_in_a_good_answer_is_one(answer, failure):
    record = read(exchange("/v1/chat/completions", answered=answer))
    assert (record.failure, record.notes) == (failure, ())


@pytest.mark.parametrize(("answer", "failure"), IN_ANSWERS.values(), ids=IN_ANSWERS)
def test_an_error_in_a_stream_is_one(answer, failure):
    data = events({"choices": [{"delta": {"content": "H"}}]}, answer)
    record = read(exchange("/v1/chat/completions", answered=data, headers=SSE))
    assert (record.failure, record.notes) == (failure, ())
    assert record.output.messages[0].parts[0].content.startswith("H")


NAMED = {
    "an object": (b'{"message":"no","code":9}', Failure(kind="200", message="no", code="9")),
    "a code alone": (b'{"code":9}', Failure(kind="200", code="9")),
    "text": (b"upstream went away", Failure(kind="200", message="upstream went away")),
    "more of the answer": (b'{"choices":[{"delta":{"content":"i"}}]}', None),
}


@pytest.mark.parametrize(("data", "failure"), NAMED.values(), ids=NAMED)
def test_an_event_may_be_an_error_by_its_name(data, failure):
    begun = events({"choices": [{"delta": {"content": "H"}}]})
    body = begun + b"event: error\ndata: " + data + b"\n\n"
    record = read(exchange("/v1/chat/completions", answered=body, headers=SSE))
    assert (record.failure, record.notes, record.stream.events) == (failure, (), 2)
    assert record.output.messages[0].parts[0].content == ("H" if failure else "Hi")


def test_a_long_event_is_no_error_by_its_name():
    body = events({"choices": [{"delta": {"content": "H"}}]})
    body += b'event: error\ndata: {"message":"no","padding":"' + b"word " * 20_000 + b'"}\n\n'
    assert read(exchange("/v1/chat/completions", answered=body, headers=SSE)).failure is None


def test_the_first_error_of_a_stream_counts():
    data = events({"error": {"message": "one"}}, {"error": {"message": "two"}})
    record = read(exchange("/v1/chat/completions", answered=data, headers=SSE))
    assert record.failure.message == "one"


def test_a_list_that_names_an_error_is_none():
    assert read(exchange("/v1/chat/completions", answered=b'["error"]')).failure is None


def test_what_is_long_is_no_error():
    answer = {"object": "error", "message": "no", "padding": "word " * 20_000}
    assert read(exchange("/v1/chat/completions", answered=answer)).failure is None
