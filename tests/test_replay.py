"""The loopback server, over real sockets and the standard library's own client."""

import http.client
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from interceptor.replay import (
    EARLY_HINTS,
    HANG_UP,
    HOLD,
    Pause,
    Response,
    Rule,
    Server,
    all_fixtures,
    by_question,
    cut,
    hold,
    script,
)

FIXTURES = {fixture.name: fixture for fixture in all_fixtures()}
PLAIN = FIXTURES["chat.completions/plain"]
STREAMED = FIXTURES["chat.completions/streamed"]
CHAT = "/v1/chat/completions"


def rule(*scripts, path=CHAT, when=None):
    return Rule("POST", path, scripts, when)


def connect(server, timeout_s=20.0):
    return closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=timeout_s))


def ask(connection, fixture=PLAIN, **changes):
    request = fixture.request._replace(**changes)
    connection.request(request.method, request.path, request.body, dict(request.headers))
    return connection.getresponse()


def ask_once(server, fixture=PLAIN, **changes):
    with connect(server) as connection:
        return ask(connection, fixture, **changes).read()


def talk(server, data, *, until):
    """Send bytes as they are; give those that come back, up to the ones waited for."""
    got = b""
    with socket.create_connection(urlsplit(server.url).netloc.split(":"), timeout=20) as plain:
        plain.sendall(data)
        while not got.endswith(until) and (piece := plain.recv(1 << 16)):
            got += piece
    return got


# What is answered


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_the_answer_is_the_recorded_one(fixture):
    with Server.of(fixture.name) as server, connect(server) as connection:
        response = ask(connection, fixture)
        body = response.read()
    assert (response.status, response.reason) == (fixture.response.status, fixture.response.reason)
    assert body == fixture.response.body
    assert {(name.lower(), text) for name, text in response.getheaders()} >= set(
        fixture.response.headers
    )


def test_an_event_is_a_chunk():
    with Server.of(STREAMED.name) as server:
        got = talk(server, b"POST " + CHAT.encode() + b" HTTP/1.1\r\n\r\n", until=b"0\r\n\r\n")
    head, _, framed = got.partition(b"\r\n\r\n")
    events = [event + b"\n\n" for event in STREAMED.response.body.split(b"\n\n")[:-1]]
    assert b"transfer-encoding: chunked" in head
    assert b"content-length" not in head
    assert framed == b"".join(b"%x\r\n%s\r\n" % (len(e), e) for e in events) + b"0\r\n\r\n"


def test_requests_are_kept_as_they_came():
    with Server.of(PLAIN.name) as server:
        ask_once(server, path=f"{CHAT}?a=1")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"{CHAT}?a=1")
    assert request.json() == PLAIN.request.json()
    assert ("authorization", "Bearer an-invented-key") in request.headers


def test_a_request_sent_in_chunks_is_put_together():
    with Server.of(PLAIN.name) as server, connect(server) as connection:
        connection.request("POST", CHAT, iter([b'{"model":', b'"m"', b"}"]), encode_chunked=True)
        assert connection.getresponse().read() == PLAIN.response.body
    assert server.requests[0].json() == {"model": "m"}


def test_an_unknown_path_gets_the_error_of_the_api():
    with Server.of(PLAIN.name) as server, connect(server) as connection:
        response = ask(connection, path="/v1/unheard-of")
        error = json.loads(response.read())
    assert response.status == error["raw_status_code"] == 404
    assert error["object"] == "error"
    assert error["message"] == "no rule of this server answers POST /v1/unheard-of"


# Which rule answers

MATCHES = {
    "same": ("POST", CHAT, True),
    "query": ("POST", f"{CHAT}?api-version=1", True),
    "gateway prefix": ("POST", f"/team/llm{CHAT}", True),
    "through a proxy": ("POST", f"http://api.mistral.ai{CHAT}", True),
    "other method": ("GET", CHAT, False),
    "longer path": ("POST", f"{CHAT}/x", False),
}


@pytest.mark.parametrize(("method", "path", "answered"), MATCHES.values(), ids=MATCHES)
def test_method_and_the_end_of_the_path_decide(method, path, answered):
    with Server.of(PLAIN.name) as server, connect(server) as connection:
        response = ask(connection, method=method, path=path)
        response.read()
    assert response.status == (200 if answered else 404)


def test_fixtures_of_one_endpoint_answer_in_order_and_the_last_again():
    names = ("chat.completions/rate_limited", "embeddings/one", "chat.completions/plain")
    with Server.of(*names) as server, connect(server) as connection:
        statuses = [(response := ask(connection), response.read())[0].status for _ in range(3)]
        vector = ask(connection, FIXTURES["embeddings/one"]).read()
    assert statuses == [429, 200, 200]
    assert vector == FIXTURES["embeddings/one"].response.body


def test_by_question_answers_what_was_asked():
    names = (
        "chat.completions/streamed",
        "chat.completions/best_painter",
        "chat.completions/image_input",
        "chat.completions/payments_first_turn",
        "chat.completions/payments_second_turn",
        "embeddings/many",
        "fim.completions/suffix",
    )
    with Server(by_question(*names)) as server:
        for name in reversed(names):
            assert ask_once(server, FIXTURES[name]) == FIXTURES[name].response.body, name


def test_by_question_tells_a_stream_from_a_plain_answer():
    body = STREAMED.request.body.replace(b'"stream":true', b'"stream":false')
    with Server(by_question(STREAMED.name)) as server, connect(server) as connection:
        response = ask(connection, STREAMED, body=body)
        response.read()
    assert response.status == 404


def test_what_was_asked_twice_by_question_is_answered_in_order():
    names = ("chat.completions/rate_limited", "chat.completions/after_rate_limit")
    with Server(by_question(*names)) as server:
        bodies = [ask_once(server, FIXTURES[name]) for name in names]
    assert bodies == [FIXTURES[name].response.body for name in names]


def test_when_looks_into_the_request():
    second = rule(script(STREAMED.response))
    first = rule(script(PLAIN.response), when=lambda request: request.json()["model"] == "m")
    with Server([first, second]) as server:
        assert ask_once(server, body=b'{"model": "m"}') == PLAIN.response.body
        assert ask_once(server) == STREAMED.response.body


# How it is told


def test_pauses_are_those_of_the_recording():
    steps = script(STREAMED.response)
    assert steps[0] == Pause(0.148)
    assert {step for step in steps[1:] if isinstance(step, Pause)} == {Pause(0.015)}
    assert script(Response(200, "OK", (), b""))[0] == Pause(0.15)


def test_pace_makes_pauses_last_or_skips_them():
    rules = [rule((Pause(3600), *script(PLAIN.response)))]
    with Server(rules) as server:
        assert ask_once(server) == PLAIN.response.body
    slow = Server(rules, pace=1)
    with slow, connect(slow, timeout_s=0.2) as connection, pytest.raises(TimeoutError):
        ask(connection)


@pytest.mark.parametrize("events", [0, 1, 5])
def test_a_stream_is_cut_inside_the_event_after_so_many(events):
    server = Server([rule(cut(STREAMED.response, after_events=events))])
    with server, pytest.raises(http.client.IncompleteRead) as caught:
        ask_once(server)
    assert STREAMED.response.body.startswith(caught.value.partial)
    assert caught.value.partial.count(b"\n\n") == events


def test_a_plain_body_is_cut_short_of_its_length():
    server = Server([rule(cut(PLAIN.response))])
    with server, pytest.raises(http.client.IncompleteRead) as caught:
        ask_once(server)
    assert 0 < len(caught.value.partial) == len(PLAIN.response.body) // 2


def test_a_held_answer_goes_on_when_it_is_released():
    with Server([rule(hold(STREAMED.response, after_events=2))]) as server:
        with connect(server) as connection:
            response = ask(connection)
            got = response.readline() + response.readline() + response.readline()
            connection.sock.settimeout(0.2)
            response.readline()
            with pytest.raises(TimeoutError):
                response.readline()
        server.release()
        assert ask_once(server) == STREAMED.response.body
    assert STREAMED.response.body.startswith(got)


def test_early_hints_come_before_the_answer():
    with Server([rule((EARLY_HINTS, *script(PLAIN.response)))]) as server:
        got = talk(server, f"POST {CHAT} HTTP/1.1\r\n\r\n".encode(), until=PLAIN.response.body)
    assert got.startswith(EARLY_HINTS + b"HTTP/1.1 200 OK\r\n")


def test_a_script_may_be_any_bytes():
    with Server([rule((b"no HTTP at all", HANG_UP))]) as server:
        assert talk(server, f"POST {CHAT} HTTP/1.1\r\n\r\n".encode(), until=b"?") == (
            b"no HTTP at all"
        )


# Connections


def test_a_connection_is_used_again():
    with Server.of(PLAIN.name) as server, connect(server) as connection:
        ask(connection).read()
        before = connection.sock
        ask(connection, STREAMED).read()
        assert connection.sock is before


def test_two_hundred_streams_move_at_once():
    together = 200
    with Server([rule(hold(STREAMED.response, after_events=1))]) as server:

        def read(_):
            with connect(server) as connection:
                response = ask(connection)
                first = response.readline()
                waiting.append(1)
                if len(waiting) == together:
                    server.release()
                return first + response.read()

        waiting = []
        with ThreadPoolExecutor(together) as pool:
            bodies = list(pool.map(read, range(together)))
    assert set(bodies) == {STREAMED.response.body}


def test_a_client_that_hangs_up_disturbs_nobody(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with Server([rule(hold(STREAMED.response, after_events=1))]) as server:
        for _ in range(3):
            with connect(server) as connection:
                ask(connection).readline()
        server.release()
        assert ask_once(server) == STREAMED.response.body
    assert [r for r in caplog.records if r.levelno > logging.DEBUG] == []
    assert capfd.readouterr() == ("", "")


def test_closing_the_server_ends_what_is_open():
    head_only = (*script(PLAIN.response)[:2], HOLD)
    with ExitStack() as open_still:
        with Server([rule(head_only)]) as server:
            response = ask(open_still.enter_context(connect(server)))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()
        with pytest.raises(ConnectionRefusedError):
            ask_once(server)
