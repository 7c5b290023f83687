"""Server-sent events from bytes: every way to write them, and to cut them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.sse import Event, Reader
from tests.recorded_exchanges import cut

A, B = Event(b"a"), Event(b"b")

CASES = {
    "nothing": (b"", []),
    "an event": (b"data: a\n\n", [A]),
    "two events": (b"data: a\n\ndata: b\n\n", [A, B]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [A, B]),
    "CR": (b"data: a\r\rdata: b\r\r", [A, B]),
    "mixed line ends": (b"data: a\r\n\ndata: b\r\r\n", [A, B]),
    "CRLF is one line end": (b"data: a\r\ndata: b\r\n\r\n", [Event(b"a\nb")]),
    "a mark of the byte order": (b"\xef\xbb\xbfdata: a\n\n", [A]),
    "a mark later is data": (b"data: \xef\xbb\xbfa\n\n", [Event(b"\xef\xbb\xbfa")]),
    "a mark before another field": (b"\xef\xbb\xbf\ndata: a\n\n", [A]),
    "a comment": (b": hello\ndata: a\n: again\n\n", [A]),
    "a keep-alive": (b":\n\n: ping\n\ndata: a\n\n", [A]),
    "data over lines": (b"data: a\ndata\ndata:\ndata: b\n\n", [Event(b"a\n\n\nb")]),
    "no space": (b"data:a\n\n", [A]),
    "one space is cut": (b"data:  a\n\n", [Event(b" a")]),
    "a type": (b"event: message\ndata: a\n\n", [Event(b"a", "message")]),
    "a type without a space": (b"event:message\ndata: a\n\n", [Event(b"a", "message")]),
    "a type is for one event": (b"event: x\ndata: a\n\ndata: b\n\n", [Event(b"a", "x"), B]),
    "a type alone is no event": (b"event: x\n\ndata: a\n\n", [A]),
    "a type that is no UTF-8": (b"event: \xff\ndata: a\n\n", [Event(b"a", "�")]),
    "id and retry": (b"id: 7\nretry: 10\ndata: a\n\n", [A]),
    "an unknown field": (b"datum: b\ndata: a\n\n", [A]),
    "a field without a colon": (b"x\ndata: a\n\n", [A]),
    "blank lines": (b"\n\n\n\r\n\rdata: a\n\n\n\n\n", [A]),
    "NUL and other controls": (
        b"data: \x00\x0b\x0c\x1c\x85a\n\n",
        [Event(b"\x00\x0b\x0c\x1c\x85a")],
    ),
    "an end without a blank line": (b"data: a\n\ndata: b\n", [A, B]),
    "an end inside a line": (b"data: a\n\ndata: b", [A, B]),
    "an end inside CRLF": (b"data: a\r\n\r", [A]),
    "an end after a type": (b"data: a\n\nevent: x", [A]),
    "empty data is an event": (b"data:\n\n", [Event(b"")]),
}


def read(pieces):
    reader = Reader()
    return [event for piece in pieces for event in reader.feed(piece)] + list(reader.end())


@pytest.mark.parametrize(("data", "events"), CASES.values(), ids=CASES)
def test_a_stream_is_these_events(data, events):
    assert read([data]) == events


@pytest.mark.parametrize(("data", "events"), CASES.values(), ids=CASES)
def test_a_stream_byte_by_byte_is_these_events(data, events):
    assert read([data[i : i + 1] for i in range(len(data))]) == events


@given(
    data=st.lists(st.sampled_from([*b"ab: \n\r", b"data", b"event", b"\r\n", b"\xef\xbb\xbf"])),
    places=st.lists(st.integers(0, 60)),
)
def test_cuts_do_not_matter(data, places):
    stream = b"".join(bytes([one]) if isinstance(one, int) else one for one in data)
    assert read([b"", *cut(stream, places), b""]) == read([stream])


def test_an_event_comes_with_the_piece_that_ends_it():
    reader = Reader()
    assert not list(reader.feed(b"data: a\n"))
    assert list(reader.feed(b"\ndata: b")) == [A]
    assert list(reader.feed(b"\n\n")) == [B]


@pytest.mark.parametrize(
    ("before", "after"),
    {
        "inside data": (b"data: a\n\ndata: lost", b" half\n\ndata: b\n\n"),
        "inside a field's name": (b"data: a\n\nda", b"lf\n\ndata: b\n\n"),
        "before a whole line": (b"data: a\n\ndata: lost\n", b"data: half\n\ndata: b\n\n"),
    }.values(),
)
def test_the_event_that_bytes_are_missing_from_is_skipped(before, after):
    reader = Reader()
    events = list(reader.feed(before))
    reader.skip_to_next_event()
    assert events + list(reader.feed(after)) + list(reader.end()) == [A, B]


def test_where_the_bytes_end_is_known():
    reader = Reader()
    for piece, is_inside in ((b"data", True), (b": a\n", False), (b"\n", False), (b"x", True)):
        list(reader.feed(piece))
        assert reader.is_inside_line == is_inside
