"""One exchange as bytes and times: what is kept of it, and within which bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.exchange import ABANDONED, CLOSED_EARLY, Ending, Exchange, Request

REQUEST = Request("POST", "api.mistral.ai", 443, "/v1/embeddings", {}, b'{"model":"m"}')


def exchange(pieces=(), *, limit_bytes=1 << 20):
    made = Exchange(REQUEST, started_unix_ns=5, started_ns=10, limit_bytes=limit_bytes)
    for at_ns, data in enumerate(pieces, 20):
        made.add(data, at_ns)
    return made


def joined(chunks):
    return b"".join(data for data, _ in chunks)


def test_a_new_exchange_knows_its_request_alone():
    made = exchange()
    assert (made.request, made.started_unix_ns, made.started_ns) == (REQUEST, 5, 10)
    assert (made.status, made.headers, made.ending, made.attempt) == (None, {}, None, 1)
    assert made.body() == ((), (), 0)


def test_what_is_seen_is_kept_with_its_time():
    made = exchange()
    made.respond(200, {"a": "b"}, at_ns=15, http_version="HTTP/2")
    for at_ns, data in ((20, b"one"), (21, b""), (22, b"two")):
        made.add(data, at_ns)
    made.end(30, CLOSED_EARLY)
    assert (made.status, made.headers, made.http_version) == (200, {"a": "b"}, "HTTP/2")
    assert (made.headers_at_ns, made.first_byte_at_ns, made.ended_at_ns) == (15, 20, 30)
    assert made.body() == (((b"one", 20), (b"", 21), (b"two", 22)), (), 0)
    assert (made.received_bytes, made.ending) == (6, CLOSED_EARLY)


def test_a_body_that_came_to_its_end_has_no_ending():
    made = exchange([b"a"])
    made.end(30)
    assert made.ending is None


@pytest.mark.parametrize("ending", [CLOSED_EARLY, ABANDONED])
def test_nobody_fails_by_letting_go(ending):
    assert not ending.is_error
    assert Ending("ReadError").is_error


def test_the_first_byte_is_no_empty_piece():
    assert exchange([b"", b"", b"a"]).first_byte_at_ns == 22


@given(
    sizes=st.lists(st.integers(0, 3000), max_size=60),
    limit_bytes=st.integers(1, 20_000),
)
def test_past_the_limit_the_middle_is_dropped(sizes, limit_bytes):
    whole = bytes(i % 251 for i in range(sum(sizes)))
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    pieces = [whole[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    made = exchange(pieces, limit_bytes=limit_bytes)
    body = made.body()
    head, tail = joined(body.head), joined(body.tail)
    assert made.received_bytes == len(whole)
    assert len(head) + body.dropped_bytes + len(tail) == len(whole)
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert body.tail or not body.dropped_bytes
    # A limit smaller than what a piece costs by itself still keeps the last piece's end.
    assert made.size_bytes - len(REQUEST.body) <= limit_bytes + 200
    times = [at_ns for _, at_ns in (*body.head, *body.tail)]
    assert times == sorted(times)


def test_many_tiny_pieces_are_bounded_too():
    made = exchange([b"x"] * 50_000, limit_bytes=10_000)
    assert made.size_bytes < 11_000
    assert made.body().dropped_bytes > 49_000


def test_one_large_piece_keeps_both_its_ends():
    data = bytes(range(256)) * 400
    body = exchange([data], limit_bytes=10_000).body()
    assert len(joined(body.head)) > 4000
    assert len(joined(body.tail)) > 4000
    assert data.startswith(joined(body.head))
    assert data.endswith(joined(body.tail))


def test_a_limit_of_nothing_keeps_nothing():
    made = exchange([b"secret", b"more"], limit_bytes=0)
    assert made.body() == ((), (), 0)
    assert made.received_bytes == 10
    assert made.first_byte_at_ns == 20


def test_let_go_drops_the_bodies_and_says_how_much():
    made = exchange([b"x" * 1000] * 50, limit_bytes=10_000)
    made.let_go()
    assert made.request == REQUEST._replace(body=None)
    assert made.body() == ((), (), 0)
    assert made.let_go_bytes == 50_000 + len(REQUEST.body)
    assert made.size_bytes == 0


def test_a_request_without_a_body_has_none_to_let_go():
    made = Exchange(REQUEST._replace(body=None), started_unix_ns=0, started_ns=0)
    made.let_go()
    assert (made.size_bytes, made.let_go_bytes) == (0, 0)
