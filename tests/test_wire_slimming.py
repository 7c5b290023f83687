"""Media cut out of JSON before it is parsed, and nothing else."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.wire.slimming import Elided, elided_in, without_media

MEDIA = base64.b64encode(bytes(range(256)) * 36).decode()
URL_SAFE = base64.urlsafe_b64encode(bytes(range(256)) * 36).decode()
MARK = f"~{len(MEDIA)}~{hashlib.sha256(MEDIA.encode()).hexdigest()}"
URI, MARKED = f"data:audio/wav;base64,{MEDIA}", f"data:audio/wav;base64,{MARK}"
WORDS = "a word and another one. " * 500


def slim(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return without_media(data, lambda: None)


CUT = {
    "base64": ({"audio_data": MEDIA, "b": 1}, {"audio_data": MARK, "b": 1}),
    "a data URI": (
        {"a": f"data:image/png;base64,{MEDIA}"},
        {"a": f"data:image/png;base64,{MARK}"},
    ),
    "several": (
        [{"data": MEDIA}, "x", {"image_base64": MEDIA}],
        [{"data": MARK}, "x", {"image_base64": MARK}],
    ),
    "after words and escapes": ({'q"\\': WORDS, "data": MEDIA}, {'q"\\': WORDS, "data": MARK}),
}

KEPT = {
    "words": {"a": WORDS},
    "words that look like base64": {"content": MEDIA, "choices": [MEDIA]},
    "a name that is none of ours": {"metadata": MEDIA},
    "a short image": {"a": "data:image/png;base64,iVBORw0KGgo="},
    "long words that begin as base64": {"a": MEDIA[:300] + WORDS},
    "long words that end as base64": {"a": WORDS + MEDIA[:300]},
    "escaped quotes": {"data": '"' * 9000},
    "escaped backslashes": {"data": "\\" * 9001, "b": "x"},
    "no strings": [1, 2, [3]],
    "nothing": {},
}


@pytest.mark.parametrize(("value", "left"), CUT.values(), ids=CUT)
def test_media_leaves_a_mark(value, left):
    assert json.loads(slim(value)) == left


def test_a_mark_says_what_stood_there():
    assert elided_in(MARK) == Elided(len(MEDIA), hashlib.sha256(MEDIA.encode()).hexdigest())
    assert elided_in(json.loads(slim({"data": URL_SAFE}))["data"]).size_bytes == len(URL_SAFE)


def test_escaped_slashes_and_blanks_do_not_matter():
    escaped = b'{"input_audio" :\n "' + MEDIA.replace("/", "\\/").encode() + b'"}'
    assert elided_in(json.loads(slim(escaped))["input_audio"])


@pytest.mark.parametrize("text", ["", "a", MEDIA, "~1~", f"{MARK} ", "~x~" + "0" * 64])
def test_what_is_no_mark(text):
    assert elided_in(text) is None


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_everything_else_is_left_alone(value):
    data = json.dumps(value).encode()
    assert slim(data) is data


@pytest.mark.parametrize(
    "data", [b"", b'"', b'{"a', b'{"data":"' + MEDIA.encode(), b'"\\', b"not JSON"]
)
def test_what_is_cut_short_is_left_alone(data):
    assert slim(data) == data


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=30) | st.sampled_from([URI, WORDS, '"\\']),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_only_media_changes(value):
    def marked(held):
        if isinstance(held, dict):
            return {marked(name): marked(one) for name, one in held.items()}
        if isinstance(held, list):
            return [marked(one) for one in held]
        return MARKED if held == URI else held

    assert json.loads(slim(value)) == marked(value)


def test_long_work_pauses():
    pauses = []
    without_media(json.dumps(["x"] * 10_000 + [URI]).encode(), lambda: pauses.append(1))
    assert len(pauses) > 4
