"""Content encodings undone, lazily and within bounds."""

import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.decoding import decoded, encodings
from tests.recorded_exchanges import cut

TEXT = b"The ferry leaves at eight. " * 4000


def raw_deflate(data):
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


ENCODED = {
    "gzip": (("gzip",), gzip.compress(TEXT)),
    "x-gzip": (("x-gzip",), gzip.compress(TEXT)),
    "deflate": (("deflate",), zlib.compress(TEXT)),
    "deflate without a header": (("deflate",), raw_deflate(TEXT)),
    "gzip in two members": (("gzip",), gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
    "gzip and padding": (("gzip",), gzip.compress(TEXT) + bytes(700)),
    "two encodings": (("deflate", "gzip"), gzip.compress(zlib.compress(TEXT))),
    "none": ((), TEXT),
}


@pytest.mark.parametrize(
    ("header", "names"),
    {
        "": (),
        "identity": (),
        "gzip": ("gzip",),
        " GZIP ,, br ": ("gzip", "br"),
    }.items(),
)
def test_a_header_names_encodings(header, names):
    assert encodings(header) == names


@pytest.mark.parametrize(("names", "data"), ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_what_was_encoded_comes_back(names, data, size):
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert b"".join(decoded(names, pieces)) == TEXT


@given(places=st.lists(st.integers(0, 400), max_size=8), names=st.sampled_from(sorted(ENCODED)))
def test_cuts_do_not_matter(places, names):
    encoding, data = ENCODED[names]
    assert b"".join(decoded(encoding, cut(data, places))) == TEXT


def test_a_body_cut_short_gives_what_it_has():
    data = gzip.compress(TEXT, 0)
    got = b"".join(decoded(("gzip",), [data[: len(data) // 2]]))
    assert len(got) > len(TEXT) // 3
    assert TEXT.startswith(got)


def test_an_empty_piece_is_none():
    assert not list(decoded(("gzip",), [b"", b""]))


def test_a_small_body_may_stand_for_a_large_one_but_comes_in_small_pieces():
    bomb = gzip.compress(bytes(1 << 26))
    first = list(itertools.islice(decoded(("gzip",), [bomb]), 20))
    assert len(first) == 20
    assert max(map(len, first)) <= 1 << 16


def test_an_encoding_of_the_http_library_is_left_to_it():
    def other(name, pieces):
        assert name == "rot"
        return (piece[::-1] for piece in pieces)

    assert b"".join(decoded(("rot", "gzip"), [gzip.compress(b"cba")], other)) == b"abc"


def test_an_encoding_that_nobody_knows_is_an_error():
    with pytest.raises(LookupError, match="zstd"):
        list(decoded(("zstd",), [b""]))


def test_bytes_that_are_not_what_they_are_said_to_be_are_an_error():
    with pytest.raises(zlib.error):
        list(decoded(("gzip",), [b"not gzip at all"]))
