"""Forms, in parts with files in them and URL-encoded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.wire.forms import File, fields, is_form

TYPE = "multipart/form-data; boundary=b-1"


def part(head, body=b"", end=b"\r\n"):
    return b"--b-1" + end + head + end + end + body + end


MODEL = part(b'Content-Disposition: form-data; name="model"', b"voxtral")
LAST = b"--b-1--\r\n"


def field(*parts, content_type=TYPE):
    return fields(b"".join(parts), content_type, lambda: None)


FILE = b'Content-Disposition: form-data; name="file"; filename="a.mp3"'

CASES = {
    "a value": ([MODEL, LAST], {"model": "voxtral"}),
    "a file": (
        [part(FILE + b"\r\nContent-Type: audio/mpeg; x=y", b"\x00\r\n\x01"), LAST],
        {"file": File(name="a.mp3", type="audio/mpeg", size_bytes=4)},
    ),
    "a file without a type": (
        [part(FILE, b"123"), LAST],
        {"file": File(name="a.mp3", size_bytes=3)},
    ),
    "a file without a name": (
        [part(b'Content-Disposition: form-data; name="file"; filename=""', b"1"), LAST],
        {"file": File(name="", size_bytes=1)},
    ),
    "an empty file": ([part(FILE), LAST], {"file": File(name="a.mp3", size_bytes=0)}),
    "more of a head": (
        [part(b"Content-Length: 3\r\n" + FILE + b"\r\nContent-Type: a/b\r\nX: y", b"123"), LAST],
        {"file": File(name="a.mp3", type="a/b", size_bytes=3)},
    ),
    "an empty value": ([part(b'Content-Disposition: form-data; name="a"'), LAST], {"a": ""}),
    "lines that end in LF": (
        [part(b'Content-Disposition: form-data; name="a"', b"b", b"\n"), b"--b-1--\n"],
        {"a": "b"},
    ),
    "a name that repeats": (
        [MODEL, MODEL, part(b'content-disposition: form-data; NAME="model"', b"x"), LAST],
        {"model": ["voxtral", "voxtral", "x"]},
    ),
    "the mark inside a value": (
        [part(b'Content-Disposition: form-data; name="a"', b"x--b-1y"), LAST],
        {"a": "x--b-1y"},
    ),
    "words before and after": ([b"hello\r\n", MODEL, LAST, b"bye"], {"model": "voxtral"}),
    "a value that is no UTF-8": (
        [part(b'Content-Disposition: form-data; name="a"', b"\xff"), LAST],
        {"a": "�"},
    ),
    "a value too long to keep": (
        [part(b'Content-Disposition: form-data; name="a"', b"x" * 70_000), LAST],
        {"a": File(size_bytes=70_000)},
    ),
    "a part without a name": ([part(b"X: y", b"1"), MODEL, LAST], {"model": "voxtral"}),
    "a part without an end of its head": (
        [b"--b-1\r\nX: y\r\n", MODEL, LAST],
        {"model": "voxtral"},
    ),
    "a form cut short": ([MODEL, part(FILE, b"12")[:-2]], {"model": "voxtral"}),
    "no parts": ([LAST], {}),
    "nothing": ([], {}),
    "no form": ([b'{"model":"voxtral"}'], {}),
}


@pytest.mark.parametrize(("parts", "found"), CASES.values(), ids=CASES)
def test_a_form_has_these_fields(parts, found):
    assert field(*parts) == found


@pytest.mark.parametrize(
    ("content_type", "found"),
    {
        'multipart/form-data; boundary="b-1"': {"model": "voxtral"},
        "Multipart/Form-Data; charset=utf-8; BOUNDARY=b-1; x=y": {"model": "voxtral"},
        "multipart/form-data": {},
        "multipart/form-data; boundary=other": {},
    }.items(),
)
def test_the_boundary_stands_in_the_content_type(content_type, found):
    assert field(MODEL, LAST, content_type=content_type) == found


@pytest.mark.parametrize(
    ("content_type", "answer"),
    {
        TYPE: True,
        "Multipart/Form-Data": True,
        "application/x-www-form-urlencoded; charset=utf-8": True,
        "application/json": False,
        "": False,
    }.items(),
)
def test_a_form_is_known_by_its_type(content_type, answer):
    assert is_form(content_type) == answer


@given(size=st.integers(0, 3000))
def test_a_file_is_measured_wherever_windows_end(size):
    large = (1 << 20) - 1500 + size
    data = bytes(range(64)) * (large // 64) + b"\n" * (large % 64)
    found = field(MODEL, part(FILE, data), MODEL, LAST)
    assert found["file"].size_bytes == large
    assert found["model"] == ["voxtral", "voxtral"]


def test_parts_are_counted_within_bounds():
    assert len(field(MODEL * 3000, LAST)["model"]) == 1000


URL_ENCODED = {
    "values": (b"model=m&stream=false", {"model": "m", "stream": "false"}),
    "escapes": (b"a+b=%C3%A9%26", {"a b": "é&"}),
    "a name that repeats": (b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
    "an empty value": (b"a=", {"a": ""}),
    "no UTF-8": (b"a=\xff&b=%FF", {"a": "�", "b": "�"}),
    "no form": (b'{"a":1}', {'{"a":1}': ""}),
    "nothing": (b"", {}),
}


@pytest.mark.parametrize(("body", "found"), URL_ENCODED.values(), ids=URL_ENCODED)
def test_a_form_may_be_url_encoded(body, found):
    assert field(body, content_type="application/x-www-form-urlencoded") == found
