"""What a call waited for on the network, from the marks that httpcore gives."""

import pytest

from interceptor.exchange import CLOSED_EARLY, Ending, Exchange, Request
from interceptor.reading import read

REQUEST = Request("POST", "api.mistral.ai", None, "/v1/chat/completions", {}, b"{}")

DIRECT = (
    ("connection.connect_tcp.started", 10),
    ("connection.connect_tcp.complete", 20),
    ("connection.start_tls.started", 21),
    ("connection.start_tls.complete", 40),
    ("http11.send_request_headers.started", 41),
    ("http11.send_request_headers.complete", 42),
    ("http11.send_request_body.started", 43),
    ("http11.send_request_body.complete", 50),
    ("http11.receive_response_headers.started", 51),
    ("http11.receive_response_headers.complete", 90),
)
REUSED = DIRECT[4:]
TUNNEL = (
    ("connection.connect_tcp.started", 1),
    ("connection.connect_tcp.complete", 2),
    ("http11.send_request_headers.started", 3),
    ("http11.send_request_headers.complete", 4),
    ("http11.receive_response_headers.started", 5),
    ("http11.receive_response_headers.complete", 8),
    ("http_proxy.start_tls.started", 21),
    *DIRECT[3:],
)

CASES = {
    "a new connection": (
        DIRECT,
        {
            "pool": (0, 10),
            "connect": (10, 20),
            "tls": (21, 40),
            "send": (41, 50),
            "wait": (51, 90),
            "receive": (90, 200),
        },
    ),
    "a connection used before": (
        REUSED,
        {"pool": (0, 41), "send": (41, 50), "wait": (51, 90), "receive": (90, 200)},
    ),
    "the tunnel of a proxy is connecting": (
        TUNNEL,
        {
            "pool": (0, 1),
            "connect": (1, 8),
            "tls": (21, 40),
            "send": (41, 50),
            "wait": (51, 90),
            "receive": (90, 200),
        },
    ),
    "connecting tried again": (
        (
            ("connection.connect_tcp.started", 10),
            ("connection.connect_tcp.failed", 20),
            ("connection.retry.started", 20),
            ("connection.retry.complete", 30),
            ("connection.connect_tcp.started", 30),
            ("connection.connect_tcp.complete", 35),
            *REUSED,
        ),
        {
            "pool": (0, 10),
            "connect": (10, 35),
            "send": (41, 50),
            "wait": (51, 90),
            "receive": (90, 200),
        },
    ),
    "HTTP/2 over a socket of the system": (
        (
            ("connection.connect_unix_socket.started", 10),
            ("connection.connect_unix_socket.complete", 20),
            ("http2.send_connection_init.started", 30),
            ("http2.send_connection_init.complete", 35),
            ("http2.send_request_headers.started", 36),
            ("http2.send_request_headers.complete", 40),
            ("http2.receive_response_headers.started", 51),
            ("http2.receive_remote_settings.started", 52),
            ("http2.receive_remote_settings.complete", 53),
            ("http2.receive_response_headers.complete", 90),
        ),
        {
            "pool": (0, 10),
            "connect": (10, 20),
            "send": (30, 40),
            "wait": (51, 90),
            "receive": (90, 200),
        },
    ),
    "what is new is skipped": (
        (*DIRECT[:2], ("connection.happy_eyeballs.started", 25), ("nonsense", 26)),
        {"pool": (0, 10), "connect": (10, 20)},
    ),
    "an end without a beginning is none": (
        (("connection.start_tls.complete", 5), *DIRECT[:2]),
        {"pool": (0, 10), "connect": (10, 20)},
    ),
    "no marks": ((), {}),
}


def ended(marks, *, status=200, ending=None):
    exchange = Exchange(REQUEST, started_unix_ns=0, started_ns=1000)
    exchange.marks.extend((name, 1000 + at) for name, at in marks)
    if status:
        exchange.respond(status, {}, at_ns=1095)
    exchange.end(1200, ending)
    return exchange


def phases(exchange):
    found = read(exchange).phases
    assert list(found) == sorted(found, key=lambda phase: phase.started_after_ns)
    return {phase.name: (phase.started_after_ns, phase.ended_after_ns) for phase in found}


@pytest.mark.parametrize(("marks", "expected"), CASES.values(), ids=CASES)
def test_marks_become_phases(marks, expected):
    assert phases(ended(marks)) == expected


def test_a_phase_that_failed_ends_there():
    marks = (*DIRECT[:1], ("connection.connect_tcp.failed", 70))
    exchange = ended(marks, status=None, ending=Ending("ConnectError"))
    assert phases(exchange) == {"pool": (0, 10), "connect": (10, 70)}


def test_a_phase_that_never_ended_is_left_out():
    exchange = ended(DIRECT[:3], status=None, ending=CLOSED_EARLY)
    assert phases(exchange) == {"pool": (0, 10), "connect": (10, 20)}


def test_an_answer_that_never_came_was_not_received():
    marks = (*DIRECT[:-1], ("http11.receive_response_headers.failed", 90))
    exchange = ended(marks, status=None, ending=Ending("ReadTimeout"))
    assert list(phases(exchange)) == ["pool", "connect", "tls", "send", "wait"]


def test_a_call_that_never_got_a_connection_waited_for_one():
    exchange = ended((), status=None, ending=Ending("PoolTimeout"))
    assert phases(exchange) == {"pool": (0, 200)}
