"""The recorded exchanges: the files' format, and that each of them is whole."""

import gzip
import json

import pytest

from interceptor.replay.fixtures import all_fixtures, load, named
from interceptor.replay.messages import value

PATHS = ("/v1/chat/completions", "/v1/fim/completions", "/v1/embeddings")
FIXTURES = {f.name: f for f in all_fixtures() if f.request.path in PATHS}

REQUEST = "POST /v1/chat/completions?a=1 HTTP/1.1\nHost: api.mistral.ai\nX-Odd:  a:b \n\n{}"
RESPONSE = "HTTP/1.1 422 Unprocessable Entity\nSet-Cookie: a\nset-cookie: b\n\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "embeddings" / "odd"
    folder.mkdir(parents=True)
    (folder / "request.http").write_bytes(REQUEST.encode())
    (folder / "response.http").write_bytes(RESPONSE.encode() + b"\r\n\r\n\xff\n\n")
    return folder


def test_load_gives_what_the_files_hold(folder):
    fixture = load(folder)
    assert (fixture.name, fixture.folder) == ("embeddings/odd", folder)
    assert fixture.request == (
        "POST",
        "/v1/chat/completions?a=1",
        (("host", "api.mistral.ai"), ("x-odd", "a:b")),
        b"{}",
    )
    assert fixture.response == (
        422,
        "Unprocessable Entity",
        (("set-cookie", "a"), ("set-cookie", "b")),
        b"\r\n\r\n\xff\n\n",
    )


def test_line_ends_of_the_head_do_not_matter(folder):
    plain = load(folder)
    for name in ("request.http", "response.http"):
        head, blank, body = (folder / name).read_bytes().partition(b"\n\n")
        (folder / name).write_bytes((head + blank).replace(b"\n", b"\r\n") + body)
    assert load(folder) == plain


def test_a_missing_file_is_named(folder):
    (folder / "response.http").unlink()
    with pytest.raises(FileNotFoundError, match=r"response\.http"):
        load(folder)


def test_all_fixtures_walks_a_folder_in_the_order_of_names(folder):
    other = folder.parent / "even"
    folder.rename(other)
    assert [fixture.name for fixture in all_fixtures(other.parent.parent)] == ["embeddings/even"]
    assert list(FIXTURES) == sorted(FIXTURES)


def test_our_own_are_found_by_name():
    assert named("chat.completions/plain") == FIXTURES["chat.completions/plain"]


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_every_request_is_json_of_its_endpoint(fixture):
    endpoint = fixture.name.partition("/")[0]
    assert fixture.request.method == "POST"
    assert fixture.request.path == f"/v1/{endpoint.replace('.', '/')}"
    assert fixture.request.json()["model"]


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_every_response_is_json_or_events_of_json(fixture):
    body = fixture.response.body
    if value(fixture.response.headers, "content-encoding") == "gzip":
        body = gzip.decompress(body)
    if value(fixture.response.headers, "content-type") == "application/json":
        assert json.loads(body)
        return
    events = body.decode().removesuffix("\n\n").split("\n\n")
    assert all(event.startswith("data: ") for event in events)
    assert all(json.loads(event[6:]) for event in events if event != "data: [DONE]")


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_a_stream_was_asked_for_exactly_where_one_came(fixture):
    came = value(fixture.response.headers, "content-type").startswith("text/event-stream")
    assert fixture.request.json().get("stream", False) == came
